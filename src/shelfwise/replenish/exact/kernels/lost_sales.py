"""Bellman sweeps over states (on hand, due in 1, …, due in L - 1) of the lost-sales problem.

Values lie in a box, on hand the fastest axis, so that the states one demand can lead to are neighbours:
`pmf` then meets them in one contiguous dot product. `rank` of a state is its place in the box. Only the full
step, with its loop over orders, is worth two threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange


@njit(cache=True)
def bucket_costs(pmf: Any, most: int, holding: float, shortage: float) -> Any:
    """(most + 1,) expected cost of a bucket that serves from 0 … most units."""
    costs = np.zeros(most + 1)
    for stock in range(most + 1):
        total = 0.0
        for demand in range(len(pmf)):
            left = stock - demand
            total += pmf[demand] * (holding * left if left > 0 else -shortage * left)
        costs[stock] = total
    return costs


@njit(cache=True)
def demand_tails(pmf: Any, most: int) -> Any:
    """(most + 1,) chance of a demand of at least k."""
    tails = np.zeros(most + 1)
    above = 1.0
    for k in range(most + 1):
        tails[k] = max(above, 0.0)
        if k < len(pmf):
            above -= pmf[k]
        else:
            above = 0.0
    return tails


@njit(cache=True, fastmath={"reassoc", "contract"})
def after_demand(values: Any, first: int, stock: int, pmf: Any, tail: float) -> float:
    """Expected value after demand: `values[first + w]` belongs to w units left of `stock`."""
    total = tail * values[first]
    low = max(stock - len(pmf) + 1, 1)
    for left in range(low, stock + 1):
        total += pmf[stock - left] * values[first + left]
    return float(total)


@njit(parallel=True, cache=True)
def improve(
    values: Any,
    states: Any,
    rank: Any,
    room: Any,
    stride: Any,
    costs: Any,
    tails: Any,
    pmf: Any,
    order_cost: float,
    new: Any,
    orders: Any,
) -> None:
    """One full Bellman step: the best order of every state, and the value it gives.

    Args:
        values, new: values by rank in the box, before and after.
        states: (M, L) on hand and pipeline of the states that count.
        rank: (M,) their places; room: (M,) their largest order; stride: (L,) of the box.
        orders: (M,) receives the smallest best order.
    """
    n_states, lead = states.shape
    for m in prange(n_states):
        stock = states[m, 0]
        first = states[m, 1] if lead > 1 else 0
        for i in range(2, lead):
            first += stride[i - 1] * states[m, i]
        step = stride[lead - 1]
        best, least = 0, np.inf
        for order in range(room[m] + 1):
            value = after_demand(values, first + order * step, stock, pmf, tails[stock])
            if order > 0:
                value += order_cost
            if value < least - 1e-11:
                best, least = order, value
        orders[m] = best
        new[rank[m]] = costs[stock] + least


@njit(cache=True, nogil=True)
def follow(
    values: Any,
    states: Any,
    rank: Any,
    orders: Any,
    stride: Any,
    costs: Any,
    tails: Any,
    pmf: Any,
    order_cost: float,
    new: Any,
) -> None:
    """One step of the same under given orders."""
    n_states, lead = states.shape
    for m in range(n_states):
        stock, order = states[m, 0], orders[m]
        first = (states[m, 1] if lead > 1 else 0) + order * stride[lead - 1]
        for i in range(2, lead):
            first += stride[i - 1] * states[m, i]
        spent = order_cost if order > 0 else 0.0
        new[rank[m]] = costs[stock] + spent + after_demand(values, first, stock, pmf, tails[stock])


@njit(cache=True, nogil=True)
def stock_before_arrival(states: Any, pmf: Any, most: int) -> Any:
    """(M, most + 1) chances of the units left, L buckets on, just before today's order arrives."""
    n_states, lead = states.shape
    out = np.zeros((n_states, most + 1))
    for m in range(n_states):
        chances = np.zeros(most + 1)
        later = np.zeros(most + 1)
        top = states[m, 0]
        chances[top] = 1.0
        for bucket in range(lead):
            if bucket > 0:
                due = states[m, bucket]
                for left in range(top, -1, -1):
                    later[left + due] = chances[left]
                for left in range(due):
                    later[left] = 0.0
                top += due
                chances, later = later, chances
            for left in range(top + 1):
                later[left] = 0.0
            for stock in range(top + 1):
                weight = chances[stock]
                if weight == 0.0:
                    continue
                served = 0.0
                for demand in range(min(stock, len(pmf))):
                    later[stock - demand] += weight * pmf[demand]
                    served += pmf[demand]
                later[0] += weight * max(1.0 - served, 0.0)
            chances, later = later, chances
        out[m, : top + 1] = chances[: top + 1]
    return out
