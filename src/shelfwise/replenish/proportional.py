"""Shared limits for a policy without scenarios: everybody is cut by the same share, the neediest refilled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shelfwise.replenish.leftovers import Shared
from shelfwise.replenish.situation import Doubles, Situation
from shelfwise.simulate.lots import round_lots

HALVINGS = 60


def cut_evenly(situation: Situation, ceiling: Doubles, limits: Sequence[Shared]) -> Doubles:
    """Orders (N,) that fit all limits: the largest common share of `ceiling`, rounded to lots, and what is
    left over to whole orders, the lowest position against its order first."""
    terms = situation.terms

    def cut(share: float) -> Doubles:
        rounded = round_lots(share * ceiling, terms.moq, terms.multiple, terms.max_quantity)
        return np.minimum(rounded, ceiling)

    def fits(quantity: Doubles) -> bool:
        return all(limit.holds(quantity) for limit in limits)

    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if fits(cut(middle)) else (low, middle)
    quantity = cut(low)
    left = np.array([limit.amount - limit.used(quantity) for limit in limits])
    for row in np.argsort(situation.position / ceiling, kind="stable"):
        needed = np.array([limit.use[row] * (ceiling[row] - quantity[row]) for limit in limits])
        if (needed <= left).all():
            before, quantity[row] = quantity[row], ceiling[row]
            if fits(quantity):
                left -= needed
            else:  # float dust in the running difference
                quantity[row] = before
    return quantity
