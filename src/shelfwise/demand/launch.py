"""When the life of a series begins and ends, and when the shop's own records begin."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.buckets import Bucket

Numbers = npt.NDArray[np.int64]
# Beyond what any shift to the first bucket can bring below `Panel.NEVER`.
NEVER = 2**40
UNRECORDED_ROWS = 30.0
OPENING_BUCKETS = {"day": 56, "week": 8, "month": 2}


def life(
    keys: pl.DataFrame, items: pl.DataFrame, cells: pl.DataFrame, bucket: Bucket, as_of: date
) -> tuple[Numbers, Numbers]:
    """Running numbers of the first bucket each series counts in, and of the first it no longer counts in.

    A life begins in the bucket of `items.launched` where that is given, else with the first sales row,
    else at `as_of`. It ends with the first bucket that begins on or after `items.ends`, so a bucket the
    item was sold in for a part still counts.

    Args:
        keys: N rows `sku`, `location`.
        items: with `launched` and `ends` (Date) where known.
        cells: `series`, `bucket` of every bucket with a row.
        bucket: the time step.
        as_of: first day that is not known.
    """
    launched = np.full(len(keys), bucket.index(as_of), np.int64)
    first = cells.group_by("series").agg(pl.col("bucket").min())
    launched[first["series"].to_numpy()] = first["bucket"].to_numpy()
    ends = np.full(len(keys), NEVER, np.int64)
    given = _item_dates(keys, items, "launched")
    if given is not None:
        known = given.is_not_null().to_numpy()
        launched[known] = _index(given.drop_nulls(), bucket)
    given = _item_dates(keys, items, "ends")
    if given is not None:
        known = given.is_not_null().to_numpy()
        # The bucket after the one of the last day on sale.
        ends[known] = _index(given.drop_nulls() - timedelta(days=1), bucket) + 1
    return launched, ends


def first_bucket(launched: Numbers, rows: pl.DataFrame, bucket: Bucket, as_of: date) -> int:
    """Running number of the shop's first bucket: its earliest launch, once its records have begun.

    Launch dates often reach back further than a shop's export. A stretch before the first row of the
    whole shop, in which its first eight weeks' pace would have left thirty rows, was not recorded.

    Args:
        launched: (N,) as `life` gives it.
        rows: `bucket`, `rows`: how many sales each bucket saw.
        bucket: the time step.
        as_of: first day that is not known.
    """
    end = bucket.index(as_of)
    start = min(int(launched.min(initial=end)), end - 1)
    counts = dense_rows(rows, start, end)
    recorded = int(np.argmax(counts > 0))
    opening = counts[recorded : recorded + OPENING_BUCKETS[bucket.name]]
    return start + recorded if recorded * opening.mean() >= UNRECORDED_ROWS else start


def dense_rows(rows: pl.DataFrame, start: int, end: int) -> Numbers:
    """(end - start,) sales rows of each bucket, zero where there was none."""
    dense = np.zeros(end - start, np.int64)
    inside = rows.filter(pl.col("bucket").is_between(start, end - 1))
    dense[inside["bucket"].to_numpy() - start] = inside["rows"].to_numpy()
    return dense


def _item_dates(keys: pl.DataFrame, items: pl.DataFrame, column: str) -> pl.Series | None:
    if column not in items.columns:
        return None
    dates = items.select("sku", column).unique("sku", keep="first", maintain_order=True)
    return keys.join(dates, on="sku", how="left", maintain_order="left")[column].cast(pl.Date)


def _index(dates: pl.Series, bucket: Bucket) -> Numbers:
    return dates.to_frame("day").select(bucket.index_expr(pl.col("day")))["day"].cast(pl.Int64).to_numpy()
