"""Closures: stretches in which the whole shop has no row though rows were to be expected.

A closed shop is no sign of lacking demand, so these buckets are unknown; a weekday on which the shop
never trades is a real zero, and so is a quiet stretch of a shop that sells a few lines a week.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shelfwise.buckets import Bucket

# Seven expected rows make an empty bucket a one-in-a-thousand accident if rows come independently.
EXPECTED_ROWS = 7.0
SIDE = 8
TRADING_SHARE = 0.5


def closed_buckets(rows: npt.NDArray[np.int64], bucket: Bucket) -> npt.NDArray[np.bool_]:
    """Which buckets fall into a closure.

    What was to be expected is the mean of the 8 weeks before and the 8 after the empty stretch (same
    weekday for day buckets; 8 buckets on each side otherwise), as far as they exist; the shop must have
    traded in at least half of them.

    Args:
        rows: (T,) sales rows of the whole shop in each bucket.
        bucket: the time step.

    Returns:
        (T,) true where closed.

    Example:
        >>> closed_buckets(np.array([9, 9, 0, 0, 9, 9]), Bucket("week")).tolist()
        [False, False, True, True, False, False]
    """
    period = 7 if bucket.name == "day" else 1
    closed = np.zeros(len(rows), bool)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], rows == 0, [False]]).astype(np.int8)))
    for first, stop in zip(edges[::2], edges[1::2], strict=True):
        before = rows[max(first - SIDE * period, 0) : first]
        after = rows[stop : stop + SIDE * period]
        for phase in range(min(period, stop - first)):
            # Steps of whole periods from a bucket of this phase land on the same weekday outside.
            day = first + phase
            earlier = before[::-1][(first - 1 - day) % period :: period]
            later = after[(day - stop) % period :: period]
            seen = np.concatenate([earlier, later])
            # A few busy Saturdays do not make Saturday a day of trade.
            if len(seen) and seen.mean() >= EXPECTED_ROWS and (seen > 0).mean() >= TRADING_SHARE:
                closed[day:stop:period] = True
    return closed
