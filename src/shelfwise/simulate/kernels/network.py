"""One bucket of a supply network. This file alone owns the order of events in it.

Axes: N items, K nodes, A arcs, P paths, G age classes (0 = fresh), D slots of a ring of arrivals. All
amounts are units; money is counted outside, from these counts, but for purchases, whose price may depend
on the size of each order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, prange

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
def purchase_price(quantity: float, breaks: Floats, prices: Floats, incremental: bool) -> float:
    """What an order costs under quantity discounts; `breaks` rise from 0, unused ones are inf."""
    if quantity <= 0.0:
        return 0.0
    if not incremental:
        price = prices[0]
        for b in range(1, breaks.shape[0]):
            if quantity >= breaks[b]:
                price = prices[b]
        return float(quantity * price)
    total = 0.0
    for b in range(breaks.shape[0]):
        top = breaks[b + 1] if b + 1 < breaks.shape[0] else np.inf
        total += max(0.0, min(quantity, top) - breaks[b]) * prices[b]
    return total


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


@njit(parallel=True, cache=True)
def run_network_bucket(
    t: int,
    orders: Floats,
    demand: Float32s,
    returns: Float32s,
    source: Ints,
    destination: Ints,
    node_order: Ints,
    outgoing: Ints,
    n_outgoing: Ints,
    incoming: Ints,
    n_incoming: Ints,
    lead_time: Ints,
    on_time_share: Floats,
    delay: Ints,
    breaks: Floats,
    prices: Floats,
    incremental: bool,
    lost_share: Floats,
    shelf_life: Ints,
    oldest_first: bool,
    by_priority: bool,
    stock: Floats,
    backorders: Floats,
    owed: Floats,
    due: Floats,
    node_books: Floats,
    arc_books: Floats,
    trace: Float32s,
) -> None:
    """Run every item and path through bucket `t`.

    Shapes: orders (N, A, P) rounded already; demand (N, K, P, T); returns (N, K, 1|P, 1|T); lead_time,
    on_time_share, delay (N, A, 1|P, 1|T); breaks, prices (N, A, B); lost_share (N, K); shelf_life (N,), 0 =
    endless; stock (N, P, K, G); backorders (N, P, K); owed (N, P, A); due (N, P, A, D, G); node_books
    (N, P, K, NODE_WIDTH); arc_books (N, P, A, ARC_WIDTH); trace (NODE_TRACE_ROWS, N, K, P, T) or T = 0.

    Orders are placed; then node by node, those that others depend on first: receipts and returns arrive,
    what is owed to other nodes is shipped, customers' backorders and then demand are served; at the end
    stock is counted, goods past their shelf life are thrown away, and what is left grows a bucket older.
    """
    n_items, n_arcs, n_paths = orders.shape
    n_nodes = stock.shape[2]
    n_ages = stock.shape[3]
    n_slots = due.shape[3]
    slot = t % n_slots
    lead_path, lead_bucket = int(lead_time.shape[2] > 1), int(lead_time.shape[3] > 1)
    share_path, share_bucket = int(on_time_share.shape[2] > 1), int(on_time_share.shape[3] > 1)
    delay_path, delay_bucket = int(delay.shape[2] > 1), int(delay.shape[3] > 1)
    back_path, back_bucket = int(returns.shape[2] > 1), int(returns.shape[3] > 1)
    traced = trace.shape[4] > 0
    for item in prange(n_items):
        parcel, given = np.zeros(n_ages), np.zeros(n_arcs)
        for path in range(n_paths):
            shelf, owing, ring = stock[item, path], owed[item, path], due[item, path]
            for arc in range(n_arcs):
                quantity = orders[item, arc, path]
                if quantity > 0.0:
                    owing[arc] += quantity
                    book = arc_books[item, path, arc]
                    book[ORDERED] += quantity
                    book[ORDERS] += 1.0
                    book[PURCHASE] += purchase_price(
                        quantity, breaks[item, arc], prices[item, arc], incremental
                    )
            # What comes from outside is shipped at once and in full.
            for arc in range(n_arcs):
                if source[arc] < 0 and owing[arc] > 0.0:
                    parcel[:] = 0.0
                    parcel[0] = owing[arc]
                    arc_books[item, path, arc, SHIPPED] += owing[arc]
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
                node = node_order[place]
                book = node_books[item, path, node]
                received = 0.0
                for i in range(n_incoming[node]):
                    arc = incoming[node, i]
                    for age in range(n_ages):
                        units = ring[arc, slot, age]
                        shelf[node, age] += units
                        received += units
                        arc_books[item, path, arc, DELIVERED] += units
                        ring[arc, slot, age] = 0.0
                book[RECEIVED] += received
                back = float(returns[item, node, path * back_path, t * back_bucket])
                shelf[node, 0] += back
                book[RETURNED] += back

                on_hand = shelf[node].sum()
                if n_outgoing[node] > 0 and on_hand > 0.0:
                    ration(owing, outgoing[node], n_outgoing[node], on_hand, by_priority, given)
                    for i in range(n_outgoing[node]):
                        arc = outgoing[node, i]
                        if given[i] <= 0.0:
                            continue
                        issue(shelf[node], given[i], oldest_first, parcel)
                        owing[arc] -= given[i]
                        arc_books[item, path, arc, SHIPPED] += given[i]
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
                late = issue(shelf[node], backorders[item, path, node], oldest_first, parcel)
                backorders[item, path, node] -= late
                at_once = issue(shelf[node], wanted, oldest_first, parcel)
                unmet = wanted - at_once
                lost = unmet * lost_share[item, node]
                backorders[item, path, node] += unmet - lost
                left = shelf[node].sum()
                book[DEMAND] += wanted
                book[SERVED] += late + at_once
                book[SERVED_LATE] += late
                book[LOST] += lost
                book[BACKORDER_BUCKETS] += backorders[item, path, node]
                book[STOCKOUT_BUCKETS] += 1.0 if unmet > 0.0 else 0.0

                wasted = 0.0
                if shelf_life[item] > 0:
                    last = shelf_life[item] - 1
                    wasted = shelf[node, last]
                    for age in range(last, 0, -1):
                        shelf[node, age] = shelf[node, age - 1]
                    shelf[node, 0] = 0.0
                book[WASTED] += wasted
                book[ON_HAND_BUCKETS] += left - wasted
                if traced:
                    trace[TRACE_ON_HAND, item, node, path, t] = left - wasted
                    trace[TRACE_SERVED, item, node, path, t] = late + at_once
                    trace[TRACE_LOST, item, node, path, t] = lost
                    trace[TRACE_BACKORDERS, item, node, path, t] = backorders[item, path, node]
                    trace[TRACE_RECEIVED, item, node, path, t] = received
                    trace[TRACE_WASTED, item, node, path, t] = wasted
            for arc in range(n_arcs):
                book = arc_books[item, path, arc]
                book[TRANSIT_BUCKETS] += book[SHIPPED] - book[DELIVERED]


def empty_trace(n_items: int, n_nodes: int, n_paths: int, n_buckets: int) -> npt.NDArray[Any]:
    """Room for the record of every bucket; none where `n_buckets` is 0."""
    return np.zeros((NODE_TRACE_ROWS, n_items, n_nodes, n_paths, n_buckets), dtype=np.float32)
