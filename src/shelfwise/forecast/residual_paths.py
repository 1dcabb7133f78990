"""Joint sample paths from what the same method missed in the past (empirical residual paths).

Each sample draws one past origin and takes its whole path of residuals, so that the dependence between
buckets is the one that was there; Hyndman & Athanasopoulos 2021, "Forecasting: Principles and Practice",
section 5.5, with whole paths in place of single residuals.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Self

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Panel
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.kernels.levels import level_forecasts
from shelfwise.forecast.kernels.residuals import collect_residuals, draw_paths
from shelfwise.forecast.residual_pool import LEAST_PATHS, Draws, ResidualPool, past_origins
from shelfwise.forecast.scenarios import Floats
from shelfwise.messages import Said

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

WINDOW = {"day": 28, "week": 13, "month": 6}
SPAN_YEARS = 2.0
SERIES_AT_ONCE = 1024
NO_HISTORY, NO_HISTORY_AT_ALL = "forecast.no_history", "forecast.no_history_at_all"


class ResidualPathForecaster(Forecaster):
    """A point forecast that can be repeated at every past origin, with residual paths around it.

    Subclasses implement `_forecasts`. Series with fewer than 8 past origins borrow residual paths from
    series of similar level; a series without any observation gets the median level at which the
    shop's series began and paths like theirs, and is listed in `failures`.
    """

    local: bool = True
    """Whether a series that has a history of its own is forecast from nothing else."""

    @abstractmethod
    def _forecasts(self, rows: npt.NDArray[np.intp], origins: Integers, steps: int) -> tuple[Floats, Flags]:
        """(n, O, steps) forecasts made at `origins`, NaN if nothing was observed; (n, O) whether as today."""

    def fit(self, panel: Panel) -> Self:
        self.panel = panel
        self._demand = np.ascontiguousarray(panel.demand, dtype=np.float32)
        seen = ~np.isnan(self._demand)
        self._counts = seen.sum(axis=1)
        self._whole = panel.whole_units
        self._window = WINDOW[panel.bucket.name]
        self._span = max(1, round(SPAN_YEARS * panel.bucket.per_year))
        self._pool = ResidualPool(self._demand, panel.series_ids, self._span)
        self._prepare()
        silent = np.flatnonzero((self._counts == 0) & (panel.ends > panel.n_buckets))
        self._launch_level = self._pool.launch_level if len(silent) else 0.0
        reason = Said(NO_HISTORY if self._counts.any() else NO_HISTORY_AT_ALL)
        self.failures = {int(row): reason for row in silent}
        return self

    def update(self, panel: Panel) -> Self:
        """Nothing is learnt apart from history, so new history is a new fit."""
        return self.fit(panel)

    def _prepare(self) -> None:
        """What a subclass needs before it can forecast; nothing by default."""

    def _sample_rows(
        self, rows: npt.NDArray[np.intp], horizon: int, n_samples: int, root: int
    ) -> tuple[Floats, Floats | None]:
        # Kernels do not check bounds: what they are given goes by the array they read.
        buckets = self._demand.shape[1]
        steps = min(horizon, max(1, (buckets - 1) // 2))
        origins = past_origins(buckets, steps, self._span)
        today = np.array([buckets], dtype=np.int64)
        paths = np.empty((len(rows), n_samples, horizon), np.float32)
        expected = np.empty((len(rows), horizon), np.float32)
        young = np.zeros(len(rows), np.bool_)
        for first in range(0, len(rows), SERIES_AT_ONCE):
            part = rows[first : first + SERIES_AT_ONCE]
            slots = np.arange(first, first + len(part))
            point = self._forecasts(part, today, horizon)[0][:, 0]
            expected[slots] = np.where(np.isnan(point), np.float32(self._launch_level), point)
            residuals, alike = self._forecasts(part, origins, steps)
            kept = collect_residuals(self._demand[part], residuals, alike, origins, LEAST_PATHS)
            young[slots] = kept < LEAST_PATHS
            own = np.flatnonzero(kept >= LEAST_PATHS)
            begin = own.astype(np.int64) * len(origins)
            draws = Draws(residuals.reshape(-1, steps), begin, kept[own], np.ones(len(own)))
            self._draw_paths(draws, rows, slots[own], root, expected, paths)
        slots = np.flatnonzero(young)
        seen_for = self._seen_for(rows[slots])
        for observed in np.unique(seen_for):
            group = slots[seen_for == observed]
            levels = self._levels(rows[group])
            draws = self._pool.lend(int(observed), levels, steps, horizon)
            self._draw_paths(draws, rows, group, root, expected, paths)
        return paths, expected

    def _seen_for(self, rows: npt.NDArray[np.intp]) -> Integers:
        """(n,) observed buckets, rounded down to powers of two to keep the number of borrowed banks small."""
        counts = self._counts[rows]
        powers = (2 ** np.floor(np.log2(np.maximum(counts, 1)))).astype(np.int64)
        return np.where(counts > 0, np.minimum(powers, self._window), 0)

    def _levels(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        """(n,) mean of the last observed buckets; that of the shop's launches where there are none."""
        demand = self._demand[rows]
        today = np.array([demand.shape[1]], dtype=np.int64)
        plain = np.ones((len(demand), demand.shape[1] + 1), np.float32)
        levels = level_forecasts(demand, plain, today, 1, self._window)[0][:, 0, 0]
        return np.where(np.isnan(levels), self._launch_level, levels).astype(np.float64)

    def _draw_paths(
        self,
        draws: Draws,
        rows: npt.NDArray[np.intp],
        slots: npt.NDArray[np.intp],
        root: int,
        expected: Floats,
        paths: Floats,
    ) -> None:
        if not len(slots):
            return
        chosen = rows[slots]
        # An item never sold comes in whole units if everything else does.
        whole = np.where(self._counts[chosen] > 0, self._whole[chosen], self._whole.all())
        series = self.panel.series_ids[chosen]
        draw_paths(
            expected[slots],
            draws.bank,
            draws.first,
            draws.count,
            draws.unit,
            whole,
            series,
            np.uint64(root),
            slots,
            paths,
        )
