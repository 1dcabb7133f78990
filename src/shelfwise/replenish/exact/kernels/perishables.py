"""The Bellman step of a perishable item: which order now, given what each demand leaves of each age."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange


@njit(parallel=True, cache=True)
def improve(
    values: Any, ahead: Any, chance: Any, cost: Any, unit_cost: float, discount: float, most: int, orders: Any
) -> Any:
    """One full step; `orders` (M,) receives the smallest best order.

    Args:
        values: (M,) by state number, the newest order the lowest digit.
        ahead: (M, D) state after each demand if nothing is ordered; an order of q adds q to it.
        chance: (D,) of the demands, the last of them and all beyond.
        cost: (M,) expected cost of the bucket without the purchase.
    """
    new = np.empty(len(cost))
    for m in prange(len(cost)):
        total = np.zeros(most + 1)
        for d in range(len(chance)):
            first, weight = ahead[m, d], chance[d] * discount
            for order in range(most + 1):
                total[order] += weight * values[first + order]
        best = 0
        for order in range(most + 1):
            total[order] += unit_cost * order
            if total[order] < total[best] - 1e-11:
                best = order
        orders[m] = best
        new[m] = cost[m] + total[best]
    return new


@njit(cache=True, nogil=True)
def follow(
    values: Any, ahead: Any, chance: Any, cost: Any, unit_cost: float, discount: float, orders: Any
) -> Any:
    """One step under given orders."""
    new = np.empty(len(cost))
    for m in range(len(cost)):
        total = 0.0
        for d in range(len(chance)):
            total += chance[d] * values[ahead[m, d] + orders[m]]
        new[m] = cost[m] + unit_cost * orders[m] + discount * total
    return new
