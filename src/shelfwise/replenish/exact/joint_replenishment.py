"""Joint replenishment: items that share the cost of an order, each bought in every m-th one of a common rhythm."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.replenish.exact.arguments import above_zero, at_least_zero, finite
from shelfwise.simulate.per_series import Floats

Multiples = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class JointOrders:
    """An order every `base_period`, item i in every `multiples[i]`-th of them; `cost` per unit of time."""

    base_period: float
    multiples: Multiples
    cost: float


def joint_replenishment(
    shared_order_cost: float,
    item_order_costs: npt.ArrayLike,
    holding_costs: npt.ArrayLike,
    demand_rates: npt.ArrayLike,
) -> JointOrders:
    """The cheapest cyclic plan, proven: every set of multiples that is best for some base period is looked at.

    For a base period T, item i is best off with the least m for which m(m + 1) >= 2 k / (h D T²); so the multiples
    change only at known periods, and between two of them the cost is convex in T. The best period lies below the one
    for which all multiples are 1, and so far above 0 that the shared cost alone does not exceed a known plan's cost
    (Viswanathan 1996, "A new optimal algorithm for the joint replenishment problem").

    Args:
        shared_order_cost: paid for every joint order; above 0.
        item_order_costs: (N,) paid in addition for every item in it, at least 0.
        holding_costs: (N,) or one value, per unit and time; demand_rates: (N,) units per time; above 0.

    Raises:
        UsageError: a value breaks its rule. Without a shared cost the items have nothing in common: use `eoq`.

    Example:
        >>> best = joint_replenishment(10.0, [1.87, 5.27, 7.94, 8.19, 8.87], 0.2, [1736, 656, 558, 170, 142])
        >>> round(best.base_period, 6), best.multiples.tolist(), round(best.cost, 4)
        (0.245558, [1, 1, 2, 3, 3], 218.2516)
    """
    k, half = _checked(shared_order_cost, item_order_costs, holding_costs, demand_rates)
    known = joint_replenishment_silver(shared_order_cost, item_order_costs, holding_costs, demand_rates)
    most = sqrt((shared_order_cost + k.sum()) / half.sum())
    alone = 2.0 * np.sqrt(k * half).sum()
    least = min(shared_order_cost / (known.cost - alone), most)
    # Item i turns from m + 1 to m orders at T = sqrt(k / (half m (m + 1))).
    turns = [np.array([least, most])]
    for own, weight in zip(k, half, strict=True):
        most_multiple = int(_multiples(own, weight, least)) + 1
        m = np.arange(1, most_multiple + 1)
        at = np.sqrt(own / (weight * m * (m + 1.0)))
        turns.append(at[(at > least) & (at < most)])
    edges = np.unique(np.concatenate(turns))
    best = known
    for low, high in itertools.pairwise(edges):
        found = _best_period(shared_order_cost, k, half, _multiples(k, half, 0.5 * (low + high)))
        if found.cost < best.cost:
            best = found
    return best


def joint_replenishment_silver(
    shared_order_cost: float,
    item_order_costs: npt.ArrayLike,
    holding_costs: npt.ArrayLike,
    demand_rates: npt.ArrayLike,
) -> JointOrders:
    """Silver's heuristic: the item that would come most often sets the rhythm, the others round to it.

    Arguments as in `joint_replenishment`. Literature: Silver (1976), "A simple method of determining order
    quantities in joint replenishments under deterministic demand", Management Science 22(12).

    Example:
        >>> plan = joint_replenishment_silver(
        ...     10.0, [1.87, 5.27, 7.94, 8.19, 8.87], 0.2, [1736, 656, 558, 170, 142]
        ... )
        >>> plan.multiples.tolist(), round(plan.cost, 4)
        ([1, 1, 1, 3, 3], 218.6863)
    """
    k, half = _checked(shared_order_cost, item_order_costs, holding_costs, demand_rates)
    ratio = k / half
    first = int(np.argmin(ratio))
    wanted = np.sqrt(ratio * half[first] / (shared_order_cost + k[first]))
    multiples = np.maximum(np.floor(wanted + 0.5), 1.0).astype(np.int64)
    multiples[first] = 1
    return _best_period(shared_order_cost, k, half, multiples)


def _checked(
    shared: float, item_order_costs: npt.ArrayLike, holding_costs: npt.ArrayLike, rates: npt.ArrayLike
) -> tuple[Floats, Floats]:
    """Item order costs, and half of holding times demand, (N,) each."""
    if not (np.isfinite(shared) and shared > 0):
        raise UsageError(
            f"shared_order_cost must be a number above 0; got {shared}. Items that share nothing: use eoq"
        )
    k, h, rate = finite(item_order_costs=item_order_costs, holding_costs=holding_costs, demand_rates=rates)
    if k.ndim != 1 or len(k) == 0:
        raise UsageError(f"items must be given as (N,) arrays; got shape {k.shape}")
    at_least_zero(item_order_costs=k)
    above_zero(holding_costs=h, demand_rates=rate)
    return k, 0.5 * h * rate


def _multiples(k: Floats, half: Floats, period: float) -> Multiples:
    """The best multiple of every item for a base period."""
    threshold = k / (half * period**2)
    return np.maximum(np.ceil(0.5 * (np.sqrt(1.0 + 4.0 * threshold) - 1.0) - 1e-12), 1.0).astype(np.int64)


def _best_period(shared: float, k: Floats, half: Floats, multiples: Multiples) -> JointOrders:
    """The best base period for given multiples."""
    orders = shared + float((k / multiples).sum())
    stock = float((half * multiples).sum())
    return JointOrders(sqrt(orders / stock), multiples, 2.0 * sqrt(orders * stock))
