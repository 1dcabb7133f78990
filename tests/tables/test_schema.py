"""The schemas say what the contract says."""

from __future__ import annotations

import pytest

from shelfwise.tables.aliases import fold_name
from shelfwise.tables.schema import SCHEMAS

CONTRACT = {
    "sales": (
        {"sku", "quantity"},
        {"date", "timestamp"}
        | {"location", "order_id", "line_id", "source", "channel", "customer", "price", "net_amount"}
        | {"currency", "status"},
    ),
    "availability": ({"sku", "date", "in_stock"}, {"location"}),
    "stock": ({"sku", "on_hand"}, {"location", "reserved", "backorders"}),
    "inbound": ({"sku", "quantity", "due"}, {"location", "supplier", "po_id", "line_id"}),
    "items": (
        {"sku"},
        {"name", "description", "image", "category", "brand", "price", "unit_cost", "volume", "shelf_life"}
        | {"launched", "ends", "substitutes"},
    ),
    "locations": ({"location"}, set()),
    "terms": (
        {"sku"},
        {"location", "supplier", "lead_time", "lead_time_sd", "review_period", "moq", "multiple"}
        | {"max_quantity", "unit_cost", "order_cost", "price_breaks"},
    ),
    "prices": ({"sku", "date", "price"}, {"location"}),
    "promotions": ({"sku", "start", "end"}, {"location", "kind", "discount"}),
    "events": ({"date", "name"}, {"location", "kind"}),
    "behaviour": ({"customer", "sku", "timestamp", "action"}, {"value", "location"}),
}


def test_tables_are_those_of_the_contract() -> None:
    assert set(SCHEMAS) == set(CONTRACT)


@pytest.mark.parametrize("name", CONTRACT)
def test_columns_are_those_of_the_contract(name: str) -> None:
    needed, optional = CONTRACT[name]
    assert set(SCHEMAS[name].needed) == needed
    assert set(SCHEMAS[name].names) == needed | optional


def test_sales_need_a_date_or_a_timestamp() -> None:
    assert SCHEMAS["sales"].one_of == (("date", "timestamp"),)


@pytest.mark.parametrize("name", SCHEMAS)
def test_no_alias_stands_for_two_columns_of_a_table(name: str) -> None:
    owners: dict[str, set[str]] = {}
    for column in SCHEMAS[name].columns:
        for alias in (column.name, *column.aliases):
            owners.setdefault(fold_name(alias), set()).add(column.name)
    shared = {alias: columns for alias, columns in owners.items() if len(columns) > 1}
    # A canonical name may be another column's alias, since it wins; two aliases may not collide.
    assert not {alias for alias in shared if alias not in {fold_name(known) for known in SCHEMAS[name].names}}


def test_unknown_column_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        SCHEMAS["stock"]["weight"]
