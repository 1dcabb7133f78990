"""Lot sizes: printed plans, every plan of small instances, and an independent library."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shelfwise.errors import UsageError
from shelfwise.replenish.exact import wagner_whitin

SMALL = st.integers(1, 4).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, 7)))


def test_the_printed_plans():
    plan = wagner_whitin([90, 120, 80, 70], 500.0, 2.0)
    assert plan.orders.tolist() == [[210.0, 0.0, 150.0, 0.0]]
    assert plan.cost.item() == 1380.0
    assert wagner_whitin([730, 580, 445, 650, 880], 100.0, 0.1).cost.item() == pytest.approx(423.0)


def priced(orders, demand, order_cost, holding, unit):
    """What a plan costs; None if it serves something late."""
    stock = np.cumsum(orders - demand)
    if (stock < -1e-9).any():
        return None
    return float((order_cost * (orders > 0) + holding * stock + unit * orders).sum())


def every_plan(demand, order_cost, holding, unit):
    """The least cost over all choices of buckets to order in, each order lasting to the next."""
    buckets = len(demand)
    least = np.inf
    for chosen in product((False, True), repeat=buckets):
        orders = np.zeros(buckets)
        current = None
        for t in range(buckets):
            current = t if chosen[t] else current
            if current is not None:
                orders[current] += demand[t]
        cost = priced(orders, demand, order_cost, holding, unit)
        least = least if cost is None else min(least, cost)
    return least


@settings(max_examples=60, deadline=None)
@given(data=st.data(), shape=SMALL)
def test_no_plan_costs_less(data, shape):
    numbers = st.integers(0, 12).map(float)
    demand, order_cost, holding, unit = (
        data.draw(arrays(np.float64, shape, elements=numbers)) for _ in range(4)
    )
    plan = wagner_whitin(demand, order_cost, holding, unit)
    for i in range(shape[0]):
        own = priced(plan.orders[i], demand[i], order_cost[i], holding[i], unit[i])
        assert own == pytest.approx(plan.cost[i], abs=1e-9)
        assert plan.cost[i] == pytest.approx(
            every_plan(demand[i], order_cost[i], holding[i], unit[i]), abs=1e-9
        )
        assert plan.orders[i].sum() == pytest.approx(demand[i].sum())


def test_costs_may_be_given_by_item_or_by_bucket():
    demand = np.array([[5.0, 0.0, 7.0], [1.0, 2.0, 3.0]])
    by_item = wagner_whitin(demand, np.array([[10.0], [1.0]]), 1.0)
    assert by_item.cost[0] == wagner_whitin(demand[0], 10.0, 1.0).cost.item()
    assert by_item.cost[1] == wagner_whitin(demand[1], 1.0, 1.0).cost.item()
    dear_later = wagner_whitin(demand[0], np.array([1.0, 1.0, 100.0]), 1.0)
    assert dear_later.orders.tolist() == [[12.0, 0.0, 0.0]] or dear_later.orders[0, 2] == 0.0


def test_it_agrees_with_stockpyl():
    theirs = pytest.importorskip("stockpyl.wagner_whitin")
    rng = np.random.default_rng(5)
    demand = rng.integers(0, 90, 24)
    cost = theirs.wagner_whitin(24, 2.0, 300.0, demand.tolist(), 0)[1]
    assert wagner_whitin(demand, 300.0, 2.0).cost.item() == pytest.approx(cost, rel=1e-9)


def test_what_is_wrong_is_named():
    with pytest.raises(UsageError, match=r"demand must be at least 0; got -1\.0"):
        wagner_whitin([1.0, -1.0], 1.0, 1.0)
    with pytest.raises(UsageError, match="fit demand"):
        wagner_whitin([[1.0, 2.0]], np.ones((3, 1)), 1.0)
    with pytest.raises(UsageError, match="at least one bucket"):
        wagner_whitin(np.zeros((2, 0)), 1.0, 1.0)
