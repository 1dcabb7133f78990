"""`replay`: several policies on one and the same demand, deciding at each review with what was known then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Panel
from shelfwise.forecast.scenarios import Scenarios
from shelfwise.replenish.base import Policy
from shelfwise.replenish.limits import SharedLimits
from shelfwise.replenish.situation import Situation
from shelfwise.simulate.costs import Costs
from shelfwise.simulate.ledger import Ledger
from shelfwise.simulate.run import simulate
from shelfwise.simulate.state import StockState
from shelfwise.simulate.terms import SupplyTerms

Doubles = npt.NDArray[np.float64]
# What was known at the start of bucket t of the window: the panel, and scenarios if any policy needs them.
Knowledge = Callable[[int], tuple[Panel, Scenarios | None]]


@dataclass(frozen=True)
class Shop:
    """Everything about N series that does not change during a replay."""

    terms: SupplyTerms
    costs: Costs
    lead_time_sd: Doubles
    margin: Doubles | None = None
    limits: SharedLimits = field(default_factory=SharedLimits)

    @property
    def operating_costs(self) -> Costs:
        """Costs without the goods themselves: what is bought and not yet sold is stock, not loss."""
        return Costs(self.costs.holding, self.costs.shortage, self.costs.order)

    def take(self, rows: npt.NDArray[Any]) -> Shop:
        """Only the series in `rows`."""
        return Shop(
            self.terms.take(rows),
            self.costs.take(rows),
            self.lead_time_sd[rows],
            None if self.margin is None else self.margin[rows],
            self.limits.take(rows),
        )


class _OpenOrders:
    """Orders of all policies that are not received yet, by promised and by true arrival."""

    def __init__(self, state: StockState, n_policies: int) -> None:
        self.start = state.pipeline
        self.n_policies = n_policies
        self.placed: list[tuple[Doubles, npt.NDArray[np.int64], npt.NDArray[np.int64]]] = []

    def place(
        self, quantity: Doubles, promised: npt.NDArray[np.int64], arrives: npt.NDArray[np.int64]
    ) -> None:
        """Remember (N, P) orders with (N,) bucket promised and bucket of arrival."""
        self.placed.append((quantity, promised, arrives))

    def due(self, t: int, depth: int) -> Doubles:
        """(N, P, depth + 1) units due 0 … depth - 1 buckets after t (late ones in 0), then those after."""
        n = self.start.shape[0]
        out = np.zeros((n, self.n_policies, depth + 1))
        for column in range(t, self.start.shape[1]):
            out[:, :, min(column - t, depth)] += self.start[:, column, None]
        series = np.arange(n)
        for quantity, promised, arrives in self.placed:
            open_ = arrives >= t
            slot = np.clip(promised - t, 0, depth)
            out[series[open_], :, slot[open_]] += quantity[open_]
        return out


def _orders(
    policy: Policy, situation: Situation, limits: SharedLimits, reviewing: npt.NDArray[np.bool_]
) -> Doubles:
    """(N,) orders of the series under review, which alone share the limits of this review."""
    # A rule of thumb may learn its season from the whole shop; on scenarios every series decides for itself.
    if not limits and (reviewing.all() or not policy.needs_scenarios):
        return np.where(reviewing, policy.decide(situation).quantity, 0.0)
    rows = np.flatnonzero(reviewing)
    some = situation.take(rows)
    orders = np.zeros(situation.n_series)
    orders[rows] = limits.take(rows).apply(policy, some, policy.decide(some)).quantity
    return orders


def replay(
    demand: npt.NDArray[np.float32],
    knowledge: Knowledge,
    policies: Mapping[str, Policy],
    shop: Shop,
    start: StockState,
    lead_times: npt.NDArray[np.int32] | None = None,
) -> Ledger:
    """Run every policy from the same stock on the same demand.

    Args:
        demand: (N, T) what customers wanted in each bucket of the window.
        knowledge: t -> the panel as it stood at the start of bucket t (no later row in it) and the
            scenarios made from it.
        policies: P policies by name.
        shop: terms and costs.
        start: stock and pipeline at the start of the window.
        lead_times: (N, T) true lead time of an order placed in each bucket; the promised ones if None.

    Returns:
        `Ledger` with one path a policy, in the order of `policies`, with every bucket recorded.
    """
    n, buckets = demand.shape
    terms = shop.terms
    names = list(policies)
    shared = np.repeat(demand[:, None, :], len(names), axis=1)
    true_lead = (
        np.repeat(terms.lead_time_buckets[:, None], buckets, axis=1) if lead_times is None else lead_times
    )
    open_orders = _OpenOrders(start, len(names))
    depth = int(terms.lead_time_buckets.max(initial=0) + terms.review_period_buckets.max(initial=1)) + 1

    def decide(t: int, position: Doubles, on_hand: Doubles, on_order: Doubles) -> Doubles:
        panel, scenarios = knowledge(t)
        due = open_orders.due(t, depth)
        backorders = on_hand + on_order - position
        reviewing = (t >= terms.first_review) & ((t - terms.first_review) % terms.review_period_buckets == 0)
        wanted = np.zeros((n, len(names)))
        for p, name in enumerate(names):
            situation = Situation(
                panel=panel,
                scenarios=scenarios if policies[name].needs_scenarios else None,
                on_hand=on_hand[:, p],
                backorders=backorders[:, p],
                receipts=due[:, p, :depth],
                receipts_later=due[:, p, depth],
                terms=terms,
                costs=shop.costs,
                lead_time_sd=shop.lead_time_sd,
                margin=shop.margin,
            )
            wanted[:, p] = _orders(policies[name], situation, shop.limits, reviewing)
        promised = t + terms.lead_time_buckets.astype(np.int64)
        open_orders.place(wanted, promised, t + true_lead[:, t].astype(np.int64))
        return wanted

    draws: Any = None if lead_times is None else lead_times
    return simulate(shared, terms, shop.operating_costs, start, decide, lead_times=draws, record="ledger")
