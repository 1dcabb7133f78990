"""Stock-outs: the share of each bucket on sale, and the demand there would have been with enough stock.

Sales of a bucket on sale for a part only are scaled by that part, the mean-rate correction of censored
demand (Nahmias 1994, Naval Research Logistics 41); where too little was on sale to tell, demand is
unknown. An out-of-stock bucket is never read as zero.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.buckets import Bucket
from shelfwise.demand.aggregation import MICRO

Floats = npt.NDArray[np.float32]

FULL = 0.999
TRUSTED = 0.5
TRUSTED_WITH_SALES = 0.25


@dataclass(frozen=True, slots=True)
class Uncensored:
    """Demand (N, T) and how many series-buckets were masked, scaled, or sold while never on sale."""

    demand: Floats
    masked: int
    scaled: int
    contradicted: int


def share_on_sale(rows: pl.DataFrame, bucket: Bucket, first_bucket: int, shape: tuple[int, int]) -> Floats:
    """The share of each bucket in which a series was on sale.

    When every date is the first day of a bucket, a row speaks for its bucket; otherwise for its day, and
    days without a row count as on sale. Several rows of one series and date count as their mean.

    Args:
        rows: `series`, `date`, `in_stock` (0…1).
        bucket: the time step.
        first_bucket: running number of the first column.
        shape: (N, T).

    Returns:
        (N, T) float32, 1 where nothing is known.
    """
    share = np.ones(shape, np.float32)
    column = bucket.index_expr(pl.col("date")).cast(pl.Int64) - first_bucket
    missing = ((1.0 - pl.col("in_stock").fill_null(1.0).clip(0.0, 1.0)) * MICRO).round().cast(pl.Int64)
    daily = rows.select("series", "date", column=column, missing=missing)
    starts = {bucket.floor(day) for day in rows["date"].unique()}
    # Sums of whole millionths do not depend on the order of the rows.
    mean = pl.col("missing").sum() / pl.len() / MICRO
    if set(rows["date"].unique()) <= starts:
        found = daily.group_by("series", "column").agg(missing=mean)
    else:
        columns = range(shape[1])
        lengths = [bucket.days_in(bucket.from_index(first_bucket + step)) for step in columns]
        days = pl.DataFrame(
            {"column": columns, "days": lengths}, schema={"column": pl.Int64, "days": pl.Int64}
        )
        found = (
            daily.group_by("series", "column", "date")
            .agg(missing=(mean * MICRO).round().cast(pl.Int64))
            .group_by("series", "column")
            .agg(pl.col("missing").sum())
            .join(days, on="column", how="inner")
            .select("series", "column", pl.col("missing") / pl.col("days") / MICRO)
        )
    found = found.filter(pl.col("column").is_between(0, shape[1] - 1))
    share[found["series"].to_numpy(), found["column"].to_numpy()] = 1.0 - found["missing"].to_numpy()
    return share


def uncensor(sold: Floats, on_sale: Floats) -> Uncensored:
    """What would have been sold with enough stock; NaN where too little was on sale to tell.

    Args:
        sold: (N, T) units, NaN outside the life of a series and in closures.
        on_sale: (N, T) share of the bucket on sale.

    Example:
        >>> found = uncensor(np.array([[6, 3, 0, 0]], np.float32), np.array([[1, .5, .3, 0]], np.float32))
        >>> found.demand.tolist(), found.masked, found.scaled
        ([[6.0, 6.0, nan, nan]], 2, 1)
    """
    demand = sold.copy()
    short = (on_sale < FULL) & np.isfinite(sold)
    share, units = on_sale[short], sold[short]
    contradicted = (share <= 0) & (units > 0)
    scaled = (share >= TRUSTED) | ((share >= TRUSTED_WITH_SALES) & (units > 0))
    masked = ~scaled & ~contradicted
    estimate = np.where(scaled, units / np.where(scaled, share, 1.0), units)
    demand[short] = np.where(masked, np.nan, estimate)
    return Uncensored(demand, int(masked.sum()), int(scaled.sum()), int(contradicted.sum()))
