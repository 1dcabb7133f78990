"""What visitors did before they bought: views, carts, wishes and ratings as leading indicators.

Such a signal is observed, never known ahead: it exists for history alone, and a forecaster may look at it
up to the origin of a forecast and not one bucket further.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.buckets import Bucket

Floats = npt.NDArray[np.float32]
Index = npt.NDArray[np.int32]

# What shops call the same action; anything else is left out.
ACTIONS: dict[str, tuple[str, ...]] = {
    "view": ("view", "views", "viewed", "pageview", "page_view", "pv", "click", "detail", "浏览", "点击"),
    "cart": ("cart", "add_to_cart", "addtocart", "basket", "add_to_basket", "加购", "加入购物车"),
    "wish": ("wish", "wishlist", "add_to_wishlist", "fav", "favorite", "favourite", "like", "收藏"),
    "purchase": ("purchase", "purchased", "buy", "order", "transaction", "购买", "下单"),
    "rating": ("rating", "rate", "review", "评分", "评价"),
}
COUNTED = {"view": "views", "cart": "carts", "wish": "wishes"}


@dataclass(frozen=True)
class Observed:
    """A covariate of history alone, stored once per group of series.

    Attributes:
        values: (G, T) float32, NaN where nothing was recorded.
        group: (N,) int32, the row of `values` that belongs to each series.
    """

    values: Floats
    group: Index

    def rows(self, rows: npt.NDArray[Any] | slice = slice(None)) -> Floats:
        """(len(rows), T) float32, the signal of these series."""
        return self.values[self.group[rows]]

    def take(self, rows: npt.NDArray[Any]) -> Observed:
        """Only these series; groups nobody belongs to any more are dropped."""
        used, group = np.unique(self.group[rows], return_inverse=True)
        return Observed(self.values[used], group.astype(np.int32))

    def until(self, buckets: int) -> Observed:
        """Only the first `buckets` columns: what was known then."""
        return Observed(self.values[:, :buckets], self.group)


def behaviour_signals(
    behaviour: pl.DataFrame, keys: pl.DataFrame, bucket: Bucket, start: date, buckets: int
) -> dict[str, Observed]:
    """Views, carts, wishes, conversion and mean rating of each series and bucket.

    Rows of a place where nothing is sold (a web shop's log names none) count for the item at all its
    locations. Buckets in which the whole log is empty, or that it begins within, were not recorded: NaN.

    Args:
        behaviour: `sku`, `timestamp`, `action` and, where known, `location`, `value`; rows outside the
            buckets asked for are not looked at.
        keys: N rows `sku`, `location`.
        bucket: the time step.
        start: first day of the first bucket.
        buckets: T.

    Returns:
        `views`, `carts`, `wishes` (actions a bucket), `conversion` (purchases a view, NaN without a view),
        `rating` (mean value, NaN without one); what never occurs is left out.

    Example:
        >>> from datetime import datetime
        >>> log = pl.DataFrame({"sku": ["a", "a"], "location": ["main", "main"], "action": ["view", "view"],
        ...                     "timestamp": [datetime(2024, 1, 1, 9), datetime(2024, 1, 3, 9)]})
        >>> keys = pl.DataFrame({"sku": ["a"], "location": ["main"]})
        >>> behaviour_signals(log, keys, Bucket("day"), date(2024, 1, 1), 3)["views"].rows().tolist()
        [[1.0, nan, 1.0]]
    """
    rows = _placed(behaviour, keys, bucket, start, buckets)
    if rows.is_empty():
        return {}
    recorded = _recorded(rows, bucket, start, buckets)
    groups = rows.select("target").unique().sort("target").with_row_index("group", offset=1)
    # Row 0 is for series nobody has looked at yet.
    counts = {action: np.zeros((len(groups) + 1, buckets), np.float32) for action in ACTIONS}
    totals = np.zeros_like(counts["rating"])
    summed = (
        rows.join(groups, on="target")
        .group_by("group", "column", "action")
        # Whole thousandths add up to the same whatever the order of the rows.
        .agg(n=pl.len(), value=(pl.col("value").fill_null(0.0) * 1000).round().cast(pl.Int64).sum())
    )
    for (action,), part in summed.group_by("action"):
        cell = (part["group"].to_numpy(), part["column"].to_numpy())
        counts[str(action)][cell] = part["n"].to_numpy()
        if action == "rating":
            totals[cell] = part["value"].to_numpy() / 1000
    signals = {name: counts[action] for action, name in COUNTED.items() if counts[action].any()}
    with np.errstate(invalid="ignore", divide="ignore"):
        if counts["view"].any() and counts["purchase"].any():
            signals["conversion"] = np.where(counts["view"] > 0, counts["purchase"] / counts["view"], np.nan)
        if counts["rating"].any():
            signals["rating"] = np.where(counts["rating"] > 0, totals / counts["rating"], np.nan)
    for values in signals.values():
        values[:, ~recorded] = np.nan
    group = _group_of_series(keys, groups)
    return {name: Observed(values.astype(np.float32), group) for name, values in signals.items()}


def _placed(
    behaviour: pl.DataFrame, keys: pl.DataFrame, bucket: Bucket, start: date, buckets: int
) -> pl.DataFrame:
    """The rows inside the buckets as `target`, `column`, `day`, `action`, `value`.

    A target is (sku, location), or the sku alone where the log's places are not those of the series.
    """
    first = bucket.index(start)
    spelled = {name: action for action, names in ACTIONS.items() for name in names}
    have = set(behaviour.columns)
    rows = behaviour.select(
        pl.col("sku").cast(pl.String),
        (pl.col("location") if "location" in have else pl.lit(None)).cast(pl.String).alias("location"),
        pl.col("timestamp").dt.date().alias("day"),
        pl.col("action")
        .cast(pl.String)
        .str.strip_chars()
        .str.to_lowercase()
        .replace_strict(spelled, default=None, return_dtype=pl.String)
        .alias("action"),
        (pl.col("value") if "value" in have else pl.lit(None)).cast(pl.Float64).alias("value"),
    ).drop_nulls(["action", "day"])
    rows = rows.with_columns(column=bucket.index_expr(pl.col("day")).cast(pl.Int64) - first)
    rows = rows.filter(pl.col("column").is_between(0, buckets - 1))
    sold_at = pl.col("location").is_in(keys["location"].unique().to_list())
    place = pl.when(sold_at.fill_null(False)).then("location").otherwise(pl.lit(""))
    return rows.with_columns(target=pl.struct("sku", place.alias("location"))).drop("sku", "location")


def _recorded(rows: pl.DataFrame, bucket: Bucket, start: date, buckets: int) -> npt.NDArray[np.bool_]:
    """(T,) whether the log covers the bucket: it has a row, and the log did not begin within it."""
    recorded = np.zeros(buckets, np.bool_)
    recorded[rows["column"].unique().to_numpy()] = True
    began = rows["day"].to_numpy().min().astype(object)
    if bucket.floor(began) != began:
        recorded[bucket.count(start, began)] = False
    return recorded


def _group_of_series(keys: pl.DataFrame, groups: pl.DataFrame) -> Index:
    """(N,) the group of each series: its own, else its item's, else 0."""
    found = groups.unnest("target")
    series = keys.select("sku", "location")
    own = series.join(found, on=["sku", "location"], how="left", maintain_order="left")["group"]
    anywhere = found.filter(pl.col("location") == "").drop("location")
    shared = series.join(anywhere, on="sku", how="left", maintain_order="left")["group"]
    return own.fill_null(shared).fill_null(0).cast(pl.Int32).to_numpy()
