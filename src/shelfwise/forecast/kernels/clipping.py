"""Demand cannot fall below zero: what clipping paths there adds to their mean, taken back without losing the tail.

Shrinking every path would bring the mean back and cut the high quantiles that orders are made of. So what clipping
added is taken back by buckets without any demand: draws are dropped at random, and sizes stay what was seen. Only
what the past was off on the whole, up or down, is left to a factor.
"""

from __future__ import annotations

from numba import njit

LEAST_FACTOR, MOST_FACTOR = 0.5, 2.0
# The largest value counts for at most so many times the one after it: one spike says nothing of the mean.
MOST_TIMES_SECOND = 3.0


@njit(cache=True)
def mean_kept(wanted, clipped, unclipped, largest, second):  # type: ignore[no-untyped-def]
    """(share of draws kept, factor of those) that bring clipped draws to the sum that is wanted.

    Bounded, so that neither a forecast of zero nor huge values in the past make the paths certain or kill
    ordinary demand.

    Args:
        wanted: sum of the point forecasts; clipped, unclipped: sums of the draws, at least 0 and as they are;
            largest, second: the two largest of them.
    """
    if second > 0.0:
        freak = max(0.0, largest - MOST_TIMES_SECOND * second)
        clipped, unclipped = clipped - freak, unclipped - freak
    if clipped <= 0.0:
        return 1.0, 1.0
    factor = min(MOST_FACTOR, max(LEAST_FACTOR, wanted / clipped))
    kept = min(1.0, max(factor, unclipped / clipped))
    return kept, factor / kept


@njit(cache=True, inline="always")
def keep_mean(value, kept, factor, lot):  # type: ignore[no-untyped-def]
    """A draw after `mean_kept`; `lot` is a uniform number in (0, 1)."""
    return value * factor if lot < kept else 0.0
