"""`Reconciled`: one model for the series, one for the totals above them, and paths that agree with both."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from shelfwise.demand.hierarchy import Hierarchy, LevelName
from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.reconcile.draws import draw_base
from shelfwise.forecast.reconcile.held_out import held_out_errors
from shelfwise.forecast.reconcile.means import METHODS, reconcile
from shelfwise.forecast.reconcile.paths import Adjustment
from shelfwise.forecast.register import make_forecaster
from shelfwise.forecast.scenarios import Floats

# Fewer paths tell too little about how far a forecast may err.
LEAST_SAMPLES = 64
Rows = npt.NDArray[np.intp]


class Reconciled(Forecaster):
    """Forecasts of the series, reconciled with forecasts of the totals above them.

    Series that have ended or are not launched yet keep their own model's paths and are no part of the
    totals, so that totals are like for like. The weights of ``wls_variance`` are the variances of the base
    paths; the residuals of ``mint_shrink`` are errors on the last buckets of history, held out once.

    Args:
        leaf: model of the series, or its name.
        upper: model of the upper nodes, or its name.
        levels: of the hierarchy, as `Hierarchy.of` takes them; the first is the one whose samples the
            series follow.
        method: one of `METHODS`.

    Raises:
        UsageError: an unknown method; on `fit`, levels the panel does not have.

    Example:
        >>> panel = Panel.from_arrays(np.random.default_rng(0).poisson(5, (3, 60)))
        >>> model = Reconciled("moving_average", "moving_average", ["total"]).fit(panel)
        >>> model.sample(horizon=2, n_samples=20, rng=np.random.default_rng(0)).paths.shape
        (3, 20, 2)
    """

    name: ClassVar[str] = "reconciled"
    local: ClassVar[bool] = False

    def __init__(
        self,
        leaf: Forecaster | str = "moving_average",
        upper: Forecaster | str = "ets",
        levels: Sequence[LevelName] = ("total",),
        method: str = "wls_structural",
    ) -> None:
        super().__init__()
        if method not in METHODS:
            raise UsageError(f"method must be one of {', '.join(METHODS)}; got {method!r}")
        self.leaf = make_forecaster(leaf) if isinstance(leaf, str) else leaf
        self.upper = make_forecaster(upper) if isinstance(upper, str) else upper
        self.levels = tuple(levels)
        self.method = method
        self._unfitted = deepcopy((self.leaf, self.upper))

    def fit(self, panel: Panel) -> Self:
        self.leaf.fit(panel)
        self._gather(panel, learn=True)
        return self

    def update(self, panel: Panel) -> Self:
        """New history for both models; the upper one learns anew only where its nodes have changed."""
        self.leaf.update(panel)
        self._gather(panel, learn=False)
        return self

    def _gather(self, panel: Panel, *, learn: bool) -> None:
        self.panel = panel
        self.failures = dict(self.leaf.failures)
        self._plan_for: tuple[int, int, int] | None = None
        alive = (panel.launched < panel.n_buckets) & (panel.ends > panel.n_buckets)
        # Sums are taken in the order of names, so that shuffled series give the same bytes.
        order = panel.keys.with_row_index("row").sort("sku", "location")["row"].to_numpy().astype(np.intp)
        self._members = order[alive[order]]
        self._place = np.full(panel.n_series, -1)
        self._place[self._members] = np.arange(len(self._members))
        if not len(self._members):
            return
        members = panel.take(self._members)
        self._hierarchy = Hierarchy.of(members, self.levels)
        totals = self._hierarchy.aggregate(members)
        known = getattr(self, "_known", None)
        self._known = (members.keys, totals.keys)
        if learn or known is None or not all(a.equals(b) for a, b in zip(known, self._known, strict=True)):
            self.upper.fit(totals)
            self._residuals = None
            if self.method == "mint_shrink":
                self._residuals = held_out_errors(*deepcopy(self._unfitted), members, totals)
        else:
            self.upper.update(totals)

    def _sample_rows(
        self, rows: Rows, horizon: int, n_samples: int, root: int
    ) -> tuple[Floats, Floats | None]:
        paths, expected = self.leaf._sample_rows(rows, horizon, n_samples, root)
        self.failures |= self.leaf.failures
        mean = paths.mean(axis=1, dtype=np.float32) if expected is None else expected.copy()
        slots = np.flatnonzero(self._place[rows] >= 0)
        if len(slots):
            plan = self._planned(horizon, n_samples, root)
            place = self._place[rows[slots]]
            chosen = np.ascontiguousarray(paths[slots])
            whole = (chosen == np.rint(chosen)).all(axis=(1, 2))
            paths[slots] = plan.adjusted(chosen, self.panel.series_ids[rows[slots]], place, whole, root)
            mean[slots] = plan.mean[place]
        return paths, mean

    def _planned(self, horizon: int, n_samples: int, root: int) -> Adjustment:
        """The adjustment of all series at once; kept, as chunks of the same draw follow each other."""
        asked = (horizon, n_samples, root)
        if self._plan_for != asked:
            self._plan = self._new_plan(horizon, n_samples, root)
            self._plan_for = asked
        return self._plan

    def _new_plan(self, horizon: int, n_samples: int, root: int) -> Adjustment:
        tree, samples = self._hierarchy, max(n_samples, LEAST_SAMPLES)
        leaves = draw_base(self.leaf, self._members, horizon, samples, root)
        nodes = draw_base(self.upper, np.arange(tree.n_nodes), horizon, samples, root)
        wanted = nodes.mean
        silent = sorted(self.upper.failures)
        if silent:
            # A node nobody could observe says what its series say.
            wanted[silent] = tree.sums(leaves.mean)[silent]
        method = "wls_variance" if self.method == "mint_shrink" and self._residuals is None else self.method
        made = reconcile(
            tree,
            leaves.mean,
            wanted,
            method,
            variance=np.concatenate([nodes.variance, leaves.variance]),
            residuals=self._residuals,
            history=self.panel.demand[self._members],
        )
        top = nodes.totals[tree.level_of == 0, :n_samples]
        return Adjustment.between(tree, leaves.mean, made, leaves.totals.std(axis=1), top)
