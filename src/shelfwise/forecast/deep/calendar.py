"""Where in the year, the month and the week a bucket lies, as numbers a network can add up."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demand.panel import Panel

Floats = npt.NDArray[np.float32]
# Beyond the prepared horizon, for those who look further.
SPARE_BUCKETS = 400


def calendar_columns(panel: Panel, harmonics: int) -> Floats:
    """(T + H + spare, columns): waves of the year; of days also the weekday and a wave of the month."""
    count = panel.n_buckets + panel.horizon + SPARE_BUCKETS
    dates = pl.Series(panel.bucket.dates(panel.start, count), dtype=pl.Date)
    year = 2.0 * np.pi * dates.dt.ordinal_day().to_numpy() / 365.25
    columns = _waves(year, harmonics)
    if panel.bucket.name == "day":
        weekday = dates.dt.weekday().to_numpy()
        columns += [(weekday == day).astype(np.float64) for day in range(1, 8)]
        columns += _waves(2.0 * np.pi * dates.dt.day().to_numpy() / 30.44, 1)
    return np.stack(columns, axis=1).astype(np.float32)


def _waves(phase: npt.NDArray[np.float64], harmonics: int) -> list[npt.NDArray[np.float64]]:
    return [wave(k * phase) for k in range(1, harmonics + 1) for wave in (np.sin, np.cos)]
