"""The cost under perfect foresight: what the best possible orders would have cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.simulate.costs import Costs
from shelfwise.simulate.state import StockState
from shelfwise.simulate.terms import SupplyTerms


def perfect_foresight(
    demand: npt.NDArray[Any], terms: SupplyTerms, costs: Costs, state: StockState
) -> npt.NDArray[np.float64]:
    """(N,) least cost over (N, T) known demand; no policy can do better.

    Exact for order sizes without lot rules (Wagner & Whitin 1958, extended by the choice to lose or
    delay a sale). MOQ, multiples and the maximum are left out, so with them it is a lower bound. Where
    a share of unmet demand is lost, all is taken as lost if the share is 1 and as waiting otherwise.

    Example:
        >>> import numpy as np
        >>> terms = SupplyTerms.same(1, lead_time_buckets=1)
        >>> costs = Costs.same(1, holding=1.0, shortage=5.0)
        >>> perfect_foresight(np.array([[3.0, 2.0, 4.0]]), terms, costs, StockState.empty(1)).tolist()
        [15.0]
    """
    from shelfwise.evaluate.kernels.foresight import least_costs

    buckets = demand.shape[1]
    return np.asarray(
        least_costs(
            np.ascontiguousarray(demand, dtype=np.float64),
            state.on_hand,
            state.backorders,
            np.ascontiguousarray(state.pipeline[:, :buckets]),
            np.minimum(terms.first_review + terms.lead_time_buckets, buckets).astype(np.int64),
            terms.review_period_buckets.astype(np.int64),
            costs.holding,
            costs.shortage,
            costs.order,
            terms.lost_share >= 1.0,
        )
    )
