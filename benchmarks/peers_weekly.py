"""Peers for weekly retail data: statsforecast series by series, mlforecast with LightGBM over all of them.

All get what a forecaster of ours gets from the panel, returns netted: every series densely from its first sale on,
weeks without a row as 0, and the promotions of history and horizon where the task has them.

- ``statsforecast_ets``: AutoETS of additive errors, no trend, no season (``ANN``: a year of weeks is longer than its
  season may be); analytic intervals. The free choice (``ZZN``) was worse, its multiplicative intervals without bounds.
- ``statsforecast_sba``: Croston's method as Syntetos and Boylan corrected it; conformal intervals of four windows,
  which did better than two or three.
- ``mlforecast``: the recipe of `peers_mlforecast` in weeks: LightGBM with a Tweedie objective fed back its own
  forecasts, lags and rolling statistics, price where it is known, attributes as categories, promotions as regressors;
  quantiles from the errors it made on the last weeks before the origin. Week and month of the year are features where
  there are two years to learn them from, as in the recipe of days.

A series a method of statsforecast cannot fit gets the library's fallback, the mean of its history.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
from mlforecast import MLForecast
from mlforecast.lag_transforms import ExponentiallyWeightedMean, RollingMean, RollingStd
from statsforecast import StatsForecast
from statsforecast.models import AutoETS, CrostonSBA, HistoricAverage
from statsforecast.utils import ConformalIntervals

from benchmarks.peers_mlforecast import PARAMETERS
from benchmarks.peers_residuals import held_out_quantiles, past_noise
from benchmarks.peers_statsforecast import interval_column
from shelfwise.demand.panel import Panel

WEEK = "W-MON"
YEAR_WEEKS = 52
MOST_CATEGORIES = 256
CONFORMAL_WINDOWS = 4
LAGS = [1, 2, 3, 4, 8, 13]
YEARLY_LAG = 52
LAG_TRANSFORMS = {
    1: [
        RollingMean(4),
        RollingMean(8),
        RollingMean(13),
        RollingMean(26),
        RollingStd(13),
        ExponentiallyWeightedMean(0.2),
    ],
}
YEAR_FEATURES = ["week", "month"]
Floats = npt.NDArray[np.float32]
Frame = pd.DataFrame


@dataclass(frozen=True)
class WeeklyData:
    """What peers see; axis letters N series, T weeks of history, H weeks ahead.

    Attributes:
        units: (N, T) sold; 0 before the series begins.
        begin: (N,) column of each series' first sale.
        weeks: (T + H,) their Mondays.
        ahead: regressors known ahead by name, (N, T + H) each.
        static: (N,) codes of each attribute with few enough values.
    """

    units: Floats
    begin: npt.NDArray[np.intp]
    weeks: npt.NDArray[np.datetime64]
    ahead: dict[str, Floats]
    static: dict[str, npt.NDArray[np.int64]]

    @classmethod
    def of(cls, panel: Panel, horizon: int) -> WeeklyData:
        """From a panel that knows at least `horizon` weeks ahead; covariates that never change are left out."""
        units = np.maximum(np.nan_to_num(panel.sold), 0.0).astype(np.float32)
        sold = units > 0
        width = panel.n_buckets + horizon
        ahead = {
            name.replace(":", "_"): known.rows()[:, :width]
            for name, known in panel.known.items()
            if np.nanmin(known.values) < np.nanmax(known.values)
        }
        static = {
            name: column.cast(pl.String).fill_null("").rank("dense").to_numpy().astype(np.int64)
            for name in panel.static.columns
            if not (column := panel.static[name]).dtype.is_float()
            and 2 <= column.n_unique() <= MOST_CATEGORIES
        }
        begin = np.where(sold.any(axis=1), sold.argmax(axis=1), panel.n_buckets - 1)
        return cls(units, begin, np.array(panel.dates[:width], dtype="datetime64[ns]"), ahead, static)

    @property
    def n_weeks(self) -> int:
        """T, weeks of history."""
        return int(self.units.shape[1])

    def frame(self, first: int, stop: int, *, ahead: bool) -> Frame:
        """One row a series and week of the columns `first` … `stop` - 1, from each series' first sale on."""
        series, week = np.nonzero(np.arange(first, stop) >= self.begin[:, None])
        week += first
        columns: dict[str, Any] = {"unique_id": series.astype(np.int32), "ds": self.weeks[week]}
        if ahead:
            columns |= {name: values[series, week] for name, values in self.ahead.items()}
        if stop <= self.n_weeks:
            columns["y"] = self.units[series, week]
        return pd.DataFrame(columns)


