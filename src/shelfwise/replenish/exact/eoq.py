"""Economic order quantities: demand at a steady rate, a cost for every order, with discounts or planned backorders.

All functions take arrays of items that broadcast against each other. Rates and holding share one unit of time.
Literature: Harris (1913), "How many parts to make at once"; Hadley and Whitin (1963), *Analysis of Inventory
Systems*, chapter 2; Snyder and Shen (2019), *Fundamentals of Supply Chain Theory*, chapter 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.replenish.exact.arguments import above_zero, at_least_zero, finite
from shelfwise.simulate.per_series import Floats


@dataclass(frozen=True, eq=False)
class OrderQuantity:
    """The best order of each item in units, and its cost per unit of time (purchases only where prices vary)."""

    quantity: Floats
    cost: Floats


@dataclass(frozen=True, eq=False)
class BackorderedQuantity(OrderQuantity):
    """As `OrderQuantity`; `backorder_share` of demand waits for the next order."""

    backorder_share: Floats


def eoq(order_cost: npt.ArrayLike, holding_cost: npt.ArrayLike, demand_rate: npt.ArrayLike) -> OrderQuantity:
    """The lot that balances ordering and holding.

    Args:
        order_cost: per order; at least 0. holding_cost: per unit and time; above 0.
        demand_rate: units per time; at least 0.

    Raises:
        UsageError: a value breaks its rule.

    Example:
        >>> best = eoq(8.0, 0.225, 1300.0)
        >>> round(best.quantity.item(), 5), round(best.cost.item(), 6)
        (304.04678, 68.410526)
    """
    k, h, rate = finite(order_cost=order_cost, holding_cost=holding_cost, demand_rate=demand_rate)
    at_least_zero(order_cost=k, demand_rate=rate)
    above_zero(holding_cost=h)
    return OrderQuantity(np.sqrt(2.0 * k * rate / h), np.sqrt(2.0 * k * rate * h))


def eoq_backorders(
    order_cost: npt.ArrayLike,
    holding_cost: npt.ArrayLike,
    backorder_cost: npt.ArrayLike,
    demand_rate: npt.ArrayLike,
) -> BackorderedQuantity:
    """The lot and the share of demand that is better served late, at `backorder_cost` per unit and time owed.

    Example:
        >>> best = eoq_backorders(8.0, 0.225, 5.0, 1300.0)
        >>> round(best.quantity.item(), 3), round(best.backorder_share.item(), 4), round(best.cost.item(), 3)
        (310.813, 0.0431, 66.921)
    """
    k, h, p, rate = finite(
        order_cost=order_cost,
        holding_cost=holding_cost,
        backorder_cost=backorder_cost,
        demand_rate=demand_rate,
    )
    at_least_zero(order_cost=k, demand_rate=rate)
    above_zero(holding_cost=h, backorder_cost=p)
    quantity = np.sqrt(2.0 * k * rate * (h + p) / (h * p))
    return BackorderedQuantity(quantity, np.sqrt(2.0 * k * rate * h * p / (h + p)), h / (h + p))


def eoq_all_units(
    order_cost: npt.ArrayLike,
    holding_rate: npt.ArrayLike,
    demand_rate: npt.ArrayLike,
    breaks: npt.ArrayLike,
    unit_costs: npt.ArrayLike,
) -> OrderQuantity:
    """The lot where reaching a break lowers the price of *every* unit; the cost includes purchases.

    Args:
        order_cost, demand_rate: (N,) or one value; demand above 0.
        holding_rate: per time, as a share of the unit cost; above 0.
        breaks: (J,) or (N, J) units from which each price holds; the first 0, rising.
        unit_costs: (J,) or (N, J) price from each break on; above 0.

    Raises:
        UsageError: a value breaks its rule, or breaks do not rise from 0.

    Example:
        >>> best = eoq_all_units(8.0, 0.3, 1300.0, [0, 400, 800], [0.75, 0.72, 0.68])
        >>> best.quantity.item(), round(best.cost.item(), 2)
        (800.0, 978.6)
    """
    k, rate_of_holding, rate, low, high, price = _price_regions(
        order_cost, holding_rate, demand_rate, breaks, unit_costs
    )
    h = rate_of_holding * price
    # Within a region the cost is convex, so its best lot is the plain one, moved to the nearer end if outside.
    lot = np.clip(np.sqrt(2.0 * k * rate / h), np.maximum(low, np.finfo(np.float64).tiny), high)
    cost = price * rate + k * rate / lot + 0.5 * h * lot
    # The open upper end of a region belongs to the next, whose price holds there.
    cost[(lot >= high) & np.isfinite(high)] = np.inf
    return _cheapest(lot, cost)


def eoq_incremental(
    order_cost: npt.ArrayLike,
    holding_rate: npt.ArrayLike,
    demand_rate: npt.ArrayLike,
    breaks: npt.ArrayLike,
    unit_costs: npt.ArrayLike,
) -> OrderQuantity:
    """The lot where each price holds for the units beyond its break alone; arguments as in `eoq_all_units`.

    Raises:
        UsageError: as there.

    Example:
        >>> best = eoq_incremental(8.0, 0.3, 1300.0, [0, 400, 800], [0.75, 0.72, 0.68])
        >>> round(best.quantity.item(), 3), round(best.cost.item(), 3)
        (304.047, 1043.411)
    """
    k, rate_of_holding, rate, low, high, price = _price_regions(
        order_cost, holding_rate, demand_rate, breaks, unit_costs
    )
    spent = np.cumsum(np.diff(low, axis=1) * price[:, :-1], axis=1)
    # What a lot costs beyond its last price times its size: as good as another cost per order.
    extra = np.concatenate([np.zeros((len(low), 1)), spent], axis=1) - price * low
    h = rate_of_holding * price
    lot = np.clip(np.sqrt(2.0 * (k + extra) * rate / h), np.maximum(low, np.finfo(np.float64).tiny), high)
    cost = price * rate + 0.5 * rate_of_holding * extra + (k + extra) * rate / lot + 0.5 * h * lot
    cost[(lot >= high) & np.isfinite(high)] = np.inf
    return _cheapest(lot, cost)


def _price_regions(
    order_cost: npt.ArrayLike,
    holding_rate: npt.ArrayLike,
    demand_rate: npt.ArrayLike,
    breaks: npt.ArrayLike,
    unit_costs: npt.ArrayLike,
) -> tuple[Floats, ...]:
    """Order cost, holding rate and demand as (N, 1); lower end, upper end and price of regions as (N, J)."""
    k, share, rate = finite(order_cost=order_cost, holding_rate=holding_rate, demand_rate=demand_rate)
    at_least_zero(order_cost=k)
    above_zero(holding_rate=share, demand_rate=rate)
    low, price = finite(breaks=breaks, unit_costs=unit_costs)
    above_zero(unit_costs=price)
    if low.ndim not in (1, 2) or (low[..., 0] != 0).any() or (np.diff(low, axis=-1) <= 0).any():
        raise UsageError(f"breaks must be (J,) or (N, J), begin with 0 and rise; got {low.tolist()}")
    columns = [np.atleast_1d(array)[:, None] for array in (k, share, rate)]
    low, price = np.atleast_2d(low), np.atleast_2d(price)
    n_items = max(len(columns[0]), len(low))
    if {len(columns[0]), len(low)} - {1, n_items}:
        raise UsageError(f"breaks speak of {len(low)} items, the other arguments of {len(columns[0])}")
    low, price = (np.array(np.broadcast_to(array, (n_items, low.shape[1]))) for array in (low, price))
    columns = [np.broadcast_to(array, (n_items, 1)) for array in columns]
    high = np.concatenate([low[:, 1:], np.full((n_items, 1), np.inf)], axis=1)
    return (*columns, low, high, price)


def _cheapest(lot: Floats, cost: Floats) -> OrderQuantity:
    """The best region of every item."""
    best = cost.argmin(axis=1)[:, None]
    return OrderQuantity(
        np.take_along_axis(lot, best, axis=1)[:, 0], np.take_along_axis(cost, best, axis=1)[:, 0]
    )
