from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from shelfwise.buckets import Bucket
from shelfwise.demand import build_panel_with_report
from shelfwise.demand.closures import closed_buckets

DAY = Bucket("day")
WEEK = Bucket("week")
MONDAY = date(2024, 1, 1)


def days(per_weekday: list[int], weeks: int) -> np.ndarray:
    return np.array(per_weekday * weeks, np.int64)


def test_a_weekday_without_trade_is_a_real_zero():
    rows = days([9, 9, 9, 9, 9, 9, 0], 10)
    assert not closed_buckets(rows, DAY).any()


def test_days_missing_on_a_trading_weekday_are_a_closure_and_sunday_still_is_none():
    rows = days([9, 9, 9, 9, 9, 9, 0], 10)
    rows[33:38] = 0  # Saturday to Wednesday
    assert np.flatnonzero(closed_buckets(rows, DAY)).tolist() == [33, 35, 36, 37]


def test_a_closure_longer_than_the_window_is_one_stretch():
    rows = days([9] * 7, 60)
    rows[140:280] = 0
    assert np.flatnonzero(closed_buckets(rows, DAY)).tolist() == list(range(140, 280))


def test_a_quiet_shop_has_no_closures():
    rows = np.array([6, 6, 0, 6, 6, 0, 0, 6])
    assert not closed_buckets(rows, WEEK).any()


def test_a_few_busy_saturdays_do_not_make_saturday_a_day_of_trade():
    rows = days([9, 9, 9, 9, 9, 0, 0], 12)
    rows[[5 * 7 + 5, 6 * 7 + 5]] = 200
    assert not closed_buckets(rows, DAY).any()


def test_records_that_stop_before_as_of_are_a_closure():
    assert closed_buckets(np.array([9, 9, 9, 0, 0]), WEEK).tolist() == [False] * 3 + [True] * 2


def test_no_rows_at_all_is_no_closure():
    assert not closed_buckets(np.zeros(20, np.int64), DAY).any()


def test_a_closed_bucket_is_unknown_and_reported(make_dataset, sale):
    sales = [
        sale(str(MONDAY + timedelta(days=day)), 1, f"s{item}")
        for day in range(40)
        for item in range(8)
        if day != 20
    ]
    panel, report = build_panel_with_report(make_dataset("day", sales=sales), MONDAY + timedelta(days=40))
    assert report.closures == (MONDAY + timedelta(days=20),)
    assert np.isnan(panel.demand[:, 20]).all()
    assert np.isnan(panel.sold[:, 20]).all()
    assert (panel.on_sale[:, 20] == 0).all()
    assert report.masked_buckets == 0
    assert np.isfinite(np.delete(panel.demand, 20, axis=1)).all()


def test_splitting_lines_does_not_make_a_closure(make_dataset, sale):
    sales = [sale(str(MONDAY + timedelta(days=day)), 1) for day in range(40) if day != 20 for _ in range(9)]
    _, report = build_panel_with_report(make_dataset("day", sales=sales), MONDAY + timedelta(days=40))
    assert report.closures == ()


def test_orders_of_one_item_are_rows_of_their_own(make_dataset, sale):
    sales = [
        sale(str(MONDAY + timedelta(days=day)), 1, order_id=f"{day}-{order}")
        for day in range(40)
        if day != 20
        for order in range(9)
    ]
    _, report = build_panel_with_report(make_dataset("day", sales=sales), MONDAY + timedelta(days=40))
    assert report.closures == (MONDAY + timedelta(days=20),)
