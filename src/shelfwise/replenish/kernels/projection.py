"""Stock through the lead time, and what an order then costs, scenario by scenario.

The order of events and the way costs are counted are the simulator's: receive, serve (what is owed
first), lose `lost_share` of what finds no stock, then count. A *net stock* carries both sides: above 0
it is on hand, below 0 it is owed. `choice`, `cycle` and `cycle_worth` compile these rules into their own cache,
which notices changes of its own file only: after a change here, touch those three.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

Floats = npt.NDArray[np.float64]
Paths = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]


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
def totals_of(demand: Floats) -> Floats:
    """(S,) demand of all buckets together, of (R, S)."""
    totals = np.zeros(demand.shape[1])
    for bucket in range(demand.shape[0]):
        totals += demand[bucket]
    return totals


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
