"""`ScenarioOrderUpTo`: the order that earns its keep across the scenarios. The default policy."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np

from shelfwise.errors import UsageError
from shelfwise.forecast.scenarios import Scenarios
from shelfwise.replenish.adaptation.factors import DEFAULT, Factors
from shelfwise.replenish.aged_projection import AgedProjection
from shelfwise.replenish.base import Policy
from shelfwise.replenish.figures import common_figures, scenario_figures, waste_figures
from shelfwise.replenish.price_breaks import with_breaks
from shelfwise.replenish.projection import Goal, Projection
from shelfwise.replenish.shortage_weight import shortage_weight
from shelfwise.replenish.situation import Decision, Doubles, Situation
from shelfwise.simulate.costs import Costs
from shelfwise.simulate.lots import round_lots

Objective = Literal["cost", "profit", "service"]
SERVICE_GOALS: dict[str, Goal] = {"fill_rate": "fill_rate", "cycle": "cycle"}


class ScenarioOrderUpTo(Policy):
    """Of all quantities the supplier accepts, the one of least expected cost, or the least that serves.

    Stock is carried through the lead time in each scenario, with dated receipts and with sales lost or
    owed as the terms say. What is then judged are the R buckets this order is the last one able to serve.

    Args:
        objective: ``cost``: holding and shortage, and the order cost once; ``profit``: the same with
            the margin of the unit added to the shortage; ``service``: the smallest order that
            reaches `service_level`.
        service_level: share between 0 and 1, used by ``service`` alone.
        kind: ``fill_rate`` (share of units served from stock) or ``cycle`` (share of scenarios in
            which every bucket is served in full).
        seed: of the drawn lead times, where they are random.

    Raises:
        UsageError: an unknown objective or kind, a level outside (0, 1); on `decide`: no scenarios, scenarios
            that are too short, or ``profit`` without margins.

    Literature: the sample-average newsvendor (Levi, Roundy and Shmoys 2007) on top of a projection
    through the lead time, which is Morton's (1971) myopic policy for lost sales with sampled demand.

    Example:
        >>> import numpy as np
        >>> from shelfwise.replenish.example import small_situation
        >>> decision = ScenarioOrderUpTo().decide(small_situation())
        >>> decision.quantity
        array([6., 0.])
    """

    name: ClassVar[str] = "order_up_to"

    def __init__(
        self,
        objective: Objective = "cost",
        service_level: float = 0.95,
        kind: Literal["fill_rate", "cycle"] = "fill_rate",
        seed: int = 0,
        factors: Factors = DEFAULT,
    ) -> None:
        if objective not in ("cost", "profit", "service"):
            raise UsageError(f"objective must be cost, profit or service; got {objective!r}")
        if kind not in SERVICE_GOALS:
            raise UsageError(f"kind must be fill_rate or cycle; got {kind!r}")
        if not 0.0 < service_level < 1.0:
            raise UsageError(f"service_level must lie between 0 and 1, both excluded; got {service_level}")
        for name, value in (("shortage", factors.shortage), ("spread", factors.spread)):
            if not 0.0 < value < np.inf:
                raise UsageError(f"the {name} factor must be above 0 and finite; got {value}")
        self.objective = objective
        self.service_level = service_level
        self.kind = kind
        self.seed = seed
        self.factors = factors

    def with_factors(self, factors: Factors) -> ScenarioOrderUpTo:
        """The same policy with other factors."""
        return ScenarioOrderUpTo(self.objective, self.service_level, self.kind, self.seed, factors)

    def decide(self, situation: Situation) -> Decision:
        """The orders for this review."""
        projection = self.project(situation)
        goal: Goal = SERVICE_GOALS[self.kind] if self.objective == "service" else "cost"
        wanted, quantity = projection.choose(goal, self.service_level)
        level = self._service_target(projection)
        steps = self._lot_steps(projection, goal, quantity)
        if isinstance(projection, AgedProjection):
            steps["without_shelf_life"] = projection.as_if_kept(goal, self.service_level)
        if goal == "cost":
            wanted, quantity, steps = self._by_cycle(projection, wanted, quantity, steps)
            if situation.price_breaks is not None:
                quantity, steps = _by_price(projection, quantity, steps)
        figures = {
            **common_figures(situation, wanted, quantity, dated=True),
            **scenario_figures(projection, quantity, level),
            **waste_figures(projection, quantity),
        }
        if isinstance(projection, AgedProjection):
            # What will have expired by then counts towards nothing, and is not above any target.
            counted = figures["counted_position"] - np.nan_to_num(figures["expected_waste_stock"])
            target = np.where(wanted > 0, counted + wanted, np.minimum(figures["target"], counted))
            expiring = figures["expected_waste_stock"] > 0
            figures["counted_position"] = counted
            figures["target"] = np.where(expiring, target, figures["target"])
        figures["safety_stock"] = figures["target"] - figures["demand_protection"]
        return Decision(np.maximum(wanted, 0.0), quantity, figures | steps)

    def _by_cycle(
        self, projection: Projection, wanted: Doubles, quantity: Doubles, steps: dict[str, Doubles]
    ) -> tuple[Doubles, Doubles, dict[str, Doubles]]:
        """Where an order outlasts a review, whole cycles are judged and not a review alone."""
        rows = np.flatnonzero(projection.by_cycle())
        if not len(rows):
            return wanted, quantity, steps
        part = projection.take(rows)
        terms = part.situation.terms
        batch, in_lots = part.choose_by_cycle()
        due = batch > 0
        after_moq = round_lots(in_lots, terms.moq, terms.multiple)
        after_max = round_lots(in_lots, terms.moq, terms.multiple, terms.max_quantity)
        fee = np.asarray(part.situation.costs.order) > 0
        # What one review alone would want is still worth telling where no order is due yet, and where the
        # supplier's lots alone make the order larger than that.
        wanted[rows] = np.where(due & (fee | (wanted[rows] <= 0)), batch, wanted[rows])
        quantity[rows] = np.where(due, after_max, 0.0)
        steps["after_multiple"][rows] = np.where(due & fee, in_lots, steps["after_multiple"][rows])
        if "without_shelf_life" in steps:
            # How long the goods keep is one of the things the cycle was chosen by.
            steps["without_shelf_life"][rows] = np.nan
        for name, value in (("after_moq", after_moq), ("after_max", after_max)):
            steps[name][rows] = np.where(due, value, 0.0)
        return wanted, quantity, steps

    def project(self, situation: Situation) -> Projection:
        """Stock through the lead time, and what a unit short is judged by."""
        factor = np.full(situation.n_series, self.factors.shortage)
        if situation.scenarios is not None and self.factors.spread != 1.0:
            situation = replace(situation, scenarios=spread_out(situation.scenarios, self.factors.spread))
        plain = Projection.of(
            situation,
            shortage=self.shortage(situation),
            weight=factor * shortage_weight(situation.terms),
            cycle_weight=factor,
            seed=self.seed,
        )
        return AgedProjection.over(plain, situation)

    def shortage(self, situation: Situation) -> Doubles:
        """(N,) what a unit short costs under this objective."""
        return self.judged_cost(situation.costs, situation.margin)

    def judged_cost(self, costs: Costs, margin: Doubles | None) -> Doubles:
        """(N,) what a unit short costs under this objective, of series with these costs and margins."""
        shortage = np.asarray(costs.shortage)
        if self.objective != "profit":
            return shortage
        if margin is None:
            raise UsageError(
                'objective "profit" needs the margin of each series; give items a price and a unit_cost'
            )
        return np.maximum(shortage + np.nan_to_num(margin), 0.0)

    def _lot_steps(self, projection: Projection, goal: Goal, quantity: Doubles) -> dict[str, Doubles]:
        """The best order with whole multiples alone, then with the MOQ and the order cost, then with all.

        Only series that have such a rule are decided again.
        """
        terms, costs = projection.situation.terms, projection.situation.costs
        after_multiple, after_moq = quantity.copy(), quantity.copy()
        moq, multiple, most = (
            np.asarray(terms.moq),
            np.asarray(terms.multiple),
            np.asarray(terms.max_quantity),
        )
        rows = np.flatnonzero((moq > multiple) | np.isfinite(most) | (np.asarray(costs.order) > 0))
        if len(rows):
            part, none = projection.take(rows), np.zeros(len(rows))
            free = np.full(len(rows), np.inf)
            after_moq[rows] = part.choose(goal, self.service_level, ceiling=free)[1]
            after_multiple[rows] = part.choose(
                goal, self.service_level, ceiling=free, moq=none, order_cost=none
            )[1]
        return {"after_multiple": after_multiple, "after_moq": after_moq, "after_max": quantity}

    def _service_target(self, projection: Projection) -> Doubles:
        """(N,) the level asked for, or the one that the costs imply: shortage / (shortage + holding)."""
        if self.objective == "service":
            return np.full(projection.situation.n_series, self.service_level)
        return critical_ratio(projection.judged, projection.holding)


def _by_price(
    projection: Projection, quantity: Doubles, steps: dict[str, Doubles]
) -> tuple[Doubles, dict[str, Doubles]]:
    """Where a price break pays, orders that take it."""
    after = with_breaks(projection, quantity)
    changed = after != quantity
    told = {name: np.where(changed, after, steps[name]) for name in ("after_moq", "after_max")}
    return after, steps | told | {"without_price_break": np.where(changed, quantity, np.nan)}


def spread_out(scenarios: Scenarios, spread: float) -> Scenarios:
    """Scenarios whose distance from their mean is multiplied, cut at 0."""
    mean = scenarios.paths.mean(axis=1, keepdims=True, dtype=np.float64).astype(np.float32)
    paths = np.maximum(mean + np.float32(spread) * (scenarios.paths - mean), np.float32(0))
    return replace(scenarios, paths=paths)


def critical_ratio(shortage: Doubles, holding: Doubles) -> Doubles:
    """(N,) shortage / (shortage + holding), the newsvendor's service level; 0 where both are free.

    Example:
        >>> critical_ratio(np.array([4.0, 0.0]), np.array([1.0, 0.0]))
        array([0.8, 0. ])
    """
    both = shortage + holding
    return np.divide(shortage, both, out=np.zeros_like(both), where=both > 0)
