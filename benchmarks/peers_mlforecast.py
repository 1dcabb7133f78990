"""A peer for M5: mlforecast with LightGBM's Tweedie objective, as a competent user sets it up.

One global model, fed back its own forecasts day by day (mlforecast's default): lags and rolling statistics
of sales, calendar, events, SNAP days, price and its relations, the five static codes as categories. Quantiles
come from the errors of the same pipeline on 28 held-out days (`peers_residuals`), fitted to every third series.
The lags were chosen on d_1830 to d_1857, before all windows. Two faults of a first recipe showed on the window
of d_1914 itself and were mended in the peer's favour: events as mere numbers, week and month of the year.

    python -m benchmarks.peers_mlforecast FOLDER --as-of DATE --horizon 28 --quantiles 0.5,0.9 -o FILE.parquet
"""

from __future__ import annotations

import os
import warnings
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
from mlforecast import MLForecast
from mlforecast.lag_transforms import (
    ExponentiallyWeightedMean,
    RollingMean,
    RollingStd,
    SeasonalRollingMean,
)

from benchmarks.peers_folder import Floats, Ints, PeerData, read_order, read_peer_data, write_peer_forecast
from benchmarks.peers_residuals import held_out_quantiles, past_noise
from benchmarks.raw_data import run_command

WEEK = 7
# Error quantiles of a few hundred bins need no more series, and the fit takes a third of the time.
HELD_OUT_STEP = 3
LAGS = [7, 14, 21, 28]
LAG_TRANSFORMS = {
    1: [RollingMean(7), RollingMean(28), ExponentiallyWeightedMean(0.1), SeasonalRollingMean(WEEK, 4)],
    7: [RollingMean(7), RollingMean(14), RollingMean(28), RollingStd(28)],
    28: [RollingMean(7), RollingMean(28)],
}
# One year of days cannot tell a week or month of the year from the growth since, so neither is a feature.
DATE_FEATURES = ["dayofweek", "day"]
PARAMETERS: dict[str, Any] = {
    "objective": "tweedie",
    "tweedie_variance_power": 1.1,
    "n_estimators": 200,
    "learning_rate": 0.1,
    "num_leaves": 63,
    "min_child_samples": 100,
    "subsample": 0.75,
    "subsample_freq": 1,
    "colsample_bytree": 0.7,
    "reg_lambda": 0.1,
    "cat_smooth": 20,
    "force_row_wise": True,
    "random_state": 0,
    "verbosity": -1,
}
Frame = pd.DataFrame


def price_features(data: PeerData) -> dict[str, Floats]:
    """(N, T + H) each: the price, and beside its own mean, a week before, and its department's in the store."""
    price = data.price
    department, n_departments = _departments(data)
    known = ~np.isnan(price)
    total = np.zeros((n_departments, price.shape[1]), dtype=np.float64)
    count = np.zeros_like(total)
    np.add.at(total, department, np.where(known, price, 0.0))
    np.add.at(count, department, known)
    around = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a series without any price has no mean price
        own = np.nanmean(price, axis=1, keepdims=True)
    before = np.full_like(price, np.nan)
    before[:, WEEK:] = price[:, :-WEEK]
    return {
        "price": price,
        "price_to_own_mean": price / own,
        "price_to_week_before": price / before,
        "price_to_department": (price / around[department]).astype(np.float32),
    }


def _departments(data: PeerData) -> tuple[npt.NDArray[np.int64], int]:
    """(N,) number of each series' department in its store, and how many there are."""
    code = (data.static["department"] * (data.static["store"].max() + 1) + data.static["store"]).to_numpy()  # type: ignore[operator]
    groups, number = np.unique(code, return_inverse=True)
    return number, len(groups)


def long_frame(data: PeerData, prices: dict[str, Floats], first: int, stop: int) -> Frame:
    """One row a series and day of the columns `first` … `stop` - 1, from each series' beginning on."""
    series, day = np.nonzero(np.arange(first, stop) >= data.begin[:, None])
    day += first
    frame = {
        "unique_id": series.astype(np.int32),
        "ds": (np.datetime64(data.first_day, "s") + np.arange(stop) * np.timedelta64(86400, "s"))[day],
        "event": _categories(data.event)[day],
        "event_kind": _categories(data.event_kind)[day],
        "snap": data.snap[series, day],
        **{name: values[series, day] for name, values in prices.items()},
    }
    return pd.DataFrame(frame)


def _categories(codes: Ints) -> pd.Categorical:
    """Codes as categories, the same ones whatever part of the days is taken."""
    return pd.Categorical(codes, categories=range(int(codes.max()) + 1))


def fit_predict(data: PeerData, n_days: int, horizon: int) -> Floats:
    """(N, horizon) mean of the days after the first `n_days`, fitted on these; NaN for later beginners."""
    prices = price_features(data)
    history = long_frame(data, prices, 0, n_days)
    series = history["unique_id"].to_numpy()
    history["y"] = np.concatenate(
        [row[start:n_days] for row, start in zip(data.units, data.begin, strict=True)]
    )
    for name in data.static.columns:
        history[name] = pd.Categorical(data.static[name].to_numpy()[series])
    ahead = long_frame(data, prices, n_days, n_days + horizon)
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    model = MLForecast(
        {"mean": lgb.LGBMRegressor(**PARAMETERS, n_jobs=threads)},
        freq="D",
        lags=LAGS,
        lag_transforms=LAG_TRANSFORMS,
        date_features=DATE_FEATURES,
        num_threads=threads,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The following series were dropped completely")
        model.fit(history, static_features=data.static.columns, validate_data=False)
    del history
    begun = data.begin < n_days
    told = model.predict(horizon, X_df=ahead[begun[ahead["unique_id"].to_numpy()]])
    mean = np.full((len(begun), horizon), np.nan, dtype=np.float32)
    mean[begun] = told["mean"].to_numpy().reshape(-1, horizon)
    return mean


def main() -> None:
    order = read_order("mlforecast with LightGBM", ["tweedie"])
    data = read_peer_data(order.folder, order.as_of, order.horizon)
    held_from, held = data.n_days - order.horizon, data.every(HELD_OUT_STEP)
    held_mean = fit_predict(held, held_from, order.horizon)
    mean = fit_predict(data, data.n_days, order.horizon)
    quantiles = held_out_quantiles(
        held_mean,
        held.units[:, held_from:],
        past_noise(held.units[:, :held_from], held.begin),
        mean,
        past_noise(data.units, data.begin),
        order.levels,
    )
    write_peer_forecast(data, mean, quantiles, order.levels, order.file)


if __name__ == "__main__":
    run_command(main)
