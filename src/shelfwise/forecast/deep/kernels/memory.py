"""What a series remembers of its past, a row of numbers that one more bucket moves on.

Row layout, for K half-lives and a season of P buckets: K weighted sums, K weights, P sums by phase of the
season, P weights by phase, the last bucket's demand (NaN where nobody knows it). The same step serves
history and sampled paths, so a path is remembered as history is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Doubles = npt.NDArray[np.float64]

SMALLEST_LEVEL = 0.01
PRIOR_BUCKETS = 1.0
PHASE_KEEP = 0.5**0.25


@njit(cache=True)
def _step(memory, keep, season, value, bucket):  # type: ignore[no-untyped-def]
    """Move one row of memory on by the demand of `bucket`; unknown demand leaves all levels alone."""
    n_levels = len(keep)
    memory[-1] = value
    if np.isnan(value):
        return
    for k in range(n_levels):
        memory[k] = memory[k] * keep[k] + value
        memory[n_levels + k] = memory[n_levels + k] * keep[k] + 1.0
    if season > 1:
        at = 2 * n_levels + bucket % season
        memory[at] = memory[at] * PHASE_KEEP + value
        memory[at + season] = memory[at + season] * PHASE_KEEP + 1.0


@njit(cache=True)
def _read(memory, n_levels, season, bucket, out):  # type: ignore[no-untyped-def]
    """Last demand (the first level where unknown), whether known, K levels, level of `bucket`'s phase."""
    for k in range(n_levels):
        out[2 + k] = max(memory[k] / memory[n_levels + k], SMALLEST_LEVEL)
    known = not np.isnan(memory[-1])
    out[0] = memory[-1] if known else out[2]
    out[1] = 1.0 if known else 0.0
    if season > 1:
        at = 2 * n_levels + bucket % season
        out[2 + n_levels] = (memory[at] + out[2]) / (memory[at + season] + 1.0)


@njit(cache=True)
def remember(
    demand: Doubles, keep: Doubles, season: int, first_bucket: int, prior: float
) -> tuple[Doubles, Doubles]:
    """What each series knew before every bucket, and its memory after the last.

    Args:
        demand: (n, T), NaN where unknown.
        keep: (K,) what is left of a weight one bucket later.
        season: buckets in the short season; 1 for none.
        first_bucket: running number of the first bucket, which sets the phase.
        prior: level of a series nobody has seen yet; it weighs like one bucket.

    Returns:
        (n, T + 1, 2 + K + (season > 1)) readings, see `_read`, and (n, width) memory.
    """
    n, buckets = demand.shape
    n_levels = len(keep)
    phases = season if season > 1 else 0
    readings = np.empty((n, buckets + 1, 2 + n_levels + (1 if season > 1 else 0)))
    memory = np.zeros((n, 2 * n_levels + 2 * phases + 1))
    for i in range(n):
        for k in range(n_levels):
            memory[i, k] = prior * PRIOR_BUCKETS
            memory[i, n_levels + k] = PRIOR_BUCKETS
        memory[i, -1] = np.nan
        for t in range(buckets + 1):
            _read(memory[i], n_levels, season, first_bucket + t, readings[i, t])
            if t < buckets:
                _step(memory[i], keep, season, demand[i, t], first_bucket + t)
    return readings, memory


@njit(cache=True)
def move_on(memory: Doubles, keep: Doubles, season: int, value: Doubles, bucket: int) -> Doubles:
    """Take the demand (M,) of `bucket` into `memory` (M, width), in place; returns the readings for the next."""
    n_levels = len(keep)
    readings = np.empty((len(memory), 2 + n_levels + (1 if season > 1 else 0)))
    for i in range(len(memory)):
        _step(memory[i], keep, season, value[i], bucket)
        _read(memory[i], n_levels, season, bucket + 1, readings[i])
    return readings
