"""When to order and up to where, if an order itself costs money: the best (s, S) rule on scenario costs.

G(q) is the expected cost of one review's buckets after an order of q, D the demand of those buckets. With m the
renewal density of D, orders up to S whenever stock has fallen to s cost, a review,
c(s, S) = (K + Σ m(j) G(S - j)) / Σ m(j), j = 0 … S - s - 1 (Zheng & Federgruen 1991). All pairs are tried on
a grid of at most `CELLS` steps, which is every unit where the range is that small.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from shelfwise.replenish.kernels.projection import Floats, Ints, Paths, expect, interval_of

CELLS = 256


@njit(cache=True)
def renewal_density(needs: Floats, step: float, cells: int) -> Floats:
    """Expected visits m(j) to j steps below S, from the scenarios' demand totals laid on the grid."""
    pmf = np.zeros(cells)
    for need in needs:
        place = max(need, 0.0) / step
        below = int(place)
        if below < cells:
            pmf[below] += 1.0 - (place - below)
        if below + 1 < cells:
            pmf[below + 1] += place - below
    pmf /= len(needs)
    density = np.zeros(cells)
    stays = min(pmf[0], 0.999)
    density[0] = 1.0 / (1.0 - stays)
    for j in range(1, cells):
        total = 0.0
        for fall in range(1, j + 1):
            total += pmf[fall] * density[j - fall]
        density[j] = total / (1.0 - stays)
    return density


@njit(cache=True)
def best_pair(cost: Floats, density: Floats, order_cost: float, least_cells: int) -> tuple[int, int, float]:
    """Grid indices of the best s < S, at least `least_cells` apart, and the cost a review."""
    best_s, best_up_to, least = -1, -1, np.inf
    for up_to in range(1, len(cost)):
        spent, visits = order_cost, 0.0
        for j in range(up_to):
            spent += density[j] * cost[up_to - j]
            visits += density[j]
            if j + 1 >= least_cells and spent < least * visits * (1.0 - 1e-12):
                best_s, best_up_to, least = up_to - j - 1, up_to, spent / visits
    return best_s, best_up_to, least


@njit(parallel=True, cache=True)
def cycle_orders(
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
    unit: Floats,
    reorder_at: Floats,
    order_up_to: Floats,
) -> None:
    """Fill reorder_at and order_up_to (N,), both in units above today's stock: an order is due if
    reorder_at >= 0, of order_up_to units; order_up_to = 0 where no order is worth its cost.

    `least_quantity` (N,) is the smallest order the supplier's lots allow, `unit` (N,) the finest step.
    """
    for series in prange(paths.shape[0]):
        demand, due = interval_of(paths[series], leads[series], receipts[series], review[series])
        # As in every (s, S) rule, what is due within the interval counts as stock already.
        stock = at_arrival[series] + due.sum(axis=0)
        due = np.zeros_like(due)
        h, p, share = holding[series], shortage[series], lost_share[series]
        book = np.empty((4, stock.shape[0]))
        needs = np.zeros(stock.shape[0])
        for bucket in range(demand.shape[0]):
            needs += demand[bucket]
        asked = needs.mean()
        top = (needs - stock).max()
        climb = h * review[series]
        reorder_at[series], order_up_to[series] = -1.0, 0.0
        if asked <= 0.0 or top <= 0.0 or climb <= 0.0 or p <= 0.0:
            continue
        # No cycle reaches further up than one economic order quantity above the dearest scenario's need.
        batch = max(np.sqrt(2.0 * order_cost[series] * asked / climb), least_quantity[series])
        low = -max(stock.max(), 0.0)
        if share < 1.0:
            low -= asked + np.sqrt(2.0 * order_cost[series] * asked / (p * review[series]))
        span = max(top, 0.0) + batch - low
        step = unit[series] * max(1.0, np.ceil(span / (unit[series] * CELLS)))
        first = int(np.floor(low / step))
        cells = int(np.ceil((max(top, 0.0) + batch) / step)) - first + 1
        cost = np.empty(cells)
        for k in range(cells):
            quantity = (first + k) * step
            if quantity > top and k > 0 and quantity - step >= top:
                cost[k] = cost[k - 1] + climb * step
            else:
                cost[k] = expect(demand, due, stock, quantity, h, p, share, book)[0]
        density = renewal_density(needs, step, cells)
        least_cells = max(1, int(np.ceil(least_quantity[series] / step - 1e-9)))
        if share >= 1.0:
            # An empty shelf loses every sale. Where that costs less than the best cycle, no order is worth it;
            # judged from an empty shelf, so that the stock of today has no say in it.
            bare, empty = np.empty(cells), np.zeros(len(stock))
            for k in range(cells):
                bare[k] = expect(demand, due, empty, k * step, h, p, share, book)[0]
            if best_pair(bare, density, order_cost[series], least_cells)[2] >= p * asked:
                continue
        s, up_to, _ = best_pair(cost, density, order_cost[series], least_cells)
        if s < 0:
            continue
        reorder_at[series] = (first + s) * step
        order_up_to[series] = max((first + up_to) * step, 0.0)
