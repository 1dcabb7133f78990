"""What an order costs to buy under quantity discounts, all-units or incremental (Hadley and Whitin 1963)."""

from __future__ import annotations

import numpy as np
from numba import njit

from shelfwise.simulate.per_series import Floats


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