def threads() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def statsforecast_forecast(
    data: WeeklyData, method: str, horizon: int, levels: list[float]
) -> tuple[Floats, Floats]:
    """(N, H) means and (N, H, Q) quantiles, none below zero; `method` is ``ets`` or ``sba``."""
    model: Any = AutoETS(model="ANN", alias=method)
    if method == "sba":
        windows = ConformalIntervals(n_windows=CONFORMAL_WINDOWS, h=horizon)
        model = CrostonSBA(alias=method, prediction_intervals=windows)
    columns = [interval_column(method, level) for level in levels]
    history = data.frame(0, data.n_weeks, ahead=False)
    widths = sorted({width for _, width in columns if width > 0})
    # One process: its seconds are those of the benchmark's own clock.
    library = StatsForecast(models=[model], freq=WEEK, n_jobs=1, fallback_model=HistoricAverage())
    with np.errstate(divide="ignore", invalid="ignore"):
        told = library.forecast(df=history, h=horizon, level=widths)
    shape = (len(data.units), horizon)
    mean = np.maximum(np.nan_to_num(told[method].to_numpy(dtype=np.float32)).reshape(shape), 0.0)
    ends = [told[name if width > 0 else method].to_numpy(dtype=np.float32) for name, width in columns]
    spread = np.stack([np.maximum(end.reshape(shape), 0.0) for end in ends], axis=2)
    # A series of a week or two has no spread, told as NaN or infinity; the fallback's ends come unsorted.
    order = np.argsort(np.argsort(levels))
    return mean, np.sort(np.where(np.isfinite(spread), spread, mean[:, :, None]), axis=2)[:, :, order]


def mlforecast_mean(data: WeeklyData, n_weeks: int, horizon: int) -> Floats:
    """(N, horizon) mean of the weeks after the first `n_weeks`, fitted on these; NaN for later beginners."""
    history = data.frame(0, n_weeks, ahead=True)
    series = history["unique_id"].to_numpy()
    for name, codes in data.static.items():
        history[name] = pd.Categorical(codes[series])
    two_years = n_weeks >= 2 * YEAR_WEEKS
    model = MLForecast(
        {"mean": lgb.LGBMRegressor(**PARAMETERS, n_jobs=threads())},
        freq=WEEK,
        lags=[*LAGS, YEARLY_LAG] if n_weeks > YEAR_WEEKS + horizon else LAGS,
        lag_transforms=LAG_TRANSFORMS,
        date_features=YEAR_FEATURES if two_years else [],
        num_threads=threads(),
    )
    begun = data.begin < n_weeks
    future = data.frame(n_weeks, n_weeks + horizon, ahead=True).drop(columns="y", errors="ignore")
    future = future[begun[future["unique_id"].to_numpy()]]
    with warnings.catch_warnings():
        # Weeks before a lag exists are kept: trees read what is missing as missing.
        warnings.filterwarnings("ignore", message="Found null values")
        model.fit(history, static_features=list(data.static), dropna=False, validate_data=False)
        told = model.predict(horizon, X_df=future if data.ahead else None)
    mean = np.full((len(begun), horizon), np.nan, dtype=np.float32)
    mean[begun] = told["mean"].to_numpy().reshape(-1, horizon)
    return mean


def mlforecast_forecast(data: WeeklyData, horizon: int, levels: list[float]) -> tuple[Floats, Floats]:
    """(N, H) means and (N, H, Q) quantiles from the errors on the last `horizon` weeks of history."""
    held_from = data.n_weeks - horizon
    held_mean = mlforecast_mean(data, held_from, horizon)
    mean = np.maximum(mlforecast_mean(data, data.n_weeks, horizon), 0.0)
    quantiles = held_out_quantiles(
        held_mean,
        data.units[:, held_from:],
        past_noise(data.units[:, :held_from], data.begin),
        mean,
        past_noise(data.units, data.begin),
        levels,
    )
    return mean, quantiles.astype(np.float32)
