"""Two suppliers, one cheap and slow, one quick and dear: any policy's exact average cost, and the optimum.

What is not served waits. Literature: Whittemore and Saunders (1977), "Optimal inventory under stochastic demand with
two supply options", SIAM Journal on Applied Mathematics 32(2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.replenish.exact.average_cost import AverageCost, Values, relative_values
from shelfwise.replenish.exact.chain import Expand, Outcome, States, average_cost, explore, refuse_growth
from shelfwise.replenish.exact.discrete import Pmf, checked_pmf, quantile, total_pmf

Orders = npt.NDArray[np.int64]
# (M, A) states to (express (M,), regular (M,)).
DecisionRule = Callable[[States], tuple[npt.ArrayLike, npt.ArrayLike]]
TOLERANCE = 1e-9
LARGEST_BOX = 20_000_000


@dataclass(frozen=True, eq=False)
class DualSourcing:
    """One item, reviewed every bucket, that can be ordered at two lead times.

    A state is (net stock, regular units due in 1, …, l - 1 buckets beyond the express lead time) when orders are
    decided, l the difference of the lead times. Net stock counts what is on hand less backorders, plus all that
    arrives within the express lead time, both kinds: with backorders nothing else about them matters.

    Args:
        demand: pmf of a bucket's demand; buckets are independent.
        regular_lead_time_buckets, express_lead_time_buckets: the first above the second.
        regular_cost, express_cost: per unit bought.
        holding_cost: per unit left at the end of a bucket; backorder_cost: per unit owed then.

    Raises:
        UsageError: a value breaks its rule.
    """

    demand: Pmf
    regular_lead_time_buckets: int
    regular_cost: float
    express_cost: float
    holding_cost: float
    backorder_cost: float
    express_lead_time_buckets: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "demand", checked_pmf(self.demand))
        if not 0 <= self.express_lead_time_buckets < self.regular_lead_time_buckets:
            raise UsageError(
                "express_lead_time_buckets must be at least 0 and below regular_lead_time_buckets; got "
                f"{self.express_lead_time_buckets} and {self.regular_lead_time_buckets}"
            )
        for name in ("holding_cost", "backorder_cost"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise UsageError(f"{name} must be a number above 0; got {value}")
        if not 0 <= self.regular_cost <= self.express_cost < np.inf:
            raise UsageError(
                "the express supplier must not be the cheaper one: 0 <= regular_cost <= express_cost; got "
                f"{self.regular_cost} and {self.express_cost}"
            )

    @property
    def extra_lead_time_buckets(self) -> int:
        """l, by which regular orders take longer."""
        return self.regular_lead_time_buckets - self.express_lead_time_buckets

    def bucket_cost(self, net_stock: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Expected holding and backorder cost of the first bucket an express order of now can serve."""
        total = total_pmf(self.demand, self.express_lead_time_buckets + 1)
        left = np.asarray(net_stock, dtype=np.float64)[..., None] - np.arange(len(total))
        cost: npt.NDArray[np.float64] = (
            np.where(left > 0, self.holding_cost * left, -self.backorder_cost * left) @ total
        )
        return cost


@dataclass(frozen=True, eq=False)
class DualSourcingOptimum:
    """The least average cost, purchases included, and the rule that has it; call it with states to get orders.

    up_to: (P, Y) express level by pipeline and net stock `lowest` + 0 … Y - 1; regular: (P, Y) regular order by
    pipeline and that level; most: the largest regular order considered, P counts pipelines in base most + 1.
    """

    average: AverageCost
    lowest: int
    most: int
    up_to: Orders
    regular: Orders

    @property
    def cost(self) -> float:
        """Money a bucket."""
        return self.average.cost

    def __call__(self, states: States) -> tuple[Orders, Orders]:
        net, pipeline = states[:, 0], states[:, 1:]
        weight = (self.most + 1) ** np.arange(pipeline.shape[1], dtype=np.int64)
        known = (net >= self.lowest) & (net + pipeline.sum(axis=1) < self.lowest + self.up_to.shape[1])
        known &= (pipeline <= self.most).all(axis=1)
        if not known.all():
            raise UsageError(
                f"the optimum was not solved for state {states[int(np.argmin(known))].tolist()}; start from less"
            )
        number = pipeline @ weight
        level = self.up_to[number, net - self.lowest]
        return level - net, self.regular[number, level - self.lowest]


def dual_sourcing_cost(
    model: DualSourcing,
    decide: DecisionRule,
    *,
    start: npt.ArrayLike | None = None,
    tolerance: float = TOLERANCE,
) -> AverageCost:
    """The exact long-run cost a bucket, purchases included, of any stationary policy of whole-unit orders.

    Args:
        decide: states (M, l), laid out as `DualSourcing` says, to express and regular orders, each (M,).
        start: (l,) the state to begin in; nothing anywhere if None.

    Raises:
        UsageError: an order is negative or not whole, or stock or debt grows without end.

    Example:
        Express only, up to 4:

        >>> from shelfwise.replenish.exact.discrete import uniform_pmf
        >>> model = DualSourcing(uniform_pmf(0, 4), 2, 100.0, 105.0, holding_cost=5.0, backorder_cost=495.0)
        >>> round(dual_sourcing_cost(model, lambda s: (np.maximum(4 - s[:, 0], 0), 0 * s[:, 0])).cost, 6)
        220.0
    """
    beginning = np.zeros(model.extra_lead_time_buckets) if start is None else start
    return average_cost(explore(beginning, _expansion(model, decide)), tolerance)


