"""`GradientBoosting`: one global model over all series.

The mean comes from trees that see each step's own covariates; the spread around it and the dependence
between steps come from ranks of held-out outcomes (`spread`). All learning happens in an order of the
series that depends on their names alone, so shuffled rows give shuffled results.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.gbm.booster import Booster, TreeSettings
from shelfwise.forecast.gbm.features import FeatureTable
from shelfwise.forecast.gbm.recursion import recursive_mean
from shelfwise.forecast.gbm.sampling import every_step, training_triples
from shelfwise.forecast.gbm.spread import Spread
from shelfwise.forecast.gbm.windows import windows_for
from shelfwise.forecast.newcomers import NewItemForecaster

Floats = npt.NDArray[np.float32]
HELD_OUT_ORIGINS = 4
FEWEST_SAMPLED = 30_000
GROWN_UP_BUCKETS = 26
STRATEGIES = ("direct", "recursive")


class GradientBoosting(Forecaster):
    """Global LightGBM with count-aware, calibrated, joint sample paths.

    Args:
        horizon: steps learnt; by default what the panel prepares (`panel.horizon`), else a month of
            days, a quarter of weeks or half a year of months. Longer horizons can be sampled still.
        max_rows: training rows are a sample of at most about this size.
        trees: LightGBM settings, the objective among them.
        seed: of the sample and the trees.
        strategy: ``direct``, or ``recursive``: one season's steps are learnt, and their forecasts are history
            for the next ones.
        step_weights: how much each step of the horizon counts in learning; the last weight holds for all
            steps beyond. By default all count alike.

    Raises:
        UsageError: a horizon below 1, an unknown strategy, or weights that are not positive numbers.

    Example:
        >>> import numpy as np
        >>> from shelfwise.demand.panel import Panel
        >>> demand = np.random.default_rng(1).poisson(5, (20, 60))
        >>> model = GradientBoosting(horizon=4).fit(Panel.from_arrays(demand))
        >>> model.sample(4, 100, np.random.default_rng(0)).paths.shape
        (20, 100, 4)
    """

    name: ClassVar[str] = "gbm"

    def __init__(
        self,
        horizon: int | None = None,
        max_rows: int = 2_000_000,
        trees: TreeSettings | None = None,
        seed: int = 0,
        strategy: str = "direct",
        step_weights: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        if horizon is not None and horizon < 1:
            raise UsageError(f"horizon must be at least 1 bucket; got {horizon}")
        if strategy not in STRATEGIES:
            raise UsageError(f"strategy must be one of {', '.join(STRATEGIES)}; got {strategy!r}")
        weights = np.asarray([1.0] if step_weights is None else step_weights, dtype=np.float32)
        if not weights.size or not (np.isfinite(weights).all() and (weights > 0).all()):
            raise UsageError(f"step_weights must be positive numbers, at least one; got {step_weights}")
        self.horizon = horizon
        self.strategy = strategy
        self.step_weights = None if step_weights is None else weights
        self.max_rows = max_rows
        self.trees = trees or TreeSettings()
        self.seed = seed

    @property
    def recursive(self) -> bool:
        """Whether a step is fed the forecasts of those before it."""
        return self.strategy == "recursive"

    def fit(self, panel: Panel) -> Self:
        """Learn the trees twice: without the last buckets, to see how wide errors are; then with them."""
        self._look_at(panel, like=None)
        windows = windows_for(panel.bucket)
        learnt = self.horizon or panel.horizon or windows.horizon
        self._learnt = int(min(learnt, max(1, panel.n_buckets // 3)))
        held = min(2 * self._learnt, panel.n_buckets // 3)
        cut = panel.n_buckets - held
        trial = self._train(cut, self.max_rows // 2)
        self.spread = self._learn_spread(trial, cut, held)
        self.booster = trial if held == 0 else self._train(panel.n_buckets, self.max_rows)
        return self

    def update(self, panel: Panel) -> Self:
        """Forecast from a longer history with what was learnt before."""
        self._look_at(panel, like=self._table)
        return self

    def _look_at(self, panel: Panel, like: FeatureTable | None) -> None:
        self.panel = panel
        self._ahead: dict[int, Floats] = {}
        order = np.argsort(panel.series_ids, kind="stable")
        self._place = np.empty_like(order)
        self._place[order] = np.arange(len(order))
        self._table = FeatureTable(panel.take(order), like)
        self._whole = self._table.panel.whole_units
        self._is_new = np.asarray(~np.isfinite(self._table.panel.demand).any(axis=1))
        self.failures = {}
        if self._is_new.any():
            self._newcomers = NewItemForecaster().fit(self._table.panel)
            rows = np.sort(order[self._is_new])
            reasons = self._newcomers.reasons(self._place[rows])
            self.failures = dict(zip(rows.tolist(), reasons, strict=True))

    def _train(self, until: int, max_rows: int) -> Booster:
        """Trees from targets before `until`."""
        rng = np.random.default_rng(self.seed)
        windows = self._table.windows
        known = np.isfinite(self._table.panel.demand)
        steps = min(windows.season, self._learnt) if self.recursive else self._learnt
        # Triples beyond one a known bucket tell the same outcomes again from other origins.
        rows = int(np.clip(known.sum(), FEWEST_SAMPLED, max(max_rows, FEWEST_SAMPLED)))
        triples = training_triples(known[:, :until], steps, windows.means[1], rows, rng)
        weights = self.step_weights
        if weights is not None:
            weights = weights[np.minimum(np.arange(steps), len(weights) - 1)]
        return Booster.train(self._table, triples, self.trees, self.seed, weights)

    def _held_out_origins(self, cut: int, held: int) -> list[int]:
        last = max(cut, cut + held - self._learnt)
        return sorted({int(t) for t in np.linspace(cut, last, HELD_OUT_ORIGINS)})

    def _learn_spread(self, trial: Booster, cut: int, held: int) -> Spread:
        demand = self._table.panel.demand
        ids = self._table.panel.series_ids
        every = np.arange(demand.shape[0])
        depth = min(self._learnt, held)
        found: list[tuple[Any, ...]] = []
        for origin in self._held_out_origins(cut, held) if held else []:
            seen = every[np.isfinite(demand[:, :origin]).any(axis=1)]
            found.append(
                (
                    demand[seen, origin : origin + depth],
                    self._mean(trial, seen, origin, depth),
                    self._table.level[seen, origin],
                    self._variation(seen, origin),
                    self._whole[seen],
                    ids[seen] ^ np.uint64(origin),
                )
            )
        if not found:
            nothing, none = np.zeros((0, self._learnt), np.float32), np.zeros(0, np.float32)
            return Spread.learn(nothing, nothing, none, none, self._whole[:0], ids[:0], self.seed)
        actual, mean, level, variation, whole, series = map(np.concatenate, zip(*found, strict=True))
        return Spread.learn(actual, mean, level, variation, whole, series, self.seed)

    def _mean(self, booster: Booster, rows: npt.NDArray[Any], origin: int, horizon: int) -> Floats:
        """(len(rows), horizon) expected demand from an origin; rows in the table's order."""
        if not self.recursive:
            return booster.mean(self._table, every_step(rows, origin, horizon)).reshape(len(rows), horizon)
        stride = self._table.windows.season
        if origin < self.panel.n_buckets:
            past: Floats = recursive_mean(self._table, booster, origin, horizon, stride)[rows]
            return past
        if horizon not in self._ahead:
            # Groups need all series, and chunks of them ask for the same horizon again and again.
            self._ahead = {horizon: recursive_mean(self._table, booster, origin, horizon, stride)}
        ahead: Floats = self._ahead[horizon][rows]
        return ahead

    def _variation(self, rows: npt.NDArray[Any], origin: int) -> Floats:
        """(len(rows),) past standard deviation over mean, NaN where unknown."""
        past, reach = self._table.history, 2 * self._table.windows.spread
        sd = past.window_sd(rows, origin - reach, origin)
        mean = past.window_mean(rows, origin - reach, origin)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(mean > 0, sd / mean, np.nan).astype(np.float32)

    def _ceiling(self, rows: npt.NDArray[Any], mean: Floats) -> Floats:
        """(len(rows), H) the most each bucket may bring: well above anything seen, more loosely while young."""
        demand = self._table.panel.demand[rows]
        known = np.isfinite(demand)
        most = np.where(known, demand, 0.0).max(axis=1)
        room = np.where(known.sum(axis=1) >= GROWN_UP_BUCKETS, 2.0, 5.0)
        return np.asarray(np.ceil((room * most)[:, None] + 6.0 * (mean + 1.0)), dtype=np.float32)

    def _sample_rows(
        self, rows: npt.NDArray[np.intp], horizon: int, n_samples: int, root: int
    ) -> tuple[Floats, Floats | None]:
        place = self._place[rows]
        origin = self.panel.n_buckets
        mean = self._mean(self.booster, place, origin, horizon)
        paths = self.spread.draw(
            mean,
            self._table.level[place, origin],
            self._variation(place, origin),
            self._whole[place],
            self._ceiling(place, mean),
            self._table.panel.series_ids[place],
            n_samples,
            root,
        )
        new = np.flatnonzero(self._is_new[place])
        if len(new):
            # Trees read an item by its past; one without any is guessed from the launches of others.
            found = self._newcomers.sample_rows(place[new], horizon, n_samples, root)
            paths[new], mean[new] = found
        return paths, mean
