"""What prices leave unspent, given out lot by lot to where it saves most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from shelfwise.replenish.projection import lot_range
from shelfwise.replenish.situation import Doubles
from shelfwise.replenish.worth import Worth

ROUNDS = 200


class Shared(Protocol):
    """A shared limit: what a unit uses, and how much there is."""

    @property
    def use(self) -> Doubles: ...

    @property
    def amount(self) -> float: ...

    def used(self, quantity: Doubles) -> float: ...

    def holds(self, quantity: Doubles) -> bool: ...


def spend_leftovers(worth: Worth, kept: Doubles, limits: Sequence[Shared]) -> Doubles:
    """`kept` (N,) raised towards the orders, best saving per share of the limits first, within all limits.

    In a round every series bids for as many lots as pay and fit, and bids are served in order; a bid
    that no longer fits waits for the next round.
    """
    quantity = kept.copy()
    for _ in range(ROUNDS):
        left = np.array([limit.amount - limit.used(quantity) for limit in limits])
        bid = _bids(worth, quantity, limits, left)
        rows = np.flatnonzero(bid > quantity)
        if len(rows) == 0:
            break
        part = worth.take(rows)
        saving = part.cost(quantity[rows]) - part.cost(bid[rows])
        extra = bid[rows] - quantity[rows]
        share = sum(
            (limit.use[rows] * extra / max(room, 1e-300) for limit, room in zip(limits, left, strict=True)),
            np.zeros(len(rows)),
        )
        paying = np.flatnonzero(saving > 1e-12)
        # Best first; of equals the first series, so that the same situation gives the same plan.
        rate = np.divide(saving, share, out=np.full(len(rows), np.inf), where=share > 0)
        for pick in paying[np.argsort(-rate[paying], kind="stable")]:
            needed = np.array([limit.use[rows[pick]] * extra[pick] for limit in limits])
            if (needed <= left).all():
                left -= needed
                quantity[rows[pick]] = bid[rows[pick]]
        if len(paying) == 0:
            break
    return quantity


def _bids(worth: Worth, quantity: Doubles, limits: Sequence[Shared], left: Doubles) -> Doubles:
    """(N,) the quantity each series asks for: a little more, or its first order if it has none yet; a first
    order or a step that does not fit shrinks to the lots that do."""
    terms = worth.projection.situation.terms
    lot = np.asarray(terms.multiple)
    smallest = lot_range(terms.moq, lot, terms.max_quantity)[0] * lot
    wanted = np.where(quantity > 0, quantity + worth.bid_size(), worth.first_order())
    fitting = worth.ceiling - quantity
    for limit, room in zip(limits, left, strict=True):
        fitting = np.minimum(
            fitting, np.divide(room, limit.use, out=np.full(len(lot), np.inf), where=limit.use > 0)
        )
    lots = np.floor(np.minimum(wanted - quantity, fitting) / lot * (1 + 1e-12) + 1e-12)
    bid = np.rint(quantity / lot + lots) * lot
    fits = (lots >= 1) & ((quantity > 0) | (bid >= smallest * (1 - 1e-12)))
    return np.where(fits, bid, quantity)
