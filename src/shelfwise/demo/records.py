"""What the shop's systems show on the last evening: stock, open orders, availability, items and places."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demo.calendar import LOCATIONS, Window
from shelfwise.demo.catalogue import Catalogue
from shelfwise.demo.orders import OrderBook
from shelfwise.demo.pricing import Pricing
from shelfwise.demo.stock_process import StockHistory
from shelfwise.demo.suppliers import Supply

LOCATION_NAMES = {"shanghai": ("上海仓", "east"), "shenzhen": ("深圳仓", "south")}


def purchase_orders(stock: StockHistory, supply: Supply, keys: pl.DataFrame, window: Window) -> pl.DataFrame:
    """Every order line the shop placed; one order a supplier, location and day; open if not arrived."""

    def as_date(column: str) -> pl.Expr:
        return pl.lit(window.start) + pl.duration(days=pl.col(column))

    named = keys.with_columns(
        series=pl.int_range(pl.len(), dtype=pl.Int64), supplier=pl.Series(supply.supplier)
    )
    lines = stock.orders.join(named, on="series", how="left", maintain_order="left").sort(
        "placed", "supplier", "location", "sku"
    )
    group = ["placed", "supplier", "location"]
    return lines.with_columns(
        po_id="PO-" + (10_000 + pl.struct(group).rle_id()).cast(pl.String),
        line_id=pl.int_range(1, pl.len() + 1).over(group).cast(pl.String),
        open=pl.col("arrives") >= window.days,
        overdue=(pl.col("arrives") >= window.days) & (pl.col("due") < window.days),
    ).select(
        "sku",
        "location",
        "supplier",
        "po_id",
        "line_id",
        "quantity",
        as_date("placed").alias("placed"),
        as_date("due").alias("due"),
        as_date("arrives").alias("arrives"),
        "open",
        "overdue",
    )


def inbound_table(orders: pl.DataFrame) -> pl.DataFrame:
    """The contract's `inbound`: open orders with the day that was promised, not the day they will come."""
    columns = ("sku", "location", "quantity", "due", "supplier", "po_id", "line_id")
    return orders.filter("open").select(columns).sort("due", "po_id", "line_id")


def availability_table(
    stock: StockHistory,
    keys: pl.DataFrame,
    launched: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    window: Window,
) -> pl.DataFrame:
    """The contract's `availability`: a row a series and day it was in the assortment."""
    days = np.arange(window.days)
    series, day = np.nonzero((days >= launched[:, None]) & (days < ends[:, None]))
    # Rounding in double precision keeps `0.37` from being written as `0.3700000047`.
    share = stock.on_sale[series, day].astype(np.float64).round(2)
    return pl.DataFrame(
        {
            "sku": keys["sku"].gather(series),
            "location": keys["location"].gather(series),
            "date": pl.Series(window.dates()[day]),
            "in_stock": share,
        }
    )


def stock_table(stock: StockHistory, book: OrderBook, keys: pl.DataFrame) -> pl.DataFrame:
    """The contract's `stock`: units sold but not yet shipped still lie there, as `reserved`."""
    unshipped = book.unshipped()
    reserved = np.zeros(len(keys), np.int64)
    reserved[unshipped["series"].to_numpy()] = unshipped["quantity"].to_numpy()
    return keys.with_columns(
        on_hand=pl.Series(stock.on_hand + reserved),
        reserved=pl.Series(reserved),
        backorders=pl.lit(0, pl.Int64),
    )


def items_today(catalogue: Catalogue, pricing: Pricing, window: Window) -> pl.DataFrame:
    """The contract's `items`, with the prices of the last day of history."""
    return catalogue.items.with_columns(price=pl.Series(pricing.price[:, window.days - 1]))


def locations_table() -> pl.DataFrame:
    """The contract's `locations`."""
    return pl.DataFrame(
        {
            "location": LOCATIONS,
            "name": [LOCATION_NAMES[place][0] for place in LOCATIONS],
            "region": [LOCATION_NAMES[place][1] for place in LOCATIONS],
        }
    )
