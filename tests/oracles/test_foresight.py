"""Perfect foresight against a plain search over every whole order, and against orders nobody chose well."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from shelfwise.evaluate.foresight import perfect_foresight
from shelfwise.simulate.costs import Costs
from shelfwise.simulate.run import simulate
from shelfwise.simulate.state import StockState
from shelfwise.simulate.terms import SupplyTerms


def least_by_search(demand, lead_times, reviews, lost, on_hand, owed, pipeline, holding, shortage, order):
    """Every whole order at every review, walked through bucket by bucket in the contract's order of events."""
    buckets = len(demand)
    most = sum(demand) + owed

    @cache
    def least(t, stock, debt, due):
        if t == buckets:
            return 0
        best = None
        for quantity in range(most + 1) if t in reviews else (0,):
            coming = list(due)
            if quantity and t + lead_times[t] < buckets:
                coming[t + lead_times[t]] += quantity
            here = stock + coming[t]
            paid = min(here, debt)
            sold = min(here - paid, demand[t])
            short = demand[t] - sold
            left, still = here - paid - sold, debt - paid + (0 if lost else short)
            cost = (order if quantity else 0) + holding * left + shortage * (still + (short if lost else 0))
            cost += least(t + 1, left, still, tuple(coming))
            best = cost if best is None else min(best, cost)
        return best

    start = [0] * buckets
    for bucket, units in enumerate(pipeline[:buckets]):
        start[bucket] = units
    return least(0, on_hand, owed, tuple(start))


def instance(rng, unmet, *, drawn):
    """A small shop of one series, as plain whole numbers."""
    buckets = int(rng.integers(2, 5))
    lead = int(rng.integers(0, 3))
    period = int(rng.integers(1, 3))
    first = int(rng.integers(0, period))
    return {
        "demand": rng.integers(0, 4, buckets).tolist(),
        "lead_times": rng.integers(0, 4, buckets).tolist() if drawn else [lead] * buckets,
        "reviews": frozenset(range(first, buckets, period)),
        "lost": unmet == "lost",
        "on_hand": int(rng.integers(0, 4)),
        "owed": int(rng.integers(0, 3)) if unmet == "backorder" else 0,
        "pipeline": (rng.integers(0, 4, 4) * (rng.random(4) < 0.4)).tolist(),
        "holding": int(rng.integers(0, 3)),
        "shortage": int(rng.integers(0, 6)),
        "order": int(rng.integers(0, 8)) * int(rng.random() < 0.7),
    }, (lead, period, first)


def promised(case, supply, **changes):
    """Perfect foresight's cost of an instance, with changed terms where asked."""
    lead, period, first = supply
    unmet = {"unmet": "lost" if case["lost"] else "backorder"} | changes
    terms = SupplyTerms.same(
        1, lead_time_buckets=lead, review_period_buckets=period, first_review=first, **unmet
    )
    costs = Costs.same(1, holding=case["holding"], shortage=case["shortage"], order=case["order"])
    state = StockState(np.array([case["on_hand"]]), np.array([case["owed"]]), np.array([case["pipeline"]]))
    lead_times = np.array([case["lead_times"]])
    return perfect_foresight(np.array([case["demand"]], float), terms, costs, state, lead_times), (
        terms, costs, state, lead_times,
    )  # fmt: skip


@pytest.mark.parametrize("drawn", [False, True], ids=["promised", "drawn"])
@pytest.mark.parametrize("unmet", ["lost", "backorder"])
def test_it_is_the_least_of_all_orders(unmet, drawn):
    rng = np.random.default_rng([1, unmet == "lost", drawn])
    for _ in range(60):
        case, supply = instance(rng, unmet, drawn=drawn)
        assert promised(case, supply)[0].item() == pytest.approx(least_by_search(**case)), case


def test_lost_sales_with_a_debt_are_bounded_from_below_and_exact_if_the_first_bucket_pays():
    rng = np.random.default_rng(7)
    paid = 0
    for _ in range(80):
        case, supply = instance(rng, "lost", drawn=True)
        case["owed"] = int(rng.integers(1, 4))
        bound, truth = promised(case, supply)[0].item(), least_by_search(**case)
        assert bound <= truth + 1e-9, case
        if case["on_hand"] + case["pipeline"][0] >= case["owed"]:
            paid += 1
            assert bound == pytest.approx(truth), case
    assert paid > 10


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 1.0])
def test_no_orders_cost_less_whatever_share_is_lost(share):
    rng = np.random.default_rng(int(share * 10))
    for _ in range(25):
        case, supply = instance(rng, "backorder", drawn=True)
        least, (terms, costs, state, lead_times) = promised(case, supply, unmet=share)
        orders = np.zeros((1, 500, len(case["demand"])))
        for bucket in case["reviews"]:
            orders[0, :, bucket] = rng.integers(0, 8, 500) * (rng.random(500) < 0.5)
        demand = np.repeat(np.array([[case["demand"]]], np.float32), 500, axis=1)
        run = simulate(demand, terms, costs, state, orders, lead_times=np.repeat(lead_times[:, None], 500, 1))
        assert run.cost.min() >= least.item() - 1e-9, case


def test_a_late_receipt_does_not_undo_the_wait():
    terms = SupplyTerms.same(1, lead_time_buckets=3, unmet="backorder")
    state = StockState(np.zeros(1), pipeline=np.array([[0.0, 0.0, 5.0]]))
    costs = Costs.same(1, holding=1.0, shortage=5.0)
    assert perfect_foresight(np.array([[5.0, 0, 0, 0]]), terms, costs, state).tolist() == [50.0]


def test_a_receipt_may_be_left_over_when_an_order_clears_the_debt_first():
    terms = SupplyTerms.same(1, lead_time_buckets=0, unmet="backorder")
    state = StockState(np.zeros(1), np.array([2.0]), np.array([[0.0, 1.0, 2.0]]))
    costs = Costs.same(1, holding=2.0, shortage=3.0, order=6.0)
    demand = np.array([[0.0, 0.0, 3.0, 0.0]])
    assert perfect_foresight(demand, terms, costs, state).item() <= 8.0
    orders = np.array([[2.0, 0.0, 0.0, 0.0]])
    assert simulate(demand, terms, costs, state, orders).cost.item() == 8.0


def test_an_early_draw_of_the_lead_time_is_used():
    terms = SupplyTerms.same(1, lead_time_buckets=3)
    costs, state = Costs.same(1, holding=0.0, shortage=5.0), StockState.empty(1)
    demand, at_once = np.full((1, 4), 2.0), np.zeros((1, 4), int)
    assert perfect_foresight(demand, terms, costs, state).item() == 30.0
    assert perfect_foresight(demand, terms, costs, state, at_once).item() == 0.0
