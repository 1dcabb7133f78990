"""Lot sizes for known demand that varies from bucket to bucket, for all items at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.replenish.exact.arguments import at_least_zero, finite
from shelfwise.simulate.per_series import Floats


@dataclass(frozen=True, eq=False)
class LotSizes:
    """`orders` (N, T) in units, placed in the bucket they can first serve, and the `cost` (N,) of each plan."""

    orders: Floats
    cost: Floats


def wagner_whitin(
    demand: npt.ArrayLike,
    order_cost: npt.ArrayLike,
    holding_cost: npt.ArrayLike,
    unit_cost: npt.ArrayLike = 0.0,
) -> LotSizes:
    """The cheapest plan that serves all demand in time; O(T²) an item, items in parallel.

    An order is only placed when stock is 0 and then covers whole buckets, which some best plan always does.

    Args:
        demand: (N, T) units, at least 0; (T,) for one item.
        order_cost: per order; holding_cost: per unit left at the end of a bucket; unit_cost: per unit ordered. One
            value, (N, 1) by item, (T,) or (1, T) by bucket, or (N, T); at least 0.

    Raises:
        UsageError: shapes disagree, or a value is negative or not finite.

    Literature: Wagner and Whitin (1958), "Dynamic version of the economic lot size model", Management Science 5(1).

    Example:
        >>> plan = wagner_whitin([[90, 120, 80, 70]], order_cost=500.0, holding_cost=2.0)
        >>> plan.orders.tolist(), plan.cost.tolist()
        ([[210.0, 0.0, 150.0, 0.0]], [1380.0])
    """
    from shelfwise.replenish.exact.kernels.wagner_whitin import least_plans

    units = np.atleast_2d(np.asarray(demand, dtype=np.float64))
    if units.ndim != 2 or units.shape[1] == 0:
        raise UsageError(f"demand must be (N, T) with at least one bucket; got shape {np.shape(demand)}")
    arrays = finite(demand=units, order_cost=order_cost, holding_cost=holding_cost, unit_cost=unit_cost)
    if arrays[0].shape != units.shape:
        raise UsageError(
            f"costs must fit demand of shape {units.shape}; together they make {arrays[0].shape}"
        )
    at_least_zero(**dict(zip(("demand", "order_cost", "holding_cost", "unit_cost"), arrays, strict=True)))
    orders, cost = least_plans(*arrays)
    return LotSizes(orders, cost)
