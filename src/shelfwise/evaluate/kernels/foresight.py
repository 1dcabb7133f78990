"""Dynamic programme over arrival buckets: the least cost when demand is known (Wagner & Whitin 1958,
with lost sales or backorders)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange


@njit(cache=True)
def _unaided(demand: Any, on_hand: float, owed: float, pipeline: Any, lost: bool, unmet: Any) -> float:
    """Serve what stock and receipts already allow; fills `unmet` and returns unit-buckets held."""
    held = 0.0
    stock = on_hand
    for t in range(demand.shape[0]):
        if t < pipeline.shape[0]:
            stock += pipeline[t]
        wanted = demand[t] + (owed if t == 0 else 0.0)
        served = min(stock, wanted)
        stock -= served
        unmet[t] = wanted - served
        if not lost and stock > 0:
            # Later receipts serve earlier backorders; the oldest wait first.
            for earlier in range(t):
                give = min(stock, unmet[earlier])
                unmet[earlier] -= give
                stock -= give
        held += stock
    return held


@njit(cache=True)
def _best(unmet: Any, first: int, period: int, h: float, p: float, order: float, lost: bool) -> float:
    """Least cost of serving `unmet` from orders arriving in buckets first, first + period, …"""
    buckets = unmet.shape[0]
    best = np.full(buckets + 1, np.inf)
    best[buckets] = 0.0
    for start in range(buckets - 1, -1, -1):
        arrives = start >= first and (start - first) % period == 0
        if not arrives:
            if lost:
                best[start] = best[start + 1] + p * unmet[start]
            continue
        # No order here: in the lost case the bucket is simply lost.
        cheapest = best[start + 1] + p * unmet[start] if lost else np.inf
        spent = order
        for end in range(start, buckets):
            if lost:
                spent += min(h * (end - start), p) * unmet[end]
                cheapest = min(cheapest, spent + best[end + 1])
            else:
                after = end + 1
                if after < buckets and (after < first or (after - first) % period != 0):
                    continue
                run = order
                for j in range(start, after):
                    run += min(h * (j - start), p * (after - j)) * unmet[j]
                cheapest = min(cheapest, run + best[after])
        best[start] = cheapest
    if lost:
        return float(best[0])
    # Backorders of the buckets before the first arrival wait for whichever arrival comes first.
    total = 0.0
    for j in range(buckets):
        total += p * (buckets - j) * unmet[j]
    for start in range(first, buckets, period):
        waiting = 0.0
        for j in range(start):
            waiting += p * (start - j) * unmet[j]
        total = min(total, waiting + best[start])
    return total


@njit(parallel=True, cache=True)
def least_costs(
    demand: Any,
    on_hand: Any,
    owed: Any,
    pipeline: Any,
    first: Any,
    period: Any,
    holding: Any,
    shortage: Any,
    order: Any,
    lost: Any,
) -> Any:
    """(N,) least cost of each series over the T buckets."""
    n, buckets = demand.shape
    out = np.zeros(n)
    for i in prange(n):
        unmet = np.zeros(buckets)
        held = _unaided(demand[i], on_hand[i], owed[i], pipeline[i], lost[i], unmet)
        out[i] = holding[i] * held + _best(
            unmet, first[i], period[i], holding[i], shortage[i], order[i], lost[i]
        )
    return out
