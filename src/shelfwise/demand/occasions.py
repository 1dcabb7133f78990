"""Days that come round every year, as what a bucket sees of them: its share, and how far away they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt

from shelfwise.demand.coverage import EPOCH, Floats, Intervals, Numbers, covered_share

Days = Sequence[date] | frozenset[date]
# Beyond this many days before or after, a feast has no say; the distance is unknown there, not large.
RUN_UP_DAYS = 28


def span(edges: Numbers) -> tuple[date, date]:
    """First day of the buckets between these edges, and the first day after them."""
    first, last = (date.fromordinal(EPOCH.toordinal() + int(edge)) for edge in (edges[0], edges[-1]))
    return first, last


def shares(occasions: Mapping[str, Days], edges: Numbers) -> Floats:
    """(len(occasions), C) the share of each bucket's days that belong to each occasion.

    Example:
        >>> shares({"feast": [date(1970, 1, 2)]}, np.array([0, 2, 4])).tolist()
        [[0.5, 0.0]]
    """
    rows = [(row, _number(day)) for row, days in enumerate(occasions.values()) for day in sorted(days)]
    listed: Numbers = np.array(rows, np.int64).reshape(-1, 2)
    return covered_share(Intervals(listed[:, 0], listed[:, 1], listed[:, 1]), len(occasions), edges)


def days_to_next(days: Days, edges: Numbers) -> Floats:
    """(C,) days from a bucket's first day to the next of `days` on or after it; NaN if none follows."""
    ahead = np.append(_numbers(days).astype(float), np.nan)
    return np.asarray(ahead[np.searchsorted(ahead[:-1], edges[:-1])] - edges[:-1], np.float32)


def days_since_last(days: Days, edges: Numbers) -> Floats:
    """(C,) days from the last of `days` on or before a bucket's last day to that day; NaN if none went before."""
    gone = np.append(np.nan, _numbers(days).astype(float))
    last = edges[1:] - 1
    return np.asarray(last - gone[np.searchsorted(gone[1:], last, "right")], np.float32)


def days_to_nearest(days: Days, edges: Numbers) -> Floats:
    """(C,) days from a bucket's first day to the nearest of `days`, negative once it is over.

    NaN farther away than 28 days, so that a model reads the run-up and the aftermath and nothing else.
    """
    dates = _numbers(days)
    if not len(dates):
        return np.full(len(edges) - 1, np.nan, np.float32)
    after = np.clip(np.searchsorted(dates, edges[:-1]), 0, len(dates) - 1)
    candidates = np.stack([dates[after], dates[np.maximum(after - 1, 0)]]) - edges[:-1]
    nearest = np.take_along_axis(candidates, np.abs(candidates).argmin(axis=0)[None, :], axis=0)[0]
    return np.where(np.abs(nearest) <= RUN_UP_DAYS, nearest, np.nan).astype(np.float32)


def _numbers(days: Days) -> npt.NDArray[np.int64]:
    return np.array(sorted(_number(day) for day in days), np.int64)


def _number(day: date) -> int:
    return (day - EPOCH).days
