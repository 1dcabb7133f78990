"""`simulate_network`: run items through a chain, a tree or a web of places, bucket by bucket."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.simulate.lots import round_lots
from shelfwise.simulate.network.ledger import NetworkLedger, NodeBuckets
from shelfwise.simulate.network.state import NetworkState, NetworkView
from shelfwise.simulate.network.terms import NetworkCosts, NetworkTerms
from shelfwise.simulate.per_series import Floats, Ints, require

NetworkPolicy = Callable[[NetworkView], npt.ArrayLike]


def simulate_network(
    demand: npt.ArrayLike,
    terms: NetworkTerms,
    costs: NetworkCosts,
    state: NetworkState,
    policy: NetworkPolicy,
    *,
    returns: npt.ArrayLike | None = None,
    lead_times: npt.ArrayLike | None = None,
    warm_up_buckets: int = 0,
    record: Literal["totals", "ledger"] = "totals",
) -> NetworkLedger:
    """Run N items along P demand paths of T buckets through a network.

    In every bucket: 1 orders are decided; 2 upstream nodes first, receipts and returns arrive and what is owed to
    other nodes is shipped; 3 backorders and then demand are served; 4 what is left is counted, goods past their
    shelf life are thrown away, the rest grows older. On one node with one supplier this is `simulate`.

    Args:
        demand: (N, K, P, T) units customers ask for at each node, at least 0.
        terms, costs, state: of these N items and of one network.
        policy: ``policy(view) -> wanted`` (N, P, A), or what broadcasts to it, units wanted on each arc; ignored
            where no order can be placed, rounded to the lots of the arc.
        returns: (N, K, 1 or P, 1 or T) units customers bring back, sellable again.
        lead_times: (N, A, 1 or P, T) whole buckets an order of each bucket takes, instead of the terms'.
        warm_up_buckets: buckets that are run and not counted.
        record: ``"ledger"`` keeps every bucket of every node as well.

    Returns:
        `NetworkLedger`; the same bytes whatever the number of threads.

    Raises:
        UsageError: shapes disagree, a value breaks its rule, or the policy's answer is not a number.

    Example:
        >>> from shelfwise.simulate.network import SupplyNetwork, order_up_to
        >>> terms = NetworkTerms(SupplyNetwork.serial(2), lead_time_buckets=1, unmet="backorder")
        >>> demand = np.zeros((1, 2, 1, 4)); demand[0, 1] = 3.0
        >>> run = simulate_network(demand, terms, NetworkCosts(holding=[1.0, 2.0], shortage=9.0),
        ...                        NetworkState(np.array([[6.0, 6.0]])), order_up_to([6.0, 6.0]))
        >>> run.served[0, 0].tolist(), run.cost.tolist()
        ([0.0, 12.0], [[15.0]])
    """
    from shelfwise.simulate.kernels import network as kernel

    network = terms.network
    n_items, n_nodes, n_arcs = terms.n_items, network.n_nodes, network.n_arcs
    asked = _units("demand", demand, n_items, n_nodes)
    n_paths, n_buckets = asked.shape[2:]
    back = _units(
        "returns", np.zeros((n_items, n_nodes, 1, 1)) if returns is None else returns, n_items, n_nodes
    )
    if back.shape[2] not in (1, n_paths) or back.shape[3] not in (1, n_buckets):
        raise UsageError(
            f"returns must have 1 or {n_paths} paths, 1 or {n_buckets} buckets; got {back.shape}"
        )
    if not 0 <= warm_up_buckets < n_buckets:
        raise UsageError(f"warm_up_buckets must lie from 0 to {n_buckets - 1}; got {warm_up_buckets}")
    if terms.open_buckets is not None and np.shape(terms.open_buckets) != (n_arcs, n_buckets):
        raise UsageError(f"open_buckets must be ({n_arcs}, {n_buckets}); got {np.shape(terms.open_buckets)}")
    lead = _lead_times(terms, lead_times, n_paths, n_buckets)
    delay = terms.delay_buckets[:, :, None, None]
    known = np.asarray(state.pipeline)
    n_slots = int(max(lead.max(initial=0) + delay.max(initial=0), known.shape[2] - 1, 0)) + 1
    n_ages = int(max(1, terms.shelf_life_buckets.max(initial=0)))
    stock, backorders, due = _start(state, terms, n_paths, n_slots, n_ages)
    owed = np.zeros((n_items, n_paths, n_arcs))
    node_books = np.zeros((n_items, n_paths, n_nodes, kernel.NODE_WIDTH))
    arc_books = np.zeros((n_items, n_paths, n_arcs, kernel.ARC_WIDTH))
    # What is on its way already counts as shipped, so that transit is what was shipped and has not arrived.
    arc_books[:, :, :, kernel.SHIPPED] = due.sum(axis=(3, 4))
    trace = kernel.empty_trace(n_items, n_nodes, n_paths, n_buckets if record == "ledger" else 0)
    breaks = costs.breaks(n_items, n_arcs)
    table_shape = (n_items, n_arcs, breaks.quantity.shape[1])
    order_of_nodes = network.order_of_nodes((lead == 0).any(axis=(0, 2, 3)))
    downstream = network.downstream()
    layout = kernel.Layout(
        network.source,
        order_of_nodes,
        network.outgoing,
        network.n_outgoing,
        network.incoming,
        network.n_incoming,
    )
    rules = kernel.Rules(
        lead,
        terms.on_time_share[:, :, None, None],
        delay,
        breaks.quantity.reshape(table_shape),
        breaks.price.reshape(table_shape),
        breaks.incremental,
        terms.lost_share,
        terms.shelf_life_buckets,
        terms.issue == "fifo",
        terms.rationing == "priority",
    )
    held = kernel.Stock(stock, backorders, owed, due)
    books = kernel.Books(node_books, arc_books, trace)
    for t in range(n_buckets):
        if t == warm_up_buckets and t > 0:
            node_books[:] = 0.0
            arc_books[:] = 0.0
            arc_books[:, :, :, kernel.SHIPPED] = due.sum(axis=(3, 4))
        view = NetworkView(
            t,
            stock.copy(),
            backorders.copy(),
            owed.copy(),
            np.roll(due.sum(axis=4), -(t % n_slots), axis=3),
            network.source,
            network.destination,
            downstream,
        )
        orders = _accepted(policy(view), terms, t, (n_items, n_paths, n_arcs))
        kernel.run_network_bucket(t, orders, asked, back, layout, rules, held, books)
    ends = (stock.sum(axis=3), backorders, owed)
    return _ledger(n_buckets - warm_up_buckets, costs, node_books, arc_books, ends, trace)


def _units(name: str, values: npt.ArrayLike, n_items: int, n_nodes: int) -> npt.NDArray[np.float32]:
    array = np.ascontiguousarray(values, dtype=np.float32)
    if array.ndim != 4 or array.shape[:2] != (n_items, n_nodes) or 0 in array.shape:
        raise UsageError(f"{name} must be ({n_items}, {n_nodes}, P, T); got shape {np.shape(values)}")
    good = np.isfinite(array) & (array >= 0)
    require(good, name, "must be a number of at least 0", array, ("item", "node", "path", "bucket"))
    return array


def _lead_times(terms: NetworkTerms, draws: npt.ArrayLike | None, n_paths: int, n_buckets: int) -> Ints:
    if draws is None:
        return np.ascontiguousarray(terms.lead_time_buckets[:, :, None, None])
    array = np.asarray(draws)
    shape = (terms.n_items, terms.network.n_arcs)
    if array.ndim != 4 or array.shape[:2] != shape or array.shape[2] not in (1, n_paths):
        raise UsageError(f"lead_times must be {(*shape, n_paths, n_buckets)}; got {array.shape}")
    if array.shape[3] not in (1, n_buckets):
        raise UsageError(f"lead_times must have 1 or {n_buckets} buckets; got {array.shape}")
    good = (array >= 0) & (array == np.floor(array))
    require(good, "lead_times", "must be whole buckets, at least 0", array, ("item", "arc", "path", "bucket"))
    return np.ascontiguousarray(np.minimum(array, n_buckets), dtype=np.int32)


def _start(
    state: NetworkState, terms: NetworkTerms, n_paths: int, n_slots: int, n_ages: int
) -> tuple[Floats, Floats, Floats]:
    """Stock by age, backorders and the ring of arrivals, one for every path."""
    n_items, n_nodes, n_arcs = terms.n_items, terms.network.n_nodes, terms.network.n_arcs
    given = state.on_hand
    if given.shape[:2] != (n_items, n_nodes) or given.shape[2] > n_ages:
        raise UsageError(
            f"on_hand must be ({n_items}, {n_nodes}) or with at most {n_ages} ages; got {given.shape}"
        )
    stock = np.zeros((n_items, n_paths, n_nodes, n_ages))
    stock[..., : given.shape[2]] = given[:, None]
    assert state.backorders is not None  # NetworkState fills it in
    backorders = np.repeat(state.backorders[:, None, :], n_paths, axis=1)
    due = np.zeros((n_items, n_paths, n_arcs, n_slots, n_ages))
    known = np.asarray(state.pipeline)
    if known.shape[2]:
        if known.shape[1] != n_arcs:
            raise UsageError(f"pipeline must be ({n_items}, {n_arcs}, D); got {known.shape}")
        due[:, :, :, : known.shape[2], 0] = known[:, None]
    return stock, backorders, due


def _accepted(answer: npt.ArrayLike, terms: NetworkTerms, t: int, shape: tuple[int, int, int]) -> Floats:
    """(N, A, P) the policy's wishes as orders the suppliers take."""
    try:
        wanted = np.broadcast_to(np.asarray(answer, dtype=np.float64), shape)
    except ValueError:
        raise UsageError(f"the policy must return {shape}; got {np.shape(answer)} in bucket {t}") from None
    possible = terms.takes_orders(t)
    good = np.isfinite(wanted) | ~possible[:, None, :]
    require(good, f"the policy's order in bucket {t}", "must be a number", wanted, ("item", "path", "arc"))
    arcs_first = np.where(possible[:, None, :], np.maximum(wanted, 0.0), 0.0).transpose(0, 2, 1)
    lots = (terms.moq, terms.multiple, terms.max_quantity)
    return np.ascontiguousarray(round_lots(arcs_first, *(values[:, :, None] for values in lots)))


