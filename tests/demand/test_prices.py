from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from shelfwise.demand import build_panel

AS_OF = date(2024, 1, 22)
NAN = np.nan


def price(day: str, value: float, sku: str = "a", location: str = "*") -> dict[str, object]:
    return {"sku": sku, "location": location, "date": date.fromisoformat(day), "price": value}


def prices_of(data, horizon=1) -> np.ndarray:
    return build_panel(data, AS_OF, horizon).known["price"].rows()


@pytest.fixture
def two_places(sale):
    return [sale("2024-01-01", 1, location="x"), sale("2024-01-01", 1, location="y")]


def test_the_last_price_at_the_start_of_the_bucket_holds(make_dataset, sale):
    prices = [price("2024-01-08", 5), price("2024-01-10", 7), price("2024-01-22", 9)]
    found = prices_of(make_dataset(sales=[sale("2024-01-01", 1)], prices=prices))
    np.testing.assert_array_equal(found, [[NAN, 5, 7, 9]])


def test_prices_from_before_the_panel_are_carried_in(make_dataset, sale):
    prices = [price("2023-05-01", 5), price("2023-06-01", 6)]
    found = prices_of(make_dataset(sales=[sale("2024-01-01", 1)], prices=prices))
    np.testing.assert_array_equal(found, [[6, 6, 6, 6]])


def test_a_price_of_one_location_holds_there_and_goes_first_on_its_day(make_dataset, two_places):
    prices = [
        price("2024-01-01", 5),
        price("2024-01-08", 6),
        price("2024-01-08", 4, location="x"),
        price("2024-01-22", 8),
    ]
    found = prices_of(make_dataset(sales=two_places, prices=prices))
    np.testing.assert_array_equal(found, [[5, 4, 4, 8], [5, 6, 6, 8]])


def test_the_item_price_stands_in_only_where_no_price_is_dated(make_dataset, sale):
    sales = [sale("2024-01-01", 1, sku) for sku in "abc"]
    items = [{"sku": "a", "price": 3.0}, {"sku": "b", "price": 2.0}, {"sku": "c", "price": None}]
    found = prices_of(make_dataset(sales=sales, items=items, prices=[price("2024-01-15", 5, "b")]))
    np.testing.assert_array_equal(found, [[3, 3, 3, 3], [NAN, NAN, 5, 5], [NAN, NAN, NAN, NAN]])


def test_equal_price_paths_are_stored_once(make_dataset, sale):
    sales = [sale("2024-01-01", 1, f"s{item:03}") for item in range(60)]
    items = [{"sku": f"s{item:03}", "price": float(item % 3)} for item in range(60)]
    known = build_panel(make_dataset(sales=sales, items=items), AS_OF, 2).known["price"]
    assert known.values.tolist() == [[0] * 5, [1] * 5, [2] * 5]
    assert known.rows()[:, 0].tolist() == [item % 3 for item in range(60)]


def test_no_price_at_all_is_no_covariate(make_dataset, sale):
    assert "price" not in build_panel(make_dataset(sales=[sale("2024-01-01", 1)]), AS_OF).known
