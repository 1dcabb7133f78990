"""The network kernel against its slow twin, and against the one-place simulator, on made-up instances."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles.network_twin import twin_network
from shelfwise.simulate import Costs, Levels, StockState, SupplyTerms, simulate
from shelfwise.simulate.network import (
    NetworkCosts,
    NetworkState,
    NetworkTerms,
    SupplyNetwork,
    order_up_to,
    simulate_network,
)

SHAPES = (
    SupplyNetwork.serial(1),
    SupplyNetwork.serial(3),
    SupplyNetwork.warehouse_and_shops(2),
    SupplyNetwork.suppliers(2),
    SupplyNetwork([-1, 0, 0, 1, 2, -1], [0, 1, 2, 2, 1, 2]),
)
units = st.integers(0, 12).map(float)


def some(draw: st.DrawFn, values: st.SearchStrategy, *shape: int) -> np.ndarray:
    size = int(np.prod(shape))
    return np.array(draw(st.lists(values, min_size=size, max_size=size))).reshape(shape)


@st.composite
def networks(draw: st.DrawFn) -> dict:
    net = draw(st.sampled_from(SHAPES))
    n, p, t = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(1, 10))
    # Transfers form a ring, so in that network nothing may pass on within a bucket.
    fastest = 1 if net is SHAPES[4] else 0
    terms = NetworkTerms(
        net,
        some(draw, st.integers(fastest, 3), n, net.n_arcs),
        n_items=n,
        unmet=some(draw, st.sampled_from([0.0, 0.5, 1.0]), n, net.n_nodes),
        shelf_life_buckets=some(draw, st.integers(0, 4), n),
        issue=draw(st.sampled_from(["fifo", "lifo"])),
        rationing=draw(st.sampled_from(["proportional", "priority"])),
        on_time_share=some(draw, st.sampled_from([1.0, 1.0, 0.5, 0.0]), n, net.n_arcs),
        delay_buckets=some(draw, st.integers(0, 2), n, net.n_arcs),
    )
    return {
        "terms": terms,
        "demand": some(draw, units, n, net.n_nodes, p, t),
        "orders": some(draw, units, t, n, p, net.n_arcs),
        "state": NetworkState(some(draw, units, n, net.n_nodes), some(draw, units, n, net.n_nodes)),
    }


COSTS = NetworkCosts(holding=1.0, shortage=5.0, waste=2.0, order=3.0, unit=1.5, transit=0.25)


@settings(max_examples=120, deadline=None)
@given(networks())
def test_the_kernel_and_its_twin_agree_to_the_unit(case):
    terms, state = case["terms"], case["state"]
    run = simulate_network(case["demand"], terms, COSTS, state, lambda view: case["orders"][view.t])
    net = terms.network
    for n in range(terms.n_items):
        for p in range(case["demand"].shape[2]):
            twin = twin_network(
                {
                    "source": net.source.tolist(),
                    "destination": net.destination.tolist(),
                    "n_nodes": net.n_nodes,
                    "node_order": net.order_of_nodes((terms.lead_time_buckets == 0).any(axis=0)).tolist(),
                    "lead_time": terms.lead_time_buckets[n].tolist(),
                    "on_time_share": terms.on_time_share[n].tolist(),
                    "delay": terms.delay_buckets[n].tolist(),
                    "lost_share": terms.lost_share[n].tolist(),
                    "shelf_life": int(terms.shelf_life_buckets[n]),
                    "oldest_first": terms.issue == "fifo",
                    "by_priority": terms.rationing == "priority",
                    "on_hand": state.on_hand[n, :, 0].tolist(),
                    "backorders": state.backorders[n].tolist(),
                    "demand": case["demand"][n, :, p].tolist(),
                    "orders": case["orders"][:, n, p].T.tolist(),
                }
            )
            for name, ours in (
                ("served", run.served),
                ("lost", run.lost),
                ("wasted", run.wasted),
                ("received", run.received),
                ("left", run.on_hand_unit_buckets),
                ("waiting", run.backorder_unit_buckets),
                ("shipped", run.shipped),
                ("delivered", run.delivered),
                ("owed", run.end_owed),
                ("end", run.end_on_hand),
                ("end_back", run.end_backorders),
            ):
                np.testing.assert_allclose(ours[n, p], twin[name], atol=1e-6, err_msg=name)


@settings(max_examples=80, deadline=None)
@given(networks())
def test_no_unit_is_made_or_lost(case):
    terms = case["terms"]
    net = terms.network
    run = simulate_network(
        case["demand"], terms, COSTS, case["state"], lambda view: case["orders"][view.t], record="ledger"
    )
    sent_on = np.zeros_like(run.served)
    for arc in range(net.n_arcs):
        if net.source[arc] >= 0:
            sent_on[:, :, net.source[arc]] += run.shipped[:, :, arc]
    start = case["state"].on_hand.sum(axis=2)[:, None, :]
    came_in = start + run.received + run.returned
    np.testing.assert_allclose(came_in, run.served + sent_on + run.wasted + run.end_on_hand, atol=1e-6)
    np.testing.assert_allclose(run.ordered, run.shipped + run.end_owed, atol=1e-6)
    still_owed = case["state"].backorders[:, None, :] + run.demand - run.lost - run.served
    np.testing.assert_allclose(still_owed, run.end_backorders, atol=1e-6)
    np.testing.assert_allclose(run.buckets.wasted.sum(axis=3).swapaxes(1, 2), run.wasted, atol=1e-3)
    assert (run.transit_unit_buckets >= -1e-9).all()


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_one_place_is_the_simulator_everything_else_uses(data):
    draw = data.draw
    n, p, t = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(1, 12))
    demand = some(draw, units, n, p, t)
    lead, review = some(draw, st.integers(0, 4), n), some(draw, st.integers(1, 3), n)
    moq, multiple = some(draw, st.sampled_from([0.0, 5.0]), n), some(draw, st.sampled_from([1.0, 4.0]), n)
    unmet = some(draw, st.sampled_from([0.0, 0.5, 1.0]), n)
    levels, cap = some(draw, units, n) * 3, some(draw, st.sampled_from([4.0, np.inf]), n)
    on_hand, pipeline = some(draw, units, n), some(draw, units, n, 2)
    plain = simulate(
        demand,
        SupplyTerms(lead, review, moq, multiple, unmet=unmet),
        Costs.same(n, holding=1.0, shortage=5.0, order=3.0, unit=1.5),
        StockState(on_hand, pipeline=pipeline),
        Levels.base_stock(levels, cap),
    )
    net = NetworkTerms(
        SupplyNetwork.serial(1),
        lead[:, None],
        n_items=n,
        review_period_buckets=review[:, None],
        moq=moq[:, None],
        multiple=multiple[:, None],
        unmet=unmet[:, None],
    )
    run = simulate_network(
        demand[:, None],
        net,
        COSTS,
        NetworkState(on_hand[:, None], pipeline=pipeline[:, None, :]),
        order_up_to(levels[:, None], cap[:, None]),
    )
    np.testing.assert_allclose(run.holding_cost[..., 0], plain.holding_cost, atol=1e-6)
    np.testing.assert_allclose(run.shortage_cost[..., 0], plain.shortage_cost, atol=1e-6)
    np.testing.assert_allclose(run.order_cost[..., 0], plain.order_cost, atol=1e-6)
    np.testing.assert_allclose(run.purchase_cost[..., 0], plain.purchase_cost, atol=1e-6)
    np.testing.assert_allclose(run.received[..., 0], plain.received, atol=1e-6)
