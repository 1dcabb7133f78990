"""Running sums over a panel's history, so that any window of any series is two look-ups away.

A window counts only buckets whose demand is known: a masked bucket is left out of both the sum and the
count, and so never pulls a mean towards zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Panel

Floats = npt.NDArray[np.float32]


def _running(values: npt.NDArray[Any], dtype: Any) -> npt.NDArray[Any]:
    """(N, T + 1) running sum with a leading zero column."""
    total = np.zeros((values.shape[0], values.shape[1] + 1), dtype=dtype)
    np.cumsum(values, axis=1, dtype=dtype, out=total[:, 1:])
    return total


def _phase_running(values: npt.NDArray[Any], season: int) -> npt.NDArray[Any]:
    """(N, T) running sum over the same phase of the season: c[t] = v[t] + c[t - season]."""
    total = values.copy()
    for first in range(season, values.shape[1], season):
        last = min(first + season, values.shape[1])
        total[:, first:last] += total[:, first - season : last - season]
    return total


@dataclass(frozen=True)
class History:
    """Running sums of N series over T buckets; `first` and `last_sale` are bucket numbers."""

    value: Floats
    seen: npt.NDArray[np.bool_]
    total: npt.NDArray[np.float64]
    squares: npt.NDArray[np.float64]
    count: npt.NDArray[np.int32]
    sales: npt.NDArray[np.int32]
    phase_total: Floats
    phase_count: npt.NDArray[np.int16]
    last_sale: npt.NDArray[np.int32]
    first: npt.NDArray[np.int32]
    season: int

    @classmethod
    def of(cls, demand: Floats, season: int) -> History:
        """From (N, T) demand with NaN where unknown, and the length of the short season."""
        seen = ~np.isnan(demand)
        value = np.where(seen, demand, np.float32(0.0))
        step = np.arange(demand.shape[1], dtype=np.int32)
        last_sale = np.maximum.accumulate(np.where(value > 0, step, np.int32(-1)), axis=1)
        return cls(
            value=value,
            seen=seen,
            total=_running(value, np.float64),
            squares=_running(value.astype(np.float64) ** 2, np.float64),
            count=_running(seen, np.int32),
            sales=_running(value > 0, np.int32),
            phase_total=_phase_running(value, season),
            phase_count=_phase_running(seen.astype(np.int16), season),
            last_sale=last_sale,
            first=np.where(seen.any(axis=1), seen.argmax(axis=1), demand.shape[1]).astype(np.int32),
            season=season,
        )

    @classmethod
    def of_panel(cls, panel: Panel, season: int) -> History:
        return cls.of(panel.demand, season)

    def window_mean(self, rows: Any, start: Any, end: Any) -> Floats:
        """Mean of the known buckets in [start, end), NaN if there is none; bounds are clipped."""
        top = self.total.shape[1] - 1
        start, end = np.clip(start, 0, top), np.clip(end, 0, top)
        count = self.count[rows, end] - self.count[rows, start]
        total = self.total[rows, end] - self.total[rows, start]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(count > 0, total / count, np.nan).astype(np.float32)

    def window_sd(self, rows: Any, start: Any, end: Any) -> Floats:
        """Standard deviation of the known buckets in [start, end), NaN with fewer than two."""
        top = self.total.shape[1] - 1
        start, end = np.clip(start, 0, top), np.clip(end, 0, top)
        count = self.count[rows, end] - self.count[rows, start]
        total = self.total[rows, end] - self.total[rows, start]
        squares = self.squares[rows, end] - self.squares[rows, start]
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = (squares - total**2 / count) / (count - 1)
            return np.where(count > 1, np.sqrt(np.maximum(variance, 0.0)), np.nan).astype(np.float32)

    def sale_share(self, rows: Any, start: Any, end: Any) -> Floats:
        """Share of known buckets with any sale in [start, end)."""
        top = self.total.shape[1] - 1
        start, end = np.clip(start, 0, top), np.clip(end, 0, top)
        count = self.count[rows, end] - self.count[rows, start]
        sales = self.sales[rows, end] - self.sales[rows, start]
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(count > 0, sales / count, np.nan).astype(np.float32)

    def phase_mean(self, rows: Any, last: Any, occurrences: int) -> Floats:
        """Mean of the last `occurrences` known buckets of one phase, the latest being bucket `last`."""
        valid = last >= 0
        at = np.where(valid, last, 0)
        before = at - occurrences * self.season
        has_before = before >= 0
        before = np.where(has_before, before, 0)
        total = self.phase_total[rows, at] - np.where(has_before, self.phase_total[rows, before], 0.0)
        count = self.phase_count[rows, at] - np.where(has_before, self.phase_count[rows, before], 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(valid & (count > 0), total / count, np.nan).astype(np.float32)
