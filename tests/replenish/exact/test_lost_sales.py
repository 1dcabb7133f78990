"""Lost sales: printed optima and policies, plain twins of evaluation and optimum, the house's own simulator."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.errors import UsageError
from shelfwise.replenish.exact import LostSales, lost_sales_cost, lost_sales_optimum
from shelfwise.replenish.exact.discrete import negative_binomial_pmf, poisson_pmf
from shelfwise.replenish.exact.lost_sales_order_cost import (
    best_lots,
    best_min_max,
    best_modified_min_max,
    lots,
    min_max,
)
from shelfwise.replenish.exact.lost_sales_policies import (
    base_stock,
    best_base_stock,
    best_capped_base_stock,
    best_projected_level,
    capped_base_stock,
    myopic,
    myopic_two,
    projected_level,
)
from shelfwise.simulate import Costs, Levels, StockState, SupplyTerms, simulate

# Lead time, shortage: optimum, base-stock and capped base-stock at their best (Zipkin 2008), Myopic-2.
CELLS = [
    (1, 4, 4.0407, (12,), 4.1629, (12, 6), 4.0654, 4.04),
    (1, 39, 7.8359, (16,), 7.8626, (16, 9), 7.8424, 7.84),
    (2, 9, 6.0936, (19,), 6.3163, (19, 6), 6.1191, 6.10),
    (3, 4, 4.5987, (20,), 4.9750, (21, 5), 4.6308, 4.64),
    (3, 19, 8.3625, (26,), 8.6045, (26, 6), 8.4010, 8.40),
]


def cell(lead, shortage):
    return LostSales(poisson_pmf(5.0), lead, 1.0, shortage)


@pytest.mark.parametrize(("lead", "shortage", "optimum", "level", "plain", "pair", "capped", "two"), CELLS)
def test_the_printed_cells(lead, shortage, optimum, level, plain, pair, capped, two):
    model = cell(lead, shortage)
    assert lost_sales_optimum(model).cost == pytest.approx(optimum, abs=5e-5)
    best = best_base_stock(model)
    assert (best.parameters, best.cost) == (level, pytest.approx(plain, rel=1e-4))
    best = best_capped_base_stock(model)
    assert (best.parameters, best.cost) == (pair, pytest.approx(capped, rel=1e-4))
    assert lost_sales_cost(model, myopic_two(model)).cost == pytest.approx(two, abs=6e-3)


def test_the_largest_printed_cell():
    model = cell(4, 39)
    best = lost_sales_optimum(model)
    assert best.cost == pytest.approx(10.7944, abs=5e-5)
    assert lost_sales_cost(model, best).cost == pytest.approx(best.cost, rel=1e-7)
    assert lost_sales_cost(model, base_stock(35)).cost == pytest.approx(11.43, abs=5e-3)


def test_geometric_demand_of_the_same_paper():
    demand = negative_binomial_pmf(5.0, 30.0)
    assert lost_sales_optimum(LostSales(demand, 4, 1.0, 4.0)).cost == pytest.approx(10.61, abs=5e-3)


def dense_cost(model, decide, start):
    """The same by plain loops and linear algebra: all states by a walk, then the long-run shares of each."""
    index, states, rows, costs = {start: 0}, [start], [], []
    while len(rows) < len(states):
        state = states[len(rows)]
        order = decide(state)
        cost, row = model.order_cost * (order > 0), {}
        for demand, chance in enumerate(model.demand):
            left = max(state[0] - demand, 0)
            cost += chance * (model.holding_cost * left + model.shortage_cost * max(demand - state[0], 0))
            due = (*state[1:], order)
            ahead = (left + due[0], *due[1:])
            if ahead not in index:
                index[ahead] = len(states)
                states.append(ahead)
            row[index[ahead]] = row.get(index[ahead], 0.0) + chance
        rows.append(row)
        costs.append(cost)
    size = len(states)
    matrix = np.zeros((size, size))
    for i, row in enumerate(rows):
        for j, chance in row.items():
            matrix[i, j] = chance
    system = np.vstack([matrix.T - np.eye(size), np.ones(size)])
    shares = np.linalg.lstsq(system, np.append(np.zeros(size), 1.0), rcond=None)[0]
    return float(shares @ costs)


SMALL_MODELS = st.builds(
    lambda weights, lead, shortage, order: LostSales(
        np.array(weights) / sum(weights), lead, 1.0, shortage, order
    ),
    st.lists(st.integers(1, 4), min_size=2, max_size=4),
    st.integers(1, 3),
    st.floats(0.5, 20.0),
    st.sampled_from([0.0, 0.0, 3.0]),
)


@settings(max_examples=20, deadline=None)
@given(model=SMALL_MODELS, level=st.integers(1, 9), cap=st.integers(1, 4))
def test_evaluation_agrees_with_plain_linear_algebra(model, level, cap):
    start = (0,) * model.lead_time_buckets
    plain = dense_cost(model, lambda state: min(max(level - sum(state), 0), cap), start)
    found = lost_sales_cost(model, capped_base_stock(level, cap))
    assert found.cost == pytest.approx(plain, rel=1e-6)
    assert found.lower <= plain * (1 + 1e-6)
    assert found.upper >= plain * (1 - 1e-6)


@settings(max_examples=20, deadline=None)
@given(model=SMALL_MODELS, seed=st.integers(0, 2**32 - 1))
def test_no_policy_beats_the_optimum(model, seed):
    best = lost_sales_optimum(model)
    assert lost_sales_cost(model, best).cost == pytest.approx(best.cost, rel=1e-6)
    rng = np.random.default_rng(seed)
    for _ in range(4):
        level, cap, point = rng.integers(1, 12), rng.integers(1, 6), rng.integers(0, 8)
        rules = [
            capped_base_stock(int(level), int(cap)),
            min_max(int(point), int(point + cap)),
            lots(int(point), int(cap)),
            myopic(model),
            myopic_two(model),
            projected_level(model, float(level) / 2),
        ]
        for rule in rules:
            assert lost_sales_cost(model, rule).cost >= best.cost * (1 - 1e-6)


def test_the_optimum_needs_no_walls():
    """Plain value iteration over a box far wider than the bounds of Morton finds the same cost."""
    model, wide = LostSales(np.array([0.3, 0.3, 0.2, 0.2]), 2, 1.0, 6.0), 12
    values, gain = np.zeros((wide, wide)), np.inf
    for _ in range(300):
        new = np.empty_like(values)
        for stock, due in np.ndindex(wide, wide):
            cost, ahead = 0.0, np.zeros(wide)
            for demand, chance in enumerate(model.demand):
                left = max(stock - demand, 0)
                cost += chance * (left + 6.0 * max(demand - stock, 0))
                ahead += chance * values[min(left + due, wide - 1)]
            new[stock, due] = cost + ahead.min()
        gain, values = new[0, 0], new - new[0, 0]
    assert lost_sales_optimum(model).cost == pytest.approx(gain, rel=1e-6)


def test_the_simulator_of_the_house_agrees():
    model = LostSales(poisson_pmf(3.0), 3, 1.0, 9.0)
    exact = lost_sales_cost(model, capped_base_stock(15, 4)).cost
    demand = np.random.default_rng(1).poisson(3.0, (1, 200, 2000))
    terms = SupplyTerms.same(1, lead_time_buckets=3)
    run = simulate(
        demand,
        terms,
        Costs.same(1, holding=1.0, shortage=9.0),
        StockState(np.array([9.0])),
        Levels.base_stock([15.0], [4.0]),
    )
    assert run.cost.mean() / 2000 == pytest.approx(exact, rel=0.01)


def test_the_printed_order_cost_instance():
    model = LostSales(poisson_pmf(5.0), 2, 1.0, 14.0, order_cost=5.0)
    assert lost_sales_optimum(model).cost == pytest.approx(11.46, abs=5e-3)
    for best, parameters, cost in (
        (best_min_max(model), (17, 23), 11.62),
        (best_lots(model), (17, 7), 11.56),
        (best_modified_min_max(model), (17, 23, 7), 11.50),
    ):
        assert best.parameters == parameters
        assert best.cost == pytest.approx(cost, abs=5e-3)


def test_better_knowledge_of_the_pipeline_costs_less():
    model = cell(3, 9)
    optimum = lost_sales_optimum(model).cost
    one, two = (lost_sales_cost(model, rule(model)).cost for rule in (myopic, myopic_two))
    assert optimum < two < one < best_base_stock(model).cost
    assert best_projected_level(model).cost < best_capped_base_stock(model).cost


def test_the_myopic_order_is_the_newsvendor_of_what_will_be_left():
    model = LostSales(np.array([0.25, 0.5, 0.25]), 1, 1.0, 3.0)
    # From two on hand, 0, 1, 2 are left with chances 1/4, 1/2, 1/4: demand less that is -2 … 2, ratio 3/4.
    assert myopic(model)(np.array([[2], [0]])).tolist() == [1, 1]


def test_a_rule_is_asked_about_each_state_once():
    model, seen = cell(2, 9), []

    def rule(states):
        seen.extend(map(tuple, states.tolist()))
        return np.clip(15 - states.sum(axis=1), 0, 6)

    found = lost_sales_cost(model, rule)
    assert len(seen) == len(set(seen)) == found.n_states


def test_the_start_does_not_matter():
    model = cell(2, 9)
    empty = lost_sales_cost(model, capped_base_stock(19, 6)).cost
    assert lost_sales_cost(model, capped_base_stock(19, 6), start=[30, 9]).cost == pytest.approx(
        empty, rel=1e-6
    )


def test_demand_that_never_changes_is_evaluated_too():
    model = LostSales(np.array([0.0, 0.0, 1.0]), 2, 1.0, 9.0)
    # Four on order cover two buckets; every second order of four leaves two over for one bucket.
    assert lost_sales_cost(model, lots(4, 4)).cost == pytest.approx(1.0, abs=1e-6)
    assert lost_sales_optimum(model).cost == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: LostSales(poisson_pmf(5.0), 0, 1.0, 4.0), "newsvendor"),
        (lambda: LostSales(poisson_pmf(5.0), 1, 0.0, 4.0), "holding_cost must be above 0"),
        (lambda: LostSales(poisson_pmf(5.0), 1, 1.0, np.nan), "shortage_cost"),
        (lambda: lost_sales_cost(cell(1, 4), lambda states: states[:, 0] * 0 + 6), "grows beyond"),
        (lambda: lost_sales_cost(cell(1, 4), lambda states: states[:, 0] * 0 - 1), "got -1"),
        (lambda: lost_sales_cost(cell(1, 4), lambda states: np.full(len(states), 0.5)), "whole numbers"),
        (lambda: lost_sales_cost(cell(2, 4), lambda states: states), "one order for each"),
        (lambda: lost_sales_optimum(cell(1, 4))(np.array([[400]])), "not solved for state"),
        (lambda: lost_sales_optimum(LostSales(poisson_pmf(50.0), 6, 1.0, 9.0)), "larger units"),
    ],
)
def test_what_is_wrong_is_named(call, text):
    with pytest.raises(UsageError, match=text):
        call()
