"""Warehouse and shops: the allocation is the least-cost one, and the system comes near the best base-stocks."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.errors import UsageError
from shelfwise.replenish.exact import serial_system
from shelfwise.replenish.two_echelon import TwoEchelon, allocate, window_sums
from shelfwise.simulate.network import (
    NetworkCosts,
    NetworkState,
    NetworkTerms,
    SupplyNetwork,
    order_up_to,
    simulate_network,
)


def expected_cost(shipped, position, samples, holding, shortage) -> float:
    stock = position + np.asarray(shipped)
    over = np.maximum(stock[:, None] - samples, 0.0).mean(axis=1)
    under = np.maximum(samples - stock[:, None], 0.0).mean(axis=1)
    return float((holding * over + shortage * under).sum())


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_no_other_sharing_of_whole_units_costs_less(data):
    draw = data.draw
    n_shops = draw(st.integers(1, 3))
    samples = np.array(
        draw(
            st.lists(st.lists(st.integers(0, 6), min_size=4, max_size=4), min_size=n_shops, max_size=n_shops)
        ),
        float,
    )
    position = np.array(draw(st.lists(st.integers(-2, 4), min_size=n_shops, max_size=n_shops)), float)
    holding = np.array(draw(st.lists(st.sampled_from([0.0, 1.0, 2.5]), min_size=n_shops, max_size=n_shops)))
    shortage = np.array(draw(st.lists(st.sampled_from([1.0, 4.0, 9.0]), min_size=n_shops, max_size=n_shops)))
    available = draw(st.integers(0, 8))
    upstream = draw(st.sampled_from([0.0, 0.5]))
    found = allocate(
        [available],
        position[None],
        samples[None],
        holding=holding,
        shortage=shortage,
        holding_upstream=upstream,
    ).shipped[0]
    assert found.sum() <= available
    assert (found == np.rint(found)).all()
    ours = expected_cost(found, position, samples, holding, shortage) + upstream * (available - found.sum())
    best = min(
        expected_cost(parts, position, samples, holding, shortage) + upstream * (available - sum(parts))
        for parts in itertools.product(range(available + 1), repeat=n_shops)
        if sum(parts) <= available
    )
    assert ours == pytest.approx(best, abs=1e-9)


def test_lots_leave_whole_and_large_amounts_are_quick():
    samples = np.random.default_rng(0).poisson(1e5, (1, 40, 200)).astype(float)
    found = allocate([4.0e6], np.zeros((1, 40)), samples, holding=1.0, shortage=9.0, multiple=12.0)
    assert (found.shipped % 12 == 0).all()
    assert 4.0e6 - found.shipped.sum() < 12.0
    assert 0 < found.unit_worth.item() < 9.0


def test_far_too_little_is_shared_alike():
    samples = np.random.default_rng(0).poisson(1e4, (1, 5, 100)).astype(float)
    found = allocate([2.0e4], np.zeros((1, 5)), samples, holding=1.0, shortage=9.0).shipped[0]
    assert found.sum() == 2.0e4
    assert found.max() <= found.min() * 1.05


def test_a_chain_comes_within_one_percent_of_its_best_echelon_levels():
    """Clark and Scarf (1960): echelon base-stocks are optimal; here the best pair of a grid, same demand."""
    terms = NetworkTerms(SupplyNetwork.warehouse_and_shops(1), [2, 1], unmet="backorder")
    costs = NetworkCosts(holding=[1.0, 2.0], shortage=[0.0, 18.0])
    demand = np.random.default_rng(5).poisson(5.0, (1, 1, 16, 240)).astype(np.float32)
    ours = TwoEchelon.tuned(demand[:, :, :6, :140], terms, costs).run(demand, warm_up_buckets=40)
    pairs = list(itertools.product(range(20, 33), range(11, 20)))
    levels = np.array([(total, shop) for total, shop in pairs], float)
    many = NetworkTerms(terms.network, [2, 1], n_items=len(pairs), unmet="backorder")
    everywhere = np.concatenate([np.zeros_like(demand), demand], axis=1)
    grid = simulate_network(
        np.repeat(everywhere, len(pairs), axis=0),
        many,
        costs,
        NetworkState(np.tile([20.0, 0.0], (len(pairs), 1))),
        order_up_to(levels, position="echelon"),
        warm_up_buckets=40,
    )
    assert ours.cost.mean() <= grid.cost.mean(axis=1).min() * 1.01


def test_sharing_by_scenario_beats_sharing_by_what_is_owed():
    """Unequal shops, a short warehouse, the same echelon level: base-stocks that order, and `allocate`."""
    rate = np.array([2.0, 2.0, 12.0])
    demand = np.random.default_rng(2).poisson(rate[:, None, None], (3, 12, 160)).astype(np.float32)[None]
    terms = NetworkTerms(SupplyNetwork.warehouse_and_shops(3), [3, 1, 1, 1], unmet="lost")
    costs = NetworkCosts(holding=[0.5, 1.0, 1.0, 1.0], shortage=[0.0, 4.0, 4.0, 20.0])
    two = TwoEchelon.tuned(demand[:, :, :4], terms, costs)
    windows = window_sums(demand, terms)
    ratio = np.array([4 / 5, 4 / 5, 20 / 21])
    local = [two.levels[0], *(np.quantile(windows[0, k], ratio[k]) for k in range(3))]

    def echelon_upstream(view):
        wanted = order_up_to([local])(view)
        wanted[:, :, 0] = np.maximum(local[0] - view.echelon_position()[:, :, 0], 0.0)
        return wanted

    everywhere = np.concatenate([np.zeros((1, 1, *demand.shape[2:]), np.float32), demand], axis=1)
    start = NetworkState(np.array([[local[0], 0.0, 0.0, 0.0]]))
    plain = simulate_network(everywhere, terms, costs, start, echelon_upstream, warm_up_buckets=40)
    ours = two.run(demand, start, warm_up_buckets=40)
    assert ours.cost.mean() < plain.cost.mean()


def test_windows_are_sums_over_lead_time_and_review():
    demand = np.arange(6, dtype=np.float32).reshape(1, 1, 1, 6)
    terms = NetworkTerms(SupplyNetwork.warehouse_and_shops(1), [1, 2])
    assert sorted(window_sums(demand, terms)[0, 0].tolist()) == [3.0, 6.0, 9.0, 12.0]


def test_another_shape_of_network_is_refused():
    terms = NetworkTerms(SupplyNetwork.serial(3), [1, 1, 1])
    with pytest.raises(UsageError, match="warehouse_and_shops"):
        TwoEchelon.tuned(np.ones((1, 2, 1, 9)), terms, NetworkCosts(1.0, 9.0))
    with pytest.raises(UsageError, match="at least 0"):
        allocate([-1.0], [[0.0]], [[[1.0]]], holding=1.0, shortage=2.0)


@pytest.mark.parametrize(
    ("upper_lead", "lower_lead", "owed_cost", "mean"),
    [(2, 1, 18.0, 5.0), (1, 2, 9.0, 4.0), (3, 0, 30.0, 3.0)],
)
def test_one_shop_costs_what_clark_and_scarf_say(upper_lead, lower_lead, owed_cost, mean):
    """With one shop the optimum is known exactly: their levels cost what they say in the simulator, ours hardly more."""
    exact = serial_system([1.0, 1.0], [lower_lead, upper_lead], owed_cost, mean, review="periodic")
    terms = NetworkTerms(SupplyNetwork.warehouse_and_shops(1), [upper_lead, lower_lead], unmet="backorder")
    # What is on its way to the shop is the warehouse's echelon still.
    costs = NetworkCosts(holding=[1.0, 2.0], shortage=[0.0, owed_cost], transit=[0.0, 1.0])
    demand = np.random.default_rng(5).poisson(mean, (1, 1, 24, 650)).astype(np.float32)
    shop, total = exact.echelon_levels
    best = simulate_network(
        np.concatenate([np.zeros_like(demand), demand], axis=1),
        terms,
        costs,
        NetworkState(np.array([[total, 0.0]])),
        order_up_to([[total, shop]], position="echelon"),
        warm_up_buckets=50,
    )
    ours = TwoEchelon.tuned(demand[:, :, :6, :200], terms, costs).run(demand, warm_up_buckets=50)
    optimal, cost = best.cost[0] / 600, ours.cost[0] / 600
    error = optimal.std() / np.sqrt(len(optimal))
    assert abs(optimal.mean() - exact.cost) <= 3.5 * error
    assert cost.mean() <= optimal.mean() * 1.02
