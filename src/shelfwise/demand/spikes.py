"""Wholesale spikes: one order far beyond what a series ever sells must not become its demand.

The rule is meant to be nearly never wrong: a bucket is a spike only if it is large in units, far above
the series' next-largest bucket, far above the recent level, far above the spread of its own sales in
logarithms, made by one order where orders are known, under no promotion or price cut, and not shared by many
series on the same date (which would be an event). What comes again a year later is a season, and what is still
there at the end of the record, or was there from its beginning, is a level: neither is a spike.
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
PRICE_CUT = 0.85
# Moving feasts wander by some three weeks; a peak of a third the size is the same peak in a weaker year.
YEARLY_SLACK = 3 / 52
YEARLY_SHARE = 1 / 3
YEARS_BACK = 2
MAD_TO_SIGMA = 1.4826


def find_spikes(
    demand: Floats, promotion: Known | None = None, price: Known | None = None, year: float | None = None
) -> tuple[Numbers, Numbers, Floats]:
    """Buckets whose demand looks like a single order far beyond the series' level.

    At most two buckets of a series are spikes: an order that keeps coming back is demand.

    Args:
        demand: (N, T) units, NaN where unknown.
        promotion: share of each bucket under promotion; such buckets are left alone.
        price: of each bucket; one 15 % or more below the usual of the year around explains a peak.
        year: buckets a year, to know a peak again that comes every year; None = nothing comes again.

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
    explained = event[bucket] | _at_an_end(demand, series, bucket)
    if year is not None:
        explained |= _every_year(demand, series, bucket, year)
    if price is not None:
        explained |= _cut_in_price(price, series, bucket, buckets)
    return series[~explained], bucket[~explained], cap[~explained]


def _at_an_end(demand: Floats, series: Numbers, bucket: Numbers) -> npt.NDArray[np.bool_]:
    """Candidates that are the first two or the last two known buckets of their series: a level, as far as one sees."""
    known = np.isfinite(demand[series])
    before = np.cumsum(known, axis=1)
    here = np.arange(len(series))
    rank, count = before[here, bucket] - 1, before[:, -1]
    again = np.r_[False, (series[1:] == series[:-1]) & (rank[1:] == rank[:-1] + 1)]
    pair = again & ((rank == 1) | (rank == count - 1))
    return np.asarray(pair | np.r_[pair[1:], False])


def _every_year(demand: Floats, series: Numbers, bucket: Numbers, year: float) -> npt.NDArray[np.bool_]:
    """Candidates with a peak of their kind about one or two years before or after."""
    slack = max(round(YEARLY_SLACK * year), 1)
    found = np.zeros(len(series), bool)
    value = demand[series, bucket]
    for years in (back for back in range(-YEARS_BACK, YEARS_BACK + 1) if back):
        at = bucket[:, None] + round(years * year) + np.arange(-slack, slack + 1)
        inside = (at >= 0) & (at < demand.shape[1])
        there = np.nan_to_num(demand[series[:, None], np.clip(at, 0, demand.shape[1] - 1)])
        found |= (inside & (there >= YEARLY_SHARE * value[:, None])).any(axis=1)
    return found


def _cut_in_price(price: Known, series: Numbers, bucket: Numbers, buckets: int) -> npt.NDArray[np.bool_]:
    """Candidates sold well below the middle price of the year around."""
    near = np.clip(bucket[:, None] + np.arange(-WINDOW, WINDOW + 1), 0, buckets - 1)
    window = price.values[price.group[series][:, None], near].astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        usual = np.nanmedian(window, axis=1)
    return np.asarray(price.values[price.group[series], bucket] <= PRICE_CUT * usual)


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
