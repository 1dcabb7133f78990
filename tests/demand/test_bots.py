"""Bursts of orders no person places: found among people, never among resellers, shared accounts or big baskets."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from shelfwise.demand import build_panel_with_report

START = date(2024, 1, 1)
DAYS = 90
AS_OF = START + timedelta(days=DAYS)


def people(sale, rng, items=6):
    """Some 500 orders of one to three units, a few of them by someone who orders the same item twice a day."""
    lines = []
    for number in range(500):
        day = START + timedelta(days=int(rng.integers(DAYS)))
        who, sku = f"c{rng.integers(200)}", f"s{rng.integers(items)}"
        for part in range(2 if rng.random() < 0.03 else 1):
            more = {"order_id": f"o{number}-{part}", "customer": who}
            lines.append(sale(str(day), int(rng.integers(1, 4)), sku=sku, **more))
    return lines


def burst(sale, day, orders, *, customer="bot", sku="s0", quantity=lambda number: 2):
    when = str(START + timedelta(days=day))
    return [
        sale(when, quantity(number), sku=sku, order_id=f"{customer}-{day}-{number:03}", customer=customer)
        for number in range(orders)
    ]


def built(make_dataset, lines, bucket="day", **asked):
    return build_panel_with_report(make_dataset(bucket, sales=lines, demand=asked or None), AS_OF)


@pytest.fixture
def crowd(sale):
    return people(sale, np.random.default_rng(1))


@pytest.mark.parametrize("bucket", ["day", "week"])
def test_a_burst_is_left_out_but_for_one_order(make_dataset, sale, crowd, bucket):
    plain = built(make_dataset, crowd, bucket)[0]
    panel, report = built(make_dataset, crowd + burst(sale, 40, 60), bucket)
    (bot,) = report.cleaning.bots
    assert (bot.sku, bot.date, bot.customer, bot.orders) == ("s0", START + timedelta(days=40), "bot", 60)
    assert (bot.units, bot.left_out) == (120, 118)
    extra = panel.demand - plain.demand
    assert np.nansum(extra) == 2
    assert np.nansum(panel.sold - plain.sold) == 120
    assert any("60 orders of one customer" in note for note in report.notes())


def test_the_switch_keeps_them(make_dataset, sale, crowd):
    panel, report = built(make_dataset, crowd + burst(sale, 40, 60), bots=False)
    assert report.cleaning.bots == ()
    np.testing.assert_array_equal(panel.demand, panel.sold)


def test_what_came_back_of_a_burst_is_not_taken_from_others(make_dataset, sale, crowd):
    bot = burst(sale, 40, 60)
    back = [{**line, "quantity": -2.0, "date": line["date"] + timedelta(days=3)} for line in bot[10:]]
    kept = built(make_dataset, crowd + bot)[0]
    panel = built(make_dataset, crowd + bot + back)[0]
    np.testing.assert_array_equal(panel.demand, kept.demand)


def test_who_orders_so_again_and_again_is_a_customer(make_dataset, sale, crowd):
    reseller = [line for day in (5, 25, 45, 65) for line in burst(sale, day, 20, customer="reseller")]
    assert built(make_dataset, crowd + reseller)[1].cleaning.bots == ()
    shared = [line for day in range(DAYS) for line in burst(sale, day, 30, customer="guest")]
    assert built(make_dataset, crowd + shared)[1].cleaning.bots == ()


def test_orders_that_differ_are_no_bot(make_dataset, sale, crowd):
    varied = burst(sale, 40, 30, quantity=lambda number: 1 + number % 5)
    assert built(make_dataset, crowd + varied)[1].cleaning.bots == ()


def test_a_few_orders_a_day_are_no_burst(make_dataset, sale, crowd):
    assert built(make_dataset, crowd + burst(sale, 40, 9))[1].cleaning.bots == ()


def test_where_many_repeat_their_orders_more_is_asked_for(make_dataset, sale, crowd):
    """Among customers of whom every second buys again, twelve orders are a busy day."""
    habit = [
        line
        for day in range(DAYS)
        for line in burst(sale, day, 1 + 3 * (day % 2), customer=f"h{day}", quantity=lambda number: 1)
    ]
    assert built(make_dataset, habit + burst(sale, 40, 12))[1].cleaning.bots == ()
    assert len(built(make_dataset, habit + burst(sale, 40, 80))[1].cleaning.bots) == 1


def test_one_order_of_many_lines_is_no_burst(make_dataset, sale, crowd):
    basket = [{**line, "order_id": "big"} for line in burst(sale, 40, 60)]
    assert built(make_dataset, crowd + basket)[1].cleaning.bots == ()


@pytest.mark.parametrize("missing", ["order_id", "customer"])
def test_without_orders_or_customers_nothing_can_be_told(make_dataset, sale, crowd, missing):
    lines = [
        {name: value for name, value in line.items() if name != missing}
        for line in crowd + burst(sale, 40, 60)
    ]
    panel, report = built(make_dataset, lines, spikes=False)
    assert report.cleaning.bots == ()
    np.testing.assert_array_equal(panel.demand, panel.sold)


def test_a_burst_that_empties_the_shelf_is_no_bound_of_demand(make_dataset, sale, crowd):
    lines = crowd + burst(sale, 40, 60)
    short = [{"sku": "s0", "date": START + timedelta(days=40), "in_stock": 0.2}]
    panel, _ = build_panel_with_report(make_dataset("day", sales=lines, availability=short), AS_OF)
    assert panel.sold[0, 40] >= 120
    assert panel.demand[0, 40] < 20
