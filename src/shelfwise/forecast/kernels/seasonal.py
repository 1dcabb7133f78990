"""Past and present seasonal naive forecasts, with a stated way out where the seasonal lag is unknown."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from shelfwise.forecast.kernels.levels import last_mean, running_totals

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


@njit(cache=True)
def _lagged(values, target, origin, season, level):  # type: ignore[no-untyped-def]
    """Demand one season before `target`; else one more season back; else its neighbours; else the level."""
    lag = target - season
    while lag >= origin:
        lag -= season
    for bucket in (lag, lag - season):
        if bucket >= 0 and not np.isnan(values[bucket]):
            return max(0.0, float(values[bucket]))
    total, count = 0.0, 0
    for bucket in (lag - 1, lag + 1):
        if 0 <= bucket < origin and not np.isnan(values[bucket]):
            total += values[bucket]
            count += 1
    return max(0.0, total / count) if count else level


@njit(cache=True, parallel=True)
def seasonal_forecasts(
    demand: Floats, origins: npt.NDArray[np.int64], steps: int, season: int, window: int
) -> tuple[Floats, Flags]:
    """Forecasts made at each origin O from what was observed before it.

    Args:
        demand: (N, T), NaN unknown.
        origins: (O,) buckets; the forecast at `origins[o]` reads nothing from that bucket on.
        steps: buckets ahead.
        season: buckets in a season.
        window: observed buckets in the level that stands in while history is no longer than a season.

    Returns:
        (N, O, steps) float32, NaN where nothing was observed before the origin, and (N, O) whether
        the origin was forecast by the same rule, season or level, as the end of history is.
    """
    n, buckets = demand.shape
    forecasts = np.empty((n, len(origins), steps), np.float32)
    alike = np.zeros((n, len(origins)), np.bool_)
    for i in prange(n):
        values = demand[i]
        counts, totals = running_totals(values, np.ones(buckets, np.float32))
        first = 0
        while first < buckets and np.isnan(values[first]):
            first += 1
        seasonal_today = buckets - first > season
        for o in range(len(origins)):
            origin = origins[o]
            if counts[origin] == 0:
                forecasts[i, o, :] = np.nan
                continue
            level = last_mean(totals, counts[origin], window)
            seasonal = origin - first > season
            alike[i, o] = seasonal == seasonal_today
            for h in range(steps):
                forecasts[i, o, h] = _lagged(values, origin + h, origin, season, level) if seasonal else level
    return forecasts, alike
