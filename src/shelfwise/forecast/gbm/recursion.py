"""The recursive strategy: a few steps are forecast, taken for history, and the next few forecast from there.

Direct trees see each step from where the origin stands; recursive ones learn the first steps alone and read
lags that are themselves forecasts (Taieb, Bontempi, Atiya & Sorjamaa 2012, "A review and comparison of
strategies for multi-step ahead time series forecasting"). A stride of one season is fed back at a time.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from shelfwise.demand.behaviour import Observed
from shelfwise.demand.panel import Panel
from shelfwise.forecast.gbm.booster import Booster
from shelfwise.forecast.gbm.features import FeatureTable
from shelfwise.forecast.gbm.sampling import every_step

Floats = npt.NDArray[np.float32]


def recursive_mean(table: FeatureTable, booster: Booster, origin: int, horizon: int, stride: int) -> Floats:
    """(N, horizon) expected demand of all series of the table from an origin, `stride` steps at a time."""
    past = table.panel.until(origin)
    rows = np.arange(past.n_series)
    mean = np.empty((past.n_series, horizon), dtype=np.float32)
    for first in range(0, horizon, stride):
        steps = min(stride, horizon - first)
        seen = FeatureTable(past, like=table)
        part = booster.mean(seen, every_step(rows, past.n_buckets, steps)).reshape(-1, steps)
        mean[:, first : first + steps] = part
        past = _as_if_it_had_been(past, part)
    return mean


def _as_if_it_had_been(past: Panel, mean: Floats) -> Panel:
    """The panel with forecasts for history; what is not on sale then stays unknown, as do signals."""
    step = past.n_buckets + np.arange(mean.shape[1])
    offered = (step[None, :] >= past.launched[:, None]) & (step[None, :] < past.ends[:, None])
    demand = np.where(offered, mean, np.float32(np.nan))
    return replace(
        past,
        sold=np.hstack([past.sold, demand]),
        on_sale=np.hstack([past.on_sale, offered.astype(np.float32)]),
        demand=np.hstack([past.demand, demand]),
        observed={name: _unrecorded(signal, mean.shape[1]) for name, signal in past.observed.items()},
        horizon=max(past.horizon - mean.shape[1], 0),
    )


def _unrecorded(signal: Observed, buckets: int) -> Observed:
    nothing = np.full((len(signal.values), buckets), np.nan, np.float32)
    return Observed(np.hstack([signal.values, nothing]), signal.group)
