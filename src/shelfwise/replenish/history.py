"""Demand rates straight from the history, as the rules of today's shops use them: no forecast, no model."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.buckets import Bucket
from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.replenish.situation import Doubles

DEFAULT_WINDOW = {"day": 28, "week": 13, "month": 6}


@dataclass(frozen=True)
class Rate:
    """(N,) mean and standard deviation of one bucket's demand, units; 0 for a series without history."""

    mean: Doubles
    sd: Doubles


def recent_rate(panel: Panel, window: int | None = None, seasonal: bool = False) -> Rate:
    """Mean and spread of the last `window` buckets, those of unknown demand (NaN) left out.

    Args:
        window: buckets; default 28 days, 13 weeks or 6 months.
        seasonal: divide by the shop's seasonal factors first, so that the mean is of a normal bucket.

    Raises:
        UsageError: the window is below 1.

    Example:
        >>> panel = Panel.from_arrays([[9.0, 1.0, np.nan, 3.0]])
        >>> recent_rate(panel, window=3).mean
        array([2.])
    """
    span = DEFAULT_WINDOW[panel.bucket.name] if window is None else window
    if span < 1:
        raise UsageError(f"window must be at least 1 bucket; got {span}")
    demand = panel.demand[:, -span:].astype(np.float64)
    if seasonal:
        demand = demand / seasonal_factors(panel, first=-demand.shape[1], count=demand.shape[1])
    with warnings.catch_warnings():
        # A series without a single known bucket has the mean of nothing, which is answered with 0.
        warnings.simplefilter("ignore", RuntimeWarning)
        mean, sd = np.nanmean(demand, axis=1), np.nanstd(demand, axis=1)
    return Rate(np.maximum(np.nan_to_num(mean), 0.0), np.nan_to_num(sd))


def seasonal_factors(panel: Panel, first: int, count: int) -> Doubles:
    """(count,) multiplicative factors of the whole shop, from bucket `first` after `as_of` on (or before).

    The factor of a calendar position (ISO week, month, weekday) is the mean demand of a series in it,
    over the mean of those means; 1 where history has no such position.
    """
    dates = panel.bucket.dates(panel.start, panel.n_buckets)
    past = _calendar_position(panel.bucket, dates)
    counted = ~np.isnan(panel.demand)
    total = np.where(counted, panel.demand, 0.0).sum(axis=0, dtype=np.float64)
    mean = np.divide(total, counted.sum(axis=0), out=np.full(len(total), np.nan), where=counted.any(axis=0))
    factor = np.full(past.max(initial=0) + 54, np.nan)
    for position in np.unique(past):
        values = mean[(past == position) & ~np.isnan(mean)]
        if len(values):
            factor[position] = values.mean()
    level = np.nanmean(factor) if not np.isnan(factor).all() else 0.0
    wanted = _calendar_position(
        panel.bucket, panel.bucket.dates(panel.bucket.shift(panel.as_of, first), count)
    )
    scaled = factor[wanted] / level if level > 0 else np.ones(count)
    return np.where(np.isnan(scaled) | (scaled <= 0), 1.0, scaled)


def _calendar_position(bucket: Bucket, dates: list[Any]) -> npt.NDArray[np.intp]:
    if bucket.name == "month":
        return np.array([day.month for day in dates], dtype=np.intp)
    if bucket.name == "day":
        return np.array([day.weekday() for day in dates], dtype=np.intp)
    return np.array([day.isocalendar().week for day in dates], dtype=np.intp)
