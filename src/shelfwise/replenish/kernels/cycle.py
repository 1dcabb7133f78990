"""When to order and up to where, if an order itself costs money: the best (s, S) rule on scenario costs.

G(q) is the expected cost of one review's buckets after an order of q, D the demand of those buckets. With m the
renewal density of D, orders up to S whenever stock has fallen to s cost, a review,
c(s, S) = (K + Σ m(j) G(S - j)) / Σ m(j), j = 0 … S - s - 1 (Zheng & Federgruen 1991). All pairs are tried on
a grid of at most `CELLS` steps, which is every unit where the range is that small.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from shelfwise.replenish.kernels.projection import Floats, Ints, Paths, expect, interval_of, totals_of

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
def best_pair(cost: Floats, density: Floats, starts: Floats, least_cells: int) -> tuple[int, int, float]:
    """Grid indices of the best s < S, at least `least_cells` apart, and the cost a review; `starts` (cells,) is
    what starting a cycle at each S costs."""
    best_s, best_up_to, least = -1, -1, np.inf
    for up_to in range(1, len(cost)):
        spent, visits = starts[up_to], 0.0
        for j in range(up_to):
            spent += density[j] * cost[up_to - j]
            visits += density[j]
            if j + 1 >= least_cells and spent < least * visits * (1.0 - 1e-12):
                best_s, best_up_to, least = up_to - j - 1, up_to, spent / visits
    return best_s, best_up_to, least


@njit(cache=True)
def starts_on_grid(
    order_cost: float, waste_cost: float, in_life: Floats, stock: Floats, first: int, step: float, cells: int
) -> Floats:
    """(cells,) the order cost, and what is expected to be wasted of an order of first, first + 1, … steps if `in_life`
    + `stock` units of it can be sold before they expire."""
    starts = np.full(cells, order_cost)
    if waste_cost > 0.0:
        for k in range(cells):
            wasted = 0.0
            for sample in range(len(in_life)):
                wasted += max((first + k) * step - in_life[sample] - max(stock[sample], 0.0), 0.0)
            starts[k] += waste_cost * wasted / len(in_life)
    return starts


@njit(cache=True)
def costs_on_grid(
    demand: Floats,
    due: Floats,
    stock: Floats,
    first: int,
    step: float,
    cells: int,
    h: float,
    p: float,
    share: float,
    book: Floats,
) -> Floats:
    """(cells,) expected cost of one review after orders of first, first + 1, … steps; above the need of the
    dearest scenario every unit only waits, so that costs rise by holding alone."""
    top = (totals_of(demand) - stock).max()
    cost = np.empty(cells)
    for k in range(cells):
        quantity = (first + k) * step
        if k > 0 and quantity - step >= top:
            cost[k] = cost[k - 1] + h * demand.shape[0] * step
        else:
            cost[k] = expect(demand, due, stock, quantity, h, p, share, book)[0]
    return cost


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
    waste_cost: float,
    in_life: Floats,
    reach: float,
    most_cells: int,
) -> tuple[int, int, float, int, float, Floats, Floats]:
    """Of one series: s and S as grid indices (s = -1: no order is worth its cost), the cost a review, the
    grid (index of its first cell in steps above today's stock, step), G on it, and the shares of demand. The grid
    goes up to orders of `reach` units at least."""
    demand, due = interval_of(paths, leads, receipts, review)
    # As in every (s, S) rule, what is due within the interval counts as stock already.
    stock = at_arrival + due.sum(axis=0)
    due = np.zeros_like(due)
    book = np.empty((4, stock.shape[0]))
    needs = totals_of(demand)
    asked = needs.mean()
    top = (needs - stock).max()
    climb = h * review
    if asked <= 0.0 or top <= 0.0 or p <= 0.0:
        return -1, -1, 0.0, 0, 1.0, np.zeros(1), np.zeros(1)
    # No cycle reaches further up than one economic order quantity above the dearest scenario's need, nor
    # further than the longest cover: where stock costs nothing to hold, nothing else ends a cycle.
    economic = np.inf if climb <= 0.0 else np.sqrt(2.0 * order_cost * asked / climb)
    batch = max(min(economic, asked * longest_buckets / review), least_quantity, unit, reach)
    low = -max(stock.max(), 0.0)
    if share < 1.0:
        low -= asked + np.sqrt(2.0 * order_cost * asked / (p * review)) + least_quantity * h / (h + p)
    span = top + batch - low
    step = unit * max(1.0, np.ceil(span / (unit * most_cells)))
    first = int(np.floor(low / step))
    cells = int(np.ceil((top + batch) / step)) - first + 1
    cost = costs_on_grid(demand, due, stock, first, step, cells, h, p, share, book)
    pmf = demand_shares(needs, step, cells)
    density = renewal_density(pmf)
    least_cells = max(1, int(np.ceil(least_quantity / step - 1e-9)))
    if share >= 1.0:
        # An empty shelf loses every sale. Where that costs less than the best cycle, no order is worth it;
        # judged from an empty shelf, so that the stock of today has no say in it.
        bare = costs_on_grid(demand, due, np.zeros(len(stock)), 0, step, cells, h, p, share, book)
        # What stock of today would sell is there for an order to an empty shelf to sell.
        starts = starts_on_grid(order_cost, waste_cost, in_life, stock, 0, step, cells)
        if best_pair(bare, density, starts, least_cells)[2] >= p * asked:
            return -1, -1, 0.0, first, step, cost, pmf
    starts = starts_on_grid(order_cost, waste_cost, in_life, np.zeros(len(in_life)), first, step, cells)
    s, up_to, average = best_pair(cost, density, starts, least_cells)
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
    waste_cost: Floats,
    in_life: Floats,
    reorder_at: Floats,
    order_up_to: Floats,
) -> None:
    """Fill reorder_at and order_up_to (N,), both in units above today's stock: an order is due if
    reorder_at >= 0, of order_up_to units; order_up_to = 0 where no order is worth its cost.

    `least_quantity` (N,) is the smallest order the supplier's lots allow, `longest_buckets` (N,) the longest
    time an order may cover, `unit` (N,) the finest step. Of goods that expire, `in_life` (N, S) units of an order can
    be sold in time, and each other one costs `waste_cost` (N,), which is 0 for all that keeps.
    """
    for series in prange(paths.shape[0]):
        s, up_to, _, first, step, _, _ = best_cycle(
            paths[series], leads[series], receipts[series], at_arrival[series], review[series],
            holding[series], shortage[series], lost_share[series], order_cost[series],
            least_quantity[series], longest_buckets[series], unit[series], waste_cost[series], in_life[series],
            0.0, CELLS,
        )  # fmt: skip
        reorder_at[series], order_up_to[series] = -1.0, 0.0
        if s >= 0:
            reorder_at[series] = (first + s) * step
            order_up_to[series] = max((first + up_to) * step, 0.0)
