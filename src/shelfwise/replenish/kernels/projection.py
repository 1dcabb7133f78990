"""Stock through the lead time, and the order of least expected cost, scenario by scenario.

The order of events and the way costs are counted are the simulator's: receive, serve (what is owed
first), lose `lost_share` of what finds no stock, then count. A *net stock* carries both sides: above 0
it is on hand, below 0 it is owed. All rules live in this one file because a compiled cache notices
changes of its own file only.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

Floats = npt.NDArray[np.float64]
Paths = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

COST, FILL_RATE, CYCLE = 0, 1, 2
DUST = 1e-12
SCAN_POINTS = 1024
MOST_LOTS = 2**52


@njit(parallel=True, cache=True)
def project_to_arrival(
    paths: Paths, leads: Ints, receipts: Floats, net: Floats, lost_share: Floats, stock: Floats, dry: Floats
) -> None:
    """Fill stock (N, S), net stock when the order arrives with what is due by then, and dry (N,), the share
    of scenarios with unserved demand before. Shapes: paths (N, S, H), leads (N, 1|S), receipts (N, H)."""
    n_series, n_samples, _ = paths.shape
    wide = int(leads.shape[1] > 1)
    for series in prange(n_series):
        times_dry = 0
        kept_share = 1.0 - lost_share[series]
        for sample in range(n_samples):
            now, short = net[series], 0.0
            lead = leads[series, sample * wide]
            for bucket in range(lead):
                now += receipts[series, bucket]
                balance = max(now, 0.0) - paths[series, sample, bucket]
                left = max(balance, 0.0)
                short += left - balance
                now = min(now, 0.0) + left - (left - balance) * kept_share
            stock[series, sample] = now + receipts[series, lead]
            times_dry += short > 0.0
        dry[series] = times_dry / n_samples


@njit(cache=True)
def interval_of(paths: Paths, leads: Ints, receipts: Floats, review: int) -> tuple[Floats, Floats]:
    """Demand and receipts (R, S) of the buckets one order answers for; nothing is due in the first, for the
    stock at arrival holds that already. Samples lie side by side so that the loops over them vectorise."""
    n_samples = paths.shape[0]
    wide = int(leads.shape[0] > 1)
    demand, due = np.empty((review, n_samples)), np.zeros((review, n_samples))
    for sample in range(n_samples):
        first = leads[sample * wide]
        for bucket in range(review):
            demand[bucket, sample] = paths[sample, first + bucket]
            if bucket > 0:
                due[bucket, sample] = receipts[first + bucket]
    return demand, due


@njit(cache=True)
def expect(
    demand: Floats,
    due: Floats,
    stock: Floats,
    quantity: float,
    holding: float,
    shortage: float,
    lost_share: float,
    book: Floats,
) -> tuple[float, float, float, float]:
    """Of one series and quantity, means over the scenarios: cost, units short, units left, share unbroken.

    A negative quantity asks what less stock would cost. What would have to come off an empty shelf counts
    as a shortage, which keeps the cost convex. `book` (4, S) is scratch.
    """
    n_samples = stock.shape[0]
    net, held, missed, short = book[0], book[1], book[2], book[3]
    for sample in range(n_samples):
        start = stock[sample] + quantity
        absent = quantity < 0.0 and start < 0.0 and lost_share > 0.0
        net[sample] = 0.0 if absent else start
        held[sample] = 0.0
        missed[sample] = -start if absent else 0.0
        short[sample] = 0.0
    kept_share = 1.0 - lost_share
    for bucket in range(demand.shape[0]):
        wanted, arriving = demand[bucket], due[bucket]
        for sample in range(n_samples):
            before = net[sample] + arriving[sample]
            shelf = before if before > 0.0 else 0.0
            owed = shelf - before
            balance = shelf - wanted[sample]
            left = balance if balance > 0.0 else 0.0
            unmet = left - balance
            owed += unmet * kept_share
            net[sample] = left - owed
            held[sample] += left
            missed[sample] += owed + unmet * lost_share
            short[sample] += unmet
    held_sum, missed_sum, short_sum, left_sum, unbroken = 0.0, 0.0, 0.0, 0.0, 0
    for sample in range(n_samples):
        held_sum += held[sample]
        missed_sum += missed[sample]
        short_sum += short[sample]
        left_sum += max(net[sample], 0.0)
        unbroken += short[sample] <= 0.0
    cost = (holding * held_sum + shortage * missed_sum) / n_samples
    return cost, short_sum / n_samples, left_sum / n_samples, unbroken / n_samples


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
        needs = np.zeros(stock.shape[0])
        for bucket in range(demand.shape[0]):
            needs += demand[bucket]
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
def assess(
    paths: Paths,
    leads: Ints,
    receipts: Floats,
    at_arrival: Floats,
    review: Ints,
    quantity: Floats,
    holding: Floats,
    shortage: Floats,
    lost_share: Floats,
    outcome: Floats,
) -> None:
    """Fill outcome (N, 4): expected cost, units short, units left and share unbroken of a quantity (N,)."""
    for series in prange(paths.shape[0]):
        demand, due = interval_of(paths[series], leads[series], receipts[series], review[series])
        book = np.empty((4, demand.shape[1]))
        outcome[series, 0], outcome[series, 1], outcome[series, 2], outcome[series, 3] = expect(
            demand,
            due,
            at_arrival[series],
            quantity[series],
            holding[series],
            shortage[series],
            lost_share[series],
            book,
        )


@njit(parallel=True, cache=True)
def describe_demand(paths: Paths, leads: Ints, review: Ints, level: Floats, demand: Floats) -> None:
    """Fill demand (N, 3): mean over the lead time, mean over lead time and review period, and the
    `level` quantile of the latter (the smallest path total that at least this share stay within)."""
    n_series, n_samples, _ = paths.shape
    wide = int(leads.shape[1] > 1)
    for series in prange(n_series):
        totals = np.empty(n_samples)
        before_sum, total_sum = 0.0, 0.0
        for sample in range(n_samples):
            lead = leads[series, sample * wide]
            before = 0.0
            for bucket in range(lead):
                before += paths[series, sample, bucket]
            total = before
            for bucket in range(lead, lead + review[series]):
                total += paths[series, sample, bucket]
            totals[sample] = total
            before_sum += before
            total_sum += total
        totals.sort()
        rank = int(np.ceil(level[series] * n_samples - 1e-9)) - 1
        demand[series, 0] = before_sum / n_samples
        demand[series, 1] = total_sum / n_samples
        demand[series, 2] = totals[min(max(rank, 0), n_samples - 1)]
