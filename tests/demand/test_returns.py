from __future__ import annotations

from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.demand import build_panel_with_report
from shelfwise.demand.returns import carry_back

AS_OF = date(2024, 2, 5)


def sold_and_report(data):
    panel, report = build_panel_with_report(data, AS_OF)
    return panel.sold.tolist(), report


def test_a_return_undoes_the_sale_of_its_own_order(make_dataset, sale):
    sales = [
        sale("2024-01-01", 5, order_id="o1"),
        sale("2024-01-08", 6, order_id="o2"),
        sale("2024-01-29", -2, order_id="o1"),
    ]
    sold, report = sold_and_report(make_dataset(sales=sales))
    assert sold == [[3, 6, 0, 0, 0]]
    assert (report.return_lines, report.return_units, report.returns_netted) == (1, 2, 1)


def test_an_order_gives_back_no_more_than_it_sold(make_dataset, sale):
    sales = [
        sale("2024-01-01", 5, order_id="o1"),
        sale("2024-01-08", 9, order_id="o2"),
        sale("2024-01-15", -4, order_id="o1"),
        sale("2024-01-22", -4, order_id="o1"),
    ]
    sold, report = sold_and_report(make_dataset(sales=sales))
    # The second return finds nothing left of its order and is borne by the bucket before it.
    assert sold == [[1, 5, 0, 0, 0]]
    assert (report.returns_netted, report.carried_units) == (1, 4)


def test_another_order_number_is_found_by_customer_and_quantity(make_dataset, sale):
    sales = [
        sale("2024-01-01", 5, order_id="o1", customer="c"),
        sale("2024-01-08", 5, order_id="o2", customer="d"),
        sale("2024-01-15", 3, order_id="o3", customer="c"),
        sale("2024-01-22", -5, order_id="Co1", customer="c"),
    ]
    sold, report = sold_and_report(make_dataset(sales=sales))
    assert sold == [[0, 5, 3, 0, 0]]
    assert report.returns_netted == 1


def test_two_returns_claim_two_sales_the_latest_first(make_dataset, sale):
    sales = [
        sale("2024-01-01", 1, order_id="o1", customer="c"),
        sale("2024-01-08", 1, order_id="o2", customer="c"),
        sale("2024-01-15", -1, order_id="r1", customer="c"),
        sale("2024-01-16", -1, order_id="r2", customer="c"),
        sale("2024-01-22", 1, order_id="o3", customer="c"),
        sale("2024-01-23", -1, order_id="r3", customer="c"),
        sale("2024-01-29", 4, order_id="o4", customer="c"),
    ]
    sold, report = sold_and_report(make_dataset(sales=sales))
    assert sold == [[0, 0, 0, 0, 4]]
    assert (report.returns_netted, report.carried_units, report.remainder_units) == (3, 0, 0)


def test_a_return_before_its_sale_is_not_matched_to_it(make_dataset, sale):
    sales = [
        sale("2024-01-01", 7, order_id="o1", customer="x"),
        sale("2024-01-08", -2, order_id="r1", customer="c"),
        sale("2024-01-15", 2, order_id="o2", customer="c"),
    ]
    sold, report = sold_and_report(make_dataset(sales=sales))
    assert sold == [[5, 0, 2, 0, 0]]
    assert report.returns_netted == 0


def test_a_return_dated_before_its_order_stays_where_it_is(make_dataset, sale):
    sales = [
        sale("2024-01-01", 7, order_id="o1"),
        sale("2024-01-08", -2, order_id="o2"),
        sale("2024-01-15", 2, order_id="o2"),
    ]
    sold, report = sold_and_report(make_dataset(sales=sales))
    assert sold == [[5, 0, 2, 0, 0]]
    assert report.returns_netted == 0


def test_a_sale_given_back_under_its_order_is_not_given_back_again(make_dataset, sale):
    sales = [
        sale("2024-01-01", 5, order_id="o1", customer="c"),
        sale("2024-01-08", 9, order_id="o2", customer="d"),
        sale("2024-01-15", -5, order_id="o1", customer="c"),
        sale("2024-01-22", -5, order_id="r1", customer="c"),
    ]
    sold, report = sold_and_report(make_dataset(sales=sales))
    assert sold == [[0, 4, 0, 0, 0]]
    assert (report.returns_netted, report.carried_units) == (1, 5)


def test_a_return_without_reference_is_borne_by_the_latest_earlier_buckets(make_dataset, sale):
    sales = [sale("2024-01-01", 4), sale("2024-01-08", 3), sale("2024-01-15", -5), sale("2024-01-22", 2)]
    sold, report = sold_and_report(make_dataset(sales=sales))
    assert sold == [[2, 0, 0, 2, 0]]
    assert (report.carried_units, report.remainder_units) == (5, 0)


def test_what_no_sale_can_bear_is_dropped_and_counted(make_dataset, sale):
    sold, report = sold_and_report(make_dataset(sales=[sale("2024-01-01", 1), sale("2024-01-08", -5)]))
    assert sold == [[0, 0, 0, 0, 0]]
    assert (report.net_units, report.carried_units, report.remainder_units) == (-4, 1, 4)


def test_returns_of_one_series_leave_the_others_alone(make_dataset, sale):
    sales = [
        sale("2024-01-01", 3, "a", order_id="o1", customer="c"),
        sale("2024-01-01", 3, "b", order_id="o1", customer="c"),
        sale("2024-01-08", -3, "b", order_id="o1", customer="c"),
    ]
    sold, _ = sold_and_report(make_dataset(sales=sales))
    assert sold == [[3, 0, 0, 0, 0], [0, 0, 0, 0, 0]]


def borne_one_by_one(net: list[int]) -> tuple[list[int], int]:
    """Each negative bucket, latest first, takes from the nearest earlier bucket that has something."""
    left, dropped = list(net), 0
    for bucket in reversed(range(len(left))):
        if left[bucket] < 0:
            debt, left[bucket] = -left[bucket], 0
            if bucket:
                left[bucket - 1] -= debt
            else:
                dropped = debt
    return left, dropped


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=12))
def test_carry_back_equals_the_slow_way_and_keeps_the_total(net):
    borne, dropped = carry_back(np.array([net]))
    assert (borne[0].tolist(), int(dropped[0])) == borne_one_by_one(net)
    assert borne.min() >= 0
    assert borne.sum() - dropped[0] == sum(net)
