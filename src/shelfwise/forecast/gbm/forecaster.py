"""`GradientBoosting`: one global model over all series, every step of the horizon learnt directly.

The mean comes from trees that see each step's own covariates; the spread around it and the dependence
between steps come from ranks of held-out outcomes (`spread`). All learning happens in an order of the
series that depends on their names alone, so shuffled rows give shuffled results.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.gbm.booster import Booster, TreeSettings
from shelfwise.forecast.gbm.features import FeatureTable
from shelfwise.forecast.gbm.sampling import every_step, training_triples
from shelfwise.forecast.gbm.spread import Spread
from shelfwise.forecast.gbm.windows import windows_for
from shelfwise.forecast.newcomers import NewItemForecaster

Floats = npt.NDArray[np.float32]
HELD_OUT_ORIGINS = 4
FEWEST_SAMPLED = 30_000
GROWN_UP_BUCKETS = 26
HELD_OUT_ROWS = 250_000


class GradientBoosting(Forecaster):
    """Global LightGBM with count-aware, calibrated, joint sample paths.

    Args:
        horizon: steps learnt; by default what the panel prepares (`panel.horizon`), else a month of
            days, a quarter of weeks or half a year of months. Longer horizons can be sampled still.
        max_rows: training rows are a sample of at most about this size.
        trees: LightGBM settings.
        seed: of the sample and the trees.

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
    ) -> None:
        super().__init__()
        if horizon is not None and horizon < 1:
            raise UsageError(f"horizon must be at least 1 bucket; got {horizon}")
        self.horizon = horizon
        self.max_rows = max_rows
        self.trees = trees or TreeSettings()
        self.seed = seed

    def fit(self, panel: Panel) -> Self:
        """Learn the trees twice: without the last buckets, for the spread; then with them."""
        self._look_at(panel, like=None)
        windows = windows_for(panel.bucket)
        learnt = self.horizon or panel.horizon or windows.horizon
        self._learnt = int(min(learnt, max(1, panel.n_buckets // 3)))
        held = min(2 * self._learnt, panel.n_buckets // 3)
        cut = panel.n_buckets - held
        trial = self._train(panel.n_buckets if held == 0 else cut, held)
        self.spread = self._learn_spread(trial, cut, held)
        self.booster = trial if held == 0 else self._train(panel.n_buckets, 0, rounds=trial.rounds)
        return self

    def update(self, panel: Panel) -> Self:
        """Forecast from a longer history with what was learnt before."""
        self._look_at(panel, like=self._table)
        return self

    def _look_at(self, panel: Panel, like: FeatureTable | None) -> None:
        self.panel = panel
        order = np.argsort(panel.series_ids, kind="stable")
        self._place = np.empty_like(order)
        self._place[order] = np.arange(len(order))
        self._table = FeatureTable(panel.take(order), like)
        sold = self._table.panel.sold
        whole = np.isnan(sold) | (sold == np.rint(sold))
        self._whole = whole.all(axis=1)
        self._is_new = np.asarray(~np.isfinite(self._table.panel.demand).any(axis=1))
        self.failures = {}
        if self._is_new.any():
            self._newcomers = NewItemForecaster().fit(self._table.panel)
            rows = np.sort(order[self._is_new])
            reasons = self._newcomers.reasons(self._place[rows])
            self.failures = dict(zip(rows.tolist(), reasons, strict=True))

    def _train(self, until: int, held: int, rounds: int | None = None) -> Booster:
        """Trees from targets before `until`; the buckets held out after it choose how many."""
        if rounds == 0:
            return Booster(None, 0)
        rng = np.random.default_rng(self.seed)
        known = np.isfinite(self._table.panel.demand)
        least = self._table.windows.means[1]
        # Triples beyond one a known bucket tell the same outcomes again from other origins.
        rows = int(np.clip(known.sum(), FEWEST_SAMPLED, self.max_rows))
        if held:
            # The trial only settles how many trees and how wide the spread; half the rows tell that.
            rows = max(rows // 2, FEWEST_SAMPLED)
        triples = training_triples(known[:, :until], self._learnt, least, rows, rng)
        test = None
        if held:
            origins = self._held_out_origins(until, held)
            test_rows = np.arange(known.shape[0])
            per_origin = max(1, HELD_OUT_ROWS // (self._learnt * len(origins)))
            if len(test_rows) > per_origin:
                test_rows = np.sort(rng.choice(test_rows, per_origin, replace=False))
            test = [
                every_step(test_rows, origin, min(self._learnt, until + held - origin)) for origin in origins
            ]
        return Booster.train(
            self._table, triples, self.trees, self.seed, _join(test) if test else None, rounds
        )

    def _held_out_origins(self, cut: int, held: int) -> list[int]:
        last = max(cut, cut + held - self._learnt)
        return sorted({int(t) for t in np.linspace(cut, last, HELD_OUT_ORIGINS)})

    def _learn_spread(self, trial: Booster, cut: int, held: int) -> Spread:
        demand = self._table.panel.demand
        ids = self._table.panel.series_ids
        every = np.arange(demand.shape[0])
        depth = min(self._learnt, held)
        actual, mean, variation, series = [], [], [], []
        for origin in self._held_out_origins(cut, held) if held else []:
            seen = every[np.isfinite(demand[:, :origin]).any(axis=1)]
            actual.append(demand[seen, origin : origin + depth])
            mean.append(self._mean(trial, seen, origin, depth))
            variation.append(self._variation(seen, origin))
            series.append(ids[seen] ^ np.uint64(origin))
        if not actual:
            nothing = np.zeros((0, self._learnt), np.float32)
            return Spread.learn(nothing, nothing, np.zeros(0, np.float32), ids[:0], self.seed)
        return Spread.learn(
            np.concatenate(actual),
            np.concatenate(mean),
            np.concatenate(variation),
            np.concatenate(series),
            self.seed,
        )

    def _mean(self, booster: Booster, rows: npt.NDArray[Any], origin: int, horizon: int) -> Floats:
        """(len(rows), horizon) expected demand from an origin; rows in the table's order."""
        return booster.mean(self._table, every_step(rows, origin, horizon)).reshape(len(rows), horizon)

    def _variation(self, rows: npt.NDArray[Any], origin: int) -> Floats:
        """(len(rows),) past standard deviation over mean, NaN where unknown."""
        past, reach = self._table.history, 2 * self._table.windows.spread
        sd = past.window_sd(rows, origin - reach, origin)
        mean = past.window_mean(rows, origin - reach, origin)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(mean > 0, sd / mean, np.nan).astype(np.float32)

    def _ceiling(self, rows: npt.NDArray[Any], mean: Floats) -> Floats:
        """(len(rows),) the most one bucket may bring: well above anything seen, more loosely while young."""
        demand = self._table.panel.demand[rows]
        known = np.isfinite(demand)
        most = np.where(known, demand, 0.0).max(axis=1)
        room = np.where(known.sum(axis=1) >= GROWN_UP_BUCKETS, 2.0, 5.0)
        return np.asarray(np.ceil(room * most + 6.0 * (mean.max(axis=1) + 1.0)), dtype=np.float32)

    def _sample_rows(
        self, rows: npt.NDArray[np.intp], horizon: int, n_samples: int, root: int
    ) -> tuple[Floats, Floats | None]:
        place = self._place[rows]
        origin = self.panel.n_buckets
        mean = self._mean(self.booster, place, origin, horizon)
        paths = self.spread.draw(
            mean,
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


def _join(parts: list[Any]) -> Any:
    first = parts[0]
    return type(first)(
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.origins for part in parts]),
        np.concatenate([part.steps for part in parts]),
    )
