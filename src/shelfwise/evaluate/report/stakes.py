"""What a plan's lines are worth: sales expected to be lost without and with the order, in money."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

# What the report uses of a plan's frame beyond `sku, location, quantity`; each may be absent.
OPTIONAL = {
    "supplier": pl.String,
    "arrival_date": pl.Date,
    "unit_cost": pl.Float64,
    "value": pl.Float64,
    "reason": pl.String,
    "reason_code": pl.String,
    "on_hand": pl.Float64,
    "usable_receipts": pl.Float64,
    "late_receipts": pl.Float64,
    "expected_lost_without": pl.Float64,
    "expected_lost_with": pl.Float64,
    "cover_buckets": pl.Float64,
}


def with_stakes(frame: pl.DataFrame, prices: Mapping[str, float]) -> pl.DataFrame:
    """The plan's frame, with `price`, `lost_value_without`, `lost_value_with`, `stake` and `on_order`.

    `stake` is the money of the sales that the order is expected to save. A sku without a selling price
    counts at its purchase cost. Null where the plan or the price does not tell. Columns that a policy
    leaves out are added as nulls, so that whoever reads them need not ask.

    Example:
        >>> frame = pl.DataFrame({"sku": ["a"], "location": ["main"], "quantity": [6.0],
        ...                       "expected_lost_without": [5.0], "expected_lost_with": [1.0]})
        >>> with_stakes(frame, {"a": 30.0}).select("stake", "lost_value_with").row(0)
        (120.0, 30.0)
    """
    present = frame.columns
    lines = frame.with_columns(
        [
            pl.col(name).cast(kind, strict=False) if name in present else pl.lit(None, dtype=kind).alias(name)
            for name, kind in OPTIONAL.items()
        ]
    ).with_columns(pl.col(pl.Float64).fill_nan(None))
    known = pl.DataFrame(
        {"sku": list(prices), "price": list(prices.values())}, schema={"sku": pl.String, "price": pl.Float64}
    )
    lines = lines.drop("price", strict=False).join(known, on="sku", how="left", maintain_order="left")
    lost, saved = pl.col("expected_lost_without"), pl.col("expected_lost_with")
    return lines.with_columns(price=pl.coalesce("price", "unit_cost")).with_columns(
        lost_value_without=lost * pl.col("price"),
        lost_value_with=saved * pl.col("price"),
        stake=(lost - saved) * pl.col("price"),
        on_order=pl.sum_horizontal("usable_receipts", "late_receipts", ignore_nulls=True),
    )
