"""Past and present level forecasts: the mean of the last observed buckets, as it stood at every origin."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]


@njit(cache=True)
def running_totals(values, divisor):  # type: ignore[no-untyped-def]
    """(T + 1,) count and (T + 1,) total of the observed buckets before each bucket, divided by `divisor`."""
    counts = np.zeros(len(values) + 1, np.int64)
    totals = np.zeros(len(values) + 1, np.float64)
    for t in range(len(values)):
        counts[t + 1] = counts[t]
        if not np.isnan(values[t]):
            totals[counts[t] + 1] = totals[counts[t]] + values[t] / divisor[t]
            counts[t + 1] += 1
    return counts, totals


@njit(cache=True, inline="always")
def last_mean(totals, count, window):  # type: ignore[no-untyped-def]
    """Mean of the last `window` of `count` observed buckets; never negative."""
    used = min(window, count)
    return max(0.0, (totals[count] - totals[count - used]) / used)


@njit(cache=True, parallel=True)
def level_forecasts(
    demand: Floats, index: Floats, origins: npt.NDArray[np.int64], steps: int, window: int
) -> tuple[Floats, Flags]:
    """Forecasts made at each origin O from what was observed before it.

    Args:
        demand: (N, T), NaN unknown.
        index: (N, >= T + steps) multiplicative seasonal index, ones for none.
        origins: (O,) buckets; the forecast at `origins[o]` reads nothing from that bucket on.
        steps: buckets ahead.
        window: observed buckets in the mean.

    Returns:
        (N, O, steps) float32, NaN where nothing was observed before the origin, and (N, O) whether
        the origin had as full a window as there is at the end of history.
    """
    n = demand.shape[0]
    forecasts = np.empty((n, len(origins), steps), np.float32)
    alike = np.zeros((n, len(origins)), np.bool_)
    for i in prange(n):
        counts, totals = running_totals(demand[i], index[i])
        full = min(window, counts[-1])
        for o in range(len(origins)):
            origin = origins[o]
            seen = counts[origin]
            if seen == 0:
                forecasts[i, o, :] = np.nan
                continue
            alike[i, o] = seen >= full
            level = last_mean(totals, seen, window)
            for h in range(steps):
                forecasts[i, o, h] = level * index[i, origin + h]
    return forecasts, alike
