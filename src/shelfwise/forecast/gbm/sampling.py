"""Which (series, origin, step) triples a boosted model learns from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shelfwise.forecast.gbm.features import Triples

MAX_ORIGINS = 70
# Where the panel begins, levels and long windows are not yet what they are later on.
SETTLING_SHARE = 0.25


def training_triples(
    known: npt.NDArray[np.bool_],
    horizon: int,
    least_history: int,
    max_rows: int,
    rng: np.random.Generator,
) -> Triples:
    """A random sample, even over origins and steps, of the triples whose target is known.

    Args:
        known: (N, T) whether demand is known; only targets inside are used.
        horizon: steps 0 … horizon - 1 are learnt.
        least_history: buckets a series must have had before an origin counts.
        max_rows: about how many triples to keep.
        rng: draws the sample.
    """
    n, buckets = known.shape
    first = np.where(known.any(axis=1), known.argmax(axis=1), buckets)
    settled = max(int(first.min(initial=buckets)) + least_history, int(SETTLING_SHARE * buckets))
    earliest = min(max(settled, 1), buckets - 1)
    origins = np.unique(np.linspace(earliest, buckets - 1, MAX_ORIGINS).astype(np.int32))
    origins = origins[origins >= 1]
    possible = sum(min(horizon, buckets - int(t)) for t in origins) * n
    share = min(1.0, max_rows / max(possible, 1))
    rows, starts, steps = [], [], []
    for origin in origins:
        reach = min(horizon, buckets - int(origin))
        usable = known[:, origin : origin + reach] & (first <= origin - least_history)[:, None]
        if share < 1.0:
            usable &= rng.random((n, reach), dtype=np.float32) < share
        row, step = np.nonzero(usable)
        rows.append(row)
        steps.append(step.astype(np.int32))
        starts.append(np.full(len(row), origin, np.int32))
    if not rows:
        return Triples(np.zeros(0, np.intp), np.zeros(0, np.int32), np.zeros(0, np.int32))
    return Triples(np.concatenate(rows), np.concatenate(starts), np.concatenate(steps))


def every_step(rows: npt.NDArray[np.intp], origin: int, horizon: int) -> Triples:
    """All steps of these series from one origin, series by series."""
    return Triples(
        np.repeat(rows, horizon),
        np.full(len(rows) * horizon, origin, np.int32),
        np.tile(np.arange(horizon, dtype=np.int32), len(rows)),
    )
