"""What part of an order is worth that lasts for a whole (s, S) cycle, for the limits all orders share."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from shelfwise.replenish.kernels.cycle import CELLS, best_cycle
from shelfwise.replenish.kernels.projection import Floats, Ints, Paths


@njit(cache=True)
def relative_costs(s: int, average: float, cost: Floats, pmf: Floats, order_cost: float) -> Floats:
    """Cost of starting a review at each level, over that of starting at S, if the (s, S) rule follows.

    v(y) = G(y) - c + E[v(y - D)], and v = K from s down, where the next review orders up to S again.
    """
    worth = np.empty(len(cost))
    stays = min(pmf[0], 0.999)
    for level in range(len(cost)):
        if level <= s:
            worth[level] = cost[level] - average + order_cost
            continue
        total, inside = cost[level] - average, pmf[0]
        for fall in range(1, level - s):
            total += pmf[fall] * worth[level - fall]
            inside += pmf[fall]
        worth[level] = (total + (1.0 - inside) * order_cost) / (1.0 - stays)
    return worth


@njit(cache=True)
def lower_hull(x: Floats, y: Floats) -> None:
    """Replace y by the largest convex function below it; x rises, and y is infinite where not allowed."""
    corner = np.empty(len(x), dtype=np.int64)
    count = 0
    for k in range(len(x)):
        if not np.isfinite(y[k]) or (count > 0 and x[k] <= x[corner[count - 1]]):
            continue
        while count > 1:
            a, b = corner[count - 2], corner[count - 1]
            if (y[b] - y[a]) * (x[k] - x[a]) < (y[k] - y[a]) * (x[b] - x[a]):
                break
            count -= 1
        corner[count] = k
        count += 1
    for turn in range(count - 1):
        a, b = corner[turn], corner[turn + 1]
        for k in range(a + 1, b):
            y[k] = y[a] + (y[b] - y[a]) * (x[k] - x[a]) / (x[b] - x[a])
    for k in range(corner[count - 1] + 1, len(x)):
        y[k] = y[corner[count - 1]]


@njit(parallel=True, cache=True)
def cycle_costs(
    paths: Paths,
    leads: Ints,
    receipts: Floats,
    at_arrival: Floats,
    review: Ints,
    holding: Floats,
    shortage: Floats,
    lost_share: Floats,
    order_cost: Floats,
    least_quantity: Floats,
    longest_buckets: Floats,
    unit: Floats,
    waste_cost: Floats,
    in_life: Floats,
    quantities: Floats,
    costs: Floats,
) -> None:
    """Fill costs (N, M): what an order of each of `quantities` (N, M; rising from 0 to the series' own order)
    costs over the cycle it starts, made convex and least at that order."""
    for series in prange(paths.shape[0]):
        fee = order_cost[series]
        s, _, average, first, step, cost, pmf = best_cycle(
            paths[series], leads[series], receipts[series], at_arrival[series], review[series],
            holding[series], shortage[series], lost_share[series], fee,
            least_quantity[series], longest_buckets[series], unit[series], waste_cost[series], in_life[series],
            0.0, CELLS,
        )  # fmt: skip
        x, y = quantities[series], costs[series]
        last = len(x) - 1
        y[:] = np.inf
        y[0], y[last] = 0.0, 0.0
        if s >= 0:
            worth = relative_costs(s, average, cost, pmf, fee)
            for k in range(len(x)):
                if 0 < k < last and x[k] < least_quantity[series] * (1.0 - 1e-12):
                    continue
                place = min(x[k] / step - first, len(cost) - 1.0)
                below = min(int(place), len(cost) - 2)
                y[k] = worth[below] + (place - below) * (worth[below + 1] - worth[below])
                if waste_cost[series] > 0.0:
                    y[k] += waste_cost[series] * np.maximum(x[k] - in_life[series], 0.0).mean()
            # An order that today's stock makes due saves more than its cost; where the supplier's maximum
            # leaves less than that, its cost was settled with the order and has no say here.
            if y[1:].min() + fee < y[0]:
                y[1:] += fee
        y[last] = min(y[1:].min(), y[0] - 1e-6 * shortage[series] * x[last])
        lower_hull(x, y)
