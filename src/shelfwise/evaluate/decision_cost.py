"""`DecisionCost`: what orders decided on held-out scenarios came to once demand was known.

From each origin a few reviews are replayed in the simulator on what was then demanded, with the scenarios of that
origin all the way: no model is asked again in between. The stock it begins with is what the plainest rule would have
left there, the same for every forecast. Holding and shortage are counted in the buckets those orders answer for. The
cost of ordering is not: in so short a window whoever orders later would seem to save it. Series that have to look
further ahead than most of the shop are not replayed: history would have to be cut far back for a few.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demand.panel import Panel
from shelfwise.evaluate.replay import Shop, replay
from shelfwise.evaluate.starting_stock import warmed_up_stock
from shelfwise.evaluate.truth import replay_demand
from shelfwise.forecast.scenarios import Scenarios
from shelfwise.replenish.base import Policy
from shelfwise.replenish.limits import SharedLimits
from shelfwise.replenish.projection import buckets_needed
from shelfwise.simulate.state import StockState

Doubles = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
WINDOW = {"day": 28, "week": 13, "month": 6}
REVIEWS = 4
LOOKS_AHEAD_COVERED = 0.8


@dataclass
class DecisionCost:
    """Judges forecasts by the cost of the orders a policy makes of them; see `shelfwise.forecast.auto.CostJudge`.

    Limits that all orders share are left out, since a sample of series is judged.

    Args:
        panel: history of N series; shop: their terms and costs; policy: decides.

    Example:
        >>> from shelfwise.forecast.moving_average import MovingAverage
        >>> from shelfwise.replenish.order_up_to import ScenarioOrderUpTo
        >>> from shelfwise.simulate import Costs, SupplyTerms
        >>> panel = Panel.from_arrays(np.random.default_rng(0).poisson(5, (20, 60)))
        >>> terms, costs = SupplyTerms.same(20, lead_time_buckets=2), Costs.same(20, holding=0.2, shortage=1.0)
        >>> judge = DecisionCost(panel, Shop(terms, costs, np.zeros(20)), ScenarioOrderUpTo())
        >>> model = MovingAverage().fit(panel.until(50))
        >>> right = model.sample(judge.horizon, 100, np.random.default_rng(0))
        >>> nothing = replace(right, paths=0 * right.paths)
        >>> judge.horizon, bool(judge(50, right).sum() < judge(50, nothing).sum())
        (6, True)
    """

    panel: Panel
    shop: Shop
    policy: Policy
    _row: dict[tuple[str, str], int] = field(init=False, repr=False)
    _near: npt.NDArray[np.bool_] = field(init=False, repr=False)
    _reach: int = field(init=False, repr=False)
    _stock: dict[int, StockState] = field(init=False, repr=False, default_factory=dict)
    _demand: dict[int, npt.NDArray[np.float32]] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._row = {(sku, location): row for row, (sku, location) in enumerate(self.panel.keys.iter_rows())}
        terms = self.shop.terms
        ahead = buckets_needed(
            np.asarray(terms.lead_time_buckets),
            np.asarray(terms.review_period_buckets),
            self.shop.lead_time_sd,
        )
        covered = np.quantile(ahead, LOOKS_AHEAD_COVERED, method="higher") if len(ahead) else 1.0
        self._near = ahead <= covered
        self._reach = int(covered)
        # No policy reads what is known ahead; without it a panel is cheap to cut.
        self.panel = replace(self.panel, known={}, observed={}, static=pl.DataFrame())
        self.shop = replace(self.shop, limits=SharedLimits())

    @property
    def horizon(self) -> int:
        """Buckets of scenarios, and of what then happened."""
        review = self.shop.terms.review_period_buckets[self._near]
        return self._reach + (REVIEWS - 1) * int(np.median(review) if len(review) else 1)

    def __call__(self, origin: int, scenarios: Scenarios) -> Doubles:
        """(n,) money the orders from bucket `origin` on came to, series in the order of the scenarios.

        0 for series that are not replayed.
        """
        every = np.array([self._row[sku, location] for sku, location in scenarios.keys.iter_rows()], np.intp)
        replayed = np.flatnonzero(self._near[every])
        cost = np.zeros(len(every))
        if len(replayed):
            cost[replayed] = self._replayed(origin, scenarios.take(replayed), every[replayed])
        return cost

    def _replayed(self, origin: int, scenarios: Scenarios, rows: Rows) -> Doubles:
        shop, panel = self.shop.take(rows), self.panel.take(rows).until(origin)
        last = scenarios.horizon - self._reach

        def knowledge(t: int) -> tuple[Panel, Scenarios]:
            # What is ordered after the last whole look ahead is not counted any more.
            return panel, replace(scenarios, paths=scenarios.paths[:, :, min(t, last) :], expected=None)

        ledger = replay(
            self._demand_from(origin)[rows],
            knowledge,
            {self.policy.name: self.policy},
            shop,
            self._stock_at(origin).take(rows),
        )
        moved, costs = ledger.buckets, shop.operating_costs
        assert moved is not None  # `replay` records them
        short = moved.lost[:, 0] + moved.backorders[:, 0]
        money = costs.holding[:, None] * moved.on_hand_end[:, 0] + costs.shortage[:, None] * short
        step, lead = np.arange(money.shape[1])[None, :], shop.terms.lead_time_buckets[:, None]
        answered = (step >= lead) & (step < lead + last + shop.terms.review_period_buckets[:, None])
        return np.asarray((money * answered).sum(axis=1), dtype=np.float64)

    def _demand_from(self, origin: int) -> npt.NDArray[np.float32]:
        if origin not in self._demand:
            self._demand[origin] = replay_demand(self.panel, origin, origin + self.horizon)[0]
        return self._demand[origin]

    def _stock_at(self, origin: int) -> StockState:
        if origin not in self._stock:
            before, window = self.panel.until(origin), WINDOW[self.panel.bucket.name]
            self._stock[origin] = warmed_up_stock(
                before, origin, self.shop.terms, window, extra_cover_buckets=0
            )
        return self._stock[origin]
