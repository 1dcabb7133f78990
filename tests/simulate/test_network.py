"""Networks: calendars, returns, discounts, transfers, two suppliers, goods that age, and plain refusals."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from shelfwise.errors import UsageError
from shelfwise.simulate.network import (
    NetworkCosts,
    NetworkState,
    NetworkTerms,
    PriceBreaks,
    SupplyNetwork,
    dual_index,
    order_up_to,
    simulate_network,
)

FREE = NetworkCosts(holding=1.0, shortage=4.0)


def one_place(**terms: object) -> NetworkTerms:
    return NetworkTerms(SupplyNetwork.serial(1), **({"lead_time_buckets": 0} | terms))  # type: ignore[arg-type]


def steady(units: float, n_buckets: int, n_nodes: int = 1) -> np.ndarray:
    demand = np.zeros((1, n_nodes, 1, n_buckets))
    demand[0, -1] = units
    return demand


def test_a_supplier_on_holiday_takes_no_order():
    terms = one_place(open_buckets=[[True, False, False, True]])
    run = simulate_network(
        steady(2.0, 4), terms, FREE, NetworkState(np.zeros((1, 1))), order_up_to([3.0]), record="ledger"
    )
    assert run.buckets.received[0, 0, 0].tolist() == [3.0, 0.0, 0.0, 3.0]
    assert run.lost.item() == 3.0


def test_what_customers_bring_back_is_sold_again():
    terms = one_place(max_quantity=0)
    run = simulate_network(
        steady(2.0, 3),
        terms,
        FREE,
        NetworkState(np.zeros((1, 1))),
        order_up_to([9.0]),
        returns=np.full((1, 1, 1, 1), 1.0),
    )
    assert (run.returned.item(), run.served.item(), run.lost.item()) == (3.0, 3.0, 3.0)


def test_a_larger_order_is_bought_at_the_lower_price():
    costs = NetworkCosts(1.0, 4.0, price_breaks=PriceBreaks.of([[(0, 2.0), (10, 1.0)]]))
    for level, paid in ((9.0, 18.0), (10.0, 10.0)):
        run = simulate_network(
            steady(0.0, 1), one_place(), costs, NetworkState(np.zeros((1, 1))), order_up_to([level])
        )
        assert run.purchase_cost.item() == paid


def test_oldest_first_wastes_less_than_freshest_first():
    demand = np.random.default_rng(0).poisson(4.0, (1, 1, 50, 60))
    wasted = {}
    for issue in ("fifo", "lifo"):
        terms = one_place(lead_time_buckets=1, shelf_life_buckets=3, issue=issue)
        run = simulate_network(demand, terms, FREE, NetworkState(np.full((1, 1), 8.0)), order_up_to([12.0]))
        wasted[issue] = run.wasted.sum()
    assert 0 < wasted["fifo"] < wasted["lifo"]


def test_a_unit_is_sold_in_exactly_its_shelf_life():
    terms = one_place(max_quantity=0, shelf_life_buckets=2)
    run = simulate_network(
        steady(1.0, 4), terms, FREE, NetworkState(np.full((1, 1), 5.0)), order_up_to([0.0]), record="ledger"
    )
    assert run.buckets.served[0, 0, 0].tolist() == [1.0, 1.0, 0.0, 0.0]
    assert run.buckets.wasted[0, 0, 0].tolist() == [0.0, 3.0, 0.0, 0.0]


def test_a_sister_shop_helps_out():
    net = SupplyNetwork(source=[-1, 0], destination=[0, 1])
    demand = np.zeros((1, 2, 1, 3))
    demand[0, 1, 0, 2] = 4.0
    moved = [[0.0, 4.0], [0.0, 0.0], [0.0, 0.0]]
    run = simulate_network(
        demand,
        NetworkTerms(net, [1, 2]),
        FREE,
        NetworkState(np.array([[4.0, 0.0]])),
        lambda view: [[moved[view.t]]],
    )
    assert run.served[0, 0].tolist() == [0.0, 4.0]
    assert run.transit_unit_buckets[0, 0].tolist() == [0.0, 8.0]


def test_a_short_warehouse_shares_whole_units_by_what_it_owes():
    net = SupplyNetwork.warehouse_and_shops(3)
    run = simulate_network(
        np.zeros((1, 4, 1, 1)),
        NetworkTerms(net, [1, 0, 0, 0]),
        FREE,
        NetworkState(np.array([[7.0, 0.0, 0.0, 0.0]])),
        lambda view: [[[0.0, 5.0, 5.0, 2.0]]],
    )
    assert run.shipped[0, 0, 1:].tolist() == [3.0, 3.0, 1.0]
    assert run.end_owed[0, 0, 1:].tolist() == [2.0, 2.0, 1.0]


def test_buckets_of_the_warm_up_are_not_counted():
    terms = one_place(lead_time_buckets=2)
    whole = simulate_network(steady(2.0, 20), terms, FREE, NetworkState(np.zeros((1, 1))), order_up_to([6.0]))
    late = simulate_network(
        steady(2.0, 20), terms, FREE, NetworkState(np.zeros((1, 1))), order_up_to([6.0]), warm_up_buckets=10
    )
    assert whole.lost.item() > 0 == late.lost.item()
    assert (late.n_buckets, late.demand.item()) == (10, 20.0)


def test_a_cheap_slow_and_a_dear_fast_supplier_near_the_published_optimum():
    """Gijsbrechts et al. (2022), regular lead time 2, express price 105: optimum 216.77 a bucket."""
    grid = list(itertools.product((3.0, 4.0, 5.0), (8.0, 9.0, 10.0, 11.0), (2.0, 3.0, np.inf)))
    fast, slow, cap = (np.array(column) for column in zip(*grid, strict=True))
    n = len(grid)
    demand = np.random.default_rng(3).integers(0, 5, (1, 1, 40, 700)).astype(np.float32)
    terms = NetworkTerms(SupplyNetwork.suppliers(2), [2, 0], n_items=n, unmet="backorder")
    run = simulate_network(
        np.repeat(demand, n, axis=0),
        terms,
        NetworkCosts(holding=5.0, shortage=495.0, unit=[100.0, 105.0]),
        NetworkState(np.full((n, 1), 6.0)),
        dual_index(fast, slow, 0, cap),
        warm_up_buckets=100,
    )
    mean = run.cost.mean(axis=1) / run.n_buckets
    # What is bought follows what is asked for: the drawn demand is taken off, the expected put in its place.
    mean += 100.0 * (2.0 - demand[..., 100:].mean())
    assert abs(mean.min() / 216.7698 - 1) < 0.003


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: SupplyNetwork([0], [0]), "must not be the source"),
        (lambda: SupplyNetwork([-1, 2, 1], [0, 1, 2]), "reached from outside"),
        (lambda: SupplyNetwork([-1], [-2]), "must be a node"),
        (lambda: one_place(lead_time_buckets=-1), "lead_time_buckets must be a whole number"),
        (lambda: one_place(issue="random"), "issue must be fifo or lifo"),
        (lambda: one_place(shelf_life_buckets=0.5), "shelf_life_buckets"),
        (lambda: PriceBreaks.of([[(1, 2.0)]]), "first break"),
        (lambda: PriceBreaks(np.array([[0.0, 5.0, 5.0]]), np.ones((1, 3))), "rise"),
    ],
)
def test_what_cannot_be_is_refused_with_its_rule(make, words):
    with pytest.raises(UsageError, match=words):
        make()


def test_a_ring_within_one_bucket_is_refused():
    net = SupplyNetwork([-1, 0, 1], [0, 1, 0])
    with pytest.raises(UsageError, match="ring"):
        simulate_network(
            np.zeros((1, 2, 1, 1)),
            NetworkTerms(net, 0),
            FREE,
            NetworkState(np.zeros((1, 2))),
            lambda view: 0.0,
        )


def test_an_answer_that_is_not_a_number_is_refused():
    with pytest.raises(UsageError, match="bucket 0"):
        simulate_network(
            steady(1.0, 2), one_place(), FREE, NetworkState(np.zeros((1, 1))), lambda view: np.nan
        )
