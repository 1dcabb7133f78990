from __future__ import annotations

from datetime import date

import numpy as np

from shelfwise.demand import Panel, build_panel, build_panel_with_report
from shelfwise.messages import retold

AS_OF = date(2024, 2, 5)
NAN = np.nan


def same(found, wanted) -> bool:
    return np.array_equal(found, np.array(wanted, np.float32), equal_nan=True)


def test_a_series_begins_with_its_first_row_and_zeros_count_as_rows(make_dataset, sale):
    sales = [sale("2024-01-01", 2, "a"), sale("2024-01-15", 0, "b"), sale("2024-01-22", 3, "b")]
    panel = build_panel(make_dataset(sales=sales), AS_OF)
    assert same(panel.demand, [[2, 0, 0, 0, 0], [NAN, NAN, 0, 3, 0]])
    assert same(panel.sold, panel.demand)
    assert panel.launched.tolist() == [0, 2]
    assert panel.ends.tolist() == [Panel.NEVER, Panel.NEVER]


def test_items_say_when_a_life_begins_and_ends(make_dataset, sale):
    data = make_dataset(
        sales=[sale("2024-01-15", 2, "a"), sale("2024-01-08", 1, "b"), sale("2024-01-22", 4, "b")],
        items=[
            {"sku": "a", "launched": date(2024, 1, 3), "ends": None},
            {"sku": "b", "launched": None, "ends": date(2024, 1, 22)},
        ],
    )
    panel, report = build_panel_with_report(data, AS_OF)
    assert panel.start == date(2024, 1, 1)
    assert same(panel.demand, [[0, 0, 2, 0, 0], [NAN, 1, 0, NAN, NAN]])
    assert panel.ends.tolist() == [Panel.NEVER, 3]
    assert report.outside_life_units == 4
    assert report.outside_life == (("b", "main"),)
    (told,) = [note for note in report.notes() if getattr(note, "code", "") == "demand.life.outside"]
    assert told.startswith("4 units of 1 series")
    assert "b@main" in told
    assert retold(told, "zh") != told
    assert panel.on_sale.tolist() == [[1, 1, 1, 1, 1], [0, 1, 1, 0, 0]]


def test_a_bucket_sold_in_for_a_part_still_counts(make_dataset, sale):
    items = [{"sku": "a", "ends": date(2024, 1, 10)}]
    panel = build_panel(
        make_dataset(sales=[sale("2024-01-01", 2), sale("2024-01-09", 1)], items=items), AS_OF
    )
    assert same(panel.sold, [[2, 1, NAN, NAN, NAN]])


def test_an_item_still_to_come_has_no_history(make_dataset, sale):
    data = make_dataset(
        sales=[sale("2024-01-29", 2)],
        stock=[{"sku": "new", "on_hand": 5}],
        items=[{"sku": "new", "launched": date(2024, 2, 20)}],
    )
    panel = build_panel(data, AS_OF, horizon=4)
    assert panel.launched.tolist() == [0, 3]
    assert same(panel.demand, [[2], [NAN]])


def test_launches_long_before_the_records_add_no_years_of_zeros(make_dataset, sale):
    sales = [sale(f"2024-01-{day:02}", 1, f"s{item}") for day in range(1, 29) for item in range(8)]
    items = [{"sku": f"s{item}", "launched": date(2019, 3, 1)} for item in range(8)]
    panel = build_panel(make_dataset("day", sales=sales, items=items), date(2024, 1, 29))
    assert panel.start == date(2024, 1, 1)
    assert (panel.demand == 1).all()


def test_a_slow_shop_keeps_the_zeros_since_its_launch(make_dataset, sale):
    items = [{"sku": "a", "launched": date(2023, 12, 4)}]
    panel = build_panel(make_dataset(sales=[sale("2024-01-08", 1)], items=items), date(2024, 1, 15))
    assert panel.start == date(2023, 12, 4)
    assert panel.demand.tolist() == [[0, 0, 0, 0, 0, 1]]
