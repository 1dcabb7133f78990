"""Shared limits: one budget and one volume for all orders of a review.

Every unit is charged the price of what it uses; the prices are raised until the orders fit, each series
deciding on its own again under them. What is left over goes, lot by lot, to where it saves most. What a part
of an order is worth is told by `worth`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.errors import UsageError
from shelfwise.replenish.base import Policy
from shelfwise.replenish.few_series import improve_few
from shelfwise.replenish.figures import waste_figures
from shelfwise.replenish.leftovers import spend_leftovers
from shelfwise.replenish.order_up_to import ScenarioOrderUpTo
from shelfwise.replenish.projection import Projection
from shelfwise.replenish.proportional import cut_evenly
from shelfwise.replenish.situation import Decision, Doubles, Situation
from shelfwise.replenish.situation_build import unit_volumes
from shelfwise.replenish.worth import Worth
from shelfwise.tables.dataset import Dataset

ROUNDS = 8
HALVINGS = 50
PRICE_PRECISION = 1e-6
SAMPLE_ABOVE, SAMPLE_STRIDE = 2000, 10


@dataclass(frozen=True)
class Limit:
    """One shared limit: its name, (N,) what a unit uses of it, and how much there is."""

    name: str
    use: Doubles
    amount: float

    def used(self, quantity: Doubles) -> float:
        """What orders of `quantity` (N,) use."""
        return math.fsum(quantity * self.use)

    def holds(self, quantity: Doubles) -> bool:
        """Whether orders of `quantity` (N,) fit."""
        return self.used(quantity) <= self.amount


def share_limits(
    policy: Policy,
    situation: Situation,
    decision: Decision,
    *,
    budget: float | None = None,
    volume: float | None = None,
    unit_volume: npt.ArrayLike | None = None,
) -> Decision:
    """The decision, cut to shared limits where it breaks them, at the least loss.

    A policy that minimises cost is re-decided under prices of the limits (Lagrange multipliers, found by
    halving). For every other policy its own order is the ceiling and expected lost units, weighed by their
    shortage cost, are what is minimised; without scenarios all orders are cut by one common share.

    Args:
        budget: money for all orders together, of `situation.costs.unit`; None = no limit.
        volume: of `unit_volume`; None = no limit.
        unit_volume: (N,) volume of a unit; unknown (NaN) uses none.

    Returns:
        The same decision if nothing binds; else new quantities, none above before, the figures that depend
        on them, and `shadow_prices`: expected cost saved by one more unit of each limit.

    Raises:
        UsageError: a limit is negative, or `volume` is given without `unit_volume`.

    Literature: Everett (1963), generalized Lagrange multipliers; Hadley and Whitin (1963), the
    budgeted newsvendor.

    Example:
        >>> from shelfwise.replenish.example import small_situation
        >>> policy, situation = ScenarioOrderUpTo(), small_situation()
        >>> share_limits(policy, situation, policy.decide(situation), budget=10.0).quantity
        array([0., 0.])
    """
    limits = _limits(situation, budget, volume, unit_volume)
    broken = [limit for limit in limits if not limit.holds(decision.quantity)]
    if not broken:
        return decision
    rows = np.flatnonzero(decision.quantity > 0)
    ceiling = decision.quantity[rows]
    own = [Limit(limit.name, limit.use[rows], limit.amount) for limit in limits]
    prices: dict[str, float] = {}
    if situation.scenarios is None:
        kept = cut_evenly(situation.take(rows), ceiling, own)
    else:
        projection, cycles = _weighed(policy, situation)
        worth = Worth.of(projection.take(rows), ceiling, cycles[rows])
        kept, prices = _priced(worth, own)
        kept = _filled(worth, kept, own)
        kept = _filled(worth, improve_few(worth, kept, own), own)
    quantity = np.zeros(situation.n_series)
    quantity[rows] = kept
    figures = dict(decision.figures) | {"after_limits": quantity}
    if "expected_cost_with" in figures:
        figures |= figures_with(policy, situation, quantity)
    return replace(decision, quantity=quantity, figures=figures, shadow_prices=prices)


def figures_with(policy: Policy, situation: Situation, quantity: Doubles) -> dict[str, Doubles]:
    """What scenarios say of orders of `quantity` (N,) that are not the policy's own any more."""
    assert isinstance(policy, ScenarioOrderUpTo)  # only it reports expected costs
    projection = policy.project(situation)
    outcome = projection.assess(quantity)
    placed = np.where(quantity > 0, np.asarray(situation.costs.order), 0.0)
    return {
        "expected_lost_with": outcome.lost,
        "expected_cost_with": outcome.cost + placed,
        "expected_end_stock": outcome.left,
        **waste_figures(projection, quantity),
    }


def _limits(
    situation: Situation, budget: float | None, volume: float | None, unit_volume: npt.ArrayLike | None
) -> list[Limit]:
    limits = []
    for name, amount in (("budget", budget), ("volume", volume)):
        if amount is not None and not amount >= 0:
            raise UsageError(f"{name} must be at least 0; got {amount}")
    if budget is not None:
        unit = np.asarray(situation.costs.unit, dtype=np.float64)
        if situation.price_breaks is not None:
            # Whichever break a smaller order comes to, it must not cost more than it was counted for.
            unit = np.maximum(unit, situation.price_breaks.price.max(axis=1))
        limits.append(Limit("budget", unit, budget))
    if volume is not None:
        if unit_volume is None:
            raise UsageError("a volume limit needs the volume of a unit; give items a column `volume`")
        use = np.nan_to_num(np.asarray(unit_volume, dtype=np.float64))
        limits.append(Limit("volume", use, volume))
    return limits


