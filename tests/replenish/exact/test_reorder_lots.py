"""(r, Q): the printed pair, brute force over whole pairs, and an independent library's cost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson

from shelfwise.errors import UsageError
from shelfwise.replenish.exact import reorder_lots_normal, reorder_lots_poisson

ARGUMENTS = {"order_cost": 8.0, "holding_cost": 0.225, "backorder_cost": 7.5, "demand_rate": 1300.0}


def test_the_printed_pair():
    best = reorder_lots_normal(**ARGUMENTS, lead_time_demand_sd=150 / 12**0.5, lead_time=1 / 12)
    assert best.reorder_point.item() == pytest.approx(126.867, abs=5e-4)
    assert best.lot.item() == pytest.approx(328.449, abs=5e-4)


def test_stockpyl_charges_the_same_and_more_near_by():
    theirs = pytest.importorskip("stockpyl.rq")
    best = reorder_lots_normal(**ARGUMENTS, lead_time_demand_sd=150 / 12**0.5, lead_time=1 / 12)
    point, lot = best.reorder_point.item(), best.lot.item()

    def cost(point, lot):
        return theirs.r_q_cost(point, lot, 0.225, 7.5, 8.0, 1300.0, 150.0, 1 / 12)

    assert best.cost.item() == pytest.approx(cost(point, lot), rel=1e-8)
    for move in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1)):
        assert cost(point + move[0], lot + move[1]) > best.cost.item()


def test_many_items_are_as_one_by_one():
    sds, holding = np.array([5.0, 40.0, 200.0]), np.array([0.1, 1.0, 3.0])
    arguments = {**ARGUMENTS, "holding_cost": holding}
    many = reorder_lots_normal(**arguments, lead_time_demand_sd=sds, lead_time=0.2)
    for i in range(3):
        arguments["holding_cost"] = holding[i]
        one = reorder_lots_normal(**arguments, lead_time_demand_sd=sds[i], lead_time=0.2)
        assert many.reorder_point[i] == pytest.approx(one.reorder_point.item(), rel=1e-9)
        assert many.lot[i] == pytest.approx(one.lot.item(), rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(
    order=st.floats(0.5, 40.0),
    holding=st.floats(0.2, 3.0),
    backorder=st.floats(0.5, 20.0),
    rate=st.floats(0.5, 20.0),
    lead=st.floats(0.1, 1.5),
)
def test_no_whole_pair_costs_less_under_poisson_demand(order, holding, backorder, rate, lead):
    best = reorder_lots_poisson(order, holding, backorder, rate, lead)
    mean = rate * lead
    positions = np.arange(-60, 140)
    demand = np.arange(int(poisson.isf(1e-13, mean)) + 1)
    left = positions[:, None] - demand
    rate_at = np.where(left > 0, holding * left, -backorder * left) @ poisson.pmf(demand, mean)
    sums = np.concatenate([[0.0], rate_at.cumsum()])
    least = min(
        (order * rate + sums[start + lot] - sums[start]) / lot
        for start in range(len(positions))
        for lot in range(1, len(positions) - start + 1)
    )
    assert best.cost.item() == pytest.approx(least, rel=1e-8)
    start = int(best.reorder_point) + 61
    lot = int(best.lot)
    assert (order * rate + sums[start + lot] - sums[start]) / lot == pytest.approx(least, rel=1e-8)


def test_poisson_agrees_with_stockpyl():
    theirs = pytest.importorskip("stockpyl.rq")
    point, lot, cost = theirs.r_q_poisson_exact(1.0, 10.0, 20.0, 50.0, 0.2)
    best = reorder_lots_poisson(20.0, 1.0, 10.0, 50.0, 0.2)
    assert (best.reorder_point.item(), best.lot.item()) == (point, lot)
    assert best.cost.item() == pytest.approx(cost, rel=1e-6)


def test_what_is_wrong_is_named():
    with pytest.raises(UsageError, match="lead_time_demand_sd must be above 0"):
        reorder_lots_normal(**ARGUMENTS, lead_time_demand_sd=0.0, lead_time=0.1)
    with pytest.raises(UsageError, match="lead_time must be above 0"):
        reorder_lots_poisson(20.0, 1.0, 10.0, 50.0, 0.0)
