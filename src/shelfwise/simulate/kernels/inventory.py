"""The inventory step and the two loops around it. This file alone owns the order of events in a bucket.

Each path keeps one row of running figures, its *book*, in units only: costs are prices times these counts.
All rules live in this one file because a compiled cache notices changes of its own file only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, prange, vectorize

from shelfwise.simulate.per_series import Floats, Ints

Float32s = npt.NDArray[np.float32]

# Columns of a book: the state, then what has been counted so far.
ON_HAND, BACKORDERS, ON_ORDER, LAST_ARRIVAL, OUT_IN_CYCLE = range(5)
DEMAND, SERVED, SERVED_LATE, LOST, BACKORDER_BUCKETS, ON_HAND_BUCKETS = range(5, 11)
ORDERED, ORDERS, RECEIVED, STOCKOUT_BUCKETS, CYCLES, STOCKOUT_CYCLES = range(11, 17)
BOOK_WIDTH = 17

# Rows of a trace, the optional record of every bucket.
TRACE_ON_HAND, TRACE_SERVED, TRACE_LOST, TRACE_BACKORDERS, TRACE_ORDERED, TRACE_RECEIVED = range(6)
TRACE_ROWS = 6

LOT_DUST = 1e-9
PATHS_A_BLOCK = 128


@njit(cache=True)
def lots_up(ratio: float) -> float:
    """Smallest whole number not below `ratio`, float dust aside."""
    return float(np.ceil(ratio - LOT_DUST if ratio < 1.0 else ratio * (1.0 - LOT_DUST)))


@njit(cache=True)
def lots_down(ratio: float) -> float:
    """Largest whole number not above `ratio`, float dust aside."""
    return float(np.floor(ratio + LOT_DUST if ratio < 1.0 else ratio * (1.0 + LOT_DUST)))


@njit(cache=True)
def to_lots(quantity: float, multiple: float, fewest: float, most: float) -> float:
    """Units of the order that serves a wish of `quantity`, with between `fewest` and `most` lots, or none."""
    if quantity <= 0.0 or most < fewest:
        return 0.0
    lots = lots_up(quantity / multiple)
    if lots <= 0.0:
        return 0.0
    lots = min(max(lots, fewest), most)
    return lots * multiple if lots > 0.0 else 0.0


@njit(cache=True)
def wish(position: float, order_up_to: float, reorder_point: float, lot: float, cap: float) -> float:
    """What `Levels` wants at this position, before lots; an absent reorder point or cap is +inf, a lot 0."""
    if position > reorder_point:
        return 0.0
    if lot > 0.0:
        quantity = (lots_down((reorder_point - position) / lot) + 1.0) * lot
    else:
        quantity = order_up_to - position
    return max(min(quantity, cap), 0.0)


@vectorize(["float64(float64, float64, float64, float64)"], cache=True)  # type: ignore[no-untyped-call]
def lots_ufunc(quantity, moq, multiple, max_quantity):  # type: ignore[no-untyped-def]
    return to_lots(quantity, multiple, lots_up(moq / multiple), lots_down(max_quantity / multiple))


@vectorize(["float64(float64, float64, float64, float64, float64)"], cache=True)  # type: ignore[no-untyped-call]
def wish_ufunc(position, order_up_to, reorder_point, lot, cap):  # type: ignore[no-untyped-def]
    return wish(position, order_up_to, reorder_point, lot, cap)


@njit(cache=True)
def position_of(book: Floats) -> float:
    """Inventory position: on hand + on order - backorders."""
    return float(book[ON_HAND] + book[ON_ORDER] - book[BACKORDERS])


@njit(cache=True)
def step(
    book: Floats,
    due: Floats,
    slot: int,
    t: int,
    n_buckets: int,
    quantity: float,
    lead_time: int,
    demand: float,
    lost_share: float,
    order_crossing: bool,
) -> tuple[float, float, float]:
    """One bucket of one path: order, receive, serve, count. Returns units served, lost and received.

    `due` is a ring: slot `slot` is due now, the one after it in the next bucket, and so on. A slot is
    emptied when it is received, and what would arrive after the run never enters, so a finished path
    leaves the ring empty for the next one.
    """
    if quantity > 0.0:
        arrival = t + lead_time
        if not order_crossing and arrival < book[LAST_ARRIVAL]:
            arrival = int(book[LAST_ARRIVAL])
        book[LAST_ARRIVAL] = max(book[LAST_ARRIVAL], float(arrival))
        if arrival < n_buckets:
            target = slot + arrival - t
            if target >= due.shape[0]:
                target -= due.shape[0]
            due[target] += quantity
        book[ON_ORDER] += quantity
        book[ORDERED] += quantity
        book[ORDERS] += 1.0

    received = due[slot]
    on_hand = book[ON_HAND]
    # No branch on whether something came: that is a coin toss to the processor, and costs half the speed.
    due[slot] = 0.0
    on_hand += received
    book[ON_ORDER] -= received
    book[RECEIVED] += received
    fresh = 1.0 if received > 0.0 and t > 0 else 0.0
    book[CYCLES] += fresh
    book[OUT_IN_CYCLE] *= 1.0 - fresh

    backorders = book[BACKORDERS]
    late = min(on_hand, backorders)
    on_hand -= late
    backorders -= late
    at_once = min(on_hand, demand)
    on_hand -= at_once
    unmet = demand - at_once
    lost = 0.0
    if unmet > 0.0:
        lost = unmet * lost_share
        backorders += unmet - lost
        book[STOCKOUT_BUCKETS] += 1.0
        if book[OUT_IN_CYCLE] == 0.0:
            book[OUT_IN_CYCLE] = 1.0
            book[STOCKOUT_CYCLES] += 1.0

    served = late + at_once
    book[ON_HAND] = on_hand
    book[BACKORDERS] = backorders
    book[DEMAND] += demand
    book[SERVED] += served
    book[SERVED_LATE] += late
    book[LOST] += lost
    book[BACKORDER_BUCKETS] += backorders
    book[ON_HAND_BUCKETS] += on_hand
    return served, lost, received


@njit(cache=True)
def write_trace(
    trace: Float32s,
    series: int,
    path: int,
    t: int,
    book: Floats,
    ordered: float,
    moved: tuple[float, float, float],
) -> None:
    """Record one bucket of one path."""
    trace[TRACE_ON_HAND, series, path, t] = book[ON_HAND]
    trace[TRACE_SERVED, series, path, t] = moved[0]
    trace[TRACE_LOST, series, path, t] = moved[1]
    trace[TRACE_BACKORDERS, series, path, t] = book[BACKORDERS]
    trace[TRACE_ORDERED, series, path, t] = ordered
    trace[TRACE_RECEIVED, series, path, t] = moved[2]


@njit(parallel=True, cache=True)
def run_paths(
    demand: Float32s,
    lead_time: Ints,
    review_period: Ints,
    first_review: Ints,
    moq: Floats,
    multiple: Floats,
    max_quantity: Floats,
    lost_share: Floats,
    order_crossing: bool,
    pipeline: Floats,
    n_slots: int,
    order_up_to: Floats,
    reorder_point: Floats,
    cap: Floats,
    lot: Floats,
    orders: Floats,
    books: Floats,
    trace: Float32s,
) -> None:
    """Run every path through all buckets, by levels or, where `orders` has buckets, by given orders.

    Shapes: demand (N, P, T); lead_time (N, 1|P, 1|T); order_up_to, reorder_point (N, 1|T); orders
    (N, 1|P, T|0); books (N, P, BOOK_WIDTH); trace (TRACE_ROWS, N, P, T) or without buckets to skip it.
    """
    n_series, n_paths, n_buckets = demand.shape
    given = orders.shape[2] > 0
    traced = trace.shape[3] > 0
    # An axis of length 1 holds for all: its index is multiplied by 0.
    lead_path, lead_bucket = int(lead_time.shape[1] > 1), int(lead_time.shape[2] > 1)
    level_bucket, point_bucket = int(order_up_to.shape[1] > 1), int(reorder_point.shape[1] > 1)
    order_path = int(orders.shape[1] > 1)
    n_pairs = n_series * n_paths
    n_blocks = (n_pairs + PATHS_A_BLOCK - 1) // PATHS_A_BLOCK
    for block in prange(n_blocks):
        due = np.zeros(n_slots)
        for pair in range(block * PATHS_A_BLOCK, min(n_pairs, (block + 1) * PATHS_A_BLOCK)):
            series = pair // n_paths
            path = pair - series * n_paths
            book = books[series, path]
            for d in range(min(pipeline.shape[1], n_buckets)):
                due[d] = pipeline[series, d]
            lot_size = multiple[series]
            fewest, most = lots_up(moq[series] / lot_size), lots_down(max_quantity[series] / lot_size)
            next_review = first_review[series]
            slot = 0
            for t in range(n_buckets):
                quantity = 0.0
                if given:
                    quantity = orders[series, path * order_path, t]
                elif t == next_review:
                    next_review += review_period[series]
                    wanted = wish(
                        position_of(book),
                        order_up_to[series, t * level_bucket],
                        reorder_point[series, t * point_bucket],
                        lot[series],
                        cap[series],
                    )
                    quantity = to_lots(wanted, lot_size, fewest, most)
                moved = step(
                    book,
                    due,
                    slot,
                    t,
                    n_buckets,
                    quantity,
                    lead_time[series, path * lead_path, t * lead_bucket],
                    demand[series, path, t],
                    lost_share[series],
                    order_crossing,
                )
                if traced:
                    write_trace(trace, series, path, t, book, quantity, moved)
                slot += 1
                if slot == n_slots:
                    slot = 0


@njit(parallel=True, cache=True)
def run_bucket(
    t: int,
    reviewing: npt.NDArray[np.bool_],
    wanted: Floats,
    demand: Float32s,
    lead_time: Ints,
    moq: Floats,
    multiple: Floats,
    max_quantity: Floats,
    lost_share: Floats,
    order_crossing: bool,
    due: Floats,
    books: Floats,
    trace: Float32s,
) -> None:
    """Run every path through bucket `t`; series under review order `wanted` (N, P), rounded to lots.

    Shapes as in `run_paths`, with one ring a path: due (N, P, slots).
    """
    n_series, n_paths, n_buckets = demand.shape
    traced = trace.shape[3] > 0
    lead_path, lead_bucket = int(lead_time.shape[1] > 1), int(lead_time.shape[2] > 1)
    slot = t % due.shape[2]
    for series in prange(n_series):
        lot_size = multiple[series]
        fewest, most = lots_up(moq[series] / lot_size), lots_down(max_quantity[series] / lot_size)
        for path in range(n_paths):
            book = books[series, path]
            quantity = to_lots(wanted[series, path], lot_size, fewest, most) if reviewing[series] else 0.0
            moved = step(
                book,
                due[series, path],
                slot,
                t,
                n_buckets,
                quantity,
                lead_time[series, path * lead_path, t * lead_bucket],
                demand[series, path, t],
                lost_share[series],
                order_crossing,
            )
            if traced:
                write_trace(trace, series, path, t, book, quantity, moved)


def new_books(on_hand: Floats, backorders: Floats, pipeline: Floats, n_paths: int) -> Floats:
    """Books (N, P, BOOK_WIDTH) before the first bucket; the first replenishment cycle has begun."""
    books = np.zeros((len(on_hand), n_paths, BOOK_WIDTH))
    start: dict[int, Any] = {ON_HAND: on_hand, BACKORDERS: backorders, ON_ORDER: pipeline.sum(axis=1)}
    if pipeline.shape[1]:
        last = pipeline.shape[1] - 1 - np.argmax(pipeline[:, ::-1] > 0, axis=1)
        start[LAST_ARRIVAL] = np.where((pipeline > 0).any(axis=1), last, 0)
    for column, values in start.items():
        books[:, :, column] = values[:, None]
    books[:, :, CYCLES] = 1.0
    return books
