"""A slow plain twin of the simulator: one series, one path, lists and loops, written from the contract.

It shares no code with the kernel: orders under way are a list of (arrival, quantity), lots are found by
counting in fractions, and every bucket is kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction


@dataclass
class TwinLedger:
    """Units of every bucket, and the money."""

    on_hand_end: list[float] = field(default_factory=list)
    served: list[float] = field(default_factory=list)
    served_late: list[float] = field(default_factory=list)
    lost: list[float] = field(default_factory=list)
    backorders: list[float] = field(default_factory=list)
    ordered: list[float] = field(default_factory=list)
    received: list[float] = field(default_factory=list)
    stockout: list[bool] = field(default_factory=list)
    end_on_order: float = 0.0
    holding_cost: float = 0.0
    shortage_cost: float = 0.0
    order_cost: float = 0.0
    purchase_cost: float = 0.0

    def cycles(self) -> list[list[bool]]:
        """Stock-out marks, cut into stretches from one receipt to the next."""
        cut: list[list[bool]] = []
        for t, out in enumerate(self.stockout):
            if t == 0 or self.received[t] > 0:
                cut.append([])
            cut[-1].append(out)
        return cut


def twin_lots(quantity: float, moq: float, multiple: float, max_quantity: float) -> float:
    """The order a supplier accepts, in exact arithmetic."""
    if quantity <= 0:
        return 0.0
    step = Fraction(multiple)
    lots = math.ceil(Fraction(quantity) / step)
    while lots * step < Fraction(moq):
        lots += 1
    if max_quantity != math.inf:
        while lots > 0 and lots * step > Fraction(max_quantity):
            lots -= 1
    order = lots * step
    return float(order) if order >= Fraction(moq) else 0.0


def twin_wish(
    position: float, order_up_to: float, reorder_point: float | None, cap: float | None, lot: float
) -> float:
    """What levels want at a position."""
    if reorder_point is not None and position > reorder_point:
        return 0.0
    wanted = 0.0
    if lot > 0:
        assert reorder_point is not None
        while position + wanted <= reorder_point:
            wanted += lot
    elif position < order_up_to:
        wanted = order_up_to - position
    return wanted if cap is None else min(wanted, cap)


def twin_simulate(
    demand: Sequence[float],
    wish: Callable[[int, float], float],
    *,
    lead_times: Sequence[int],
    review_period: int,
    first_review: int,
    moq: float,
    multiple: float,
    max_quantity: float,
    lost_share: float,
    on_hand: float,
    backorders: float,
    pipeline: Sequence[float],
    holding: float,
    shortage: float,
    order: float,
    unit: float,
    order_crossing: bool = True,
) -> TwinLedger:
    """Walk one path; `wish(t, position)` is asked at reviews."""
    book = TwinLedger()
    under_way = [(due, quantity) for due, quantity in enumerate(pipeline) if quantity > 0]
    for t, wanted_by_customers in enumerate(demand):
        quantity = 0.0
        if t >= first_review and (t - first_review) % review_period == 0:
            position = on_hand + sum(units for _, units in under_way) - backorders
            quantity = twin_lots(wish(t, position), moq, multiple, max_quantity)
        if quantity > 0:
            arrival = t + lead_times[t]
            if not order_crossing:
                arrival = max([arrival] + [due for due, _ in under_way])
            under_way.append((arrival, quantity))
            book.order_cost += order
            book.purchase_cost += unit * quantity
        received = sum(units for due, units in under_way if due == t)
        under_way = [(due, units) for due, units in under_way if due != t]
        on_hand += received
        late = min(on_hand, backorders)
        on_hand, backorders = on_hand - late, backorders - late
        at_once = min(on_hand, wanted_by_customers)
        on_hand -= at_once
        unmet = wanted_by_customers - at_once
        lost = unmet * lost_share
        backorders += unmet - lost
        book.holding_cost += holding * on_hand
        book.shortage_cost += shortage * (lost + backorders)
        book.on_hand_end.append(on_hand)
        book.served.append(late + at_once)
        book.served_late.append(late)
        book.lost.append(lost)
        book.backorders.append(backorders)
        book.ordered.append(quantity)
        book.received.append(received)
        book.stockout.append(unmet > 0)
    book.end_on_order = sum(units for _, units in under_way)
    return book
