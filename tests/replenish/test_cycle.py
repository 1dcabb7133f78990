"""Orders that cost money: the (s, S) rule on scenario costs against instances whose optimum is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from checks.situations import make_situation
from shelfwise.replenish.order_up_to import ScenarioOrderUpTo
from shelfwise.replenish.plan import make_plan
from shelfwise.replenish.register import make_policy
from shelfwise.simulate import Costs, Levels, StockState, SupplyTerms, simulate

SAMPLES = 6000


def rule_of(paths, stocks, **terms):
    """Orders at each stock level, one series a level, all on the same paths."""
    every = np.repeat(paths[None], len(stocks), axis=0)
    situation = make_situation(every, on_hand=np.asarray(stocks, float), **terms)
    return ScenarioOrderUpTo().decide(situation).quantity


# Zheng & Federgruen (1991): K = 64, h = 1, p = 9, L = 0, backorders; order at or below s, up to S.
@pytest.mark.parametrize(
    ("mean", "best", "order_up_to", "cost"),
    [(10, 6, 40, 35.0216), (25, 19, 56, 54.2622), (64, 55, 74, 78.4023)],
)
def test_order_cost_gives_nearly_the_optimal_reorder_point_and_level(mean, best, order_up_to, cost):
    rng = np.random.default_rng(1)
    paths = rng.poisson(mean, (SAMPLES, 1)).astype(np.float32)
    stocks = np.arange(order_up_to + 1)
    orders = rule_of(
        paths, stocks, lead_time=0, holding=1.0, shortage=9.0, order_cost=64.0, unmet="backorder"
    )
    placed = stocks[orders > 0]
    s, S = placed.max(), int(np.median(placed + orders[placed]))
    demand = rng.poisson(mean, (1, 40, 20_000)).astype(np.float32)
    run = simulate(
        demand,
        SupplyTerms.same(1, lead_time_buckets=0, unmet="backorder"),
        Costs.same(1, holding=1.0, shortage=9.0, order=64.0),
        StockState(np.array([float(S)])),
        Levels.min_max(np.array([float(s)]), np.array([float(S)])),
    )
    assert run.cost.mean() / 20_000 == pytest.approx(cost, rel=0.005)
    assert s == best or cost > 70  # at a mean of 64 every s from 55 on orders at every review


def test_a_dear_order_waits_and_is_then_larger():
    paths = np.random.default_rng(2).poisson(5, (400, 4)).astype(np.float32)
    stocks = np.arange(0, 30)
    free = rule_of(paths, stocks, lead_time=2, holding=0.2, shortage=5.0)
    dear = rule_of(paths, stocks, lead_time=2, holding=0.2, shortage=5.0, order_cost=20.0)
    assert (dear > 0).sum() < (free > 0).sum()
    assert dear[0] > free[0] + 5
    assert dear[stocks[dear > 0].max()] > 0


def test_nothing_is_ordered_where_losing_every_sale_costs_less():
    paths = np.full((50, 3), 1.0, dtype=np.float32)
    orders = rule_of(paths, [0.0, 5.0], lead_time=1, holding=1.0, shortage=1.0, order_cost=500.0)
    assert orders.tolist() == [0.0, 0.0]


def test_more_stock_never_raises_an_order_that_costs_money():
    paths = np.random.default_rng(3).poisson(3, (200, 6)).astype(np.float32)
    orders = rule_of(
        paths, np.arange(0, 40, 0.5), lead_time=3, review=2, holding=0.1, shortage=2.0, order_cost=9.0
    )
    placed = orders[orders > 0]
    assert (np.diff(placed) <= 0).all()
    assert (np.flatnonzero(orders > 0) == np.arange(len(placed))).all()


def replayed(policy, demand, **terms):
    """Cost of one path of demand (T,) from an empty shelf, orders decided at each bucket."""
    horizon = 2
    on_hand, pipeline, cost = 0.0, 0.0, 0.0
    holding, shortage = terms["holding"], terms["shortage"]
    for wanted in demand:
        receipts = np.zeros((1, horizon))
        receipts[0, 0] = pipeline
        paths = np.full((1, 4, horizon), np.mean(demand), dtype=np.float32)
        situation = make_situation(
            paths, on_hand=on_hand, receipts=receipts, history=np.full((1, 20), np.mean(demand)), **terms
        )
        order = policy.decide(situation).quantity[0]
        on_hand += pipeline
        sold = min(on_hand, wanted)
        on_hand -= sold
        cost += holding * on_hand + shortage * (wanted - sold)
        pipeline = order
    return cost


@pytest.mark.parametrize("lots", [{"moq": 520.0}, {"multiple": 520.0}, {"moq": 90.0}], ids=str)
def test_a_minimum_of_many_reviews_is_ordered_where_it_pays(lots):
    demand = np.full(131, 10.0)
    terms = {"lead_time": 1, "holding": 0.02, "shortage": 1.0, **lots}
    ours, cover, never = (
        replayed(make_policy(name), demand, **terms) for name in ("order_up_to", "days_of_cover", "none")
    )
    assert ours < 0.99 * cover
    assert ours < 0.6 * never


def test_a_minimum_that_costs_more_than_it_can_sell_is_still_not_ordered():
    paths = np.full((1, 4, 2), 10.0, dtype=np.float32)
    for moq, due in ((520.0, True), (2000.0, False)):
        situation = make_situation(paths, moq=moq, holding=0.02, shortage=1.0)
        decision = ScenarioOrderUpTo().decide(situation)
        assert (decision.quantity[0] > 0) == due
        code = make_plan(situation, decision).table["reason_code"][0]
        assert code == ("plan.reason.order_moq" if due else "plan.reason.not_worth_moq")


@pytest.mark.parametrize("moq", [0.0, 520.0])
def test_what_a_lot_forces_is_not_put_down_to_a_minimum(moq):
    paths = np.full((1, 4, 2), 10.0, dtype=np.float32)
    for multiple, code in ((520.0, "order_multiple"), (2000.0, "not_worth_lot")):
        situation = make_situation(paths, moq=moq, multiple=multiple, holding=0.02, shortage=1.0)
        plan = make_plan(situation, ScenarioOrderUpTo().decide(situation))
        assert plan.table["reason_code"][0] == f"plan.reason.{code}"
        for lang in ("en", "zh"):
            told = plan.explain("s000", lang=lang)
            assert "minimum" not in str(told)
            assert "最小起订量" not in str(told)
            assert "{" not in str(told)


def test_a_minimum_is_not_bought_for_an_item_that_ends():
    paths = np.full((1, 4, 2), 10.0, dtype=np.float32)
    situation = make_situation(paths, moq=520.0, holding=0.02, shortage=1.0)
    panel = replace(situation.panel, ends=np.array([situation.panel.n_buckets + 4], dtype=np.int32))
    assert ScenarioOrderUpTo().decide(replace(situation, panel=panel)).quantity[0] == 0


@pytest.mark.parametrize("holding", [0.0, 1e-9, 1e-6])
def test_a_cycle_covers_at_most_a_year(holding):
    paths = np.random.default_rng(5).poisson(10.0, (100, 2)).astype(np.float32)
    order = rule_of(paths, [0.0], lead_time=1, holding=holding, shortage=5.0, order_cost=20.0)[0]
    assert 500 < order < 600


def test_an_order_of_an_item_that_ends_covers_no_more_than_its_rest():
    paths = np.full((1, 50, 2), 10.0, dtype=np.float32)
    situation = make_situation(paths, holding=0.0, shortage=5.0, order_cost=20.0)
    panel = replace(situation.panel, ends=np.array([situation.panel.n_buckets + 6], dtype=np.int32))
    assert 0 < ScenarioOrderUpTo().decide(replace(situation, panel=panel)).quantity[0] <= 70
