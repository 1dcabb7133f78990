"""The stock a replay starts from, when history does not tell it: what the shop's present rule would have left."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Panel
from shelfwise.evaluate.truth import replay_demand
from shelfwise.simulate.costs import Costs
from shelfwise.simulate.levels import Levels
from shelfwise.simulate.run import simulate
from shelfwise.simulate.state import StockState
from shelfwise.simulate.terms import SupplyTerms

EXTRA_COVER_BUCKETS = 1


def moving_levels(panel: Panel, first: int, last: int, window: int) -> npt.NDArray[np.float64]:
    """(N, last - first) mean of the known demand in the `window` buckets before each bucket."""
    recorded = panel.recorded
    known = np.isfinite(recorded)
    total = np.concatenate(
        [
            np.zeros((panel.n_series, 1)),
            np.cumsum(np.where(known, recorded, 0.0), axis=1, dtype=np.float64),
        ],
        axis=1,
    )
    count = np.concatenate([np.zeros((panel.n_series, 1)), np.cumsum(known, axis=1)], axis=1)
    at = np.arange(first, last)
    low = np.maximum(at - window, 0)
    return np.asarray((total[:, at] - total[:, low]) / np.maximum(count[:, at] - count[:, low], 1))


def warmed_up_stock(
    panel: Panel,
    first: int,
    terms: SupplyTerms,
    window: int,
    extra_cover_buckets: int = EXTRA_COVER_BUCKETS,
) -> StockState:
    """Stock and pipeline at bucket `first`, the same for every policy that is compared.

    The rule most shops use, an order up to L + R + `extra_cover_buckets` of a moving average, is run over the
    buckets before `first`, from half a year back if there is so much, starting with its own target on
    hand. It sees nothing later than the bucket it decides in.
    """
    cover = terms.lead_time_buckets + terms.review_period_buckets + extra_cover_buckets
    warm_up = int(min(first, max(round(panel.bucket.per_year / 2), 2 * int(cover.max(initial=1)))))
    begin = first - warm_up
    rows = panel.n_series
    if warm_up == 0:
        return StockState.empty(rows)
    target = moving_levels(panel, begin, first, window) * cover[:, None]
    demand, _ = replay_demand(panel.until(first), begin, first)
    start = StockState(np.ceil(target[:, 0]))
    run = simulate(
        demand,
        terms,
        Costs.same(rows, holding=0.0, shortage=0.0),
        start,
        Levels.base_stock(target),
        record="ledger",
    )
    assert run.buckets is not None
    depth = int(terms.lead_time_buckets.max(initial=0))
    pipeline = np.zeros((rows, max(depth, 1)))
    ordered = run.buckets.ordered[:, 0, :]
    # An order placed `back` buckets ago with lead time L is due in L - back buckets.
    for back in range(1, min(depth, warm_up) + 1):
        due = terms.lead_time_buckets - back
        mine = np.flatnonzero(due >= 0)
        pipeline[mine, due[mine]] += ordered[mine, warm_up - back]
    return StockState(run.end_on_hand[:, 0], run.end_backorders[:, 0], pipeline)
