"""A replay of four buckets, worked out by hand: what a policy is told, and what becomes of its orders."""

from __future__ import annotations

from datetime import date

import numpy as np

from shelfwise.demand.panel import Panel
from shelfwise.evaluate.replay import Shop, replay
from shelfwise.replenish.base import Policy
from shelfwise.replenish.limits import SharedLimits
from shelfwise.replenish.situation import Decision
from shelfwise.simulate.costs import Costs
from shelfwise.simulate.state import StockState
from shelfwise.simulate.terms import SupplyTerms


class Scripted(Policy):
    """Orders what is written down, and keeps what it was shown."""

    name = "scripted"
    needs_scenarios = False

    def __init__(self, *orders):
        self.orders = [np.atleast_1d(np.asarray(order, float)) for order in orders]
        self.seen = []

    def decide(self, situation):
        wanted = self.orders[len(self.seen)]
        self.seen.append(situation)
        return Decision(raw=wanted, quantity=wanted)


def knowledge(rows=1):
    def at(t):
        return Panel.from_arrays(np.ones((rows, 3 + t)), start=date(2024, 1, 1)), None

    return at


def shop(terms, **more):
    rows = terms.n_series
    costs = Costs.same(rows, holding=1.0, shortage=5.0, order=2.0, unit=1.0)
    return Shop(terms, costs, np.zeros(rows), **more)


def shown(policy, name):
    return [np.atleast_1d(getattr(situation, name))[0].tolist() for situation in policy.seen]


def test_four_buckets_by_hand():
    rule = Scripted(4, 0, 3, 0)
    start = StockState(np.array([5.0]), pipeline=np.array([[1.0, 0.0, 2.0]]))
    terms = SupplyTerms.same(1, lead_time_buckets=1)
    ledger = replay(np.array([[4.0, 7, 3, 2]], np.float32), knowledge(), {"a": rule}, shop(terms), start)

    # 5 + 1 - 4 = 2; 2 + 4 - 7 = -1 lost; 0 + 2 - 3 = -1 lost; 0 + 3 - 2 = 1.
    assert ledger.buckets.on_hand_end[0, 0].tolist() == [2.0, 0.0, 0.0, 1.0]
    assert ledger.buckets.lost[0, 0].tolist() == [0.0, 1.0, 1.0, 0.0]
    assert ledger.buckets.received[0, 0].tolist() == [1.0, 4.0, 2.0, 3.0]
    assert ledger.cost.item() == 3 * 1.0 + 2 * 5.0 + 2 * 2.0  # the goods themselves are not a cost
    assert shown(rule, "on_hand") == [5.0, 2.0, 0.0, 0.0]
    assert shown(rule, "receipts") == [[1.0, 0.0, 2.0], [4.0, 2.0, 0.0], [2.0, 0.0, 0.0], [3.0, 0.0, 0.0]]
    assert [situation.panel.n_buckets for situation in rule.seen] == [3, 4, 5, 6]


def test_a_late_order_stays_promised_for_now_until_it_comes():
    rule = Scripted(6, 0, 0, 0, 0)
    terms = SupplyTerms.same(1, lead_time_buckets=1)
    lead_times = np.array([[3, 1, 1, 1, 1]], np.int32)
    demand = np.ones((1, 5), np.float32)
    ledger = replay(demand, knowledge(), {"a": rule}, shop(terms), StockState.empty(1), lead_times)
    assert ledger.buckets.received[0, 0].tolist() == [0.0, 0.0, 0.0, 6.0, 0.0]
    assert [row[0] for row in shown(rule, "receipts")] == [0.0, 6.0, 6.0, 6.0, 0.0]


def test_an_order_far_ahead_counts_as_later():
    rule = Scripted(0, 0)
    start = StockState(np.zeros(1), pipeline=np.array([[0.0, 0, 0, 0, 0, 9]]))
    terms = SupplyTerms.same(1, lead_time_buckets=1)
    replay(np.ones((1, 2), np.float32), knowledge(), {"a": rule}, shop(terms), start)
    assert shown(rule, "receipts_later") == [9.0, 9.0]


def test_what_is_owed_is_shown_and_paid_first():
    rule = Scripted(0, 5, 0)
    terms = SupplyTerms.same(1, lead_time_buckets=1, unmet="backorder")
    demand = np.array([[3.0, 1.0, 0.0]], np.float32)
    ledger = replay(demand, knowledge(), {"a": rule}, shop(terms), StockState.empty(1))
    assert shown(rule, "backorders") == [0.0, 3.0, 4.0]
    assert ledger.buckets.backorders[0, 0].tolist() == [3.0, 4.0, 0.0]
    assert ledger.buckets.on_hand_end[0, 0].tolist() == [0.0, 0.0, 1.0]


def test_policies_share_the_demand_but_not_the_stock():
    greedy, idle = Scripted(10, 10), Scripted(0, 0)
    terms = SupplyTerms.same(1, lead_time_buckets=0)
    demand = np.full((1, 2), 4.0, np.float32)
    ledger = replay(demand, knowledge(), {"g": greedy, "i": idle}, shop(terms), StockState.empty(1))
    assert ledger.lost.tolist() == [[0.0, 8.0]]
    assert shown(greedy, "on_hand") == [0.0, 6.0]
    assert shown(idle, "on_hand") == [0.0, 0.0]


def test_limits_hold_for_each_review_and_only_for_the_series_under_review():
    demand = np.ones((2, 2), np.float32)
    budget = SharedLimits(budget=10.0)
    together = SupplyTerms.same(2, lead_time_buckets=0)
    ledger = replay(
        demand, knowledge(2), {"a": Scripted([10, 10], [10, 10])}, shop(together, limits=budget),
        StockState.empty(2),
    )  # fmt: skip
    spent = ledger.buckets.ordered[:, 0].sum(axis=0)
    assert (spent <= 10.0).all()
    assert (spent > 5.0).all()  # the whole of it each time, not one budget for the window

    in_turn = SupplyTerms(np.zeros(2, int), 2, first_review=np.array([0, 1]))
    rule = Scripted([10], [10])
    ledger = replay(demand, knowledge(2), {"a": rule}, shop(in_turn, limits=budget), StockState.empty(2))
    assert ledger.buckets.ordered[:, 0].tolist() == [[10.0, 0.0], [0.0, 10.0]]
    assert [situation.n_series for situation in rule.seen] == [1, 1]
