"""(r, Q): when the inventory position falls to r, order Q. Exact costs, continuous review, backorders.

Literature: Zheng (1992), "On properties of stochastic inventory systems", Management Science 38(1); Federgruen and
Zheng (1992), "An efficient algorithm for computing an optimal (r, Q) policy in continuous review stochastic inventory
systems", Operations Research 40(4).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shelfwise.replenish.exact.arguments import above_zero, at_least_zero, finite
from shelfwise.replenish.exact.newsvendor import newsvendor_normal, newsvendor_poisson
from shelfwise.simulate.per_series import Floats


@dataclass(frozen=True, eq=False)
class ReorderLots:
    """Reorder point and lot of each item in units, and the expected cost per unit of time."""

    reorder_point: Floats
    lot: Floats
    cost: Floats


def reorder_lots_normal(
    order_cost: npt.ArrayLike,
    holding_cost: npt.ArrayLike,
    backorder_cost: npt.ArrayLike,
    demand_rate: npt.ArrayLike,
    lead_time_demand_sd: npt.ArrayLike,
    lead_time: npt.ArrayLike,
) -> ReorderLots:
    """The best (r, Q) if demand of the lead time is normal and Q may be any number.

    The best pair encloses all positions whose cost G is below the total cost c, and c is where the area between c
    and G equals what orders cost per time (Zheng 1992): one monotone equation, solved for all items at once.

    Args:
        order_cost: per order, above 0. holding_cost, backorder_cost: per unit and time, above 0.
        demand_rate: units per time. lead_time_demand_sd: units, of the demand of the whole lead time; above 0.
        lead_time: in that unit of time, at least 0.

    Raises:
        UsageError: a value breaks its rule.

    Example:
        >>> best = reorder_lots_normal(8.0, 0.225, 7.5, 1300.0, 150.0 / 12**0.5, 1 / 12)
        >>> round(best.reorder_point.item(), 2), round(best.lot.item(), 2)
        (126.87, 328.45)
    """
    k, h, p, rate, sd, lead = finite(
        order_cost=order_cost,
        holding_cost=holding_cost,
        backorder_cost=backorder_cost,
        demand_rate=demand_rate,
        lead_time_demand_sd=lead_time_demand_sd,
        lead_time=lead_time,
    )
    above_zero(order_cost=k, holding_cost=h, backorder_cost=p, demand_rate=rate, lead_time_demand_sd=sd)
    at_least_zero(lead_time=lead)
    mean = rate * lead
    lowest = newsvendor_normal(mean, sd, h, p)

    def rate_at(position: Floats) -> Floats:
        return np.asarray(h * (position - mean) + (h + p) * sd * _loss((position - mean) / sd))

    def ends(cost: Floats) -> tuple[Floats, Floats]:
        left = _root(lambda y: cost - rate_at(y), lowest.level - (cost + p * 40 * sd) / p, lowest.level)
        right = _root(lambda y: rate_at(y) - cost, lowest.level, lowest.level + (cost + h * 40 * sd) / h)
        return left, right

    def area_missing(cost: Floats) -> Floats:
        left, right = ends(cost)
        below = 0.5 * h * ((right - mean) ** 2 - (left - mean) ** 2)
        below += (h + p) * sd**2 * (_second_loss((left - mean) / sd) - _second_loss((right - mean) / sd))
        return np.asarray(cost * (right - left) - below - k * rate)

    # Without any spread the cost would be that of planned backorders, so the sum of both is enough.
    most = lowest.cost + np.sqrt(2.0 * k * rate * h * p / (h + p)) * 1.001
    cost = _root(area_missing, lowest.cost, most)
    left, right = ends(cost)
    return ReorderLots(left, right - left, cost)


def reorder_lots_poisson(
    order_cost: float, holding_cost: float, backorder_cost: float, demand_rate: float, lead_time: float
) -> ReorderLots:
    """The best whole-unit (r, Q) of one item with Poisson demand; an order goes out when the position falls to r.

    Positions join in the order of their cost, cheapest first, as long as the next is below the average so far
    (Federgruen and Zheng 1992).

    Example:
        >>> best = reorder_lots_poisson(20.0, 1.0, 10.0, 50.0, 0.2)
        >>> best.reorder_point.item(), best.lot.item(), round(best.cost.item(), 4)
        (5.0, 48.0, 43.757)
    """
    from scipy.stats import poisson

    named = {
        "order_cost": order_cost,
        "holding_cost": holding_cost,
        "backorder_cost": backorder_cost,
        "demand_rate": demand_rate,
        "lead_time": lead_time,
    }
    arrays = finite(**named)
    above_zero(**dict(zip(named, arrays, strict=True)))
    k, h, p, rate, lead = (array.item() for array in arrays)
    mean = rate * lead

    def rate_at(position: int) -> float:
        if position < 0:
            return p * (mean - position)
        above = mean * poisson.sf(position - 1, mean) - position * poisson.sf(position, mean)
        return float(h * (position - mean) + (h + p) * above)

    low = high = int(newsvendor_poisson(mean, h, p).level)
    spent = k * rate + rate_at(low)
    size = 1
    while True:
        down, up = rate_at(low - 1), rate_at(high + 1)
        nearer = min(down, up)
        if nearer >= spent / size:
            return ReorderLots(*(np.asarray(float(value)) for value in (low - 1, size, spent / size)))
        spent, size = spent + nearer, size + 1
        if down <= up:
            low -= 1
        else:
            high += 1


def _loss(z: Floats) -> Floats:
    """E(Z - z)+ of a standard normal."""
    from scipy.special import ndtr

    density = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    return np.asarray(density - z * ndtr(-z))


def _second_loss(z: Floats) -> Floats:
    """The integral of `_loss` from z on."""
    from scipy.special import ndtr

    density = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    return np.asarray(0.5 * ((z * z + 1.0) * ndtr(-z) - z * density))


def _root(rising: Callable[[Floats], Floats], low: Floats, high: Floats) -> Floats:
    """Where a rising function of every item crosses 0, by bisection to float accuracy."""
    low, high = np.array(low), np.array(high)
    for _ in range(70):
        middle = 0.5 * (low + high)
        below = rising(middle) < 0
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray(0.5 * (low + high))
