"""`make_shop`: the demo shop's tables together with the truth they hide."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from shelfwise.demo.behaviour import make_behaviour
from shelfwise.demo.calendar import LOCATIONS, Window, events_table, no_delivery
from shelfwise.demo.catalogue import make_catalogue
from shelfwise.demo.customers import make_customers
from shelfwise.demo.demand_truth import draw_demand, expected_demand, make_profiles, series_event_lift
from shelfwise.demo.orders import make_orders
from shelfwise.demo.pricing import make_pricing
from shelfwise.demo.records import (
    availability_table,
    inbound_table,
    items_today,
    locations_table,
    purchase_orders,
    stock_table,
)
from shelfwise.demo.stock_process import run_stock
from shelfwise.demo.suppliers import make_supply
from shelfwise.demo.truth import DemoShop, ShopTruth
from shelfwise.errors import UsageError

FEWEST_DAYS = 150
CUSTOMERS_PER_SKU = 40


def make_shop(*, seed: int = 7, n_skus: int = 200, days: int = 730, end: date = date(2026, 6, 1)) -> DemoShop:
    """Make a shop with two locations whose true demand is known; the same arguments give the same shop.

    Args:
        seed: of all chance.
        n_skus: items, 12 or more.
        days: days of history, 150 or more.
        end: the `as_of`, the first day not known; prices, promotions and events reach 60 days further.

    Raises:
        UsageError: too few items or days, or a window outside the years the calendar knows.

    Example:
        >>> shop = make_shop(n_skus=12, days=200)
        >>> shop.truth.demand.shape, shop.truth.expected.shape
        ((24, 200), (24, 260))
        >>> sorted(shop.tables)
        ['availability', 'behaviour', 'events', 'inbound', 'items', 'locations', 'prices', 'promotions',
         'sales', 'stock', 'terms']
    """
    if days < FEWEST_DAYS:
        raise UsageError(f"days must be at least {FEWEST_DAYS} for launches and ends to show; got {days}")
    window = Window(end=end, days=days)
    # One stream a part, so that a change in one part leaves the others as they were.
    streams = [np.random.default_rng([seed, part]) for part in range(8)]
    catalogue = make_catalogue(n_skus, window, streams[0])
    profiles = make_profiles(catalogue, streams[1])
    pricing = make_pricing(catalogue, profiles.elasticity, window, streams[2])
    supply = make_supply(catalogue, profiles.rate, streams[3])
    expected = expected_demand(catalogue, profiles, pricing, window)
    wanted = draw_demand(expected, np.repeat(profiles.purchase_size, len(LOCATIONS)), streams[4])
    demand, future = wanted[:, :days], wanted[:, days:]
    launched, ends = (np.repeat(column, len(LOCATIONS)) for column in (catalogue.launched, catalogue.ends))
    stock = run_stock(
        demand, profiles.rate, supply, launched, ends, no_delivery(window, days + 120), streams[5]
    )
    customers = make_customers(CUSTOMERS_PER_SKU * n_skus, seed, streams[6])
    book = make_orders(stock.sold, stock.on_sale, catalogue, pricing, customers, window, streams[6])
    behaviour = make_behaviour(book.lines, stock.lost, expected, catalogue, customers, window, streams[7])

    keys = pl.DataFrame(
        {
            "sku": np.repeat(catalogue.items["sku"].to_numpy(), len(LOCATIONS)),
            "location": np.tile(np.array(LOCATIONS), n_skus),
        }
    )
    placed_orders = purchase_orders(stock, supply, keys, window)
    truth = ShopTruth(
        keys=keys,
        start=window.start,
        end=end,
        kind=np.repeat(catalogue.kind, len(LOCATIONS)),
        demand=demand,
        expected=expected.astype(np.float32),
        future_demand=future,
        sold=stock.sold,
        lost=stock.lost,
        on_sale=stock.on_sale,
        price=np.repeat(pricing.price, len(LOCATIONS), axis=0).astype(np.float32),
        elasticity=np.repeat(profiles.elasticity, len(LOCATIONS)),
        promotion_lift=pricing.lift.astype(np.float32),
        promotions=pricing.effects,
        event_lift=series_event_lift(profiles, window).astype(np.float32),
        annual_growth=np.repeat(profiles.annual_growth, len(LOCATIONS)),
        launched=launched,
        ends=ends,
        opening_stock=stock.opening,
        on_hand=stock.on_hand,
        received=stock.received,
        purchase_orders=placed_orders,
        wholesale=book.wholesale,
    )
    tables = {
        "sales": book.table(),
        "availability": availability_table(stock, keys, launched, ends, window),
        "stock": stock_table(stock, book, keys),
        "inbound": inbound_table(placed_orders),
        "items": items_today(catalogue, pricing, window),
        "locations": locations_table(),
        "terms": supply.terms,
        "prices": pricing.prices,
        "promotions": pricing.promotions,
        "events": events_table(window),
        "behaviour": behaviour,
    }
    return DemoShop(tables, truth)
