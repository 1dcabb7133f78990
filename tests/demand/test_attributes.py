from __future__ import annotations

from datetime import date

import polars as pl

from shelfwise.demand import build_panel


def test_items_and_locations_describe_their_series(make_dataset, sale):
    data = make_dataset(
        sales=[
            sale("2024-01-01", 1, sku, location=place) for sku, place in (("a", "y"), ("b", "x"), ("c", "x"))
        ],
        items=pl.DataFrame(
            {
                "sku": ["b", "a"],
                "category": ["toys", "food"],
                "volume": [2.0, 1.0],
                "colour": ["red", None],
                "launched": [date(2024, 1, 1)] * 2,
                "description": ["long", "text"],
            }
        ),
        locations=[{"location": "x", "region": "east"}, {"location": "y", "region": "west"}],
    )
    static = build_panel(data, date(2024, 1, 8)).static
    assert static.to_dicts() == [
        {"category": "food", "volume": 1.0, "colour": None, "location_region": "west"},
        {"category": "toys", "volume": 2.0, "colour": "red", "location_region": "east"},
        {"category": None, "volume": None, "colour": None, "location_region": "east"},
    ]


def test_without_items_there_are_no_attributes(make_dataset, sale):
    assert build_panel(make_dataset(sales=[sale("2024-01-01", 1)]), date(2024, 1, 8)).static.width == 0
