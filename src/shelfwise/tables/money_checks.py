"""Checks of the settings against the tables: costs, aims and limits that rest on something no table holds."""

from __future__ import annotations

from collections.abc import Iterator

from shelfwise.errors import Problem
from shelfwise.tables.settings_problems import SETTINGS_FILE
from shelfwise.tables.whole_shop import Shop


def money_without_source(shop: Shop) -> Iterator[Problem]:
    """Costs asked for as a share of something that no table holds."""
    costs = shop.settings.costs
    if {"items", "terms", "prices", "sales"} & shop.broken:
        return
    has_cost = any(shop.has_value(table, "unit_cost") for table in ("items", "terms"))
    sources = (("items", "price"), ("prices", "price"), ("sales", "price"), ("sales", "net_amount"))
    has_price = any(shop.has_value(table, column) for table, column in sources)
    if costs.holding_rate is not None and not has_cost:
        yield Problem(
            code="costs.rate_without_unit_cost",
            rule="costs.holding_rate is a share of unit_cost, which neither items nor terms has",
            fix="Add unit_cost to items or terms, or write costs.holding as money per unit and bucket",
            file=SETTINGS_FILE,
            column="costs.holding_rate",
            value=str(costs.holding_rate),
        )
    if costs.shortage == "margin" and not (has_cost and has_price):
        yield Problem(
            code="costs.margin_without_prices",
            rule='costs.shortage = "margin" is price minus unit_cost, of which one is nowhere given',
            fix="Add price and unit_cost to items, or write costs.shortage as money per unit",
            file=SETTINGS_FILE,
            column="costs.shortage",
            value="margin",
        )
    if shop.settings.objective.minimise == "profit" and not (has_cost and has_price):
        yield Problem(
            code="objective.profit_without_prices",
            rule="profit is made of price minus unit_cost, of which one is nowhere given",
            fix='Add price and unit_cost to items, or write objective.minimise = "cost"',
            file=SETTINGS_FILE,
            column="objective.minimise",
            value="profit",
        )


def limits_without_source(shop: Shop) -> Iterator[Problem]:
    """A shared volume, but no item that says how much of it a unit takes."""
    volume = shop.settings.limits.volume
    if volume is not None and "items" not in shop.broken and not shop.has_value("items", "volume"):
        yield Problem(
            code="limits.volume_without_volumes",
            rule="limits.volume is shared by items.volume, which no item has",
            fix="Add a column volume to items (of one unit), or take limits.volume out",
            file=SETTINGS_FILE,
            column="limits.volume",
            value=str(volume),
        )
