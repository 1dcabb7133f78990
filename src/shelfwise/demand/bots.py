"""Bot orders: one customer who orders one item far too often on a day to be a person must not become its demand.

A burst is flagged only if it is large, all but impossible among this shop's customers, made of orders that are alike, and
nothing the customer does at other times: someone who orders so again and again, a reseller or an account many people
share, is demand. One order of a burst stays, as there may have been one person.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from shelfwise.demand.aggregation import MICRO

LEAST_ORDERS = 10
# Expected bursts of this size in all the shop's history, were all its customers people.
CHANCE = 1e-3
ALIKE = 0.8
TIMES_USUAL = 4
BURST_DAYS = 7
BUYING = ("series", "customer", "date")


@dataclass(frozen=True, slots=True)
class BotBurst:
    """The orders of one customer for one item on one day; `left_out` units of the `units` sold are no demand."""

    sku: str
    location: str
    date: date
    customer: str
    orders: int
    units: float
    left_out: float


def without_bots(lines: pl.DataFrame, keys: pl.DataFrame) -> tuple[pl.DataFrame, tuple[BotBurst, ...]]:
    """The lines without those of bot orders and what came back of them, and which bursts these were.

    Args:
        lines: `series`, `date`, `micro`, `order_id`, `customer`; without both of the last two nothing can be
            told, and nothing is left out.
        keys: N rows `sku`, `location`.

    Example:
        >>> keys = pl.DataFrame({"sku": ["a"], "location": ["main"]})
        >>> orders = [(0, date(2024, 1, day), 1, f"o{day}", f"c{day}") for day in range(1, 29)]
        >>> orders += [(0, date(2024, 1, 9), 1, f"x{number:02}", "bot") for number in range(40)]
        >>> schema = ["series", "date", "micro", "order_id", "customer"]
        >>> kept, bursts = without_bots(pl.DataFrame(orders, schema, orient="row"), keys)
        >>> kept.height, bursts[0].customer, bursts[0].orders
        (29, 'bot', 40)
    """
    if not {"order_id", "customer"} <= set(lines.columns):
        return lines, ()
    named = lines.drop_nulls(["order_id", "customer"]).filter(pl.col("micro") > 0)
    # Line by line would make a bot of whoever splits an order over many rows.
    orders = named.group_by(*BUYING, "order_id").agg(pl.col("micro").sum())
    bursts = _bursts(orders.group_by(BUYING).agg(orders=pl.len()))
    if bursts.is_empty():
        return lines, ()
    inside = orders.join(bursts, on=BUYING)
    usual = (
        inside.group_by(*BUYING, "micro")
        .len("alike")
        .sort(*BUYING, "alike", "micro", descending=[False] * 3 + [True, False])
    )
    bursts = bursts.join(usual.unique(BUYING, keep="first", maintain_order=True), on=BUYING)
    bursts = bursts.filter(pl.col("alike") >= ALIKE * pl.col("orders")).select(*BUYING, "orders")
    inside = inside.join(bursts.select(BUYING), on=BUYING, how="semi").sort(*BUYING, "order_id")
    left_out = inside.filter(pl.col("order_id") != pl.col("order_id").first().over(BUYING))
    kept = lines.join(
        left_out.select("series", "customer", "order_id"), on=["series", "customer", "order_id"], how="anti"
    )
    told = (
        bursts.join(inside.group_by(BUYING).agg(units=pl.col("micro").sum()), on=BUYING)
        .join(left_out.group_by(BUYING).agg(left_out=pl.col("micro").sum()), on=BUYING)
        .sort(BUYING)
    )
    return kept, tuple(
        BotBurst(
            keys["sku"][series],
            keys["location"][series],
            day,
            customer,
            count,
            units / MICRO,
            gone / MICRO,
        )
        for series, customer, day, count, units, gone in told.iter_rows()
    )


def _bursts(buying: pl.DataFrame) -> pl.DataFrame:
    """Rows of `series`, `customer`, `date`, `orders` that are too many orders for a person.

    Of those who buy an item on a day, a share r buys it twice or more. Were each further order as likely,
    k orders would happen with probability r^(k - 1); r itself is hardly moved by a few bots.
    """
    many = buying.filter(pl.col("orders") >= LEAST_ORDERS)
    if many.is_empty():
        return many
    again = (buying.filter(pl.col("orders") > 1).height + 1) / (buying.height + 2)
    expected = buying.height * pl.lit(again).pow(pl.col("orders").cast(pl.Int64) - 1)
    many = many.filter(expected < CHANCE)
    # Whatever the customer did beyond a week of the burst, with any item, is what he usually does.
    days = (
        buying.join(many, on="customer", how="semi").group_by("customer", "date").agg(pl.col("orders").max())
    )
    far = many.join(days, on="customer", suffix="_then").filter(
        (pl.col("date") - pl.col("date_then")).abs() > pl.duration(days=BURST_DAYS)
    )
    usual = far.group_by(BUYING).agg(usual=pl.col("orders_then").max())
    judged = many.join(usual, on=BUYING, how="left")
    alone = pl.col("orders") >= TIMES_USUAL * pl.col("usual").fill_null(0)
    return judged.filter(alone).select(*BUYING, "orders")
