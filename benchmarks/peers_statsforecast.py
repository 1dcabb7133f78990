"""Peers for M5: statsforecast from the bottom up, each series by itself, with the library's own intervals.

Methods, the best of the library that two cores can fit to 30,490 series in minutes:

- ``ets``: AutoETS of additive errors, with or without an additive week, no trend (``ANZ``); analytic intervals.
  The free choice (``ZZZ``) also tries trends, at twenty times the seconds.
- ``seasonal_es``: a smoothing for each day of the week, optimised; conformal intervals of eight windows.
- ``imapa``: for intermittent demand; conformal intervals of eight windows.
- ``seasonal_naive``: the last week again, the reference; analytic intervals.

A series a method cannot fit, being too short, gets the library's fallback, the mean of its history. The
quantile 0.5 is the point forecast, as the intervals are symmetric; what is below zero is set to zero.

    python -m benchmarks.peers_statsforecast FOLDER --as-of DATE --horizon 28 --quantiles 0.5,0.9
        [--method ets] -o FILE.parquet
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pandas as pd
from statsforecast import StatsForecast
from statsforecast.models import (
    IMAPA,
    AutoETS,
    HistoricAverage,
    SeasonalExponentialSmoothingOptimized,
    SeasonalNaive,
)
from statsforecast.utils import ConformalIntervals

from benchmarks.peers_folder import Floats, PeerData, read_order, read_peer_data, write_peer_forecast
from benchmarks.raw_data import run_command

WEEK = 7
CONFORMAL_WINDOWS = 8
METHODS = ["ets", "seasonal_es", "imapa", "seasonal_naive"]


def make_model(method: str, horizon: int) -> Any:
    """One of `METHODS` as the library's object."""
    if method == "ets":
        return AutoETS(season_length=WEEK, model="ANZ", alias=method)
    if method == "seasonal_naive":
        return SeasonalNaive(season_length=WEEK, alias=method)
    windows = ConformalIntervals(n_windows=CONFORMAL_WINDOWS, h=horizon)
    if method == "seasonal_es":
        return SeasonalExponentialSmoothingOptimized(WEEK, alias=method, prediction_intervals=windows)
    return IMAPA(alias=method, prediction_intervals=windows)


def interval_column(method: str, level: float) -> tuple[str, float]:
    """The library's column that holds a quantile, and the interval (per cent) it is an end of.

    Example:
        >>> interval_column("ets", 0.165), interval_column("ets", 0.995)
        (('ets-lo-67', 67), ('ets-hi-99', 99))
    """
    width = round(abs(200 * level - 100), 6)
    width = int(width) if width == int(width) else width
    return f"{method}-{'lo' if level < 0.5 else 'hi'}-{width}", width


def forecast(data: PeerData, method: str, levels: list[float]) -> tuple[Floats, Floats]:
    """(N, H) means and (N, H, Q) quantiles, none below zero."""
    series, day = np.nonzero(np.arange(data.n_days) >= data.begin[:, None])
    dates = np.datetime64(data.first_day, "s") + np.arange(data.n_days) * np.timedelta64(86400, "s")
    history = pd.DataFrame(
        {"unique_id": series.astype(np.int32), "ds": dates[day], "y": data.units[series, day]}
    )
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    columns = [interval_column(method, level) for level in levels]
    library = StatsForecast(
        models=[make_model(method, data.horizon)], freq="D", n_jobs=cores, fallback_model=HistoricAverage()
    )
    told = library.forecast(
        df=history, h=data.horizon, level=sorted({width for _, width in columns if width > 0})
    )
    shape = (len(data.keys), data.horizon)
    mean = np.maximum(told[method].to_numpy(dtype=np.float32).reshape(shape), 0.0)
    # A series of one day has no spread, which the library tells as NaN.
    ends = [told[name if width > 0 else method].to_numpy(dtype=np.float32) for name, width in columns]
    spread = np.stack([np.maximum(end.reshape(shape), 0.0) for end in ends], axis=2)
    # The library files the fallback's intervals under each other's widths; sorted, each is where it belongs.
    order = np.argsort(np.argsort(levels))
    return mean, np.sort(np.where(np.isnan(spread), mean[:, :, None], spread), axis=2)[:, :, order]


def main() -> None:
    order = read_order("statsforecast, bottom-up", METHODS)
    data = read_peer_data(order.folder, order.as_of, order.horizon)
    mean, quantiles = forecast(data, order.method, order.levels)
    write_peer_forecast(data, mean, quantiles, order.levels, order.file)


if __name__ == "__main__":
    run_command(main)
