"""A perishable item with lost sales: any policy's exact discounted cost, and the optimum.

Literature: De Moor, Gijsbrechts and Boute (2022), "Reward shaping to improve the performance of deep reinforcement
learning in perishable inventory management", European Journal of Operational Research 301(2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from shelfwise.errors import ShelfwiseError, UsageError
from shelfwise.replenish.exact.chain import Floats, Ints, Outcome, States, explore
from shelfwise.replenish.exact.discrete import Pmf, checked_pmf

DecisionRule = Callable[[States], npt.ArrayLike]
LARGEST_BOX = 3_000_000
LARGEST_STEPS = 10_000


@dataclass(frozen=True, eq=False)
class Perishable:
    """One item, reviewed every bucket, that keeps for a fixed number of buckets; unmet demand is lost.

    A state is (on hand with 1, 2, …, m buckets of life left, due in 1, …, L - 1) in whole units when the order
    of the bucket is decided. A unit that arrives in bucket t serves until the end of bucket t + m - 1; what is
    then left of it is waste. Holding is paid on what is left and not waste.

    Args:
        demand: pmf of a bucket's demand; shelf_life_buckets: m; lead_time_buckets: L; both at least 1.
        holding_cost, shortage_cost, waste_cost, unit_cost: per unit left, lost, wasted, ordered.
        issuing: which age is sold first, the oldest (``"fifo"``) or the freshest (``"lifo"``).
        largest_order: units at once. discount: worth of a bucket's money one bucket earlier, below 1.

    Raises:
        UsageError: a value breaks its rule.
    """

    demand: Pmf
    shelf_life_buckets: int
    lead_time_buckets: int
    holding_cost: float
    shortage_cost: float
    waste_cost: float
    unit_cost: float
    issuing: Literal["fifo", "lifo"]
    largest_order: int
    discount: float = 0.99

    def __post_init__(self) -> None:
        object.__setattr__(self, "demand", checked_pmf(self.demand))
        for name, least in (("shelf_life_buckets", 1), ("lead_time_buckets", 1), ("largest_order", 1)):
            if getattr(self, name) < least:
                raise UsageError(f"{name} must be at least {least}; got {getattr(self, name)}")
        for name in ("holding_cost", "shortage_cost", "waste_cost", "unit_cost"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise UsageError(f"{name} must be a number of at least 0; got {value}")
        if self.issuing not in ("fifo", "lifo"):
            raise UsageError(f"issuing must be 'fifo' or 'lifo'; got {self.issuing!r}")
        if not 0 < self.discount < 1:
            raise UsageError(f"discount must lie between 0 and 1, both excluded; got {self.discount}")

    @property
    def axes(self) -> int:
        """Numbers in a state."""
        return self.shelf_life_buckets + self.lead_time_buckets - 1

    def after_demand(self, states: States, demand: Ints) -> tuple[States, Floats]:
        """The next states (M, A) if `demand` (M,) is asked for and nothing ordered, and what the bucket cost (M,).

        What was ordered in the bucket is still to be added to the last number of the next state.
        """
        life = self.shelf_life_buckets
        stock = states[:, :life]
        short = demand[:, None]
        if self.issuing == "fifo":
            first = np.cumsum(stock, axis=1)
        else:
            first = np.cumsum(stock[:, ::-1], axis=1)[:, ::-1]
        left = np.minimum(stock, np.maximum(first - short, 0))
        lost = np.maximum(demand - stock.sum(axis=1), 0)
        cost = (
            self.shortage_cost * lost
            + self.waste_cost * left[:, 0]
            + self.holding_cost * left[:, 1:].sum(axis=1)
        )
        nothing = np.zeros((len(states), 1), dtype=np.int64)
        return np.concatenate([left[:, 1:], states[:, life:], nothing], axis=1), cost


@dataclass(frozen=True, eq=False)
class PerishableOptimum:
    """An optimal policy of the endless discounted problem: `orders` (M,) by state, `values` (M,) its cost from there.

    Called with states (K, A) it answers the best orders.
    """

    largest_order: int
    orders: Ints
    values: Floats

    def __call__(self, states: States) -> Ints:
        if int(states.max(initial=0)) > self.largest_order:
            raise UsageError(
                f"the optimum knows at most {self.largest_order} units of an age; got {int(states.max())}"
            )
        answer: Ints = self.orders[states @ _weights(states.shape[1], self.largest_order)]
        return answer


def perishable_cost(
    model: Perishable, decide: DecisionRule, *, warm_up_buckets: int = 100, counted_buckets: int = 365
) -> float:
    """The expected discounted cost of the counted buckets, begun empty a warm-up earlier; exact, no simulation.

    The first counted bucket is not discounted. A published return is this with the sign turned.

    Args:
        decide: states (M, A), laid out as `Perishable` says, to whole orders (M,) of at most `largest_order`.

    Raises:
        UsageError: an order is not whole, negative or above the largest.

    Example:
        >>> from shelfwise.replenish.exact.discrete import rounded_gamma_pmf
        >>> model = Perishable(rounded_gamma_pmf(4.0, 0.5), 2, 1, 1.0, 5.0, 7.0, 3.0, "lifo", 10)
        >>> round(perishable_cost(model, lambda states: np.clip(5 - states.sum(axis=1), 0, 10)))
        1565
    """

    def expand(states: States) -> Outcome:
        orders = _checked(decide(states), states, model.largest_order)
        values = np.flatnonzero(model.demand)
        row = np.repeat(np.arange(len(states)), len(values))
        chance = np.tile(model.demand[values], len(states))
        ahead, cost = model.after_demand(states[row], np.tile(values, len(states)))
        ahead[:, -1] += orders[row]
        spent = np.bincount(row, cost * chance, len(states)) + model.unit_cost * orders
        return Outcome(spent, row, ahead, chance)

    chain = explore(np.zeros(model.axes), expand)
    where = np.zeros(len(chain.cost))
    where[0] = 1.0
    for _ in range(warm_up_buckets):
        where = chain.transition.T @ where
    total = 0.0
    for bucket in range(counted_buckets):
        total += model.discount**bucket * float(where @ chain.cost)
        where = chain.transition.T @ where
    return total


def perishable_optimum(model: Perishable, *, tolerance: float = 1e-8) -> PerishableOptimum:
    """The policy of least discounted cost, by value iteration with MacQueen's bounds (1966).

    Args:
        tolerance: largest gap of the bounds as a share of the value.

    Raises:
        UsageError: more than 3 million states.

    Example:
        >>> from shelfwise.replenish.exact.discrete import rounded_gamma_pmf
        >>> model = Perishable(rounded_gamma_pmf(4.0, 0.5), 2, 1, 1.0, 5.0, 7.0, 3.0, "lifo", 10)
        >>> round(perishable_cost(model, perishable_optimum(model)))
        1553
    """
    from shelfwise.replenish.exact.kernels.perishables import follow, improve

    size = model.largest_order + 1
    if size**model.axes > LARGEST_BOX:
        raise UsageError(
            f"this perishable has {size}^{model.axes} states, more than {LARGEST_BOX:,}; take larger units or simulate"
        )
    weights = _weights(model.axes, model.largest_order)
    states = np.arange(size**model.axes)[:, None] // weights % size
    # Demand beyond all stock there can be costs more, but leads to the same state.
    most = min(len(model.demand) - 1, model.largest_order * model.shelf_life_buckets)
    chance = np.append(model.demand[:most], model.demand[most:].sum())
    ahead = np.empty((len(states), most + 1), dtype=np.int32)
    cost = np.zeros(len(states))
    for demand in range(len(model.demand)):
        later, spent = model.after_demand(states, np.full(len(states), demand))
        cost += model.demand[demand] * spent
        if demand <= most:
            ahead[:, demand] = later @ weights
    orders = np.zeros(len(states), dtype=np.int64)
    problem = (ahead, chance, cost, model.unit_cost, model.discount)
    values = np.zeros(len(states))
    ratio = model.discount / (1.0 - model.discount)
    for _ in range(LARGEST_STEPS):
        stepped = improve(values, *problem, model.largest_order, orders)
        gain = stepped - values
        low, high = ratio * gain.min(), ratio * gain.max()
        if high - low <= tolerance * max(abs(stepped.min() + high), 1.0):
            return PerishableOptimum(model.largest_order, orders, stepped + 0.5 * (low + high))
        values = stepped + 0.5 * (low + high)
        for _ in range(8):
            values = follow(values, *problem, orders)
    raise ShelfwiseError(
        f"value iteration did not settle in {LARGEST_STEPS} steps; got bounds {low} and {high}"
    )


def _weights(axes: int, largest_order: int) -> Ints:
    """What a state's numbers count for in its number: the newest order is the lowest digit."""
    weights: Ints = (largest_order + 1) ** np.arange(axes, dtype=np.int64)[::-1]
    return weights


def _checked(answer: npt.ArrayLike, states: States, largest_order: int) -> Ints:
    given = np.asarray(answer)
    good = np.isfinite(given) & (given >= 0) & (given <= largest_order) & (given == np.floor(given))
    if given.shape != (len(states),) or not good.all():
        raise UsageError(
            f"orders must be whole, from 0 to {largest_order}, one for each of {len(states)} states; got shape "
            f"{given.shape}, from {given.min(initial=0)} to {given.max(initial=0)}"
        )
    return given.astype(np.int64)
