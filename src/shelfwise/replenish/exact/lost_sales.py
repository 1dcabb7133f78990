"""The lost-sales problem of one item: any policy's exact average cost, and the optimum.

Karlin and Scarf (1958) posed it; no simple policy is optimal. Within a bucket the house's order of events holds: the
order is decided, what is due arrives, demand is served, what is left is counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.replenish.exact.average_cost import AverageCost, Values, relative_values
from shelfwise.replenish.exact.chain import (
    Expand,
    Outcome,
    States,
    average_cost,
    branches,
    explore,
    refuse_growth,
)
from shelfwise.replenish.exact.discrete import Pmf, checked_pmf, mean_of, quantile, total_pmf

Orders = npt.NDArray[np.int64]
# (M, L) states to (M,) orders; every state is asked about once, in a few large batches.
DecisionRule = Callable[[States], npt.ArrayLike]
TOLERANCE = 1e-8
LARGEST_BOX = 60_000_000


@dataclass(frozen=True, eq=False)
class LostSales:
    """One item, reviewed every bucket, whose unmet demand is lost.

    A state is (on hand, due in 1, …, due in L - 1), in whole units, when the order of the bucket is decided; on
    hand includes what arrives in this bucket, for today's order cannot arrive before bucket L.

    Args:
        demand: pmf of a bucket's demand; buckets are independent.
        lead_time_buckets: L, at least 1.
        holding_cost: per unit left at the end of a bucket; shortage_cost: per unit lost; order_cost: per order.

    Raises:
        UsageError: a value breaks its rule. At lead time 0 the newsvendor level is optimal without an order cost.
    """

    demand: Pmf
    lead_time_buckets: int
    holding_cost: float
    shortage_cost: float
    order_cost: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "demand", checked_pmf(self.demand))
        if self.lead_time_buckets < 1:
            raise UsageError(
                f"lead_time_buckets must be at least 1, got {self.lead_time_buckets}; at lead time 0 ordering up to "
                "the newsvendor level is optimal, see newsvendor_discrete"
            )
        for name in ("holding_cost", "shortage_cost", "order_cost"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise UsageError(f"{name} must be a number of at least 0; got {value}")
        if self.holding_cost == 0:
            raise UsageError("holding_cost must be above 0: with free stock no finite order is optimal")

    @property
    def critical_ratio(self) -> float:
        """shortage / (shortage + holding)."""
        return self.shortage_cost / (self.shortage_cost + self.holding_cost)

    def newsvendor_level(self, buckets: int) -> int:
        """The least stock that covers the demand of so many buckets with the critical ratio."""
        return quantile(total_pmf(self.demand, buckets), self.critical_ratio)


@dataclass(frozen=True, eq=False)
class LostSalesOptimum:
    """The least average cost, and a policy that reaches it: `orders` (M,) in `states` (M, L).

    Called with states (K, L), it answers the best orders, so it is itself a decision rule.
    """

    average: AverageCost
    states: States
    orders: Orders

    @property
    def cost(self) -> float:
        """Money a bucket."""
        return self.average.cost

    def __call__(self, states: States) -> Orders:
        sizes = np.maximum(self.states.max(axis=0), states.max(axis=0)) + 1
        weight = np.concatenate([[1], np.cumprod(sizes)[:-1]])
        known, asked = self.states @ weight, states @ weight
        place = np.argsort(known)
        at = np.minimum(np.searchsorted(known[place], asked), len(known) - 1)
        missing = known[place][at] != asked
        if missing.any():
            raise UsageError(
                f"the optimum was not solved for state {states[int(np.argmax(missing))].tolist()}: it holds more "
                "than any optimal course reaches; start from less stock"
            )
        answer: Orders = self.orders[place][at]
        return answer


def lost_sales_cost(
    model: LostSales,
    decide: DecisionRule,
    *,
    start: npt.ArrayLike | None = None,
    tolerance: float = TOLERANCE,
) -> AverageCost:
    """The exact long-run cost a bucket of any stationary policy of whole-unit orders.

    The states the policy can lead to are found first (`decide` sees each of them once), then relative value
    iteration over them gives the cost between proven bounds.

    Args:
        decide: states (M, L) of whole units, laid out as `LostSales` says, to orders (M,).
        start: (L,) the state to begin in; nothing on hand and nothing due if None.
        tolerance: largest gap of the bounds as a share of the cost.

    Raises:
        UsageError: an order is negative or not whole, or stock grows without end under the policy.

    Example:
        >>> from shelfwise.replenish.exact.discrete import poisson_pmf
        >>> model = LostSales(poisson_pmf(5.0), 1, holding_cost=1.0, shortage_cost=4.0)
        >>> round(lost_sales_cost(model, lambda states: np.maximum(12 - states.sum(axis=1), 0)).cost, 4)
        4.1628
    """
    lead = model.lead_time_buckets
    chain = explore(np.zeros(lead) if start is None else start, _expansion(model, decide))
    return average_cost(chain, tolerance)


def lost_sales_optimum(model: LostSales, *, tolerance: float = TOLERANCE) -> LostSalesOptimum:
    """The least long-run cost over all policies, and a policy that has it.

    Without an order cost, Morton (1969) bounds the orders of some optimal policy: what is due in l buckets or
    later, today's order included, never exceeds the newsvendor level of L + 1 - l buckets of demand. These
    bounds leave few states, and none that matters out. With an order cost, a generous box is solved and
    enlarged until the optimal course keeps off its walls.

    Raises:
        UsageError: more than 60 million states; take larger units or simulate instead.

    Literature: Zipkin (2008), "Old and new methods for lost-sales inventory systems", Operations Research 56(5).

    Example:
        >>> from shelfwise.replenish.exact.discrete import poisson_pmf
        >>> best = lost_sales_optimum(LostSales(poisson_pmf(5.0), 1, holding_cost=1.0, shortage_cost=4.0))
        >>> round(best.cost, 4), best(np.array([[0], [7], [12]])).tolist()
        (4.0407, [6, 5, 0])
    """
    lead = model.lead_time_buckets
    levels = [model.newsvendor_level(lead + 1 - due) for due in range(lead + 1)]
    if model.order_cost == 0:
        return _solve(model, levels, tolerance)
    lot = sqrt(2.0 * model.order_cost * mean_of(model.demand) / model.holding_cost)
    reach = ceil(2.0 * lot)
    while True:
        widened = [level + reach for level in levels]
        best = _solve(model, widened, tolerance)
        states = explore(np.zeros(lead), _expansion(model, best)).states
        orders = best(states)
        if orders.max() < widened[-1] and (states.sum(axis=1) + orders).max() < widened[0]:
            return best
        reach = ceil(1.5 * reach) + 1


def _solve(model: LostSales, levels: list[int], tolerance: float) -> LostSalesOptimum:
    """The optimum among policies that keep what is due in l or later, the order included, within `levels[l]`."""
    from shelfwise.replenish.exact.kernels.lost_sales import bucket_costs, demand_tails, follow, improve

    lead = model.lead_time_buckets
    sizes = [levels[0] + 1, *(level + 1 for level in levels[2:])][:lead]
    stride = np.cumprod([1, *sizes])[:lead]
    box = int(np.prod([float(size) for size in sizes]))
    if box > LARGEST_BOX:
        raise UsageError(
            f"this lost-sales problem has {box:,} states, more than {LARGEST_BOX:,}; "
            "express demand in larger units, or evaluate a policy by simulation"
        )
    states = _within(sizes, levels)
    rank = states @ stride
    later = np.cumsum(states[:, ::-1], axis=1)[:, ::-1]
    room = np.minimum((np.array(levels[:lead]) - later).min(axis=1), levels[lead])
    costs = bucket_costs(model.demand, levels[0], model.holding_cost, model.shortage_cost)
    tails = demand_tails(model.demand, levels[0])
    orders = np.zeros(len(states), dtype=np.int64)
    whole, ahead = np.zeros(box), np.zeros(box)
    problem = (stride, costs, tails, model.demand, model.order_cost, ahead, orders)

    def step(values: Values) -> Values:
        whole[rank] = values
        improve(whole, states, rank, room, *problem)
        return np.asarray(ahead[rank])

    def again(values: Values) -> Values:
        whole[rank] = values
        follow(whole, states, rank, orders, *problem[:-1])
        return np.asarray(ahead[rank])

    average, _ = relative_values(step, len(states), tolerance=tolerance, follow=again)
    return LostSalesOptimum(average, states, orders)


def _within(sizes: list[int], levels: list[int]) -> States:
    """All states (M, L) of a box whose sums from l on stay within the bounds one bucket later."""
    lead = len(sizes)
    states = np.zeros((1, 0), dtype=np.int64)
    for due in range(lead - 1, -1, -1):
        size = np.arange(sizes[due])
        grown = np.concatenate(
            [np.tile(size, len(states))[:, None], np.repeat(states, len(size), axis=0)], axis=1
        )
        most = levels[0] if due == 0 else levels[due + 1]
        states = grown[grown.sum(axis=1) <= most]
    return states


def _expansion(model: LostSales, decide: DecisionRule) -> Expand:
    """What a bucket does to states under the rule."""
    from shelfwise.replenish.exact.kernels.lost_sales import bucket_costs

    chances = model.demand
    at_least = np.append(chances[::-1].cumsum()[::-1], 0.0)
    most = len(chances) - 1
    largest_order = 0

    def expand(states: States) -> Outcome:
        nonlocal largest_order
        orders = _whole_orders(decide(states), states)
        largest_order = max(largest_order, int(orders.max()))
        refuse_growth(states, largest_order, most)
        stock = states[:, 0]
        costs = bucket_costs(chances, int(stock.max()), model.holding_cost, model.shortage_cost)
        row, served = branches(np.minimum(stock, most) + 1)
        ahead = np.concatenate([states[row, 1:], orders[row, None]], axis=1)
        left = stock[row] - served
        ahead[:, 0] += left
        chance = np.where(left == 0, at_least[np.minimum(served, most)], chances[served])
        return Outcome(costs[stock] + model.order_cost * (orders > 0), row, ahead, chance)

    return expand


def _whole_orders(answer: npt.ArrayLike, states: States) -> Orders:
    """The rule's answer as whole numbers (M,), or a refusal that names the state."""
    given = np.asarray(answer)
    if given.shape != (len(states),):
        raise UsageError(
            f"the policy must return one order for each of {len(states)} states; got {given.shape}"
        )
    good = np.isfinite(given) & (given >= 0) & (given == np.floor(given))
    if not good.all():
        bad = int(np.argmin(good))
        raise UsageError(
            f"orders must be whole numbers of at least 0; got {given[bad]} in state {states[bad].tolist()}"
        )
    return given.astype(np.int64)
