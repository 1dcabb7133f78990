"""What prices leave unspent, given out lot by lot to where it saves most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from shelfwise.replenish.projection import Projection, lot_range
from shelfwise.replenish.situation import Doubles

ROUNDS = 200


class Shared(Protocol):
    """A shared limit: what a unit uses, and how much there is."""

    @property
    def use(self) -> Doubles: ...

    @property
    def amount(self) -> float: ...

    def used(self, quantity: Doubles) -> float: ...

    def holds(self, quantity: Doubles) -> bool: ...


def spend_leftovers(
    projection: Projection, kept: Doubles, ceiling: Doubles, limits: Sequence[Shared]
) -> Doubles:
    """`kept` (N,) raised towards `ceiling`, best saving per share of the limits first, within all limits.

    In a round every series bids for as many lots as pay and fit, and bids are served in order; a bid
    that no longer fits waits for the next round.
    """
    quantity = kept.copy()
    terms = projection.situation.terms
    fewest, _ = lot_range(terms.moq, terms.multiple, terms.max_quantity)
    placed = np.asarray(projection.situation.costs.order)
    for _ in range(ROUNDS):
        left = np.array([limit.amount - limit.used(quantity) for limit in limits])
        bid = _bids(projection, quantity, ceiling, fewest, limits, left)
        rows = np.flatnonzero(bid > quantity)
        if len(rows) == 0:
            break
        part = projection.take(rows)
        fee = np.where(quantity[rows] > 0, 0.0, placed[rows])
        saving = part.assess(quantity[rows]).cost - part.assess(bid[rows]).cost - fee
        extra = bid[rows] - quantity[rows]
        share = sum(
            (limit.use[rows] * extra / max(room, 1e-300) for limit, room in zip(limits, left, strict=True)),
            np.zeros(len(rows)),
        )
        worth = np.flatnonzero(saving > 1e-12)
        # Best first; of equals the first series, so that the same situation gives the same plan.
        for pick in worth[np.argsort(-saving[worth] / share[worth], kind="stable")]:
            needed = np.array([limit.use[rows[pick]] * extra[pick] for limit in limits])
            if (needed <= left).all():
                left -= needed
                quantity[rows[pick]] = bid[rows[pick]]
        if len(worth) == 0:
            break
    return quantity


def _bids(
    projection: Projection,
    quantity: Doubles,
    ceiling: Doubles,
    fewest: npt.NDArray[np.int64],
    limits: Sequence[Shared],
    left: Doubles,
) -> Doubles:
    """(N,) the quantity each series asks for: one lot more, or its smallest order if it has none yet."""
    step = np.asarray(projection.situation.terms.multiple)
    lots = np.rint(quantity / step)
    bid = np.where(lots > 0, lots + 1, fewest) * step
    fits = (bid <= ceiling * (1 + 1e-12)) & (bid > quantity)
    for limit, room in zip(limits, left, strict=True):
        fits &= (bid - quantity) * limit.use <= room
    return np.where(fits, bid, quantity)
