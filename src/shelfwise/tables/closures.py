"""Closures: stretches of buckets between the first and the last sale in which the whole shop has no row."""

from __future__ import annotations

import polars as pl

from shelfwise.buckets import Bucket


def closures(sales: pl.DataFrame, bucket: Bucket) -> pl.DataFrame:
    """Every stretch of buckets without a single sales row, inside the span of the sales.

    Args:
        sales: with a Date column `date`.
        bucket: the time step; a shorter gap inside one bucket is no closure.

    Returns:
        One row a stretch, ascending: `start` and `end` (first and last closed bucket, Date) and
        `buckets` (how many, Int64).

    Example:
        >>> from datetime import date
        >>> sales = pl.DataFrame({"date": [date(2024, 1, 1), date(2024, 1, 4)]})
        >>> closures(sales, Bucket("day")).rows()
        [(datetime.date(2024, 1, 2), datetime.date(2024, 1, 3), 2)]
    """
    open_buckets = (
        sales.select(bucket.index_expr(pl.col("date")).alias("index")).drop_nulls().unique().sort("index")
    )
    gaps = open_buckets.with_columns(following=pl.col("index").shift(-1)).filter(
        pl.col("following") - pl.col("index") > 1
    )
    rows = [
        (bucket.from_index(index + 1), bucket.from_index(following - 1), following - index - 1)
        for index, following in gaps.iter_rows()
    ]
    schema = {"start": pl.Date, "end": pl.Date, "buckets": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")
