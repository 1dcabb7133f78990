"""How much of the shortage cost an order is judged by, while other orders are still on their way."""

from __future__ import annotations

import numpy as np

from shelfwise.replenish.situation import Doubles
from shelfwise.simulate.terms import SupplyTerms

# Fitted on exact optima of instances other than those that are reported; see docs/decisions/0009.
CARRIED_HOLDING = 0.2


def shortage_weight(terms: SupplyTerms) -> Doubles:
    """(N,) 1 / (1 + 0.2 · lost share · L / R), the weight of a unit short beside a unit left over.

    One review's cost takes a unit left over for a unit the next order saves. With sales lost that is too kind: the
    L / R orders on their way were placed before it was known whether this unit would be left, so they did not
    shrink by it, and it lies longer than one review. So holding weighs more than it seems, the more so the
    more orders are on their way. At once (L = 0), and where all unmet demand waits, nothing is added.

    Literature: that the one-review (myopic) order is an upper bound of the best one with lost sales is
    Morton (1971); the size of the correction is our own fit.

    Example:
        >>> shortage_weight(SupplyTerms.same(4, lead_time_buckets=[0, 1, 4, 4], unmet="lost")).round(3)
        array([1.   , 0.833, 0.556, 0.556])
    """
    on_their_way = np.asarray(terms.lead_time_buckets) / np.asarray(terms.review_period_buckets)
    return np.asarray(1.0 / (1.0 + CARRIED_HOLDING * np.asarray(terms.lost_share) * on_their_way))
