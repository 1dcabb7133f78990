"""One bucket of a supply network. This file alone owns the order of events in it.

Axes: N items, K nodes, A arcs, P paths, G age classes (0 = fresh), D slots of a ring of arrivals. All
amounts are units; money is counted outside, from these counts, but for purchases, whose price may depend
on the size of each order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from shelfwise.simulate.kernels.purchase import purchase_price
from shelfwise.simulate.per_series import Floats, Ints

Float32s = npt.NDArray[np.float32]

# Columns of a node's book.
DEMAND, SERVED, SERVED_LATE, LOST, BACKORDER_BUCKETS, ON_HAND_BUCKETS = range(6)
RECEIVED, RETURNED, WASTED, STOCKOUT_BUCKETS = range(6, 10)
NODE_WIDTH = 10
# Columns of an arc's book.
ORDERED, ORDERS, SHIPPED, DELIVERED, TRANSIT_BUCKETS, PURCHASE = range(6)
ARC_WIDTH = 6
# Rows of a node's trace.
TRACE_ON_HAND, TRACE_SERVED, TRACE_LOST, TRACE_BACKORDERS, TRACE_RECEIVED, TRACE_WASTED = range(6)
NODE_TRACE_ROWS = 6
# Orders in a bucket, over items, arcs and paths, from which several threads are worth waking.
WORTH_THREADS = 4096


class Layout(NamedTuple):
    """Who supplies whom: source (A,); node_order (K,); arcs out of and into each node (K, most), their numbers (K,)."""

    source: Ints
    node_order: Ints
    outgoing: Ints
    n_outgoing: Ints
    incoming: Ints
    n_incoming: Ints


class Rules(NamedTuple):
    """lead_time, on_time_share, delay (N, A, 1|P, 1|T); breaks, prices (N, A, B); lost_share (N, K); shelf_life (N,),
    0 = endless."""

    lead_time: Ints
    on_time_share: Floats
    delay: Ints
    breaks: Floats
    prices: Floats
    incremental: bool
    lost_share: Floats
    shelf_life: Ints
    oldest_first: bool
    by_priority: bool


class Stock(NamedTuple):
    """stock (N, P, K, G); backorders (N, P, K); owed (N, P, A); due (N, P, A, D, G), a ring of arrivals."""

    stock: Floats
    backorders: Floats
    owed: Floats
    due: Floats


class Books(NamedTuple):
    """nodes (N, P, K, NODE_WIDTH); arcs (N, P, A, ARC_WIDTH); trace (NODE_TRACE_ROWS, N, K, P, T), or T = 0."""

    nodes: Floats
    arcs: Floats
    trace: Float32s


@njit(cache=True)
def issue(stock: Floats, wanted: float, oldest_first: bool, taken: Floats) -> float:
    """Take up to `wanted` units out of the age classes; `taken` receives them by age. Returns the total."""
    n_ages = stock.shape[0]
    left = wanted
    for step in range(n_ages):
        age = n_ages - 1 - step if oldest_first else step
        part = min(stock[age], left)
        taken[age] = part
        stock[age] -= part
        left -= part
    return wanted - left


@njit(cache=True)
def ration(owed: Floats, arcs: Ints, n_arcs: int, available: float, by_priority: bool, given: Floats) -> None:
    """Share `available` units among the arcs owed more than that, whole units where all amounts are whole.

    By priority: in the order of the arcs. Else in proportion to what each is owed, what rounding leaves
    over going to the largest remainders, the first arc first where they tie.
    """
    total = 0.0
    for i in range(n_arcs):
        total += owed[arcs[i]]
    left = available
    if by_priority or total <= available:
        for i in range(n_arcs):
            given[i] = min(owed[arcs[i]], left)
            left -= given[i]
        return
    whole = available == np.floor(available)
    for i in range(n_arcs):
        whole = whole and owed[arcs[i]] == np.floor(owed[arcs[i]])
    for i in range(n_arcs):
        share = owed[arcs[i]] * (available / total)
        given[i] = np.floor(share) if whole else share
        left -= given[i]
    while whole and left > 0.5:
        best, most = -1, -1.0
        for i in range(n_arcs):
            remainder = owed[arcs[i]] * (available / total) - given[i]
            if given[i] + 1.0 <= owed[arcs[i]] and remainder > most + 1e-12:
                best, most = i, remainder
        if best < 0:
            return
        given[best] += 1.0
        left -= 1.0


@njit(cache=True)
def send(
    arc: int,
    parcel: Floats,
    slot: int,
    lead_time: int,
    on_time_share: float,
    delay: int,
    due: Floats,
) -> None:
    """Put a shipment on its way: a share arrives after the lead time, the rest `delay` buckets later."""
    n_slots = due.shape[1]
    for age in range(parcel.shape[0]):
        late = parcel[age] * (1.0 - on_time_share)
        # Whole units stay whole: what arrives late is rounded down.
        if parcel[age] == np.floor(parcel[age]):
            late = np.floor(late + 1e-9)
        due[arc, (slot + lead_time) % n_slots, age] += parcel[age] - late
        if late > 0.0:
            due[arc, (slot + lead_time + delay) % n_slots, age] += late


@njit(cache=True)
def run_item(
    item: int,
    t: int,
    orders: Floats,
    demand: Float32s,
    returns: Float32s,
    layout: Layout,
    terms: Rules,
    state: Stock,
    books: Books,
) -> None:
    """All paths of one item through bucket `t`."""
    source, lead_time, on_time_share, delay = layout.source, terms.lead_time, terms.on_time_share, terms.delay
    n_arcs, n_paths = orders.shape[1], orders.shape[2]
    n_nodes = state.stock.shape[2]
    n_ages = state.stock.shape[3]
    n_slots = state.due.shape[3]
    slot = t % n_slots
    lead_path, lead_bucket = int(lead_time.shape[2] > 1), int(lead_time.shape[3] > 1)
    share_path, share_bucket = int(on_time_share.shape[2] > 1), int(on_time_share.shape[3] > 1)
    delay_path, delay_bucket = int(delay.shape[2] > 1), int(delay.shape[3] > 1)
    back_path, back_bucket = int(returns.shape[2] > 1), int(returns.shape[3] > 1)
    traced = books.trace.shape[4] > 0
    parcel, given = np.zeros(n_ages), np.zeros(n_arcs)
    for path in range(n_paths):
        shelf, owing, ring = state.stock[item, path], state.owed[item, path], state.due[item, path]
        for arc in range(n_arcs):
            quantity = orders[item, arc, path]
            if quantity > 0.0:
                owing[arc] += quantity
                book = books.arcs[item, path, arc]
                book[ORDERED] += quantity
                book[ORDERS] += 1.0
                book[PURCHASE] += purchase_price(
                    quantity, terms.breaks[item, arc], terms.prices[item, arc], terms.incremental
                )
        # What comes from outside is shipped at once and in full.
        for arc in range(n_arcs):
            if source[arc] < 0 and owing[arc] > 0.0:
                parcel[:] = 0.0
                parcel[0] = owing[arc]
                books.arcs[item, path, arc, SHIPPED] += owing[arc]
                owing[arc] = 0.0
                send(
                    arc,
                    parcel,
                    slot,
                    lead_time[item, arc, path * lead_path, t * lead_bucket],
                    on_time_share[item, arc, path * share_path, t * share_bucket],
                    delay[item, arc, path * delay_path, t * delay_bucket],
                    ring,
                )
        for place in range(n_nodes):
            node = layout.node_order[place]
            book = books.nodes[item, path, node]
            received = 0.0
            for i in range(layout.n_incoming[node]):
                arc = layout.incoming[node, i]
                for age in range(n_ages):
                    units = ring[arc, slot, age]
                    shelf[node, age] += units
                    received += units
                    books.arcs[item, path, arc, DELIVERED] += units
                    ring[arc, slot, age] = 0.0
            book[RECEIVED] += received
            back = float(returns[item, node, path * back_path, t * back_bucket])
            shelf[node, 0] += back
            book[RETURNED] += back

            on_hand = shelf[node].sum()
            if layout.n_outgoing[node] > 0 and on_hand > 0.0:
                ration(
                    owing, layout.outgoing[node], layout.n_outgoing[node], on_hand, terms.by_priority, given
                )
                for i in range(layout.n_outgoing[node]):
                    arc = layout.outgoing[node, i]
                    if given[i] <= 0.0:
                        continue
                    issue(shelf[node], given[i], terms.oldest_first, parcel)
                    owing[arc] -= given[i]
                    books.arcs[item, path, arc, SHIPPED] += given[i]
                    send(
                        arc,
                        parcel,
                        slot,
                        lead_time[item, arc, path * lead_path, t * lead_bucket],
                        on_time_share[item, arc, path * share_path, t * share_bucket],
                        delay[item, arc, path * delay_path, t * delay_bucket],
                        ring,
                    )

            wanted = float(demand[item, node, path, t])
            late = issue(shelf[node], state.backorders[item, path, node], terms.oldest_first, parcel)
            state.backorders[item, path, node] -= late
            at_once = issue(shelf[node], wanted, terms.oldest_first, parcel)
            unmet = wanted - at_once
            lost = unmet * terms.lost_share[item, node]
            state.backorders[item, path, node] += unmet - lost
            left = shelf[node].sum()
            book[DEMAND] += wanted
            book[SERVED] += late + at_once
            book[SERVED_LATE] += late
            book[LOST] += lost
            book[BACKORDER_BUCKETS] += state.backorders[item, path, node]
            book[STOCKOUT_BUCKETS] += 1.0 if unmet > 0.0 else 0.0

            wasted = 0.0
            if terms.shelf_life[item] > 0:
                last = terms.shelf_life[item] - 1
                wasted = shelf[node, last]
                for age in range(last, 0, -1):
                    shelf[node, age] = shelf[node, age - 1]
                shelf[node, 0] = 0.0
            book[WASTED] += wasted
            book[ON_HAND_BUCKETS] += left - wasted
            if traced:
                books.trace[TRACE_ON_HAND, item, node, path, t] = left - wasted
                books.trace[TRACE_SERVED, item, node, path, t] = late + at_once
                books.trace[TRACE_LOST, item, node, path, t] = lost
                books.trace[TRACE_BACKORDERS, item, node, path, t] = state.backorders[item, path, node]
                books.trace[TRACE_RECEIVED, item, node, path, t] = received
                books.trace[TRACE_WASTED, item, node, path, t] = wasted
        for arc in range(n_arcs):
            book = books.arcs[item, path, arc]
            book[TRANSIT_BUCKETS] += book[SHIPPED] - book[DELIVERED]


@njit(parallel=True, cache=True)
def run_items_together(
    t: int,
    orders: Floats,
    demand: Float32s,
    returns: Float32s,
    layout: Layout,
    terms: Rules,
    state: Stock,
    books: Books,
) -> None:
    """`run_network_bucket` over threads, an item each."""
    for item in prange(orders.shape[0]):
        run_item(item, t, orders, demand, returns, layout, terms, state, books)


@njit(cache=True)
def run_items_in_turn(
    t: int,
    orders: Floats,
    demand: Float32s,
    returns: Float32s,
    layout: Layout,
    terms: Rules,
    state: Stock,
    books: Books,
) -> None:
    """`run_network_bucket` on one thread: waking the others costs more than a few items are worth."""
    for item in range(orders.shape[0]):
        run_item(item, t, orders, demand, returns, layout, terms, state, books)


def run_network_bucket(
    t: int,
    orders: Floats,
    demand: Float32s,
    returns: Float32s,
    layout: Layout,
    terms: Rules,
    state: Stock,
    books: Books,
) -> None:
    """Run every item and path through bucket `t`.

    Shapes: orders (N, A, P), rounded already; demand (N, K, P, T); returns (N, K, 1|P, 1|T).

    Orders are placed; then node by node, those that others depend on first: receipts and returns arrive,
    what is owed to other nodes is shipped, customers' backorders and then demand are served; at the end
    stock is counted, goods past their shelf life are thrown away, and what is left grows a bucket older.
    """
    run = run_items_together if orders.size >= WORTH_THREADS else run_items_in_turn
    run(t, orders, demand, returns, layout, terms, state, books)


def empty_trace(n_items: int, n_nodes: int, n_paths: int, n_buckets: int) -> npt.NDArray[Any]:
    """Room for the record of every bucket; none where `n_buckets` is 0."""
    return np.zeros((NODE_TRACE_ROWS, n_items, n_nodes, n_paths, n_buckets), dtype=np.float32)
