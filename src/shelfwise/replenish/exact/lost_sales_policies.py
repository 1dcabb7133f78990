"""Heuristics for lost sales as decision rules, and their best parameters by exact evaluation.

Every rule maps states (M, L), as `LostSales` lays them out, to whole orders (M,), for `lost_sales_cost`.
"""

from __future__ import annotations

from functools import partial
from math import inf

import numpy as np
import numpy.typing as npt

from shelfwise.replenish.exact.chain import States, branches
from shelfwise.replenish.exact.discrete import mean_of
from shelfwise.replenish.exact.lost_sales import DecisionRule, LostSales, Orders, lost_sales_cost
from shelfwise.replenish.exact.search import Parameters, Tuned, pattern_search

Chances = npt.NDArray[np.float64]
# The exact costs that are compared in a search must be surer than the differences that matter.
SEARCH_TOLERANCE = 1e-7


def base_stock(level: int) -> DecisionRule:
    """Order what lifts the stock on hand and on order to `level`."""
    return partial(_up_to, level=level, cap=2**31)


def capped_base_stock(level: int, cap: int) -> DecisionRule:
    """The same, never more than `cap` at once (Xin 2021, "Understanding the performance of capped base-stock
    policies in lost-sales inventory models", Operations Research 69(1))."""
    return partial(_up_to, level=level, cap=cap)


def _up_to(states: States, *, level: int, cap: int) -> Orders:
    orders: Orders = np.clip(level - states.sum(axis=1), 0, cap)
    return orders


def myopic(model: LostSales) -> DecisionRule:
    """Myopic-1: the order that makes bucket L, its first one to serve, cost least.

    It is the newsvendor order for demand less the units then left, whose distribution follows from the
    state. Literature: Morton (1971), "The near-myopic nature of the lagged-proportional-cost inventory problem
    with lost sales", Operations Research 19(7); Zipkin (2008).
    """
    costs = _costs_by_order(model)

    def decide(states: States) -> Orders:
        return _first_least(_left(model, states), costs)

    return decide


def myopic_two(model: LostSales) -> DecisionRule:
    """Myopic-2: the order that makes buckets L and L + 1 cost least, the next order being Myopic-1's (Zipkin 2008)."""
    costs = _costs_by_order(model)
    most = costs.shape[1] - 1
    demand = model.demand

    def decide(states: States) -> Orders:
        now = _left(model, states) @ costs[: _left_size(states)]
        later = np.empty_like(now)
        stock = states[:, 0]
        row, left = branches(stock + 1)
        used = stock[row] - left
        tails = np.append(demand[::-1].cumsum()[::-1], 0.0)
        padded = np.append(demand, 0.0)
        chance = np.where(
            left == 0,
            tails[np.minimum(used, len(demand))],
            padded[np.minimum(used, len(demand))],
        )
        possible = chance > 0
        row, left, chance = row[possible], left[possible], chance[possible]
        following = np.concatenate([states[row, 1:], np.zeros((len(row), 1), np.int64)], axis=1)
        for order in range(most + 1):
            following[:, -1] = order
            ahead = following.copy()
            ahead[:, 0] += left
            distinct, back = _distinct(ahead)
            least = (_left(model, distinct) @ costs[: _left_size(distinct)]).min(axis=1)
            later[:, order] = np.bincount(row, chance * least[back], len(states))
        total = now + later
        orders: Orders = (total <= total.min(axis=1, keepdims=True) + 1e-10).argmax(axis=1)
        return orders

    return decide


def projected_level(model: LostSales, level: float) -> DecisionRule:
    """Projected inventory level: order what lifts the expected stock at the order's arrival to `level`, rounded.

    Literature: van Jaarsveld and Arts (2024), "Projected inventory-level policies for lost sales inventory
    systems: asymptotic optimality in two regimes", Operations Research 72(5).
    """

    def decide(states: States) -> Orders:
        chances = _left(model, states)
        expected = chances @ np.arange(chances.shape[1])
        return np.maximum(np.floor(level - expected + 0.5 + 1e-9), 0.0).astype(np.int64)

    return decide


def best_base_stock(model: LostSales) -> Tuned:
    """(level,) of least cost; the cost is convex in it (Downs, Metters and Semple 2001).

    Example:
        >>> from shelfwise.replenish.exact.discrete import poisson_pmf
        >>> best_base_stock(LostSales(poisson_pmf(5.0), 2, holding_cost=1.0, shortage_cost=4.0)).parameters
        (16.0,)
    """

    def cost(point: Parameters) -> float:
        return inf if point[0] < 0 else exact_cost(model, base_stock(int(point[0])))

    return pattern_search(cost, (model.newsvendor_level(model.lead_time_buckets + 1),), reach=1)


def best_capped_base_stock(model: LostSales) -> Tuned:
    """(level, cap) of least cost."""

    def cost(point: Parameters) -> float:
        level, cap = int(point[0]), int(point[1])
        return inf if level < 0 or cap < 1 else exact_cost(model, capped_base_stock(level, cap))

    # Close to the best cap in most cases, and small caps are the quick ones to evaluate.
    cap = max(1, round((mean_of(model.demand) + model.newsvendor_level(1)) / 2))
    return pattern_search(cost, (model.newsvendor_level(model.lead_time_buckets + 1) - 1, cap))


def best_projected_level(model: LostSales) -> Tuned:
    """(level,) of least cost, to a sixteenth of a unit."""

    def cost(point: Parameters) -> float:
        return inf if point[0] < 0 else exact_cost(model, projected_level(model, point[0]))

    return pattern_search(cost, (model.newsvendor_level(1),), steps=(1.0, 0.5, 0.25, 0.125, 0.0625))


def exact_cost(model: LostSales, rule: DecisionRule) -> float:
    """The cost a bucket, sure enough to compare parameters by."""
    return lost_sales_cost(model, rule, tolerance=SEARCH_TOLERANCE).cost


def _left_size(states: States) -> int:
    return int(states.sum(axis=1).max()) + 1


def _left(model: LostSales, states: States) -> Chances:
    """(M, X) chances of the units left just before an order of now arrives."""
    from shelfwise.replenish.exact.kernels.lost_sales import stock_before_arrival

    return np.asarray(stock_before_arrival(states, model.demand, _left_size(states) - 1))


def _costs_by_order(model: LostSales) -> Chances:
    """(X, Z) cost of the bucket that opens with x units left and an arrival of z; Morton bounds both."""
    from shelfwise.replenish.exact.kernels.lost_sales import bucket_costs

    most_left = 4 * model.newsvendor_level(model.lead_time_buckets + 1) + 1
    most_order = model.newsvendor_level(1)
    by_stock = bucket_costs(model.demand, most_left + most_order, model.holding_cost, model.shortage_cost)
    return np.asarray(by_stock[np.add.outer(np.arange(most_left + 1), np.arange(most_order + 1))])


def _first_least(chances: Chances, costs: Chances) -> Orders:
    """(M,) the smallest order whose expected cost is least."""
    expected = chances @ costs[: chances.shape[1]]
    orders: Orders = (expected <= expected.min(axis=1, keepdims=True) + 1e-10).argmax(axis=1)
    return orders


def _distinct(states: States) -> tuple[States, npt.NDArray[np.int64]]:
    """The different states among many, and where each of the many is found."""
    sizes = states.max(axis=0) + 1
    weight = np.concatenate([[1], np.cumprod(sizes)[:-1]])
    _, first, back = np.unique(states @ weight, return_index=True, return_inverse=True)
    return states[first], back
