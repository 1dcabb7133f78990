"""(s, S): at or below s, order up to S. The best pair of every item, exact, for whole-unit demand and backorders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.replenish.exact.arguments import above_zero, at_least_zero, finite
from shelfwise.replenish.exact.discrete import checked_pmf, total_pmf
from shelfwise.simulate.per_series import Floats


@dataclass(frozen=True, eq=False)
class MinMax:
    """Reorder point s and level S of each item in units, and the average cost a bucket; (N,) each."""

    reorder_point: Floats
    order_up_to: Floats
    cost: Floats


def min_max(
    demand: npt.ArrayLike,
    order_cost: npt.ArrayLike,
    holding_cost: npt.ArrayLike,
    backorder_cost: npt.ArrayLike,
    lead_time_buckets: int = 0,
) -> MinMax:
    """The optimal policy of an item reviewed every bucket whose unmet demand waits.

    An (s, S) policy is optimal among all (Scarf 1960; Iglehart 1963). Costs are counted at the end of the bucket in
    which an order of now could first serve.

    Args:
        demand: (D,) or (N, D) chances of 0, 1, … units in a bucket; buckets are independent.
        order_cost: per order, at least 0; holding_cost, backorder_cost: per unit and bucket, above 0; one value or
            (N,).
        lead_time_buckets: at least 0, the same for all.

    Raises:
        UsageError: a value breaks its rule, or an item has no demand at all.

    Literature: Zheng and Federgruen (1991), "Finding optimal (s, S) policies is about as simple as evaluating a
    single policy", Operations Research 39(4).

    Example:
        >>> from shelfwise.replenish.exact.discrete import poisson_pmf
        >>> best = min_max(poisson_pmf(10.0), order_cost=64.0, holding_cost=1.0, backorder_cost=9.0)
        >>> best.reorder_point.item(), best.order_up_to.item(), round(best.cost.item(), 4)
        (6.0, 40.0, 35.0216)
    """
    from shelfwise.replenish.exact.kernels.reorder_min_max import best_pairs

    if lead_time_buckets < 0:
        raise UsageError(f"lead_time_buckets must be at least 0; got {lead_time_buckets}")
    rows = np.asarray(demand, dtype=np.float64)
    if rows.ndim not in (1, 2):
        raise UsageError(f"demand must be (D,) or (N, D) chances; got shape {rows.shape}")
    k, h, p = finite(order_cost=order_cost, holding_cost=holding_cost, backorder_cost=backorder_cost)
    at_least_zero(order_cost=k)
    above_zero(holding_cost=h, backorder_cost=p)
    n_items = max(k.size, len(rows) if rows.ndim == 2 else 1)
    pmfs = [checked_pmf(row) for row in np.atleast_2d(rows)]
    if min(len(pmf) for pmf in pmfs) < 2:
        raise UsageError(
            "demand must be above 0 with some chance; an item without any demand needs no policy"
        )
    leads = [total_pmf(pmf, lead_time_buckets + 1) for pmf in pmfs]
    if {len(pmfs), k.size} - {1, n_items}:
        raise UsageError(f"demand speaks of {len(pmfs)} items, costs of {k.size}")
    costs = [np.array(np.broadcast_to(np.atleast_1d(array), (n_items,))) for array in (k, h, p)]
    out, room = np.full((n_items, 3), np.nan), 32
    pending = np.arange(n_items)
    while len(pending):
        chosen = [pmfs[i if len(pmfs) > 1 else 0] for i in pending]
        lead = [leads[i if len(leads) > 1 else 0] for i in pending]
        room *= 2
        k, h, p = (cost[pending] for cost in costs)
        out[pending] = best_pairs(_padded(chosen), _padded(lead), k, h, p, room)
        pending = pending[np.isnan(out[pending, 2])]
    return MinMax(*(np.ascontiguousarray(column) for column in out.T))


def _padded(pmfs: list[Floats]) -> Floats:
    """(N, D) rows of one length."""
    size = max(len(pmf) for pmf in pmfs)
    return np.stack([np.pad(pmf, (0, size - len(pmf))) for pmf in pmfs])