def _expansion(model: DualSourcing, decide: DecisionRule) -> Expand:
    """What a bucket does to states under the rule."""
    largest_order = 0

    def expand(states: States) -> Outcome:
        nonlocal largest_order
        express, regular = (_whole(orders, states) for orders in decide(states))
        largest_order = max(largest_order, int(express.max()), int(regular.max()))
        refuse_growth(states, largest_order, len(model.demand) - 1)
        net = states[:, 0] + express
        cost = model.bucket_cost(net) + model.express_cost * express + model.regular_cost * regular
        values = np.flatnonzero(model.demand)
        row = np.repeat(np.arange(len(states)), len(values))
        ahead = np.concatenate([states[row, 1:], regular[row, None]], axis=1)
        ahead[:, 0] += net[row] - np.tile(values, len(states))
        return Outcome(cost, row, ahead, np.tile(model.demand[values], len(states)))

    return expand


def _whole(orders: npt.ArrayLike, states: States) -> Orders:
    given = np.asarray(orders)
    good = np.isfinite(given) & (given >= 0) & (given == np.floor(given))
    if given.shape != (len(states),) or not good.all():
        raise UsageError(
            f"the policy must return one whole order of at least 0 for each of {len(states)} states and supplier; "
            f"got shape {given.shape}, least {given.min(initial=0)}"
        )
    return given.astype(np.int64)


def dual_sourcing_optimum(model: DualSourcing, *, tolerance: float = TOLERANCE) -> DualSourcingOptimum:
    """The least long-run cost over all policies, purchases included, and a policy that has it.

    A box of net stock and orders is solved, and enlarged until the optimal course keeps off its walls.

    Raises:
        UsageError: the box would hold more than 20 million states.

    Example:
        >>> from shelfwise.replenish.exact.discrete import uniform_pmf
        >>> model = DualSourcing(uniform_pmf(0, 4), 2, 100.0, 105.0, holding_cost=5.0, backorder_cost=495.0)
        >>> round(dual_sourcing_optimum(model).cost, 4)
        216.7698
    """
    most_demand = len(model.demand) - 1
    ratio = model.backorder_cost / (model.backorder_cost + model.holding_cost)
    most, floor = most_demand + 1, 0
    ceiling = quantile(total_pmf(model.demand, model.regular_lead_time_buckets + 1), ratio) + 1
    while True:
        best = _solve(model, most, floor, ceiling, tolerance)
        start = np.zeros(model.extra_lead_time_buckets, np.int64)
        start[0] = max(floor, 0)
        states = explore(start, _expansion(model, best)).states
        express, regular = best(states)
        level = states[:, 0] + express
        walls = (
            regular.max() >= most,
            level.min() <= floor,
            (level + states[:, 1:].sum(axis=1) + regular).max() >= ceiling,
        )
        if not any(walls):
            return best
        most, floor, ceiling = (
            most + walls[0] * (1 + most // 2),
            floor - walls[1] * most_demand,
            ceiling + walls[2] * most_demand,
        )


def _solve(model: DualSourcing, most: int, floor: int, ceiling: int, tolerance: float) -> DualSourcingOptimum:
    """The optimum among courses within the box."""
    from shelfwise.replenish.exact.kernels.dual_sourcing import improve

    lowest = floor - (len(model.demand) - 1)
    axes = model.extra_lead_time_buckets - 1
    net = np.arange(lowest, ceiling + 1)
    if (most + 1) ** axes * len(net) > LARGEST_BOX:
        raise UsageError(
            f"this dual-sourcing problem has more than {LARGEST_BOX:,} states; express demand in larger units, or "
            "evaluate a policy by simulation"
        )
    numbers = np.arange((most + 1) ** axes)
    pipelines = numbers[:, None] // (most + 1) ** np.arange(axes) % (most + 1)
    shape = (len(numbers), len(net))
    inside = net[None, :] + pipelines.sum(axis=1)[:, None] <= ceiling
    whole, new = np.full(shape, np.inf), np.empty(shape)
    up_to, regular = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    prices = (model.bucket_cost(net), model.demand, model.regular_cost, model.express_cost)
    order_limit = ceiling - floor if axes == 0 else most

    def step(values: Values) -> Values:
        whole[inside] = values
        improve(whole, pipelines, lowest, floor, ceiling, order_limit, *prices, new, up_to, regular)
        return np.asarray(new[inside])

    average, _ = relative_values(step, int(inside.sum()), tolerance=tolerance)
    return DualSourcingOptimum(average, lowest, order_limit, up_to, regular)
