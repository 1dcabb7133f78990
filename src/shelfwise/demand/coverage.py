"""Intervals of days turned into shares of buckets, group by group."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from shelfwise.buckets import Bucket

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]
EPOCH = date(1970, 1, 1)
CHUNK_CELLS = 8_000_000


@dataclass(frozen=True, slots=True)
class Intervals:
    """Days from `first` to `last`, both included, that belong to the row `row` of a covariate.

    Attributes:
        row, first, last: (X,) integers; days count from 1970-01-01.
    """

    row: Numbers
    first: Numbers
    last: Numbers

    def where(self, kept: npt.NDArray[np.bool_]) -> Intervals:
        return Intervals(self.row[kept], self.first[kept], self.last[kept])


def day_edges(bucket: Bucket, start: date, buckets: int) -> Numbers:
    """(buckets + 1,) first day of each bucket and of the one after, in days since 1970-01-01."""
    return np.array([(day - EPOCH).days for day in bucket.dates(start, buckets + 1)], np.int64)


def covered_share(intervals: Intervals, rows: int, edges: Numbers) -> Floats:
    """The share of each bucket's days that at least one interval covers.

    Returns:
        (rows, C) float32 for the C buckets between the C + 1 `edges`.

    Example:
        >>> days = Intervals(np.array([0, 0]), np.array([0, 1]), np.array([1, 3]))
        >>> covered_share(days, 1, np.array([0, 8, 16])).tolist()
        [[0.5, 0.0]]
    """
    days = int(edges[-1] - edges[0])
    intervals = intervals.where((intervals.last >= edges[0]) & (intervals.first < edges[-1]))
    order = np.argsort(intervals.row, kind="stable")
    row = intervals.row[order]
    first = np.maximum(intervals.first[order] - edges[0], 0)
    stop = np.minimum(intervals.last[order] + 1 - edges[0], days)
    share = np.zeros((rows, len(edges) - 1), np.float32)
    chunk = max(1, CHUNK_CELLS // (days + 1))
    for low in range(0, rows, chunk):
        high = min(low + chunk, rows)
        part = slice(*np.searchsorted(row, [low, high]))
        if part.start == part.stop:
            continue
        change = np.zeros((high - low, days + 1), np.int32)
        np.add.at(change, (row[part] - low, first[part]), 1)
        np.add.at(change, (row[part] - low, stop[part]), -1)
        covered = np.cumsum(change, axis=1)[:, :-1] > 0
        counted = np.add.reduceat(covered, edges[:-1] - edges[0], axis=1, dtype=np.int32)
        share[low:high] = counted / np.diff(edges)
    return share


def largest_inside(intervals: Intervals, values: Floats, rows: int, edges: Numbers) -> Floats:
    """(rows, C) float32, the largest of `values` (X,) whose interval touches the bucket; 0 if none does."""
    largest = np.zeros((rows, len(edges) - 1), np.float32)
    inside = (intervals.last >= edges[0]) & (intervals.first < edges[-1]) & (values > 0)
    intervals, values = intervals.where(inside), values[inside]
    begin = np.maximum(np.searchsorted(edges, intervals.first, "right") - 1, 0)
    end = np.minimum(np.searchsorted(edges, intervals.last, "right") - 1, len(edges) - 2)
    length = end - begin + 1
    # Long intervals touch many buckets; taking them in portions bounds the memory.
    total = int(length.sum())
    portions = np.searchsorted(np.cumsum(length), np.arange(0, max(total, 1), CHUNK_CELLS), "left")
    for low, high in zip(portions, [*portions[1:], len(length)], strict=True):
        many = length[low:high]
        offset = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
        cell = (np.repeat(intervals.row[low:high], many), np.repeat(begin[low:high], many) + offset)
        np.maximum.at(largest, cell, np.repeat(values[low:high], many))
    return largest
