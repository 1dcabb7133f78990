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
def demand_shares(needs: Floats, step: float, cells: int) -> Floats:
    """Share of the scenarios' demand totals at 0, 1, … steps; what lies beyond the grid is left out."""
    pmf = np.zeros(cells)
    for need in needs:
        place = max(need, 0.0) / step
        if place >= cells:
            continue
        below = int(place)
        pmf[below] += 1.0 - (place - below)
        if below + 1 < cells:
            pmf[below + 1] += place - below
    return pmf / len(needs)


@njit(cache=True)
def renewal_density(pmf: Floats) -> Floats:
    """Expected visits m(j) to j steps below S."""
    density = np.zeros(len(pmf))
    stays = min(pmf[0], 0.999)
    density[0] = 1.0 / (1.0 - stays)
    for j in range(1, len(pmf)):
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


@njit(cache=True)
def best_cycle(
    paths: Paths,
    leads: Ints,
    receipts: Floats,
    at_arrival: Floats,
    review: int,
    h: float,
    p: float,
    share: float,
    order_cost: float,
    least_quantity: float,
    longest_buckets: float,
    unit: float,
) -> tuple[int, int, float, int, float, Floats, Floats]:
    """Of one series: s and S as grid indices (s = -1: no order is worth its cost), the cost a review, the
    grid (index of its first cell in steps above today's stock, step), G on it, and the shares of demand."""
    demand, due = interval_of(paths, leads, receipts, review)
    # As in every (s, S) rule, what is due within the interval counts as stock already.
    stock = at_arrival + due.sum(axis=0)
    due = np.zeros_like(due)
    book = np.empty((4, stock.shape[0]))
    needs = np.zeros(stock.shape[0])
    for bucket in range(demand.shape[0]):
        needs += demand[bucket]
    asked = needs.mean()
    top = (needs - stock).max()
    climb = h * review
    if asked <= 0.0 or top <= 0.0 or p <= 0.0:
        return -1, -1, 0.0, 0, 1.0, np.zeros(1), np.zeros(1)
    # No cycle reaches further up than one economic order quantity above the dearest scenario's need, nor
    # further than the longest cover: where stock costs nothing to hold, nothing else ends a cycle.
    economic = np.inf if climb <= 0.0 else np.sqrt(2.0 * order_cost * asked / climb)
    batch = max(min(economic, asked * longest_buckets / review), least_quantity, unit)
    low = -max(stock.max(), 0.0)
    if share < 1.0:
        low -= asked + np.sqrt(2.0 * order_cost * asked / (p * review)) + least_quantity * h / (h + p)
    span = max(top, 0.0) + batch - low
    step = unit * max(1.0, np.ceil(span / (unit * CELLS)))
    first = int(np.floor(low / step))
    cells = int(np.ceil((max(top, 0.0) + batch) / step)) - first + 1
    cost = np.empty(cells)
    for k in range(cells):
        quantity = (first + k) * step
        if quantity > top and k > 0 and quantity - step >= top:
            cost[k] = cost[k - 1] + climb * step
        else:
            cost[k] = expect(demand, due, stock, quantity, h, p, share, book)[0]
    pmf = demand_shares(needs, step, cells)
    density = renewal_density(pmf)
    least_cells = max(1, int(np.ceil(least_quantity / step - 1e-9)))
    if share >= 1.0:
        # An empty shelf loses every sale. Where that costs less than the best cycle, no order is worth it;
        # judged from an empty shelf, so that the stock of today has no say in it.
        bare, empty = np.empty(cells), np.zeros(len(stock))
        for k in range(cells):
            bare[k] = expect(demand, due, empty, k * step, h, p, share, book)[0]
        if best_pair(bare, density, order_cost, least_cells)[2] >= p * asked:
            return -1, -1, 0.0, first, step, cost, pmf
    s, up_to, average = best_pair(cost, density, order_cost, least_cells)
    return s, up_to, average, first, step, cost, pmf


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
    longest_buckets: Floats,
    unit: Floats,
    reorder_at: Floats,
    order_up_to: Floats,
) -> None:
    """Fill reorder_at and order_up_to (N,), both in units above today's stock: an order is due if
    reorder_at >= 0, of order_up_to units; order_up_to = 0 where no order is worth its cost.

    `least_quantity` (N,) is the smallest order the supplier's lots allow, `longest_buckets` (N,) the longest
    time an order may cover, `unit` (N,) the finest step.
    """
    for series in prange(paths.shape[0]):
        s, up_to, _, first, step, _, _ = best_cycle(
            paths[series], leads[series], receipts[series], at_arrival[series], review[series],
            holding[series], shortage[series], lost_share[series], order_cost[series],
            least_quantity[series], longest_buckets[series], unit[series],
        )  # fmt: skip
        reorder_at[series], order_up_to[series] = -1.0, 0.0
        if s >= 0:
            reorder_at[series] = (first + s) * step
            order_up_to[series] = max((first + up_to) * step, 0.0)


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
            least_quantity[series], longest_buckets[series], unit[series],
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
            # An order that today's stock makes due saves more than its cost; where the supplier's maximum
            # leaves less than that, its cost was settled with the order and has no say here.
            if y[1:].min() + fee < y[0]:
                y[1:] += fee
        y[last] = min(y[1:].min(), y[0] - 1e-6 * shortage[series] * x[last])
        lower_hull(x, y)
