"""Searches of policy parameters: they find what a grid finds, repeat, and draw an honest front."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.errors import UsageError
from shelfwise.replenish.search import (
    Judge,
    PolicyFamily,
    cma_es_search,
    genetic_search,
    nsga2_front,
    swept_front,
)
from shelfwise.replenish.search.front import non_dominated
from shelfwise.simulate import Costs, Levels, StockState, SupplyTerms, simulate

TERMS = SupplyTerms.same(3, lead_time_buckets=np.array([1, 2, 4]))
COSTS = Costs.same(3, holding=1.0, shortage=9.0, order=2.0, unit=7.0)


@pytest.fixture(scope="module")
def demand() -> np.ndarray:
    rate = np.array([2.0, 5.0, 11.0])[:, None, None]
    return np.random.default_rng(1).poisson(rate, (3, 10, 80)).astype(np.float32)


def judge_of(kind: str, demand: np.ndarray) -> Judge:
    return Judge(PolicyFamily.of_demand(kind, demand, TERMS, COSTS), demand)  # type: ignore[arg-type]


def test_a_verdict_is_the_simulator_s_own_account(demand):
    judge = judge_of("base_stock", demand)
    verdict = judge([[1.0]])
    run = simulate(demand, TERMS, COSTS, judge.state, judge.family.levels([[1.0]]))
    assert verdict.cost[0] == pytest.approx((run.cost - run.purchase_cost).mean(axis=1).sum() / 80)
    assert verdict.fill_rate[0] == pytest.approx(run.over_series().fill_rate.mean(), rel=0.01)


def test_candidates_are_judged_alike_alone_and_together(demand, monkeypatch):
    judge = judge_of("min_max", demand)
    theta = np.array([[0.5, 1.0], [2.0, 0.3], [1.0, 2.0]])
    together = judge(theta)
    monkeypatch.setattr("shelfwise.replenish.search.judge.UNITS_AT_ONCE", 1)
    np.testing.assert_array_equal(judge(theta).cost, together.cost)


@pytest.mark.parametrize("search", [genetic_search, cma_es_search])
def test_a_search_comes_as_low_as_a_fine_grid(search, demand):
    judge = judge_of("capped_base_stock", demand)
    grid = np.stack(np.meshgrid(np.linspace(-1, 3, 41), np.linspace(0.8, 4, 17)), axis=-1).reshape(-1, 2)
    found = search(judge, generations=15, seed=4)
    assert found.cost <= judge(grid).cost.min() * 1.005
    assert judge(found.parameters[None]).cost[0] == pytest.approx(float(found.cost))


@pytest.mark.parametrize("search", [genetic_search, cma_es_search])
def test_the_same_seed_finds_the_same(search, demand):
    judge = judge_of("lots", demand)
    first, again = (search(judge, generations=4, population=8, seed=9) for _ in range(2))
    np.testing.assert_array_equal(first.parameters, again.parameters)
    assert first.cost == again.cost


def test_a_population_for_each_series_is_no_worse_on_its_own_paths(demand):
    judge = judge_of("capped_base_stock", demand)
    pooled = genetic_search(judge, generations=15, seed=2)
    each = genetic_search(judge, generations=15, seed=2, per_series=True)
    assert each.parameters.shape == (3, 2)
    assert each.cost.sum() <= float(pooled.cost) * 1.01
    np.testing.assert_allclose(judge(each.parameters[None]).series_cost[0], each.cost)


def test_the_base_stock_found_for_backorders_is_the_newsvendor_level():
    """With backorders and no order cost the best level is the critical ratio's quantile of demand over L + 1."""
    from scipy.stats import poisson

    terms = SupplyTerms.same(1, lead_time_buckets=2, unmet="backorder")
    costs = Costs.same(1, holding=1.0, shortage=9.0)
    paths = np.random.default_rng(3).poisson(5.0, (1, 40, 400)).astype(np.float32)
    family = PolicyFamily("base_stock", np.array([5.0]), np.array([5.0**0.5]), terms, costs)
    found = genetic_search(Judge(family, paths), generations=12, seed=0)
    best = poisson.ppf(0.9, 15.0)
    at = simulate(paths, terms, costs, StockState(np.array([15.0])), Levels.base_stock([best]))
    assert float(found.cost) == pytest.approx((at.cost.mean() / 400), rel=0.01)


def test_nsga2_reaches_the_front_of_the_grid(demand):
    judge = judge_of("capped_base_stock", demand)
    swept, evolved = swept_front(judge), nsga2_front(judge, population=24, generations=12, seed=1)
    for front in (swept, evolved):
        assert (np.diff(front.cost) > 0).all()
        assert (np.diff(front.fill_rate) > 0).all()
    at = np.interp(0.95, evolved.fill_rate, evolved.cost)
    assert at <= np.interp(0.95, swept.fill_rate, swept.cost) * 1.02


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=12))
def test_the_front_keeps_exactly_what_nothing_beats(points):
    cost, fill = (np.array(column, float) for column in zip(*points, strict=True))
    kept = non_dominated(cost, fill)
    for i in range(len(points)):
        beaten = any(
            (cost[j] <= cost[i]) & (fill[j] >= fill[i]) & ((cost[j], fill[j]) != (cost[i], fill[i]))
            for j in range(len(points))
        )
        assert ((cost[i], fill[i]) in {(cost[k], fill[k]) for k in kept}) == (not beaten)
    assert len({(cost[k], fill[k]) for k in kept}) == len(kept)


def test_what_a_family_cannot_be_is_refused(demand):
    with pytest.raises(UsageError, match="kind must be one of"):
        judge_of("sometimes", demand)
    with pytest.raises(UsageError, match="candidates must be"):
        judge_of("base_stock", demand)([[1.0, 2.0]])
    with pytest.raises(UsageError, match="population"):
        genetic_search(judge_of("base_stock", demand), population=2)
