"""The cost under perfect foresight: what the best possible orders would have cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.simulate.costs import Costs
from shelfwise.simulate.state import StockState
from shelfwise.simulate.terms import SupplyTerms


def perfect_foresight(
    demand: npt.NDArray[Any],
    terms: SupplyTerms,
    costs: Costs,
    state: StockState,
    lead_times: npt.NDArray[Any] | None = None,
) -> npt.NDArray[np.float64]:
    """(N,) least cost over (N, T) known demand and lead times; no policy can cost less.

    Exact for orders of any size (Wagner & Whitin 1958, extended by the choice to lose or delay a sale
    and by receipts under way), both if unmet demand is lost and if it waits. A lower bound where orders
    come in lots (minimum, multiple, maximum) or share a budget, where a share of unmet demand is lost and
    the rest waits, and where lost sales start with more units owed than the first bucket's stock can pay.

    Args:
        lead_times: (N, T) true lead time of an order placed in each bucket; the promised ones if None.

    Example:
        >>> import numpy as np
        >>> terms = SupplyTerms.same(1, lead_time_buckets=1)
        >>> costs = Costs.same(1, holding=1.0, shortage=5.0)
        >>> perfect_foresight(np.array([[3.0, 2.0, 4.0]]), terms, costs, StockState.empty(1)).tolist()
        [15.0]
    """
    from shelfwise.evaluate.kernels.foresight import least_costs

    return np.asarray(
        least_costs(
            np.ascontiguousarray(demand, dtype=np.float64),
            state.on_hand,
            state.backorders,
            np.ascontiguousarray(state.pipeline[:, : demand.shape[1]]),
            arrival_buckets(terms, demand.shape[1], lead_times),
            costs.holding,
            costs.shortage,
            costs.order,
            terms.lost_share,
        )
    )


def arrival_buckets(
    terms: SupplyTerms, n_buckets: int, lead_times: npt.NDArray[Any] | None = None
) -> npt.NDArray[np.bool_]:
    """(N, T) buckets in which an order of some review arrives; what arrives after the last is dropped.

    Example:
        >>> terms = SupplyTerms.same(1, lead_time_buckets=1, review_period_buckets=2)
        >>> arrival_buckets(terms, 4).tolist()
        [[False, True, False, True]]
        >>> arrival_buckets(terms, 4, np.array([[3, 0, 0, 0]])).tolist()
        [[False, False, True, True]]
    """
    at = np.arange(n_buckets)
    first, period = terms.first_review[:, None], terms.review_period_buckets[:, None]
    reviewing = (at >= first) & ((at - first) % period == 0)
    lead = terms.lead_time_buckets[:, None] if lead_times is None else lead_times
    arrival = at + np.broadcast_to(np.asarray(lead, dtype=np.int64), reviewing.shape)
    series, bucket = np.nonzero(reviewing & (arrival < n_buckets))
    arrives = np.zeros(reviewing.shape, dtype=np.bool_)
    arrives[series, arrival[series, bucket]] = True
    return arrives
