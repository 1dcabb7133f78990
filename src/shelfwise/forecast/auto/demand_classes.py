"""Kinds of demand: smooth, erratic, intermittent, lumpy, by how often and how evenly an item sells; and new."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.buckets import Bucket

SMOOTH, ERRATIC, INTERMITTENT, LUMPY, NEW = range(5)
CLASS_NAMES = ("smooth", "erratic", "intermittent", "lumpy", "new")
LONGEST_INTERVAL = 1.32
MOST_VARIATION = 0.49
# Observed buckets below which a series has told too little of itself.
NEW_BUCKETS = {"day": 28, "week": 8, "month": 4}


def demand_classes(demand: npt.NDArray[Any], bucket: Bucket) -> npt.NDArray[np.int8]:
    """The class of each series (Syntetos, Boylan & Croston 2005, "On the categorization of demand patterns").

    The mean interval between demands (ADI) is cut at 1.32 and the squared coefficient of variation of
    the demand sizes at 0.49; unknown buckets count for nothing. A series observed for less than 28 days,
    8 weeks or 4 months is new, whatever it sold; one that never sold is intermittent.

    Args:
        demand: (N, T), NaN unknown.
        bucket: the time step.

    Returns:
        (N,) int8 indices of `CLASS_NAMES`.

    Example:
        >>> import numpy as np
        >>> regular, rare = np.full(20, 5.0), np.tile([0.0, 0.0, 4.0, 0.0], 5)
        >>> [CLASS_NAMES[i] for i in demand_classes(np.array([regular, rare]), Bucket("week"))]
        ['smooth', 'intermittent']
    """
    seen = np.isfinite(demand)
    sold = seen & (np.nan_to_num(demand) > 0)
    times = sold.sum(axis=1)
    sizes = np.where(sold, demand, 0.0).astype(np.float64)
    mean = sizes.sum(axis=1) / np.maximum(times, 1)
    variance = np.where(sold, (sizes - mean[:, None]) ** 2, 0.0).sum(axis=1) / np.maximum(times, 1)
    variation = variance / np.where(mean > 0, mean, 1.0) ** 2
    interval = seen.sum(axis=1) / np.maximum(times, 0.5)
    rare, uneven = interval > LONGEST_INTERVAL, variation > MOST_VARIATION
    classes = np.select([rare & uneven, rare, uneven], [LUMPY, INTERMITTENT, ERRATIC], SMOOTH)
    return np.where(seen.sum(axis=1) < NEW_BUCKETS[bucket.name], NEW, classes).astype(np.int8)