def _ledger(
    n_buckets: int,
    costs: NetworkCosts,
    nodes: Floats,
    arcs: Floats,
    ends: tuple[Floats, Floats, Floats],
    trace: npt.NDArray[np.float32],
) -> NetworkLedger:
    from shelfwise.simulate.kernels import network as k

    n_items, n_nodes, n_arcs = len(nodes), nodes.shape[2], arcs.shape[2]

    def node_rate(name: str) -> Floats:
        return costs.rates(name, n_items, n_nodes)[:, None, :]

    def arc_rate(name: str) -> Floats:
        return costs.rates(name, n_items, n_arcs)[:, None, :]

    lost, waiting, left = nodes[..., k.LOST], nodes[..., k.BACKORDER_BUCKETS], nodes[..., k.ON_HAND_BUCKETS]
    wasted, orders, transit = nodes[..., k.WASTED], arcs[..., k.ORDERS], arcs[..., k.TRANSIT_BUCKETS]
    return NetworkLedger(
        n_buckets=n_buckets,
        demand=nodes[..., k.DEMAND],
        served=nodes[..., k.SERVED],
        served_late=nodes[..., k.SERVED_LATE],
        lost=lost,
        received=nodes[..., k.RECEIVED],
        returned=nodes[..., k.RETURNED],
        wasted=wasted,
        on_hand_unit_buckets=left,
        backorder_unit_buckets=waiting,
        stockout_buckets=nodes[..., k.STOCKOUT_BUCKETS],
        ordered=arcs[..., k.ORDERED],
        orders=orders,
        shipped=arcs[..., k.SHIPPED],
        delivered=arcs[..., k.DELIVERED],
        transit_unit_buckets=transit,
        end_on_hand=ends[0],
        end_backorders=ends[1],
        end_owed=ends[2],
        holding_cost=node_rate("holding") * left,
        shortage_cost=node_rate("shortage") * (lost + waiting),
        waste_cost=node_rate("waste") * wasted,
        order_cost=arc_rate("order") * orders,
        purchase_cost=arcs[..., k.PURCHASE],
        transit_cost=arc_rate("transit") * transit,
        buckets=NodeBuckets(*trace) if trace.shape[4] else None,
    )
