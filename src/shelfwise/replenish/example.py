"""A situation of two series, for examples and first steps."""

from __future__ import annotations

from datetime import date

import numpy as np

from shelfwise.demand.panel import Panel
from shelfwise.forecast.scenarios import Scenarios
from shelfwise.replenish.situation import Situation
from shelfwise.simulate.costs import Costs
from shelfwise.simulate.terms import SupplyTerms


def small_situation(n_samples: int = 200, seed: int = 0) -> Situation:
    """Two items of about 5 units a week, lead time 2 weeks, boxes of 6; the first short, the second full.

    Example:
        >>> small_situation().position
        array([10., 60.])
    """
    rng = np.random.default_rng(seed)
    panel = Panel.from_arrays(rng.poisson(5.0, (2, 26)), start=date(2024, 1, 1))
    paths = rng.poisson(5.0, (2, n_samples, 8)).astype(np.float32)
    receipts = np.zeros((2, 8))
    receipts[0, 1] = 6.0
    return Situation(
        panel=panel,
        scenarios=Scenarios(panel.keys, panel.bucket, panel.as_of, paths),
        on_hand=np.array([4.0, 60.0]),
        backorders=np.zeros(2),
        receipts=receipts,
        receipts_later=np.zeros(2),
        terms=SupplyTerms.same(2, lead_time_buckets=2, multiple=6),
        costs=Costs.same(2, holding=0.2, shortage=1.0, unit=3.0),
        lead_time_sd=np.zeros(2),
        margin=np.array([2.0, 2.0]),
    )
