"""What a place can send when more is ordered from it than it has: shared by what a unit is expected to earn."""

from __future__ import annotations

import numpy as np

from shelfwise.replenish.internal_supply import InternalSupply, Rows
from shelfwise.replenish.situation import Doubles, Situation
from shelfwise.replenish.two_echelon.allocation import allocate
from shelfwise.simulate.lots import round_lots

DUST = 1e-9


def free_upstream(situation: Situation, ordered: Doubles) -> Doubles:
    """(N,) units a place can send now: on hand and arriving at once, less what it owes its customers.

    Of its own order, one of `ordered` (N,), only what surely takes no time counts.
    """
    now = situation.receipts[:, 0] if situation.receipts.shape[1] else 0.0
    at_once = (np.asarray(situation.terms.lead_time_buckets) == 0) & (situation.lead_time_sd <= 0.0)
    own = np.where(at_once, ordered, 0.0)
    return np.maximum(situation.on_hand + now + own - situation.backorders, 0.0)


def ration(situation: Situation, customers: Situation, supply: InternalSupply, quantity: Doubles) -> Doubles:
    """(N,) the orders of `quantity` (N,) that can be sent: all of them if there is enough, else shared.

    Where a place has less than is ordered from it and its own customers are expected to want until its next review, it is
    shared by `allocate`: each lot goes where it earns most over lead time and review period, the place's own
    customers among those who want it. Nobody gets more than ordered, nor less than his minimum, save nothing: where
    shares fall below minimums, who is furthest below his goes without, and it is shared again among the rest.

    Args:
        situation: of N series; orders from outside are left as they are.
        customers: the same with the demand of customers alone.
    """
    sent = quantity.copy()
    # From the top down: what a place is sent without delay it can send on.
    for row in sorted(np.unique(supply.upstream[supply.inside]), key=lambda row: -int(supply.level[row])):
        asking = supply.dependents(int(row))
        asking = asking[quantity[asking] > 0]
        free = float(free_upstream(situation, sent)[row])
        while len(asking):
            share = _shared(situation, customers, int(row), asking, quantity[asking], free)
            part = share / _minimum(situation, asking)
            sent[asking] = np.where(part >= 1.0 - DUST, share, 0.0)
            below = np.flatnonzero((share > 0.0) & (part < 1.0 - DUST))
            if not len(below):
                break
            asking = np.delete(asking, below[np.argmin(part[below])])
    return sent


def _minimum(situation: Situation, rows: Rows) -> Doubles:
    """(K,) the smallest order of each row."""
    step = np.asarray(situation.terms.multiple)[rows]
    return np.asarray(round_lots(np.minimum(step, 1.0), np.asarray(situation.terms.moq)[rows], step))


def _shared(
    situation: Situation, customers: Situation, row: int, asking: Rows, wanted: Doubles, free: float
) -> Doubles:
    """(K,) units in whole lots for the K rows `asking` for `wanted` from `row`, which has `free`; no minimum holds."""
    own = _window(customers, row, 0)
    if wanted.sum() + (own.mean() if own is not None else 0.0) <= free * (1.0 + DUST):
        return wanted
    everyone = np.append(asking, row) if own is not None and own.any() else asking
    terms, costs = situation.terms, customers.costs
    lead = np.asarray(terms.lead_time_buckets)
    demand, position = [], []
    for place in everyone:
        window = own if place == row else _window(situation, int(place), int(lead[place]))
        if window is None:
            # Without scenarios all that is ordered counts alike.
            window = np.full(1, situation.position[place] + quantity_of(wanted, asking, int(place)))
        demand.append(window)
        position.append(0.0 if place == row else float(situation.position[place]))
    samples, at = np.stack(np.broadcast_arrays(*demand)), np.array(position)
    most = np.append(wanted, np.inf)[: len(everyone)]
    multiple = np.where(everyone == row, 1.0, np.asarray(terms.multiple)[everyone])
    got, open_ = np.zeros(len(everyone)), np.ones(len(everyone), dtype=bool)
    left = free
    while open_.any():
        shared = allocate(
            [left], at[open_][None], samples[open_][None], multiple=multiple[open_][None],
            holding=np.asarray(costs.holding)[everyone[open_]][None],
            shortage=np.maximum(np.asarray(costs.shortage)[everyone[open_]], DUST)[None],
            # A unit kept back earns nothing until the next review, so what is worth anything leaves.
            holding_upstream=float(np.asarray(costs.holding)[row]),
        ).shipped[0]  # fmt: skip
        full = shared > most[open_] + DUST
        got[open_] = np.minimum(shared, most[open_])
        if not full.any():
            break
        # Who gets all he asked for is served, and the rest is shared again among the others.
        filled = np.flatnonzero(open_)[full]
        left = max(left - float(most[filled].sum()), 0.0)
        open_[filled] = False
        got[open_] = 0.0
    step = np.asarray(terms.multiple)[asking]
    return np.asarray(np.floor(got[: len(asking)] / step + DUST) * step)


def quantity_of(wanted: Doubles, asking: Rows, place: int) -> float:
    """What one of those asking wants."""
    return float(wanted[np.flatnonzero(asking == place)[0]])


def _window(situation: Situation, row: int, lead: int) -> Doubles | None:
    """(S,) demand of a series over lead time and review period; None without scenarios."""
    if situation.scenarios is None:
        return None
    review = int(np.asarray(situation.terms.review_period_buckets)[row])
    return np.asarray(situation.scenarios.paths[row, :, : lead + review].sum(axis=1, dtype=np.float64))
