"""Orders under quantity price breaks: the best long-run rule of every break, then the best order of today under it.

With the price of a break held fixed, orders up to S from s down cost c(s, S) a review as in `cycle`. For an
all-units break the order must reach the break; under incremental breaks each price is a straight line whose intercept
is paid with the order, and the cheapest line is the price (Hadley and Whitin 1963). `cycle`, `cycle_worth` and
the simulator's `purchase` are compiled into this file's cache: after a change there, touch this one.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from shelfwise.replenish.kernels.cycle import best_cycle
from shelfwise.replenish.kernels.cycle_worth import relative_costs
from shelfwise.replenish.kernels.projection import Floats, Ints, Paths, interval_of, totals_of
from shelfwise.simulate.kernels.purchase import purchase_price

CELLS = 768
DUST = 1e-9


@njit(cache=True)
def in_lots(quantity: float, multiple: float, least: float, most: float) -> float:
    """`quantity` up to whole lots within what may be ordered; 0 if that is less than asked."""
    lots = max(np.ceil(quantity / multiple - DUST) * multiple, least)
    return lots if lots <= most * (1.0 + DUST) else 0.0


@njit(cache=True)
def total_of(
    quantity: float,
    order_cost: float,
    worth: Floats,
    first: int,
    step: float,
    waste_cost: float,
    in_life: Floats,
    breaks: Floats,
    prices: Floats,
    incremental: bool,
    price_later: float,
) -> float:
    """Cost of ordering so much today and by the long-run rule ever after, over buying it all at the later price."""
    place = min(max(quantity / step - first, 0.0), len(worth) - 1.0)
    below = min(int(place), len(worth) - 2)
    total = float(worth[below] + (place - below) * (worth[below + 1] - worth[below]))
    if quantity > 0.0:
        total += order_cost + purchase_price(quantity, breaks, prices, incremental) - price_later * quantity
        if waste_cost > 0.0:
            total += waste_cost * np.maximum(quantity - in_life, 0.0).mean()
    return total


@njit(cache=True)
def enlarged(
    before: float,
    last: int,
    multiple: float,
    least: float,
    most: float,
    order_cost: float,
    worth: Floats,
    first: int,
    step: float,
    waste_cost: float,
    in_life: Floats,
    breaks: Floats,
    prices: Floats,
    incremental: bool,
) -> float:
    """`before`, or the break beyond it whose price saves most more than the larger order costs to keep."""
    best, most_saved = before, DUST
    flat, one = np.zeros(1), prices[:1]
    for b in range(1, last + 1):
        reached = in_lots(breaks[b], multiple, least, most)
        if before <= 0.0 or reached <= before:
            continue
        kept = total_of(
            reached, order_cost, worth, first, step, waste_cost, in_life, flat, one, False, prices[0]
        ) - total_of(before, order_cost, worth, first, step, waste_cost, in_life, flat, one, False, prices[0])
        saved = (
            purchase_price(before, breaks, prices, incremental)
            - purchase_price(reached, breaks, prices, incremental)
            + prices[0] * (reached - before)
        )
        if saved - max(kept, 0.0) > most_saved:
            best, most_saved = reached, saved - max(kept, 0.0)
    return best


@njit(parallel=True, cache=True)
def orders_with_breaks(
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
    most_quantity: Floats,
    longest_buckets: Floats,
    multiple: Floats,
    waste_cost: Floats,
    in_life: Floats,
    breaks: Floats,
    prices: Floats,
    incremental: bool,
    before: Floats,
    after: Floats,
) -> None:
    """Fill after (N,): the order in place of `before` (N,), which is kept wherever no break pays.

    breaks, prices (N, B), column 0 the price from 0 units on, unused columns infinite; the rest as in
    `cycle.cycle_orders`. Breaks above what `longest_buckets` of demand take are left out.
    """
    for series in prange(paths.shape[0]):
        after[series] = before[series]
        from_units, price = breaks[series], prices[series]
        demand, _ = interval_of(paths[series], leads[series], receipts[series], review[series])
        asked = totals_of(demand).mean()
        cover = max(asked * longest_buckets[series] / review[series], before[series])
        last = 0
        while last + 1 < len(from_units) and from_units[last + 1] <= cover:
            last += 1
        least, most, size = least_quantity[series], most_quantity[series], multiple[series]
        if last == 0 or asked <= 0.0 or most < max(least, size):
            continue
        fee, reach = order_cost[series], from_units[last]
        waste, life = waste_cost[series], in_life[series]
        best, least_spent, intercept = -1, 0.0, 0.0
        s, up_to, average, first, step = -1, -1, 0.0, 0, 1.0
        cost, pmf, extra = np.zeros(1), np.zeros(1), 0.0
        for b in range(last + 1):
            if incremental and b > 0:
                intercept += (price[b - 1] - price[b]) * from_units[b]
            at_least = least if incremental else max(least, in_lots(from_units[b], size, least, most))
            if b > 0 and not incremental and in_lots(from_units[b], size, least, most) <= 0.0:
                continue
            found = best_cycle(
                paths[series], leads[series], receipts[series], at_arrival[series], review[series],
                holding[series], shortage[series], lost_share[series], fee + max(intercept, 0.0),
                at_least, longest_buckets[series], min(size, 1.0), waste, life, reach, CELLS,
            )  # fmt: skip
            spent = found[2] + price[b] * asked
            if found[0] >= 0 and (best < 0 or spent < least_spent - DUST * abs(least_spent)):
                best, least_spent, extra = b, spent, max(intercept, 0.0)
                s, up_to, average, first, step, cost, pmf = found
        if best < 0:
            continue
        worth = relative_costs(s, average, cost, pmf, fee + extra)
        if best == 0:
            after[series] = enlarged(
                before[series], last, size, least, most, fee, worth, first, step, waste, life, from_units,
                price, incremental,
            )  # fmt: skip
            continue
        choice = before[series]
        smallest = total_of(
            choice, fee, worth, first, step, waste, life, from_units, price, incremental, price[best]
        )
        for option in range(last + 2):
            quantity = 0.0
            if option == last + 1:
                quantity = in_lots(max((first + up_to) * step, 0.0), size, least, most)
            elif option > 0:
                quantity = in_lots(from_units[option], size, least, most)
            total = total_of(
                quantity, fee, worth, first, step, waste, life, from_units, price, incremental, price[best]
            )
            if total < smallest - DUST * max(abs(smallest), 1.0):
                choice, smallest = quantity, total
        after[series] = choice
