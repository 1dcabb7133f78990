"""`ShopTruth` and `DemoShop`: the answers, and the tables they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl


@dataclass(frozen=True)
class ShopTruth:
    """What nobody in a real shop knows: N series, T days of history, H = 60 days after it.

    Days as indices count from `start`. Demand, sold and lost leave out the wholesale order, cancelled
    orders and returns.

    Attributes:
        keys: N rows `sku, location`, sorted; the order of all arrays here.
        start, end: first day of history, and the `as_of`, the first day not known.
        kind: (N,) smooth, seasonal, intermittent, lumpy, new or ended.
        demand: (N, T) int32 units wanted.
        expected: (N, T + H) float32 mean of the demand.
        future_demand: (N, H) int32 units that will be wanted.
        sold, lost: (N, T) int32 units; together they are `demand`.
        on_sale: (N, T) float32 share of the day with stock; 0 outside the assortment.
        price: (N, T + H) float32 list price.
        elasticity: (N,) price elasticity of demand.
        promotion_lift: (N, T + H) float32 factor on demand of the promotions running.
        promotions: `sku, location, start, end, kind, discount, lift`, a row a series and promotion.
        event_lift: (N, T + H) float32 factor on demand of holidays and shopping days.
        annual_growth: (N,) growth of demand a year.
        launched: (N,) first day on sale; negative before the window, T or more if still to come.
        ends: (N,) first day no longer on sale; a large number if never.
        opening_stock, on_hand: (N,) units free to sell before the first and after the last day.
        received: (N, T) units that arrived.
        purchase_orders: `sku, location, supplier, po_id, line_id, quantity, placed, due, arrives, open,
            overdue`; an open order is overdue if it was due before `end`.
        wholesale: `order_id, sku, location, date, quantity` of the one wholesale order.
    """

    keys: pl.DataFrame
    start: date
    end: date
    kind: npt.NDArray[np.str_]
    demand: npt.NDArray[np.int32]
    expected: npt.NDArray[np.float32]
    future_demand: npt.NDArray[np.int32]
    sold: npt.NDArray[np.int32]
    lost: npt.NDArray[np.int32]
    on_sale: npt.NDArray[np.float32]
    price: npt.NDArray[np.float32]
    elasticity: npt.NDArray[np.float64]
    promotion_lift: npt.NDArray[np.float32]
    promotions: pl.DataFrame
    event_lift: npt.NDArray[np.float32]
    annual_growth: npt.NDArray[np.float64]
    launched: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    opening_stock: npt.NDArray[np.int64]
    on_hand: npt.NDArray[np.int64]
    received: npt.NDArray[np.int64]
    purchase_orders: pl.DataFrame
    wholesale: pl.DataFrame


@dataclass(frozen=True)
class DemoShop:
    """`tables` by the contract's names, as a shop would hand them in, and the `truth` behind them."""

    tables: Mapping[str, pl.DataFrame]
    truth: ShopTruth
