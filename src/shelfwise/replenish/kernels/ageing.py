"""Stock that expires: what is usable when an order arrives, what demand is left for it, what of it is wasted.

The oldest is sold first. A unit received in bucket t can be sold up to the end of bucket t + life - 1; what is left
then is waste. Whatever is older than the order is sold or wasted whether it is placed or not, so the order meets
only the demand the older stock leaves over, and of q units exactly (q - that demand within their life)+ are wasted
(Nahmias 1976). `choice` and `projection` are compiled into this file's cache: after a change there, touch this one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from shelfwise.replenish.kernels.choice import COST, CYCLE, DUST, FILL_RATE, MOST_LOTS, SCAN_POINTS
from shelfwise.replenish.kernels.projection import Floats, Ints, Paths, expect, interval_of, totals_of

# Columns of `told`.
OLDER_HELD, OLDER_WASTED, OLDER_LEFT, BEYOND, ASKED = 0, 1, 2, 3, 4


@njit(cache=True)
def first_batches(net: float, rate: float, ages: Floats, life: int, batch: Floats) -> None:
    """Fill batch (life,), units by buckets of life left less one: as `ages` says, else as if every bucket had
    brought what a bucket sells, so that the newest `rate` units came last, those before them a bucket earlier, …"""
    batch[:] = 0.0
    left = max(net, 0.0)
    if ages.shape[0] > 0:
        for k in range(ages.shape[0] - 1, -1, -1):
            place = min(k, life - 1)
            batch[place] += min(ages[k], left)
            left -= min(ages[k], left)
        batch[0] += left
        return
    classes = max(life - 1, 1)
    size = max(rate, left / classes)
    for k in range(classes - 1, -1, -1):
        batch[k] = min(size, left)
        left -= batch[k]
    batch[0] += left


@njit(parallel=True, cache=True)
def project_ageing(
    paths: Paths,
    leads: Ints,
    receipts: Floats,
    net: Floats,
    rate: Floats,
    ages: Floats,
    life: Ints,
    review: Ints,
    ends: Floats,
    season: int,
    lost_share: Floats,
    residual: Paths,
    usable: Floats,
    owed_at_arrival: Floats,
    in_life: Floats,
    dry: Floats,
    told: Floats,
) -> None:
    """Carry each age of stock through every scenario.

    Shapes: paths, residual (A, S, H), leads (A, 1|S), receipts (A, H), ages (A, K), told (A, 5); net, rate, life,
    review, ends, lost_share, dry (A,); usable, owed_at_arrival, in_life (A, S). `residual` becomes the demand that
    older stock leaves over from the arrival on, `in_life` how many units of the order can be sold before they expire,
    `usable` what of the older stock serves the review's buckets. Beyond its horizon a scenario goes on with
    the last buckets of the others, until the item ends.
    """
    n_series, n_samples, horizon = paths.shape
    wide = int(leads.shape[1] > 1)
    back = min(horizon, season)
    for series in prange(n_series):
        keeps, buckets = life[series], review[series]
        kept_share = 1.0 - lost_share[series]
        start, batch = np.empty(keeps), np.empty(keeps)
        first_batches(net[series], rate[series], ages[series], keeps, start)
        times_dry = 0
        told[series, :] = 0.0
        for sample in range(n_samples):
            lead = leads[series, sample * wide]
            batch[:] = start
            on_hand, owed, short = start.sum(), max(-net[series], 0.0), 0.0
            # `batch` is a ring by the bucket in which units expire; before `front` nothing is left.
            front, sold_within, wasted = 0, 0.0, 0.0
            for bucket in range(lead + max(buckets, keeps)):
                if bucket <= lead:
                    paid = min(owed, receipts[series, bucket])
                    owed -= paid
                    batch[(bucket + keeps - 1) % keeps] += receipts[series, bucket] - paid
                    on_hand += receipts[series, bucket] - paid
                if bucket == lead:
                    usable[series, sample], owed_at_arrival[series, sample] = on_hand, owed
                if bucket < horizon:
                    wanted = paths[series, sample, bucket]
                elif bucket < ends[series]:
                    far = bucket - horizon
                    wanted = paths[series, (sample + 1 + far) % n_samples, horizon - back + far % back]
                else:
                    wanted = 0.0
                rest = float(wanted)
                front = max(front, bucket)
                while rest > 0.0 and front < bucket + keeps:
                    used = min(batch[front % keeps], rest)
                    batch[front % keeps] -= used
                    on_hand -= used
                    rest -= used
                    if rest > 0.0:
                        front += 1
                # The newest may still be added to in this bucket's place of the ring.
                front = min(front, bucket + keeps - 1)
                expired = batch[bucket % keeps]
                batch[bucket % keeps] = 0.0
                on_hand = max(on_hand - expired, 0.0)
                if bucket < lead:
                    short += rest
                    owed += rest * kept_share
                    wasted += expired
                    continue
                since = bucket - lead
                if since < keeps:
                    sold_within += rest
                if since < buckets:
                    residual[series, sample, bucket] = rest
                    told[series, ASKED] += wanted
                    told[series, OLDER_HELD] += on_hand
                    wasted += expired
                    if since >= keeps:
                        told[series, BEYOND] += rest
                    if since < buckets - 1:
                        usable[series, sample] -= expired
                    else:
                        told[series, OLDER_LEFT] += on_hand
            told[series, OLDER_WASTED] += wasted
            in_life[series, sample] = sold_within + owed_at_arrival[series, sample]
            times_dry += short > 0.0
        dry[series] = times_dry / n_samples
        told[series, :] /= n_samples


@njit(parallel=True, cache=True)
def first_shortages(
    demand: Floats, receipts: Floats, net: Floats, rate: Floats, ages: Floats, life: Ints, first: Floats
) -> None:
    """Fill first (A,), the bucket in which `demand` (A, H) finds no stock that keeps; NaN = none. As `project_ageing`."""
    for series in prange(len(net)):
        batch = np.empty(life[series])
        first_batches(net[series], rate[series], ages[series], life[series], batch)
        owed, used, first[series] = max(-net[series], 0.0), 0.0, np.nan
        for bucket in range(demand.shape[1]):
            paid = min(owed, receipts[series, bucket])
            owed -= paid
            batch[-1] += receipts[series, bucket] - paid
            rest = demand[series, bucket]
            used += rest
            for age in range(len(batch)):
                sold = min(batch[age], rest)
                batch[age] -= sold
                rest -= sold
            owed += rest
            if owed > 1e-6 and used > 0.0:
                first[series] = bucket
                break
            batch[:-1] = batch[1:].copy()
            batch[-1] = 0.0


@njit(cache=True)
def wasted_of(quantity: float, in_life: Floats) -> float:
    """Mean units of an order that expire unsold."""
    total = 0.0
    for sold in in_life:
        total += max(quantity - sold, 0.0)
    return total / len(in_life)


@njit(cache=True)
def cost_of(
    quantity: float,
    charge: float,
    waste_cost: float,
    in_life: Floats,
    demand: Floats,
    due: Floats,
    stock: Floats,
    h: float,
    p: float,
    share: float,
    book: Floats,
) -> float:
    """Expected cost of one review with an order: as without a shelf life, and what of the order is wasted."""
    spent = expect(demand, due, stock, quantity, h, p, share, book)[0]
    return float(spent + charge * quantity + waste_cost * wasted_of(quantity, in_life))


@njit(cache=True)
def cheapest_of(
    low: int,
    high: int,
    unit: float,
    charge: float,
    waste_cost: float,
    in_life: Floats,
    demand: Floats,
    due: Floats,
    stock: Floats,
    h: float,
    p: float,
    share: float,
    book: Floats,
) -> int:
    """The cheapest number of units in low … high where the cost has several valleys; see `choice.cheapest_by_scan`."""
    width = 1 + (high - low) // SCAN_POINTS
    best, least = low, np.inf
    first, last, stride = low, high, width
    while True:
        for count in range(first, last + 1, stride):
            cost = cost_of(count * unit, charge, waste_cost, in_life, demand, due, stock, h, p, share, book)
            if cost < least * (1.0 - DUST):
                best, least = count, cost
        if stride == 1:
            return best
        first, last, stride = max(low, best - width), min(high, best + width), 1


@njit(parallel=True, cache=True)
def choose_aged(
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
    in_life: Floats,
    waste_cost: Floats,
    told: Floats,
    wanted: Floats,
    lots: npt.NDArray[np.int64],
) -> None:
    """As `choice.choose`, on residual demand and with waste charged; wanted (A,) is never below 0."""
    for series in prange(paths.shape[0]):
        demand, due = interval_of(paths[series], leads[series], receipts[series], review[series])
        stock, charge, waste = at_arrival[series], charges[series], waste_cost[series]
        h, p, share, life = holding[series], shortage[series], lost_share[series], in_life[series]
        book = np.empty((4, stock.shape[0]))
        top = max((totals_of(demand) - stock).max(), 0.0)
        wanted[series], lots[series] = 0.0, 0
        several_valleys = len(demand) > 1 and share > 0.0 and (share < 1.0 or stock.min() < 0.0)
        step, low = multiple[series], max(1, fewest[series])
        for turn in range(2):
            # First the units wanted, then the lots that may be ordered.
            unit = min(1.0, step) if turn == 0 else step
            first, last = 0, int(min(np.ceil(top / unit), MOST_LOTS))
            if turn == 1:
                if most[series] < low or top <= 0.0 or (goal != COST and wanted[series] <= 0.0):
                    break
                first, last = low, min(most[series], max(low, last))
            if goal == COST and several_valleys:
                first = last = cheapest_of(
                    first, last, unit, charge, waste, life, demand, due, stock, h, p, share, book
                )
            while first < last:
                middle = (first + last) // 2
                if goal == COST:
                    here = cost_of(middle * unit, charge, waste, life, demand, due, stock, h, p, share, book)
                    more = cost_of(
                        (middle + 1) * unit, charge, waste, life, demand, due, stock, h, p, share, book
                    )
                    done = more - here >= -DUST * (abs(here) + abs(more))
                else:
                    found = expect(demand, due, stock, middle * unit, h, p, share, book)
                    asked = told[series, ASKED]
                    if goal == FILL_RATE:
                        done = found[1] + told[series, BEYOND] <= (1.0 - level) * asked + DUST * asked
                    else:
                        done = goal == CYCLE and found[3] >= level - DUST
                if done:
                    last = middle
                else:
                    first = middle + 1
            if turn == 0:
                wanted[series] = first * unit
                continue
            if goal == COST:
                nothing = cost_of(0.0, charge, waste, life, demand, due, stock, h, p, share, book)
                cost = cost_of(first * unit, charge, waste, life, demand, due, stock, h, p, share, book)
                cost += order_cost[series]
                if cost >= nothing - DUST * (abs(cost) + abs(nothing)):
                    break
            lots[series] = first


@njit(parallel=True, cache=True)
def waste_of_orders(quantity: Floats, in_life: Floats, waste: Floats) -> None:
    """Fill waste (A,), mean units of orders (A,) that expire unsold."""
    for series in prange(len(quantity)):
        waste[series] = wasted_of(quantity[series], in_life[series])
