"""What the classical forecasters share: each series from its own history, the young ones from the shop's."""

from __future__ import annotations

from abc import abstractmethod
from typing import Self

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.moving_average import MovingAverage
from shelfwise.forecast.scenarios import Floats

LEAST_OBSERVED = 8
SERIES_AT_ONCE = 1024
Rows = npt.NDArray[np.intp]


class LocalForecaster(Forecaster):
    """A method that needs at least 8 observed buckets of a series; younger ones get the moving average.

    The moving average lends its young series residual paths of the shop's alike series, and gives those
    never observed the level of the shop's launches; the latter are listed in `failures`.
    """

    local: bool = True
    """A series that has a history of its own is forecast from nothing else."""

    def fit(self, panel: Panel) -> Self:
        self.panel = panel
        self._demand = np.ascontiguousarray(panel.demand, dtype=np.float32)
        seen = ~np.isnan(self._demand)
        self._young = seen.sum(axis=1) < LEAST_OBSERVED
        self._whole = panel.whole_units
        self._instead = MovingAverage().fit(panel) if self._young.any() else None
        self.failures = dict(self._instead.failures) if self._instead else {}
        self._learn()
        return self

    def update(self, panel: Panel) -> Self:
        """Nothing is learnt apart from history, so new history is a new fit."""
        return self.fit(panel)

    @abstractmethod
    def _learn(self) -> None:
        """Fit every series of `self._demand` (N, T)."""

    @abstractmethod
    def _draw_rows(self, rows: Rows, horizon: int, n_samples: int, root: int) -> tuple[Floats, Floats]:
        """Paths (n, S, H) and point forecasts (n, H) of rows with enough history."""

    def _sample_rows(
        self, rows: Rows, horizon: int, n_samples: int, root: int
    ) -> tuple[Floats, Floats | None]:
        paths = np.empty((len(rows), n_samples, horizon), np.float32)
        expected = np.empty((len(rows), horizon), np.float32)
        grown = np.flatnonzero(~self._young[rows])
        for first in range(0, len(grown), SERIES_AT_ONCE):
            slots = grown[first : first + SERIES_AT_ONCE]
            paths[slots], expected[slots] = self._draw_rows(rows[slots], horizon, n_samples, root)
        young = np.flatnonzero(self._young[rows])
        if len(young) and self._instead is not None:
            lent, point = self._instead._sample_rows(rows[young], horizon, n_samples, root)
            paths[young] = lent
            expected[young] = lent.mean(axis=1) if point is None else point
        return paths, expected


def checked_season(season: int | None) -> int | None:
    """`season` if it is None or at least 1, else a UsageError."""
    if season is not None and season < 1:
        raise UsageError(f"season must be at least 1 bucket; got {season}")
    return season
