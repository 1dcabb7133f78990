from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from shelfwise.demand import build_panel, build_panel_with_report
from shelfwise.errors import UsageError


def test_days_weeks_and_months_sum_the_same_sales(make_dataset, sale):
    # 2024 is a leap year; 29 February is a Thursday, so its week reaches into March.
    sales = [sale("2024-02-26", 1), sale("2024-02-29", 2), sale("2024-03-01", 4), sale("2024-03-04", 8)]
    day = build_panel(make_dataset("day", sales=sales), date(2024, 3, 5))
    week = build_panel(make_dataset("week", sales=sales), date(2024, 3, 11))
    month = build_panel(make_dataset("month", sales=sales), date(2024, 4, 1))
    assert day.demand.tolist() == [[1, 0, 0, 2, 4, 0, 0, 8]]
    assert week.demand.tolist() == [[7, 8]]
    assert month.demand.tolist() == [[3, 12]]
    assert (day.start, week.start, month.start) == (date(2024, 2, 26), date(2024, 2, 26), date(2024, 2, 1))


def test_as_of_inside_a_bucket_hides_the_whole_bucket(make_dataset, sale):
    sales = [sale("2024-01-01", 3), sale("2024-01-08", 5)]
    panel = build_panel(make_dataset(sales=sales), date(2024, 1, 10))
    assert panel.as_of == date(2024, 1, 8)
    assert panel.sold.tolist() == [[3]]


def test_days_on_which_clocks_change_are_ordinary_days(make_dataset, sale):
    sales = [sale("2024-03-30", 1), sale("2024-03-31", 2), sale("2024-04-01", 3)]
    panel = build_panel(make_dataset("day", sales=sales), date(2024, 4, 2))
    assert panel.sold.tolist() == [[1, 2, 3]]


def test_series_come_from_past_sales_stock_and_inbound_sorted(make_dataset, sale):
    data = make_dataset(
        sales=[sale("2024-01-01", 1, "b"), sale("2024-01-15", 1, "later")],
        stock=[{"sku": "a", "location": "z", "on_hand": 4}],
        inbound=[{"sku": "a", "location": "y", "quantity": 4, "due": date(2024, 2, 1)}],
    )
    panel = build_panel(data, date(2024, 1, 15))
    assert panel.keys.rows() == [("a", "y"), ("a", "z"), ("b", "main")]
    assert np.isnan(panel.demand[:2]).all()
    assert panel.launched.tolist() == [2, 2, 0]


def test_two_locations_are_two_series(make_dataset, sale):
    sales = [sale("2024-01-01", 1, location="x"), sale("2024-01-01", 2, location="y")]
    panel = build_panel(make_dataset(sales=sales), date(2024, 1, 8))
    assert panel.sold.tolist() == [[1], [2]]


def test_fractions_sum_exactly(make_dataset, sale):
    panel, report = build_panel_with_report(
        make_dataset(sales=[sale("2024-01-01", 0.1)] * 10), date(2024, 1, 8)
    )
    assert panel.sold.tolist() == [[1.0]]
    assert (report.lines, report.net_units) == (10, 1.0)


def test_a_shop_without_any_row_gives_an_empty_panel(make_dataset):
    panel = build_panel(make_dataset(), date(2024, 1, 8), horizon=2)
    assert (panel.n_series, panel.n_buckets, panel.as_of) == (0, 1, date(2024, 1, 8))


def test_a_negative_horizon_is_a_usage_error(make_dataset, sale):
    with pytest.raises(UsageError, match="horizon must be 0 or more"):
        build_panel(make_dataset(sales=[sale("2024-01-01", 1)]), date(2024, 1, 8), -1)
