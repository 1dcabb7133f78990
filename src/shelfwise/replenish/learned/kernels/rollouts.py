"""Walks under a rule of orders, and what every order near the rule's own would cost from there on.

Suppliers K are asked one after another in every review, each seeing the orders of those before. A rule is, by supplier,
series and bucket, planes over the stock: `level` (K, N, T, G, P) and `cap` (K, N, T) in units, `slots`
(K, N, T, G, P, D) weights. Stock (D,) is net stock now, receipts of this bucket included, then what is due in 1 … D - 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def order_of(stock: Any, level: Any, slots: Any, cap: float, lot: float) -> float:
    """The largest over groups of the smallest over planes, from 0 to `cap`, to the nearest whole lot."""
    groups, planes, depth = slots.shape
    most = 0.0
    for g in range(groups):
        least = np.inf
        for p in range(planes):
            value = level[g, p]
            for d in range(depth):
                value -= slots[g, p, d] * stock[d]
            if value < least:
                least = value
                # The group can no longer be the largest.
                if least <= most:
                    break
        if least > most:
            most = least
    return float(np.rint(min(most, cap) / lot) * lot)


@njit(cache=True, nogil=True)
def close_bucket(stock: Any, demand: float, holding: float, shortage: float, lost_share: float) -> float:
    """Serve demand, count the bucket's cost, move receipts one bucket closer."""
    net = stock[0] - demand
    cost = holding * net
    if net < 0.0:
        # Of what was owed already nothing is lost any more.
        lost = lost_share * min(-net, demand)
        cost = shortage * -net
        net += lost
    depth = len(stock)
    stock[0] = net + stock[1] if depth > 1 else net
    for d in range(1, depth - 1):
        stock[d] = stock[d + 1]
    if depth > 1:
        stock[depth - 1] = 0.0
    return float(cost)


@njit(cache=True, nogil=True)
def same(stock: Any, other: Any) -> bool:
    """Whether two states are equal to the last digit."""
    different = 0
    for d in range(len(stock)):
        different += stock[d] != other[d]
    return different == 0


@njit(cache=True, nogil=True)
def walk(
    paths: Any,
    rule: Any,
    terms: Any,
    series: Any,
    path: Any,
    stop: Any,
    supplier: int,
    shift: Any,
    step: Any,
    stock: Any,
    own: Any,
) -> None:
    """Each of M walks goes from bucket 0 to the question it stops at.

    Args:
        paths: (N, S, T) demand. rule: (level, slots, cap). terms: see `rollouts`.
        series, path, stop: (M,) where the walk goes, and the bucket it stops at; supplier: who is asked there.
        shift: (M, T, K) steps of `step` (M,) units added to the rule's orders, so that uncommon states are met too.
        stock: (M, D) receives the state; starts as the first one. own: (M,) receives the rule's order there.
    """
    level, slots, cap = rule
    lead, review, lot, holding, shortage, lost_share, _ = terms
    for m in range(len(series)):
        n = series[m]
        for t in range(stop[m] + 1):
            if t % review[n] == 0:
                for k in range(len(lead)):
                    order = order_of(stock[m], level[k, n, t], slots[k, n, t], cap[k, n, t], lot[n])
                    if t == stop[m] and k == supplier:
                        own[m] = order
                        break
                    stock[m, lead[k, n]] += max(order + shift[m, t, k] * step[m], 0.0)
            if t < stop[m]:
                close_bucket(stock[m], paths[n, path[m], t], holding[n], shortage[n], lost_share[n])


@njit(cache=True, nogil=True)
def rollouts(
    paths: Any,
    rule: Any,
    terms: Any,
    series: Any,
    future: Any,
    stop: Any,
    supplier: int,
    stock: Any,
    candidates: Any,
    horizon: int,
    costs: Any,
) -> None:
    """Mean cost of each candidate order over the buckets after it, the rule deciding all else.

    All candidates of a state meet the same demand (common random numbers).

    Args:
        terms: lead (K, N) whole buckets, review (N,), lot (N,) units, holding, shortage (N,) money, lost_share (N,),
            price (K, N) money a unit.
        future: (M, R) paths that demand is taken from, from bucket `stop` on.
        stock: (M, D) the states. candidates: (M, A) orders in units; costs: (M, A) receives the answer.
    """
    level, slots, cap = rule
    lead, review, lot, holding, shortage, lost_share, price = terms
    n_candidates = candidates.shape[1]
    now = np.empty(stock.shape[1])
    # What the candidate before went through: where it left each bucket, and what the bucket cost.
    left, spent = np.empty((horizon, len(now))), np.empty(horizon)
    costs[:] = 0.0
    for m in range(len(series)):
        n = series[m]
        for path in future[m]:
            for a in range(n_candidates):
                now[:] = stock[m]
                now[lead[supplier, n]] += candidates[m, a]
                costs[m, a] += price[supplier, n] * candidates[m, a]
                first = supplier + 1
                for h in range(horizon):
                    t = stop[m] + h
                    cost = 0.0
                    if t % review[n] == 0:
                        for k in range(first, len(lead)):
                            order = order_of(now, level[k, n, t], slots[k, n, t], cap[k, n, t], lot[n])
                            now[lead[k, n]] += order
                            cost += price[k, n] * order
                    first = 0
                    spent[h] = cost + close_bucket(
                        now, paths[n, path, t], holding[n], shortage[n], lost_share[n]
                    )
                    # Once two candidates have led to the same stock, their futures are one.
                    if a > 0 and same(now, left[h]):
                        break
                    left[h] = now
                costs[m, a] += spent.sum()
        costs[m] /= future.shape[1]


@njit(cache=True, nogil=True)
def mean_costs(paths: Any, rule: Any, terms: Any, stock: Any, chosen: Any, warm_up: int) -> Any:
    """(N,) cost a bucket after the warm-up, on the paths `chosen` (C,), each started from `stock` (N, D)."""
    level, slots, cap = rule
    lead, review, lot, holding, shortage, lost_share, price = terms
    n_series, n_buckets = cap.shape[1:]
    out = np.zeros(n_series)
    now = np.empty(stock.shape[1])
    for n in range(n_series):
        for path in chosen:
            now[:] = stock[n]
            for t in range(n_buckets):
                spent = 0.0
                if t % review[n] == 0:
                    for k in range(len(lead)):
                        order = order_of(now, level[k, n, t], slots[k, n, t], cap[k, n, t], lot[n])
                        now[lead[k, n]] += order
                        spent += price[k, n] * order
                spent += close_bucket(now, paths[n, path, t], holding[n], shortage[n], lost_share[n])
                if t >= warm_up:
                    out[n] += spent
        out[n] /= len(chosen) * (n_buckets - warm_up)
    return out
