"""Shared limits: never broken, and spent where it saves most."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.situations import make_situation
from shelfwise.errors import UsageError
from shelfwise.replenish.limits import share_limits
from shelfwise.replenish.projection import Projection
from shelfwise.replenish.register import make_policy
from shelfwise.replenish.worth import Worth


def shop(n_series=6, seed=0, **changes):
    rng = np.random.default_rng(seed)
    paths = rng.poisson(rng.integers(1, 30, n_series)[:, None, None], (n_series, 40, 4))
    options = {
        "lead_time": 2, "review": 1, "on_hand": rng.integers(0, 20, n_series), "holding": 0.2,
        "shortage": rng.integers(1, 6, n_series), "unit_cost": rng.integers(1, 9, n_series),
        "multiple": rng.choice([1, 2, 6], n_series), "history": rng.poisson(9, (n_series, 20)),
    }  # fmt: skip
    return make_situation(paths, **(options | changes))


def money(situation, decision):
    return float((decision.quantity * situation.costs.unit).sum())


@given(st.integers(0, 200), st.floats(0, 1.2), st.floats(0, 1.2), st.sampled_from([0.0, 10.0]))
@settings(max_examples=12, deadline=None)
def test_no_limit_is_ever_broken_and_no_order_raised(seed, budget_share, volume_share, moq):
    situation = shop(seed=seed, moq=moq)
    volume = np.random.default_rng(seed).uniform(0, 2, situation.n_series)
    for name in ("order_up_to", "days_of_cover", "textbook"):
        policy = make_policy(name)
        for case in (situation, replace(situation, scenarios=None)):
            if policy.needs_scenarios and case.scenarios is None:
                continue
            free = policy.decide(case)
            budget = budget_share * money(case, free)
            space = volume_share * float((free.quantity * volume).sum())
            cut = share_limits(policy, case, free, budget=budget, volume=space, unit_volume=volume)
            assert money(case, cut) <= budget
            assert (cut.quantity * volume).sum() <= space
            assert (cut.quantity <= free.quantity).all()
            lots = cut.quantity / case.terms.multiple
            assert np.allclose(lots, np.rint(lots))
            assert (cut.quantity[cut.quantity > 0] >= moq).all()
            assert (cut.figures["after_limits"] == cut.quantity).all()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_budget_is_spent_as_well_as_by_trying_everything(seed, share):
    situation = shop(n_series=3, seed=seed)
    policy = make_policy("order_up_to")
    free = policy.decide(situation)
    budget = share * money(situation, free)
    cut = share_limits(policy, situation, free, budget=budget)
    projection = Projection.of(situation)
    choices = [
        np.arange(0, most + 1e-9, step)
        for most, step in zip(free.quantity, situation.terms.multiple, strict=True)
    ]
    table = [
        [projection.assess(np.where(np.arange(3) == row, units, 0.0)).cost[row] for units in lots]
        for row, lots in enumerate(choices)
    ]
    best = min(
        sum(table[row][k] for row, k in enumerate(picks))
        for picks in itertools.product(*(range(len(lots)) for lots in choices))
        if sum(choices[row][k] * situation.costs.unit[row] for row, k in enumerate(picks)) <= budget
    )
    nothing = projection.assess(np.zeros(3)).cost.sum()
    reached = projection.assess(cut.quantity).cost.sum()
    assert nothing - reached >= 0.999 * (nothing - best)
    assert cut.figures["expected_cost_with"].sum() == pytest.approx(reached)


def test_the_shadow_price_is_what_more_budget_saves():
    situation = shop(n_series=40, seed=3, multiple=1.0)
    policy = make_policy("order_up_to")
    free = policy.decide(situation)
    budget = 0.6 * money(situation, free)
    low, high = (share_limits(policy, situation, free, budget=budget * f) for f in (0.98, 1.02))
    price = share_limits(policy, situation, free, budget=budget).shadow_prices["budget"]
    # What orders are judged by: a unit short weighs less while other orders are on their way.
    projection = policy.project(situation)
    saved = (
        projection.assess(low.quantity, judged=True).cost - projection.assess(high.quantity, judged=True).cost
    ).sum()
    assert saved / (0.04 * budget) == pytest.approx(price, rel=0.1)


def test_a_limit_that_does_not_bind_changes_nothing():
    situation = shop()
    policy = make_policy("order_up_to")
    free = policy.decide(situation)
    assert share_limits(policy, situation, free, budget=1e9) is free
    assert share_limits(policy, situation, free) is free


@pytest.mark.parametrize("budget", [0.0, 0.5])
def test_no_money_gives_an_empty_plan(budget):
    situation = shop(seed=4)
    for name in ("order_up_to", "reorder_point"):
        policy = make_policy(name)
        free = policy.decide(situation)
        assert free.quantity.sum() > 0
        assert share_limits(policy, situation, free, budget=budget).quantity.sum() == 0


def test_a_service_policy_keeps_what_serves_most():
    situation = shop(seed=5)
    policy = make_policy("order_up_to", objective="service", service_level=0.98)
    free = policy.decide(situation)
    cut = share_limits(policy, situation, free, budget=0.5 * money(situation, free))
    assert 0 < cut.quantity.sum() < free.quantity.sum()
    assert cut.figures["expected_lost_with"].sum() < cut.figures["expected_lost_without"].sum()


def test_bad_limits_are_refused():
    situation = shop()
    policy = make_policy("order_up_to")
    free = policy.decide(situation)
    with pytest.raises(UsageError, match="budget"):
        share_limits(policy, situation, free, budget=-1.0)
    with pytest.raises(UsageError, match="volume"):
        share_limits(policy, situation, free, volume=1.0)


def costly_orders(n_series=4, seed=1, **changes):
    """Series whose orders cost money and so last for many reviews."""
    rng = np.random.default_rng(seed)
    paths = rng.normal(rng.integers(6, 12, n_series)[:, None, None], 2.0, (n_series, 60, 3)).clip(0)
    options = {
        "lead_time": 2, "on_hand": 5.0, "holding": 0.1, "shortage": 5.0, "order_cost": 20.0, "unit_cost": 5.0,
        "history": np.full((n_series, 20), 9.0),
    }  # fmt: skip
    return make_situation(paths, **(options | changes))


@pytest.mark.parametrize("objective", ["cost", "profit"])
@pytest.mark.parametrize("seed", range(3))
def test_orders_that_cost_money_give_way_by_no_more_than_the_limit_asks(objective, seed):
    situation = costly_orders(4 + seed, seed, margin=3.0)
    policy = make_policy("order_up_to", objective=objective)
    free = policy.decide(situation)
    full = money(situation, free)
    one_lot_each = 5.0 * situation.n_series
    spent = []
    for share in (0.05, 0.2, 0.4, 0.6, 0.8, 0.9, 0.97):
        cut = share_limits(policy, situation, free, budget=share * full)
        assert (cut.quantity <= free.quantity).all()
        spent.append(money(situation, cut))
        assert share * full - one_lot_each <= spent[-1] <= share * full
    assert spent == sorted(spent)
    nearly = share_limits(policy, situation, free, budget=full - 5.0)
    assert (free.quantity - nearly.quantity).sum() == 1
    assert share_limits(policy, situation, free, budget=full) is free


def test_a_small_price_cuts_a_long_cycle_a_little_and_no_price_not_at_all():
    situation = costly_orders()
    policy = make_policy("order_up_to")
    free = policy.decide(situation).quantity
    worth = Worth.of(Projection.of(situation), free, np.ones(4, dtype=bool))
    assert (worth.choose(np.zeros(4)) == free).all()
    orders = [worth.choose(np.full(4, price)) for price in (0.0, 0.05, 0.2, 1.0, 100.0)]
    assert all((after <= before).all() for before, after in itertools.pairwise(orders))
    assert (orders[1] > 0.5 * free).all()
    assert (orders[-1] == 0).all()
    halves = [worth.cost(share * free) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    savings = [before - after for before, after in itertools.pairwise(halves)]
    assert all((saving > 0).all() for saving in savings)
    assert all((later <= sooner + 1e-9).all() for sooner, later in itertools.pairwise(savings))


def test_long_and_short_orders_share_a_limit_and_so_do_minimum_orders():
    situation = costly_orders(6, order_cost=[0.0, 20.0, 0.0, 20.0, 0.0, 20.0], moq=[0, 0, 0, 0, 120, 30])
    policy = make_policy("order_up_to")
    free = policy.decide(situation)
    assert free.quantity[4] >= 120
    for share in (0.3, 0.6, 0.95):
        cut = share_limits(policy, situation, free, budget=share * money(situation, free))
        assert money(situation, cut) <= share * money(situation, free)
        assert (cut.quantity <= free.quantity).all()
        assert ((cut.quantity == 0) | (cut.quantity >= situation.terms.moq)).all()
        assert (cut.quantity[:4:2] > 0).all()
