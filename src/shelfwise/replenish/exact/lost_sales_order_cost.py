"""Lost sales with a cost for every order: (s, S), (s, nQ) and the modified (s, S, q) rule, exactly evaluated.

Literature: Bijvank, Bhulai and Huh (2015), "Parametric replenishment policies for inventory systems with lost sales
and fixed order cost", European Journal of Operational Research 241(2).
"""

from __future__ import annotations

from functools import partial
from math import inf, sqrt

import numpy as np

from shelfwise.replenish.exact.chain import States
from shelfwise.replenish.exact.discrete import mean_of
from shelfwise.replenish.exact.lost_sales import DecisionRule, LostSales, Orders
from shelfwise.replenish.exact.lost_sales_policies import exact_cost
from shelfwise.replenish.exact.search import Parameters, Tuned, pattern_search


def min_max(reorder_point: int, order_up_to: int, largest_order: int = 2**31) -> DecisionRule:
    """(s, S), or (s, S, q): with stock on hand and on order at or below s, order up to S, at most q at once."""
    return partial(
        _min_max, reorder_point=reorder_point, order_up_to=order_up_to, largest_order=largest_order
    )


def lots(reorder_point: int, lot: int) -> DecisionRule:
    """(s, nQ): the fewest whole lots that lift the stock on hand and on order above s."""
    return partial(_lots, reorder_point=reorder_point, lot=lot)


def _min_max(states: States, *, reorder_point: int, order_up_to: int, largest_order: int) -> Orders:
    position = states.sum(axis=1)
    wanted = np.minimum(order_up_to - position, largest_order)
    orders: Orders = np.where(position <= reorder_point, wanted, 0)
    return orders


def _lots(states: States, *, reorder_point: int, lot: int) -> Orders:
    missing = np.maximum(reorder_point + 1 - states.sum(axis=1), 0)
    orders: Orders = -(-missing // lot) * lot
    return orders


def best_min_max(model: LostSales) -> Tuned:
    """(s, S) of least cost.

    Example:
        >>> from shelfwise.replenish.exact.discrete import poisson_pmf
        >>> best = best_min_max(LostSales(poisson_pmf(5.0), 2, 1.0, 14.0, order_cost=5.0))
        >>> best.parameters, round(best.cost, 2)
        ((17.0, 23.0), 11.62)
    """

    def cost(point: Parameters) -> float:
        low, high = (int(value) for value in point)
        return inf if low < 0 or high <= low else exact_cost(model, min_max(low, high))

    low, lot = _first_guess(model)
    return pattern_search(cost, (low, low + lot))


def best_lots(model: LostSales) -> Tuned:
    """(s, Q) of least cost."""

    def cost(point: Parameters) -> float:
        low, lot = (int(value) for value in point)
        return inf if low < 0 or lot < 1 else exact_cost(model, lots(low, lot))

    return pattern_search(cost, _first_guess(model))


def best_modified_min_max(model: LostSales) -> Tuned:
    """(s, S, q) of least cost."""

    def cost(point: Parameters) -> float:
        low, high, most = (int(value) for value in point)
        if low < 0 or high <= low or most < 1:
            return inf
        return exact_cost(model, min_max(low, high, most))

    low, high = best_min_max(model).parameters
    return pattern_search(cost, (low, high, high - low + 1))


def _first_guess(model: LostSales) -> tuple[int, int]:
    """The newsvendor level of the lead time and the economic order quantity."""
    lot = sqrt(2.0 * model.order_cost * mean_of(model.demand) / model.holding_cost)
    return model.newsvendor_level(model.lead_time_buckets), max(1, round(lot))
