"""Wholesale spikes: one order far beyond what a series ever sells must not become its demand.

The rule is meant to be nearly never wrong: a bucket is a spike only if it is large in units, far above
the series' next-largest bucket, far above the recent level, far above the spread of its own sales in
logarithms, made by one order where orders are known, under no promotion, and not shared by many series
on the same date (which would be an event).
"""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Known

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.intp]

LEAST_UNITS = 50.0
TIMES_NEXT = 10.0
DEVIATIONS = 15.0
CHANCE = 1e-6
LOG_DEVIATIONS = 6.0
LEAST_LOG_SPREAD = 0.35
LEAST_OTHER_SALES = 5
MOST_PER_SERIES = 2
WINDOW = 26
EVENT_SERIES = 3
EVENT_SHARE = 0.05
CHUNK_ROWS = 16_384
MAD_TO_SIGMA = 1.4826


def find_spikes(demand: Floats, promotion: Known | None) -> tuple[Numbers, Numbers, Floats]:
    """Buckets whose demand looks like a single order far beyond the series' level.

    At most two buckets of a series are spikes: an order that keeps coming back is demand.

    Args:
        demand: (N, T) units, NaN where unknown.
        promotion: share of each bucket under promotion; such buckets are left alone.

    Returns:
        Series, bucket, and the largest plausible demand the series has otherwise; sorted by series, bucket.

    Example:
        >>> demand = np.full((1, 30), 5, np.float32)
        >>> demand[0, 17] = 10_000
        >>> series, bucket, cap = find_spikes(demand, None)
        >>> series.tolist(), bucket.tolist(), cap.tolist()
        ([0], [17], [5.0])
    """
    buckets = demand.shape[1]
    found: list[tuple[Numbers, Numbers, Floats]] = []
    alive = np.zeros(buckets, np.int64)
    for low in range(0, len(demand) if buckets > LEAST_OTHER_SALES else 0, CHUNK_ROWS):
        part = demand[low : low + CHUNK_ROWS]
        alive += np.isfinite(part).sum(axis=0)
        ordinary = np.nan_to_num(part, nan=0.0)
        if promotion is not None:
            rows = np.arange(low, low + len(part))
            ordinary = np.where(promotion.rows(rows)[:, :buckets] > 0, np.float32(0), ordinary)
        series, bucket, cap = _spikes_of(ordinary, part)
        found.append((series + low, bucket, cap))
    if not found:
        return np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0, np.float32)
    series, bucket, cap = (np.concatenate(column) for column in zip(*found, strict=True))
    together = np.bincount(bucket, minlength=buckets)
    event = (together >= EVENT_SERIES) & (together >= EVENT_SHARE * alive)
    alone = ~event[bucket]
    return series[alone], bucket[alone], cap[alone]


def _spikes_of(ordinary: Floats, demand: Floats) -> tuple[Numbers, Numbers, Floats]:
    """Spikes within one chunk: (R, T) demand with 0 for unknown and promoted buckets, and as it is."""
    depth = MOST_PER_SERIES + 1
    largest = -np.sort(-np.partition(ordinary, -depth, axis=1)[:, -depth:], axis=1)
    gap = (largest[:, :-1] > TIMES_NEXT * largest[:, 1:]) & (largest[:, :-1] >= LEAST_UNITS)
    gap &= largest[:, 1:] > 0
    candidates = np.flatnonzero(gap.any(axis=1))
    # The last wide gap separates spikes from the plausible: two equal spikes do not hide each other.
    above = MOST_PER_SERIES - 1 - np.argmax(gap[candidates, ::-1], axis=1)
    cap = largest[candidates, above + 1]
    values = ordinary[candidates]
    row, bucket = np.nonzero(values > TIMES_NEXT * cap[:, None])
    extreme = _beyond_spread(values, cap, row, bucket) & _beyond_level(demand[candidates], cap, row, bucket)
    row, bucket = row[extreme], bucket[extreme]
    return candidates[row], bucket, cap[row]


def _beyond_spread(values: Floats, cap: Floats, row: Numbers, bucket: Numbers) -> npt.NDArray[np.bool_]:
    """Six standard deviations above the series' other sales, in logarithms.

    Where the spread was seen on few sales it is trusted less: Student's predictive bound, which one
    lognormal sale in a million would pass, then lies beyond the six.
    """
    if not len(row):
        return np.zeros(0, bool)
    # Loaded late: most panels have no candidate at all.
    from scipy.special import stdtrit

    other = (values > 0) & (values <= cap[:, None])
    count = other.sum(axis=1)
    logs = np.log(np.where(other, values, 1.0), dtype=np.float64)
    mean = logs.sum(axis=1) / np.maximum(count, 1)
    squares = np.where(other, (logs - mean[:, None]) ** 2, 0.0).sum(axis=1)
    spread = np.maximum(np.sqrt(squares / np.maximum(count - 1, 1)), LEAST_LOG_SPREAD)
    predictive = stdtrit(np.maximum(count - 1, 1), 1 - CHANCE) * np.sqrt(1 + 1 / np.maximum(count, 1))
    bound = spread * np.maximum(predictive, LOG_DEVIATIONS)
    distance = np.log(values[row, bucket], dtype=np.float64) - mean[row]
    return np.asarray((count[row] >= LEAST_OTHER_SALES) & (distance > bound[row]))


def _beyond_level(demand: Floats, cap: Floats, row: Numbers, bucket: Numbers) -> npt.NDArray[np.bool_]:
    """Fifteen robust deviations above the median of the year around, spikes left out."""
    near = bucket[:, None] + np.arange(-WINDOW, WINDOW + 1)
    window = demand[row[:, None], np.clip(near, 0, demand.shape[1] - 1)]
    outside = (near < 0) | (near >= demand.shape[1]) | (window > TIMES_NEXT * cap[row][:, None])
    window = np.where(outside, np.nan, window).astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        median = np.nan_to_num(np.nanmedian(window, axis=1))
        deviation = np.nan_to_num(np.nanmedian(np.abs(window - median[:, None]), axis=1))
    spread = np.maximum(MAD_TO_SIGMA * deviation, np.maximum(np.sqrt(median), 1.0))
    return np.asarray(demand[row, bucket].astype(np.float64) > median + DEVIATIONS * spread)
