"""The algorithm of Zheng and Federgruen (1991) for the best (s, S), an item a row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange


@njit(cache=True)
def _position_cost(position: int, lead_pmf: Any, holding: float, shortage: float) -> float:
    total = 0.0
    for demand in range(len(lead_pmf)):
        left = position - demand
        total += lead_pmf[demand] * (holding * left if left > 0 else -shortage * left)
    return total


@njit(cache=True)
def _renewals(pmf: Any, size: int) -> Any:
    """(size,) expected visits to j units below S within a cycle."""
    visits = np.zeros(size)
    visits[0] = 1.0 / (1.0 - pmf[0])
    for j in range(1, size):
        total = 0.0
        for demand in range(1, min(j, len(pmf) - 1) + 1):
            total += pmf[demand] * visits[j - demand]
        visits[j] = total / (1.0 - pmf[0])
    return visits


@njit(cache=True)
def _cycle(
    low: int, high: int, first: int, costs: Any, visits: Any, order_cost: float
) -> tuple[float, float]:
    """Cost and length of a cycle that orders from low or below up to high; position y has costs[y - first]."""
    spent, length = order_cost, 0.0
    for j in range(high - low):
        spent += visits[j] * costs[high - j - first]
        length += visits[j]
    return spent, length


@njit(parallel=True, cache=True)
def best_pairs(pmf: Any, lead_pmf: Any, order_cost: Any, holding: Any, shortage: Any, room: int) -> Any:
    """(N, 3) reorder point s, level S and average cost; NaN where `room` positions about the best are too few.

    Args:
        pmf: (N, D) chances of a bucket's demand, pmf[:, 0] below 1; lead_pmf: (N, E) those of lead time and bucket.
        order_cost, holding, shortage: (N,).
    """
    n_items = pmf.shape[0]
    out = np.full((n_items, 3), np.nan)
    for i in prange(n_items):
        middle = 0
        lowest = _position_cost(0, lead_pmf[i], holding[i], shortage[i])
        while True:
            value = _position_cost(middle + 1, lead_pmf[i], holding[i], shortage[i])
            if value >= lowest:
                break
            middle, lowest = middle + 1, value
        first = middle - room
        costs = np.empty(2 * room + 1)
        for y in range(2 * room + 1):
            costs[y] = _position_cost(first + y, lead_pmf[i], holding[i], shortage[i])
        visits = _renewals(pmf[i], 2 * room + 1)
        low, high, least = _search(middle, first, costs, visits, order_cost[i])
        if least < np.inf:
            out[i, 0], out[i, 1], out[i, 2] = low, high, least
    return out


@njit(cache=True)
def _search(middle: int, first: int, costs: Any, visits: Any, order_cost: float) -> tuple[int, int, float]:
    """s, S and cost; an infinite cost where the positions given do not reach."""
    last = first + len(costs) - 1
    low, high = middle, middle
    least = np.inf
    while least == np.inf:
        low -= 1
        if low < first:
            return low, high, np.inf
        spent, length = _cycle(low, high, first, costs, visits, order_cost)
        if spent <= costs[low - first] * length:
            least = spent / length
    level = high + 1
    while level <= last and costs[level - first] <= least:
        spent, length = _cycle(low, level, first, costs, visits, order_cost)
        if spent < least * length:
            high, least = level, spent / length
            while low + 1 < high and least <= costs[low + 1 - first]:
                low += 1
                spent, length = _cycle(low, high, first, costs, visits, order_cost)
                least = spent / length
        level += 1
    return low, high, least if level <= last else np.inf
