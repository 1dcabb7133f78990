"""Lot sizing by forward dynamic programming, an item a row."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange


@njit(parallel=True, cache=True)
def least_plans(demand: Any, order_cost: Any, holding_cost: Any, unit_cost: Any) -> Any:
    """(N, T) orders and (N,) costs of the cheapest plans; all arguments (N, T).

    best[t] is the least cost of serving the buckets before t. Serving t … u - 1 by one order in t costs its order,
    its units and their holding; `carried` adds up the holding of one unit from t on.
    """
    n_items, buckets = demand.shape
    orders = np.zeros((n_items, buckets))
    costs = np.empty(n_items)
    for i in prange(n_items):
        best = np.full(buckets + 1, np.inf)
        source = np.zeros(buckets + 1, dtype=np.int64)
        best[0] = 0.0
        for t in range(buckets):
            if demand[i, t] == 0.0 and best[t] <= best[t + 1]:
                # Nothing is needed here, so nothing has to be ordered here.
                best[t + 1] = best[t]
                source[t + 1] = -1
            spent = best[t] + order_cost[i, t]
            carried = 0.0
            for u in range(t, buckets):
                spent += (unit_cost[i, t] + carried) * demand[i, u]
                carried += holding_cost[i, u]
                if spent < best[u + 1]:
                    best[u + 1] = spent
                    source[u + 1] = t
        costs[i] = best[buckets]
        end = buckets
        while end > 0:
            start = source[end]
            if start < 0:
                end -= 1
                continue
            for u in range(start, end):
                orders[i, start] += demand[i, u]
            end = start
    return orders, costs
