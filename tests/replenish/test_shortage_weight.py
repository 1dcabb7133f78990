"""The weight of a shortage: near the exact optimum with sales lost, out of the way elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.bench_zipkin import DefaultPolicy, cells

from checks.situations import make_situation
from shelfwise.replenish.exact.lost_sales import lost_sales_cost, lost_sales_optimum
from shelfwise.replenish.order_up_to import ScenarioOrderUpTo
from shelfwise.replenish.shortage_weight import shortage_weight
from shelfwise.simulate.terms import SupplyTerms


def test_the_weight_falls_with_the_orders_on_their_way():
    terms = SupplyTerms.same(4, lead_time_buckets=[0, 2, 2, 9], review_period_buckets=[1, 1, 4, 1])
    at_once, two, half, nine = shortage_weight(terms)
    assert at_once == 1.0 > half > two > nine > 0.0
    assert (shortage_weight(replace(terms, unmet="backorder")) == 1.0).all()


@pytest.mark.parametrize("family", ["zipkin", "others"])
def test_the_default_policy_costs_hardly_more_than_the_optimum(family):
    gaps = []
    for cell in cells(family):
        if cell.lead_time_buckets <= 2 and cell.shortage <= 19 and len(cell.pmf) < 40:
            best = lost_sales_optimum(cell.model).cost
            gaps.append(lost_sales_cost(cell.model, DefaultPolicy(cell, 6_000)).cost / best - 1.0)
    assert len(gaps) >= 6
    assert min(gaps) > -1e-6
    assert max(gaps) < 0.01
    assert np.mean(gaps) < 0.004


def test_a_slow_item_worth_stocking_is_stocked():
    # Half a unit a bucket and two buckets of lead time: the weight alone would leave the shelf empty for good.
    paths = np.random.default_rng(1).poisson(0.5, (1, 4000, 3))
    situation = make_situation(paths, lead_time=2, holding=1.0, shortage=2.0)
    projection = ScenarioOrderUpTo().project(situation)
    assert shortage_weight(situation.terms)[0] < projection.weight[0] < 1.0
    assert ScenarioOrderUpTo().decide(situation).quantity[0] == 1
    pointless = make_situation(paths, lead_time=2, holding=1.0, shortage=1.0)
    assert ScenarioOrderUpTo().decide(pointless).quantity[0] == 0


def test_no_order_exceeds_what_an_empty_shelf_would_want():
    paths = np.random.default_rng(2).poisson(6.0, (1, 500, 5)).astype(np.float32)
    stocks = np.arange(0.0, 40.0)
    every = np.repeat(paths, len(stocks), axis=0)
    orders = ScenarioOrderUpTo().decide(make_situation(every, lead_time=4, on_hand=stocks)).quantity
    empty = ScenarioOrderUpTo().decide(make_situation(paths, lead_time=4)).quantity[0]
    assert empty <= np.quantile(paths[0, :, 4], 1.0 / 1.2, method="inverted_cdf")
    assert orders.max() == empty
    assert (np.diff(orders) <= 0).all()