def _weighed(policy: Policy, situation: Situation) -> tuple[Projection, npt.NDArray[np.bool_]]:
    """The projection that tells what a cut costs under the policy's own aim, and who is judged by cycles."""
    if isinstance(policy, ScenarioOrderUpTo) and policy.objective != "service":
        projection = policy.project(situation)
        return projection, projection.by_cycle()
    shortage = np.asarray(situation.costs.shortage)
    projection = Projection.of(
        situation, holding=np.zeros(situation.n_series), shortage=np.where(shortage > 0, shortage, 1.0)
    )
    return projection, np.zeros(situation.n_series, dtype=bool)


def _filled(worth: Worth, kept: Doubles, limits: list[Limit]) -> Doubles:
    """`kept` and what still fits beside it."""
    fuller = spend_leftovers(worth, kept, limits)
    # Running differences carry float dust; only what truly fits is taken.
    return fuller if all(limit.holds(fuller) for limit in limits) else kept


def _priced(worth: Worth, limits: list[Limit]) -> tuple[Doubles, dict[str, float]]:
    """Orders that fit, and the prices that make them; one price after the other until neither moves.

    Raising one price only lowers orders, so the limit priced last holds and the ones before still do.
    """
    prices = np.zeros(len(limits))
    kept = worth.ceiling
    for _ in range(ROUNDS if len(limits) > 1 else 1):
        before = prices.copy()
        for turn in range(len(limits)):
            others = sum(
                (prices[k] * limits[k].use for k in range(len(limits)) if k != turn), np.zeros(len(kept))
            )
            prices[turn], kept = _price_of(worth, limits[turn], others)
        if np.allclose(before, prices, rtol=10 * PRICE_PRECISION, atol=0.0):
            break
    return kept, {limit.name: float(price) for limit, price in zip(limits, prices, strict=True) if price > 0}


def _price_of(worth: Worth, limit: Limit, other_charge: Doubles) -> tuple[float, Doubles]:
    """The least price at which the limit holds, and the orders under it.

    Orders never rise with the price, so a series that decides the same at both ends of the bracket is
    settled and not asked again.
    """

    def decide(price: float, rows: npt.NDArray[np.intp]) -> Doubles:
        return worth.take(rows).choose(price * limit.use[rows] + other_charge[rows])

    everyone = np.arange(len(worth.ceiling))
    guess = 0.0
    if len(everyone) >= SAMPLE_ABOVE:
        # A tenth of the series tells the price well enough to start next to it.
        sample = everyone[::SAMPLE_STRIDE]
        share = replace(limit, use=limit.use[sample], amount=limit.amount * len(sample) / len(everyone))
        guess = _price_of(worth.take(sample), share, other_charge[sample])[0]
    low, at_low, high, at_high = _bracket(lambda price: decide(price, everyone), limit, guess)
    for _ in range(HALVINGS):
        open_rows = np.flatnonzero(at_low != at_high)
        if high - low <= PRICE_PRECISION * high or len(open_rows) == 0:
            break
        middle = 0.5 * (low + high)
        trial = at_high.copy()
        trial[open_rows] = decide(middle, open_rows)
        if limit.holds(trial):
            high, at_high = middle, trial
        else:
            low, at_low = middle, trial
    return high, at_high


def _bracket(
    decide: Callable[[float], Doubles], limit: Limit, guess: float
) -> tuple[float, Doubles, float, Doubles]:
    """A price at which the limit is broken and one at which it holds, each with its orders, around a guess
    (0 = none); both 0 where the limit holds without a price."""
    high = guess if guess > 0.0 else 1.0
    at_high = decide(high)
    if not limit.holds(at_high):
        growth = 1.05 if guess > 0.0 else 4.0
        while not limit.holds(at_high):
            low, at_low, high = high, at_high, high * growth
            at_high = decide(high)
            growth *= growth
        return low, at_low, high, at_high
    for low in (0.95 * high, 0.0) if guess > 0.0 else (0.0,):
        at_low = decide(low)
        if not limit.holds(at_low):
            return low, at_low, high, at_high
        high, at_high = low, at_low
    return high, at_high, high, at_high


@dataclass(frozen=True)
class SharedLimits:
    """What the settings allow all orders of one review together: money, volume, and (N,) volume of a unit."""

    budget: float | None = None
    volume: float | None = None
    unit_volume: Doubles | None = None

    @classmethod
    def of(cls, dataset: Dataset, keys: pl.DataFrame) -> SharedLimits:
        """Of the settings, with `items.volume` for the series in `keys`."""
        limits = dataset.settings.limits
        unit_volume = None if limits.volume is None else unit_volumes(dataset, keys)
        return cls(limits.budget, limits.volume, unit_volume)

    def __bool__(self) -> bool:
        return self.budget is not None or self.volume is not None

    def take(self, rows: npt.NDArray[np.intp]) -> SharedLimits:
        """The same limits, for some of the series."""
        return replace(self, unit_volume=None if self.unit_volume is None else self.unit_volume[rows])

    def apply(self, policy: Policy, situation: Situation, decision: Decision) -> Decision:
        """The decision within the limits; see `share_limits`.

        Orders enlarged for a price break are kept if all orders fit with them, else decided without.
        """
        if not self:
            return decision
        if situation.price_breaks is not None:
            spent = float(situation.price_breaks.cost(decision.quantity).sum())
            use = np.zeros(1) if self.unit_volume is None else np.nan_to_num(self.unit_volume)
            room = math.inf if self.volume is None else self.volume
            if (
                spent <= (math.inf if self.budget is None else self.budget)
                and math.fsum(decision.quantity * use) <= room
            ):
                return decision
            decision = policy.decide(replace(situation, price_breaks=None))
        return share_limits(
            policy, situation, decision, budget=self.budget, volume=self.volume, unit_volume=self.unit_volume
        )
