"""The best order of each series: of least expected cost, or the least that reaches a service level."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from shelfwise.replenish.kernels.projection import Floats, Ints, Paths, expect, interval_of, totals_of

COST, FILL_RATE, CYCLE = 0, 1, 2
DUST = 1e-12
SCAN_POINTS = 1024
MOST_LOTS = 2**52


@njit(cache=True)
def enough(
    goal: int,
    level: float,
    asked: float,
    step: float,
    charge: float,
    lots: int,
    demand: Floats,
    due: Floats,
    stock: Floats,
    holding: float,
    shortage: float,
    lost_share: float,
    book: Floats,
) -> bool:
    """Whether `lots` steps suffice: the next one no longer saves cost, or the service level is reached."""
    here = expect(demand, due, stock, lots * step, holding, shortage, lost_share, book)
    if goal == FILL_RATE:
        return here[1] <= (1.0 - level) * asked + DUST * asked
    if goal == CYCLE:
        return here[3] >= level - DUST
    more = expect(demand, due, stock, (lots + 1) * step, holding, shortage, lost_share, book)[0]
    return more + charge * step - here[0] >= -DUST * (here[0] + more)


@njit(cache=True)
def fewest_that_do(
    low: int,
    high: int,
    guess: int,
    stride: int,
    goal: int,
    level: float,
    asked: float,
    step: float,
    charge: float,
    demand: Floats,
    due: Floats,
    stock: Floats,
    holding: float,
    shortage: float,
    lost_share: float,
    book: Floats,
) -> int:
    """The smallest number of steps in low … high that is `enough`: outward from a guess, then by halving."""
    # `high` itself is never probed: it is the answer where nothing below it is enough.
    probe = max(low, min(guess, high - 1))
    rising = True
    first = True
    while low < high:
        if enough(
            goal, level, asked, step, charge, probe, demand, due, stock, holding, shortage, lost_share, book
        ):
            high = probe
            if first:
                rising = False
            elif rising:
                stride = 0
        else:
            low = probe + 1
            if not first and not rising:
                stride = 0
        first = False
        if stride > 0 and rising and low + stride < high:
            probe = low + stride
            stride *= 2
        elif stride > 0 and not rising and high - stride > low:
            probe = high - stride
            stride *= 2
        else:
            probe = (low + high) // 2
    return low


@njit(cache=True)
def cheapest_by_scan(
    low: int,
    high: int,
    step: float,
    charge: float,
    demand: Floats,
    due: Floats,
    stock: Floats,
    holding: float,
    shortage: float,
    lost_share: float,
    book: Floats,
) -> int:
    """The cheapest number of steps in low … high where the cost has several valleys: all of them are tried
    up to SCAN_POINTS, else a grid and then the neighbourhood of its best point."""
    width = 1 + (high - low) // SCAN_POINTS
    best, least = low, np.inf
    first, last, stride = low, high, width
    while True:
        for lots in range(first, last + 1, stride):
            cost = expect(demand, due, stock, lots * step, holding, shortage, lost_share, book)[0]
            cost += charge * lots * step
            if cost < least * (1.0 - DUST):
                best, least = lots, cost
        if stride == 1:
            return best
        first, last, stride = max(low, best - width), min(high, best + width), 1


@njit(parallel=True, cache=True)
def choose(
    goal: int,
    level: float,
    paths: Paths,
    leads: Ints,
    receipts: Floats,
    at_arrival: Floats,
    review: Ints,
    holding: Floats,
    shortage: Floats,
    lost_share: Floats,
    order_cost: Floats,
    charges: Floats,
    multiple: Floats,
    fewest: npt.NDArray[np.int64],
    most: npt.NDArray[np.int64],
    wanted: Floats,
    lots: npt.NDArray[np.int64],
) -> None:
    """Fill wanted (N,), units before lot rules (negative: stock above its target), and lots (N,), of which
    `fewest` … `most` are allowed, or none.

    The expected cost is convex in the quantity where the interval is one bucket, or nothing is lost, or all
    is lost and nothing owed when the order arrives: halving finds the exact minimum. Elsewhere it may have
    several valleys and is scanned.
    """
    for series in prange(paths.shape[0]):
        demand, due = interval_of(paths[series], leads[series], receipts[series], review[series])
        stock, charge = at_arrival[series], charges[series]
        h, p, share = holding[series], shortage[series], lost_share[series]
        book = np.empty((4, stock.shape[0]))
        needs = totals_of(demand)
        asked = needs.mean()
        needs = np.sort(needs - stock)
        # Above `top` no scenario is short of anything, below `bottom` no scenario has anything.
        top, bottom = needs[-1], -max(stock.max(), 0.0)
        unit = min(1.0, multiple[series])
        ratio = level if goal != COST else (p / (h + p) if h + p > 0.0 else 0.0)
        guess = int(min(needs[int(ratio * (len(needs) - 1))] / unit, MOST_LOTS))
        units = fewest_that_do(
            int(max(np.floor(bottom / unit), -MOST_LOTS)),
            max(0, int(min(np.ceil(top / unit), MOST_LOTS))),
            guess,
            max(1, int((top - needs[0]) / unit / 32.0)),
            goal,
            level,
            asked,
            unit,
            charge,
            demand,
            due,
            stock,
            h,
            p,
            share,
            book,
        )
        wanted[series] = units * unit

        step = multiple[series]
        low, lots[series] = max(1, fewest[series]), 0
        if most[series] < low or top <= 0.0:
            continue
        if goal != COST and wanted[series] <= 0.0:
            continue
        high = min(most[series], max(low, int(min(np.ceil(top / step), MOST_LOTS))))
        several_valleys = len(demand) > 1 and share > 0.0 and (share < 1.0 or stock.min() < 0.0)
        if goal == COST and several_valleys:
            count = cheapest_by_scan(low, high, step, charge, demand, due, stock, h, p, share, book)
        else:
            # The best number of lots stands next to the best number of units.
            below = int(np.floor(wanted[series] / step + 1e-9))
            count = fewest_that_do(
                min(max(low, below), high),
                max(low, min(high, below + 1)),
                below,
                1,
                goal,
                level,
                asked,
                step,
                charge,
                demand,
                due,
                stock,
                h,
                p,
                share,
                book,
            )
        if goal == COST:
            nothing = expect(demand, due, stock, 0.0, h, p, share, book)[0]
            cost = expect(demand, due, stock, count * step, h, p, share, book)[0]
            cost += charge * count * step + order_cost[series]
            if cost >= nothing - DUST * (cost + nothing):
                continue
        lots[series] = count


@njit(parallel=True, cache=True)
def weights_of_first_lot(
    paths: Paths,
    leads: Ints,
    receipts: Floats,
    review: Ints,
    holding: Floats,
    shortage: Floats,
    lost_share: Floats,
    lot: Floats,
    weight: Floats,
) -> None:
    """Fill weight (N,): the share of the shortage cost at which the first `lot` (N,) to an empty shelf just pays;
    infinite where it saves nothing."""
    for series in prange(paths.shape[0]):
        demand, due = interval_of(paths[series], leads[series], receipts[series], review[series])
        due = np.zeros_like(due)
        empty, book = np.zeros(demand.shape[1]), np.empty((4, demand.shape[1]))
        share = lost_share[series]
        held = expect(demand, due, empty, lot[series], 1.0, 0.0, share, book)[0]
        missed = expect(demand, due, empty, lot[series], 0.0, 1.0, share, book)[0]
        saved = shortage[series] * (expect(demand, due, empty, 0.0, 0.0, 1.0, share, book)[0] - missed)
        weight[series] = holding[series] * held / saved if saved > 0.0 else np.inf
