"""Orders of a shop whose places supply each other: shops first, then those they order from, then what can be sent."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shelfwise.replenish.base import Policy
from shelfwise.replenish.induced_shortage import induced_shortage
from shelfwise.replenish.internal_supply import InternalSupply, Rows
from shelfwise.replenish.limits import SharedLimits, figures_with
from shelfwise.replenish.order_up_to import ScenarioOrderUpTo
from shelfwise.replenish.rationing import free_upstream, ration
from shelfwise.replenish.situation import Decision, Doubles, Situation


def decide_inside(
    policy: Policy, situation: Situation, supply: InternalSupply, limits: SharedLimits
) -> tuple[Situation, Decision]:
    """The decision on N series, and the situation with the orders of dependents in the demand it was made on.

    Level by level upwards, each place decides with the orders of those below it as demand, if the policy decides on
    scenarios. Shared limits hold for orders from outside. Last, what a place has is rationed among those that
    order from it; of its own order that is only what takes no time.
    """
    situation = customers = _without_guesses(situation, supply)
    decision = policy.decide(situation)
    short = np.array(
        policy.shortage(situation) if isinstance(policy, ScenarioOrderUpTo) else situation.costs.shortage
    )
    expected = np.full(situation.n_series, np.nan)
    if policy.needs_scenarios:
        for level in range(1, int(supply.level.max(initial=0)) + 1):
            rows = np.flatnonzero(supply.level == level)
            situation, expected[rows] = supply.with_dependents(situation, decision.quantity, rows)
            expiring = decision.figures.get("expected_waste_stock", np.zeros(situation.n_series))
            for row in rows:
                short[row] = induced_shortage(
                    customers, situation, supply, int(row), short, np.nan_to_num(expiring)
                )
            situation = _judged_by(situation, short, rows)
            decision = _merged(decision, policy.decide(situation.take(rows)), rows)
    outside = np.flatnonzero(~supply.inside)
    bought = limits.take(outside).apply(policy, situation.take(outside), _taken(decision, outside))
    decision = _merged(decision, bought, outside)
    sent = ration(situation, customers, supply, decision.quantity)
    free = free_upstream(customers, sent)
    figures = {
        **decision.figures,
        **(figures_with(policy, situation, sent) if "expected_cost_with" in decision.figures else {}),
        "after_limits": decision.quantity,
        "dependents_demand": expected,
        "requested": np.where(supply.inside, decision.quantity, np.nan),
        "upstream_free": np.where(supply.inside, free[supply.upstream], np.nan),
    }
    return situation, replace(decision, quantity=sent, figures=figures)


def _judged_by(situation: Situation, short: Doubles, rows: Rows) -> Situation:
    """The situation with `short` (N,) as what a unit short costs at `rows`, its margin included."""
    shortage = np.array(situation.costs.shortage)
    shortage[rows] = short[rows]
    margin = None if situation.margin is None else np.array(situation.margin)
    if margin is not None:
        margin[rows] = 0.0
    return replace(situation, costs=replace(situation.costs, shortage=shortage), margin=margin)


def _without_guesses(situation: Situation, supply: InternalSupply) -> Situation:
    """No customers' demand where others order and nothing was ever sold: a warehouse is no newcomer to be guessed."""
    if situation.scenarios is None:
        return situation
    never = np.nan_to_num(situation.panel.sold).sum(axis=1) <= 0
    rows = np.flatnonzero(never & (supply.level > 0))
    if not len(rows):
        return situation
    paths = situation.scenarios.paths.copy()
    paths[rows] = 0.0
    return replace(situation, scenarios=replace(situation.scenarios, paths=paths, expected=None))


def _taken(decision: Decision, rows: Rows) -> Decision:
    figures = {name: values[rows] for name, values in decision.figures.items()}
    return Decision(decision.raw[rows], decision.quantity[rows], figures)


def _merged(whole: Decision, part: Decision, rows: Rows) -> Decision:
    """`whole` with the series in `rows` decided as in `part`."""
    raw, quantity = whole.raw.copy(), whole.quantity.copy()
    raw[rows], quantity[rows] = part.raw, part.quantity
    figures = {}
    for name, values in whole.figures.items():
        figures[name] = values.copy()
        figures[name][rows] = part.figures.get(name, np.full(len(rows), np.nan))
    return Decision(raw, quantity, figures, {**whole.shadow_prices, **part.shadow_prices})
