"""What a unit missing upstream costs: less than one missing in a shop, for the shops' own stock stands before it."""

from __future__ import annotations

import numpy as np

from shelfwise.replenish.internal_supply import InternalSupply
from shelfwise.replenish.shortage_weight import CARRIED_HOLDING
from shelfwise.replenish.situation import Doubles, Situation

PRICES = 65
HALVINGS = 50


def induced_shortage(
    customers: Situation,
    asked: Situation,
    supply: InternalSupply,
    row: int,
    shortage: Doubles,
    expiring: Doubles,
) -> float:
    """Shortage cost under which the place at `row` orders what the whole of it and its dependents needs.

    The order of least cost for the echelon, scenario by scenario: when it arrives, what then is there and below is shared
    among the dependents (and the place's own customers) at one price, and the mean price of a unit must be what holding
    it for a review costs (Clark and Scarf 1960; shared as if stock could still be moved, Eppen and Schrage 1981).
    The share of scenarios in which that order meets all that is ordered here is the service level of the place, and the
    cost is the one that implies it.

    Args:
        customers: the situation with the demand each place has from outside, `asked` with the orders of dependents added.
        shortage: (N,) what a unit short costs, of the places below as induced already.
        expiring: (N,) units of the position that are expected to be wasted, and so serve nobody.
    """
    # Asked for by policies on scenarios alone.
    assert customers.scenarios is not None
    assert asked.scenarios is not None
    terms, costs = customers.terms, customers.costs
    own, everything = customers.scenarios.paths, asked.scenarios.paths
    holding, most = float(costs.holding[row]), float(shortage[row])
    below = supply.dependents(row)
    lead, review = (np.asarray(part) for part in (terms.lead_time_buckets, terms.review_period_buckets))
    if holding <= 0.0 or not len(below):
        return most
    # The place's own customers are one more to share with, who wait for nothing.
    sources = [everything[place, :, : lead[place] + review[place]] for place in below]
    sources.append(own[row, :, : review[row]])
    windows = [np.sort(part.sum(axis=1, dtype=np.float64)) for part in sources]
    extra = np.append(np.maximum(costs.holding[below] - holding, 0.0) * review[below], holding * review[row])
    # As in `shortage_weight`, with the orders on their way to both places.
    on_their_way = (lead[row] + lead[below]) / review[below]
    weight = 1.0 / (1.0 + CARRIED_HOLDING * np.asarray(terms.lost_share)[below] * on_their_way)
    short = np.append(shortage[below] * weight, most)
    prices = np.linspace(0.0, float(short.max()), PRICES)
    wanted = np.zeros(PRICES)
    for window, kept, missed in zip(windows, extra, short, strict=True):
        ratio = np.clip((missed - prices) / max(missed + kept, 1e-300), 0.0, 1.0)
        wanted += np.interp(ratio, np.linspace(0.0, 1.0, len(window)), window)
    until = lead[row]
    used = own[row, :, :until].sum(axis=1, dtype=np.float64)
    reach = until + review[row]
    for place in below:
        # The last order of a dependent that this one can serve is placed at its last review before the next arrives.
        last = (reach - 1) // review[place] * review[place]
        used += everything[place, :, :last].sum(axis=1, dtype=np.float64)
    net = float((customers.on_hand - customers.backorders)[row] + customers.receipts[row, :reach].sum())
    there = net + float((customers.position - expiring)[below].sum()) - used
    worth = holding * review[row]
    low, high = -float(np.abs(there).max()) - 1.0, float(wanted[0] + np.abs(there).max()) + 1.0
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if np.interp(there + middle, wanted[::-1], prices[::-1]).mean() > worth:
            low = middle
        else:
            high = middle
    needed: Doubles = everything[row, :, :reach].sum(axis=1, dtype=np.float64)
    served = float(np.clip((needed <= net + high).mean(), 0.0, 1.0 - 0.5 / len(needed)))
    return float(min(holding * review[row] * served / (1.0 - served), float(short.max())))
