"""`service_front`: what stock must cost at each fill rate, on the very demand the policies were replayed on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demand.panel import Panel
from shelfwise.evaluate.replay import Shop
from shelfwise.replenish.search import Judge, PolicyFamily, swept_front
from shelfwise.simulate.state import StockState

# Levels come from at most this many of the last known buckets: what sold two years ago says little.
RECENT_BUCKETS = 91
COLUMNS = ("fill_rate", "cost", "safety_factor", "lot_factor")


def service_front(
    demand: npt.NDArray[np.float32],
    before: Panel,
    shop: Shop,
    start: StockState,
    lead_times: npt.NDArray[np.int32] | None = None,
) -> pl.DataFrame:
    """The cost-service front of reorder points and order-up-to levels with pooled parameters.

    Levels rest on demand before the window alone; which of them lie on the front is known only after it. So the
    line tells what one rule for all could have reached at best, not what anybody could have known.

    Args:
        demand: (N, T) units customers wanted in the window.
        before: the panel of the same series as it stood before the window.
        shop, start, lead_times: as in `replay`.

    Returns:
        A row a policy of the front, by rising fill rate: `fill_rate`, `cost` of stock and orders over the window,
        `safety_factor` and `lot_factor` (see `PolicyFamily`).

    Literature: exchange curves after Brown (1967) and Silver, Pyke and Thomas (2017, ch. 6).

    Example:
        >>> from shelfwise.simulate import Costs, SupplyTerms
        >>> rng = np.random.default_rng(0)
        >>> shop = Shop(SupplyTerms.same(2, lead_time_buckets=1),
        ...             Costs.same(2, holding=1.0, shortage=9.0, order=2.0), np.zeros(2))
        >>> past = Panel.from_arrays(rng.poisson(5.0, (2, 60)))
        >>> front = service_front(rng.poisson(5.0, (2, 40)).astype(np.float32), past, shop, StockState(np.zeros(2)))
        >>> bool(front["fill_rate"].is_sorted() and front["cost"].is_sorted())
        True
    """
    recent = before.demand[:, -RECENT_BUCKETS:].astype(np.float64)
    known = np.isfinite(recent)
    count = np.maximum(known.sum(axis=1), 1)
    mean = np.where(known, recent, 0.0).sum(axis=1) / count
    sd = np.sqrt(np.where(known, (recent - mean[:, None]) ** 2, 0.0).sum(axis=1) / count)
    family = PolicyFamily("min_max", mean, sd, shop.terms, shop.operating_costs)
    draws = None if lead_times is None else lead_times[:, None, :]
    front = swept_front(Judge(family, demand, start, draws))
    return pl.DataFrame(
        {
            "fill_rate": front.fill_rate,
            "cost": front.cost * demand.shape[1],
            "safety_factor": front.parameters[:, 0],
            "lot_factor": front.parameters[:, 1],
        },
        schema=dict.fromkeys(COLUMNS, pl.Float64),
    )
