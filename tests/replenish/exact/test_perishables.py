"""Perishables: printed returns, a plain twin, heuristics near the optimum, what must hold of ageing stock."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.errors import UsageError
from shelfwise.replenish.exact import Perishable, perishable_cost, perishable_optimum
from shelfwise.replenish.exact.discrete import rounded_gamma_pmf
from shelfwise.replenish.exact.perishables_policies import (
    base_stock,
    best_base_stock,
    best_capped_base_stock,
    best_projected_level,
    expected_usable,
    projected_level,
)

GAMMA = rounded_gamma_pmf(4.0, 0.5)
# Shelf life, lead time, issuing: optimum and base-stock as listed, signs turned.
CELLS = [
    (2, 1, "lifo", 1553, 1565),
    (2, 1, "fifo", 1457, 1474),
    (2, 2, "fifo", 1461, 1495),
    (3, 1, "lifo", 1490, 1500),
]


def cell(life, lead, issuing, largest=10):
    return Perishable(GAMMA, life, lead, 1.0, 5.0, 7.0, 3.0, issuing, largest)


@pytest.mark.parametrize(("life", "lead", "issuing", "optimum", "plain"), CELLS)
def test_the_printed_cells(life, lead, issuing, optimum, plain):
    model = cell(life, lead, issuing)
    least = perishable_cost(model, perishable_optimum(model))
    assert least == pytest.approx(optimum, rel=1e-3)
    assert best_base_stock(model).cost == pytest.approx(plain, rel=1e-3)
    assert least <= best_projected_level(model).cost <= 1.01 * least
    assert least <= best_capped_base_stock(model).cost <= 1.01 * least


def bucket(model, state, demand):
    """One unit of demand after the other, one age after the other: (next state, cost) before the order joins."""
    life = model.shelf_life_buckets
    stock = list(state[:life])
    ages = range(life) if model.issuing == "fifo" else range(life - 1, -1, -1)
    lost = 0
    for _ in range(demand):
        age = next((age for age in ages if stock[age] > 0), None)
        if age is None:
            lost += 1
        else:
            stock[age] -= 1
    cost = model.shortage_cost * lost + model.waste_cost * stock[0] + model.holding_cost * sum(stock[1:])
    return [*stock[1:], *state[life:], 0], cost


STATES = st.lists(st.integers(0, 5), min_size=4, max_size=4)


@given(
    state=STATES, demand=st.integers(0, 12), life=st.integers(1, 4), issuing=st.sampled_from(["fifo", "lifo"])
)
def test_ageing_and_issuing_unit_by_unit(state, demand, life, issuing):
    model = cell(life, 5 - life, issuing)
    ahead, cost = model.after_demand(np.array([state]), np.array([demand]))
    plain, spent = bucket(model, state, demand)
    assert ahead[0].tolist() == plain
    assert cost[0] == pytest.approx(spent)


@settings(max_examples=8, deadline=None)
@given(
    weights=st.lists(st.integers(1, 4), min_size=2, max_size=4),
    life=st.integers(1, 2),
    lead=st.integers(1, 2),
    issuing=st.sampled_from(["fifo", "lifo"]),
    waste=st.floats(0.0, 9.0),
)
def test_the_optimum_by_plain_value_iteration(weights, life, lead, issuing, waste):
    model = Perishable(np.array(weights) / sum(weights), life, lead, 0.5, 6.0, waste, 1.0, issuing, 3, 0.8)
    shape = (4,) * model.axes
    values = np.zeros(shape)
    moves = {
        state: [(chance, *bucket(model, state, demand)) for demand, chance in enumerate(model.demand)]
        for state in np.ndindex(shape)
    }
    for _ in range(90):
        new = np.empty(shape)
        for state, branches in moves.items():
            cost = sum(chance * spent for chance, _, spent in branches)
            later = [
                order + 0.8 * sum(chance * values[(*ahead[:-1], order)] for chance, ahead, _ in branches)
                for order in range(4)
            ]
            new[state] = cost + min(later)
        values = new
    assert perishable_optimum(model).values == pytest.approx(values.ravel(), rel=1e-5, abs=1e-5)


@settings(max_examples=10, deadline=None)
@given(level=st.integers(0, 16), cap=st.integers(1, 10), issuing=st.sampled_from(["fifo", "lifo"]))
def test_no_policy_beats_the_optimum(level, cap, issuing):
    model = cell(2, 1, issuing)
    # Begun empty, and so long that what comes after is worth nothing.
    begun = {"warm_up_buckets": 0, "counted_buckets": 2000}
    least = perishable_cost(model, OPTIMA[issuing], **begun)
    assert OPTIMA[issuing].values[0] == pytest.approx(least, rel=1e-6)
    for rule in (base_stock(level, cap), projected_level(model, level / 2)):
        assert perishable_cost(model, rule, **begun) >= least * (1 - 1e-6)


OPTIMA = {issuing: perishable_optimum(cell(2, 1, issuing)) for issuing in ("fifo", "lifo")}


def test_fifo_is_never_dearer_than_lifo():
    costs = {issuing: perishable_cost(cell(2, 1, issuing), OPTIMA[issuing]) for issuing in ("fifo", "lifo")}
    assert costs["fifo"] < costs["lifo"]


def test_expected_cost_is_what_simulation_gives():
    model = cell(2, 2, "fifo")
    exact = perishable_cost(model, base_stock(9, 10), warm_up_buckets=20, counted_buckets=60)
    rng = np.random.default_rng(4)
    paths = 20_000
    states = np.zeros((paths, model.axes), dtype=np.int64)
    total = np.zeros(paths)
    for t in range(80):
        orders = base_stock(9, 10)(states)
        demand = rng.choice(len(GAMMA), paths, p=GAMMA)
        states, cost = model.after_demand(states, demand)
        states[:, -1] += orders
        if t >= 20:
            total += 0.99 ** (t - 20) * (cost + 3.0 * orders)
    assert exact == pytest.approx(total.mean(), abs=4 * total.std() / paths**0.5)


def test_expected_usable_stock_by_hand():
    model = Perishable(np.array([0.5, 0.5]), 2, 1, 1.0, 5.0, 7.0, 3.0, "fifo", 4)
    # One old, two fresh: without demand the old one is wasted and two remain, with it it is sold and two remain.
    assert expected_usable(model, np.array([[1, 2], [0, 2]])).tolist() == [2.0, 1.5]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: cell(0, 1, "fifo"), "shelf_life_buckets must be at least 1"),
        (lambda: cell(2, 0, "fifo"), "lead_time_buckets must be at least 1"),
        (lambda: cell(2, 1, "filo"), "'fifo' or 'lifo'"),
        (lambda: Perishable(GAMMA, 2, 1, 1.0, 5.0, -7.0, 3.0, "fifo", 10), "waste_cost"),
        (lambda: Perishable(GAMMA, 2, 1, 1.0, 5.0, 7.0, 3.0, "fifo", 10, 1.0), "discount"),
        (lambda: perishable_cost(cell(2, 1, "fifo"), lambda s: s[:, 0] * 0 + 11), "from 0 to 10"),
        (lambda: perishable_optimum(cell(6, 2, "fifo")), "larger units"),
        (lambda: OPTIMA["fifo"](np.array([[11, 0]])), "at most 10 units"),
    ],
)
def test_what_is_wrong_is_named(call, text):
    with pytest.raises(UsageError, match=text):
        call()
