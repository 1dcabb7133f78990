"""The Bellman step of two suppliers: first how much regular, then up to where express."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def improve(
    values: Any,
    pipelines: Any,
    lowest: int,
    floor: int,
    ceiling: int,
    most: int,
    cost: Any,
    pmf: Any,
    regular_cost: float,
    express_cost: float,
    new: Any,
    up_to: Any,
    regular: Any,
) -> None:
    """One full step over the box; places a course within `ceiling` cannot reach keep the value inf.

    Args:
        values, new: (P, Y) by pipeline and net stock `lowest` … `ceiling`.
        pipelines: (P, A) regular orders under way, next due first; P counts them in base `most + 1`, first digit
            lowest, so that pipeline and order together give the next pipeline's number.
        floor: express orders always lift net stock to at least this; most: the largest regular order.
        cost: (Y,) of a bucket that opens with that net stock after express orders.
        up_to, regular: (P, Y) receive the express level and, by level, the regular order.
    """
    n_pipelines, axes = pipelines.shape
    width = ceiling - lowest + 1
    base = most + 1
    for p in range(n_pipelines):
        due = pipelines[p, 0] if axes > 0 else 0
        under_way = 0
        for i in range(axes):
            under_way += pipelines[p, i]
        cheapest, level = np.inf, ceiling
        for y in range(width - 1, -1, -1):
            net = lowest + y
            if net >= floor and net + under_way <= ceiling:
                best, least = 0, np.inf
                for order in range(min(most, ceiling - net - under_way) + 1):
                    # With a pipeline, the order joins its end; without one, it arrives next bucket.
                    after = p // base + order * (n_pipelines // base) if axes > 0 else 0
                    arriving = due if axes > 0 else order
                    value = regular_cost * order
                    for demand in range(len(pmf)):
                        value += pmf[demand] * values[after, y + arriving - demand]
                    if value < least - 1e-11:
                        best, least = order, value
                regular[p, y] = best
                total = cost[y] + least + express_cost * net
                if total < cheapest:
                    cheapest, level = total, net
            up_to[p, y] = level
            reached = net + under_way <= ceiling
            new[p, y] = cheapest - express_cost * net if reached else np.inf
