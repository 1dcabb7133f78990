"""The level of each series at any origin: what the boosted model multiplies.

An exponentially weighted mean of known demand, shrunk to the typical level of the panel while the
series is young, so that it is positive and finite for every series, with or without history.

What is sold by weight or length may be told in any unit: the least level is a hundredth of a unit, or of the most that
such a series sold in a bucket where that is less than one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
PRIOR_BUCKETS = 1.0
SMALLEST_LEVEL = 0.01


def newcomer_level(demand: Floats, first: npt.NDArray[Any], buckets: int = 8) -> float:
    """What a series of this shop typically sells in a bucket soon after its first one."""
    if demand.size == 0:
        return 1.0
    reach = np.minimum(first[:, None] + np.arange(buckets)[None, :], demand.shape[1] - 1)
    early = np.take_along_axis(demand, reach.astype(np.intp), axis=1)
    known = early[np.isfinite(early)]
    return max(float(np.mean(known)), float(_least(known.max()))) if known.size else 1.0


def levels(demand: Floats, half_life: float, prior: float) -> Floats:
    """(N, T + 1) level at each origin t, made of the buckets before t alone.

    Args:
        demand: (N, T), NaN where unknown.
        half_life: buckets after which an observation counts half.
        prior: level of a series nobody has seen yet; it weighs like one observation.

    Example:
        >>> import numpy as np
        >>> levels(np.array([[4.0, np.nan, 4.0]], np.float32), 8.0, 4.0).round(3).tolist()
        [[4.0, 4.0, 4.0, 4.0]]
    """
    n, buckets = demand.shape
    keep = 0.5 ** (1.0 / half_life)
    weighted = np.full(n, PRIOR_BUCKETS * prior)
    weight = np.full(n, PRIOR_BUCKETS)
    most = np.zeros(n)
    level = np.empty((n, buckets + 1), dtype=np.float32)
    for t in range(buckets + 1):
        level[:, t] = np.maximum(weighted / weight, _least(most))
        if t == buckets:
            break
        seen = ~np.isnan(demand[:, t])
        fade = np.where(seen, keep, 1.0)
        weighted = weighted * fade + np.where(seen, demand[:, t], 0.0)
        weight = weight * fade + seen
        most = np.fmax(most, demand[:, t])
    return level


def _least(most: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The least level of series that sold at most so much in a bucket; one that sold nothing counts units."""
    size = np.asarray(most, np.float64)
    return np.where(size > 0, SMALLEST_LEVEL * np.minimum(size, 1.0), SMALLEST_LEVEL)
