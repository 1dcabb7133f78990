"""Returns: found again at the sale they undo, or carried back to earlier buckets, so demand stays whole.

A unit sold in May and sent back in June was no demand of June's; it was none of May's either.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl


def place_returns(lines: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Move each return into the bucket of the sale it undoes, where that sale can be found.

    A return is looked for first under its own order (as long as the order still has units to give
    back), then as the latest earlier sale of the same quantity to the same customer that no other
    return has claimed. A return that finds none stays in its own bucket.

    Args:
        lines: `series`, `date`, `bucket`, `micro` and, where known, `order_id`, `customer`.

    Returns:
        Lines as `series`, `bucket`, `micro`, and how many returns found their sale.

    Example:
        >>> from datetime import date
        >>> lines = pl.DataFrame({"series": [0, 0], "date": [date(2024, 1, 1), date(2024, 1, 9)],
        ...                       "bucket": [0, 1], "micro": [5, -2], "order_id": ["o1", "o1"]})
        >>> place_returns(lines)[0].rows()
        [(0, 0, 5), (0, 0, -2)]
    """
    plain = lines.select("series", "bucket", "micro")
    who = [name for name in ("order_id", "customer") if name in lines.columns]
    returning = lines.filter(pl.col("micro") < 0)
    if returning.is_empty() or not who:
        return plain, 0
    event = ["series", "date", "bucket", who[0]]
    merged = [pl.col("micro").sum(), *(pl.col(name).min() for name in who[1:])]
    # A return split over several rows is still one return.
    returns = returning.group_by(event).agg(merged).sort(event, nulls_last=True)
    selling = lines.filter(pl.col("micro") > 0).join(returning, on="series", how="semi")
    sales = selling.group_by(event).agg(merged)
    returns = returns.with_columns(home=pl.lit(None, dtype=pl.Int32))
    if "order_id" in who:
        returns, sales = _by_order(returns, sales)
    if "customer" in who:
        returns = _by_customer(returns, sales)
    placed = returns.select(
        "series", pl.coalesce("home", "bucket").cast(pl.Int32).alias("bucket"), "micro"
    ).cast(plain.schema)
    found = returns["home"].is_not_null().sum()
    return pl.concat([plain.filter(pl.col("micro") >= 0), placed]), int(found)


def _by_order(returns: pl.DataFrame, sales: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give returns the bucket of their own order; hand back the sales no return has claimed."""
    key = ["series", "order_id"]
    orders = (
        sales.filter(pl.col("order_id").is_not_null())
        .group_by(key)
        .agg(
            pl.col("micro").sum().alias("bought"),
            pl.col("date").min().alias("bought_on"),
            pl.col("bucket").min().alias("bought_in"),
        )
    )
    joined = returns.join(orders, on=key, how="left", maintain_order="left")
    given_back = (-pl.col("micro")).cum_sum().over(key, order_by="date")
    fits = (pl.col("bought_on") <= pl.col("date")) & (given_back <= pl.col("bought"))
    matched = joined.with_columns(home=pl.when(fits).then("bought_in").cast(pl.Int32))
    claimed = matched.filter(pl.col("home").is_not_null()).select(key)
    return matched.drop("bought", "bought_on", "bought_in"), sales.join(claimed, on=key, how="anti")


def _by_customer(returns: pl.DataFrame, sales: pl.DataFrame) -> pl.DataFrame:
    """Match what is left to the latest unclaimed sale of the same customer and quantity.

    Sales and returns of one customer and quantity behave like brackets: going through them in time, a
    return closes the latest sale still open. Events of one nesting level therefore alternate, and the
    row before a return, within its level, is its sale.
    """
    key = ["series", "customer", "size"]
    returns = returns.with_row_index("number").with_columns(size=pl.col("micro").abs())
    looking = returns.filter(pl.col("home").is_null() & pl.col("customer").is_not_null())
    offered = sales.with_columns(size=pl.col("micro")).join(looking, on=key, how="semi")
    events = pl.concat(
        [
            offered.select(*key, "date", "bucket", step=pl.lit(1), number=pl.lit(None, dtype=pl.UInt32)),
            looking.select(*key, "date", "bucket", step=pl.lit(-1), number="number"),
        ]
    ).sort(*key, "date", "step", "number", descending=[False, False, False, False, True, False])
    running = pl.col("step").cum_sum().over(key)
    events = events.with_columns(
        running=running, floor=pl.min_horizontal(running.cum_min().over(key), pl.lit(0))
    )
    # A return that finds nothing open pushes the floor down and is left out of the nesting.
    unmatched = pl.col("floor") < pl.col("floor").shift(1, fill_value=0).over(key)
    depth = pl.col("running") - pl.col("floor")
    level = pl.when(pl.col("step") < 0).then(depth + 1).otherwise(depth)
    matched = (
        events.with_columns(unmatched=unmatched, level=level)
        .filter(~pl.col("unmatched"))
        .with_columns(found=pl.col("bucket").shift(1).over(*key, "level"))
        .filter(pl.col("step") < 0)
        .select("number", pl.col("found").cast(pl.Int32))
    )
    joined = returns.join(matched, on="number", how="left", maintain_order="left")
    return joined.with_columns(home=pl.coalesce("home", "found")).drop("number", "size", "found")


def carry_back(net: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Let earlier buckets, the most recent first, bear what returns took from a bucket beyond its sales.

    Args:
        net: (R, T) net quantity of R series, negative where returns exceed sales.

    Returns:
        (R, T) quantities, none negative, and (R,) what no earlier bucket could bear.

    Example:
        >>> borne, dropped = carry_back(np.array([[4, 3, -5, 2]]))
        >>> borne.tolist(), dropped.tolist()
        ([[2, 0, 0, 2]], [0])
    """
    borne = net.copy()
    debt = np.zeros(len(net), np.int64)
    for column in range(net.shape[1] - 1, -1, -1):
        left = borne[:, column] - debt
        borne[:, column] = np.maximum(left, 0)
        debt = np.maximum(-left, 0)
    return borne, debt
