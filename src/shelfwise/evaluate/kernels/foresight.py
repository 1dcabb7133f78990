"""Dynamic programmes over arrival buckets: the least cost when demand is known (Wagner & Whitin 1958, with
lost sales or backorders, receipts already under way, and any set of buckets an order can arrive in)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange


@njit(cache=True)
def _receipt(pipeline: Any, t: int) -> float:
    """Units under way that arrive in bucket t."""
    return float(pipeline[t]) if t < pipeline.shape[0] else 0.0


@njit(cache=True)
def _least_backorder(
    demand: Any, net_stock: float, pipeline: Any, arrives: Any, h: float, p: float, order: float
) -> float:
    """Least cost if what is not served waits.

    Net stock is a given course plus the units ordered and received so far, a level that only rises and
    only in arrival buckets. Between two rises the cost of a level is convex and bends where net stock
    is 0, so some best plan has but these levels: level j of `levels` from bucket t on is the state.
    """
    buckets = demand.shape[0]
    missing = np.empty(buckets)
    levels = np.zeros(buckets + 1)
    course = net_stock
    for t in range(buckets):
        course += _receipt(pipeline, t) - demand[t]
        missing[t] = -course
        levels[t + 1] = max(-course, 0.0)
    levels.sort()
    cost = np.full(buckets + 1, np.inf)
    cost[0] = 0.0
    for t in range(buckets):
        cheapest_below = np.inf
        for j in range(buckets + 1):
            stay = cost[j]
            if arrives[t]:
                cost[j] = min(stay, cheapest_below + order)
                cheapest_below = min(cheapest_below, stay)
            left = levels[j] - missing[t]
            cost[j] += h * left if left > 0.0 else -p * left
    return float(cost.min())


@njit(cache=True)
def _unaided(demand: Any, on_hand: float, pipeline: Any, unmet: Any) -> float:
    """Serve what stock and receipts under way allow; fills `unmet` and returns unit-buckets held."""
    held = 0.0
    stock = on_hand
    for t in range(demand.shape[0]):
        stock += _receipt(pipeline, t)
        served = min(stock, demand[t])
        stock -= served
        unmet[t] = demand[t] - served
        held += stock
    return held


@njit(cache=True)
def _least_lost(unmet: Any, arrives: Any, h: float, p: float, order: float) -> float:
    """Least cost of serving or losing `unmet`, `best[t]` that of buckets t on with nothing left over.

    A unit ordered beside the given stock leaves with the first unit of demand that stock does not
    serve, so the given stock and the orders add up, and the units of an order serve a run of buckets.
    """
    buckets = unmet.shape[0]
    best = np.zeros(buckets + 1)
    for start in range(buckets - 1, -1, -1):
        cheapest = best[start + 1] + p * unmet[start]
        if arrives[start]:
            spent = order
            for end in range(start, buckets):
                spent += min(h * (end - start), p) * unmet[end]
                cheapest = min(cheapest, spent + best[end + 1])
        best[start] = cheapest
    return float(best[0])


@njit(cache=True)
def _waiting(net_stock: float, pipeline: Any, arrives: Any) -> float:
    """Unit-buckets that units owed wait before any order can arrive, even if all receipts go to them."""
    total = 0.0
    for t in range(arrives.shape[0]):
        net_stock += _receipt(pipeline, t)
        if arrives[t] or net_stock >= 0.0:
            break
        total -= net_stock
    return total


@njit(parallel=True, cache=True)
def least_costs(
    demand: Any,
    on_hand: Any,
    owed: Any,
    pipeline: Any,
    arrives: Any,
    holding: Any,
    shortage: Any,
    order: Any,
    lost_share: Any,
) -> Any:
    """(N,) least cost of each series over the T buckets; `arrives` (N, T) is where an order can arrive."""
    n, buckets = demand.shape
    out = np.zeros(n)
    for i in prange(n):
        h, p, k = holding[i], shortage[i], order[i]
        net_stock = on_hand[i] - owed[i]
        if lost_share[i] <= 0.0:
            out[i] = _least_backorder(demand[i], net_stock, pipeline[i], arrives[i], h, p, k)
            continue
        unmet = np.zeros(buckets)
        if lost_share[i] >= 1.0 and net_stock + _receipt(pipeline[i], 0) >= 0.0:
            # A debt that the first bucket pays is stock that is not there.
            given = pipeline[i].copy()
            first = net_stock
            if first < 0.0:
                given[0] += first
                first = 0.0
            held = _unaided(demand[i], first, given, unmet)
            out[i] = h * held + _least_lost(unmet, arrives[i], h, p, k)
        else:
            # A bound: nothing of the given stock goes to what is owed, and holding it costs nothing.
            _unaided(demand[i], on_hand[i], pipeline[i], unmet)
            waiting = p * _waiting(net_stock, pipeline[i], arrives[i])
            out[i] = waiting + _least_lost(unmet, arrives[i], h, p, k)
    return out
