"""From sales lines to the net quantity of each series and bucket.

Quantities are summed as whole millionths of a unit: integer sums do not depend on the order of the rows
or on how a quantity is split over them, so the same sales always give the same bytes.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.buckets import Bucket
from shelfwise.demand.returns import carry_back

MICRO = 1_000_000
SERIES = ("sku", "location")


def happened_before(frame: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Rows of a table of what happened, dated before `as_of`."""
    return frame.filter(pl.col("date") < as_of)


def series_keys(*tables: pl.DataFrame) -> pl.DataFrame:
    """Every (sku, location) of these tables once, sorted.

    Example:
        >>> sales = pl.DataFrame({"sku": ["b", "a", "b"], "location": ["x", "x", "x"]})
        >>> series_keys(sales).rows()
        [('a', 'x'), ('b', 'x')]
    """
    found = [table.select(pl.col(SERIES).cast(pl.String)).unique() for table in tables]
    return pl.concat(found).unique().sort(SERIES)


def with_series(frame: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """The rows that belong to a series of `keys`, with its row number as `series` (Int32)."""
    numbered = keys.select(SERIES).with_columns(series=pl.int_range(pl.len(), dtype=pl.Int32))
    return frame.join(numbered, on=SERIES, how="inner")


def sales_lines(sales: pl.DataFrame, keys: pl.DataFrame, bucket: Bucket) -> pl.DataFrame:
    """The lines as `series`, `date`, `bucket` (running number), `micro`, and who and which order if known."""
    optional = [name for name in ("order_id", "customer") if name in sales.columns]
    return with_series(sales, keys).select(
        "series",
        "date",
        bucket.index_expr(pl.col("date")).cast(pl.Int32).alias("bucket"),
        (pl.col("quantity").fill_null(0.0) * MICRO).round().cast(pl.Int64).alias("micro"),
        *optional,
    )


def cells(lines: pl.DataFrame) -> pl.DataFrame:
    """Net quantity of each series and bucket that has a line: `series`, `bucket`, `micro`."""
    return lines.group_by("series", "bucket").agg(pl.col("micro").sum())


def rows_per_bucket(lines: pl.DataFrame) -> pl.DataFrame:
    """How many sales each bucket saw: `bucket`, `rows`. One order (or day) of a series counts once.

    Counting raw rows would make a closure depend on how an export splits its lines.
    """
    event = ["series", "date", *(["order_id"] if "order_id" in lines.columns else [])]
    distinct = lines.select("bucket", *event).unique()
    return distinct.group_by("bucket").agg(rows=pl.len())


def net_matrix(
    cells: pl.DataFrame, n_series: int, first_bucket: int, n_buckets: int
) -> tuple[npt.NDArray[np.float32], int, int]:
    """Units sold per series and bucket, never negative.

    Args:
        cells: as `cells` gives them, all within the buckets asked for.
        n_series: N.
        first_bucket: running number of the first column.
        n_buckets: T.

    Returns:
        (N, T) float32 units; millionths carried back to earlier buckets; millionths dropped.
    """
    sold = np.zeros((n_series, n_buckets), np.float32)
    series, column = cells["series"].to_numpy(), cells["bucket"].to_numpy() - first_bucket
    micro = cells["micro"].to_numpy()
    sold[series, column] = micro / MICRO
    if not (micro < 0).any():
        return sold, 0, 0
    rows = np.unique(series[micro < 0])
    touched = np.isin(series, rows)
    net = np.zeros((len(rows), n_buckets), np.int64)
    net[np.searchsorted(rows, series[touched]), column[touched]] = micro[touched]
    borne, dropped = carry_back(net)
    carried = int(-net[net < 0].sum()) - int(dropped.sum())
    sold[rows] = borne / MICRO
    return sold, carried, int(dropped.sum())
