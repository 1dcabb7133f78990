"""`Judge`: what candidates of a policy family cost and serve, all on the same demand paths."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.replenish.search.families import PolicyFamily
from shelfwise.simulate.costs import Costs
from shelfwise.simulate.per_series import Floats
from shelfwise.simulate.run import simulate
from shelfwise.simulate.state import StockState

# Candidates judged in one call are as many as keep demand copied for them below about this.
UNITS_AT_ONCE = 40_000_000


class Verdict(NamedTuple):
    """Of C candidates: (C,) cost a bucket over all series, (C,) fill rate, (C, N) cost a bucket of each series."""

    cost: Floats
    fill_rate: Floats
    series_cost: Floats


@dataclass(frozen=True, eq=False)
class Judge:
    """Runs candidates through the simulator with common random numbers.

    Args:
        family: what the candidates are parameters of.
        demand: (N, P, T) or (N, T) demand paths, units.
        state: stock at the start; None = every series at its level for safety factor 0.
        lead_times: (N, P, T) drawn lead times, the same for all candidates; None = the terms' own.

    Raises:
        UsageError: shapes disagree.

    Example:
        >>> from shelfwise.simulate import Costs, SupplyTerms
        >>> terms, costs = SupplyTerms.same(1, lead_time_buckets=1), Costs.same(1, holding=1.0, shortage=9.0)
        >>> demand = np.random.default_rng(0).poisson(5.0, (1, 20, 100))
        >>> judge = Judge(PolicyFamily.of_demand("base_stock", demand, terms, costs), demand)
        >>> verdict = judge([[0.0], [1.2], [5.0]])
        >>> int(verdict.cost.argmin()), bool((np.diff(verdict.fill_rate) > 0).all())
        (1, True)
    """

    family: PolicyFamily
    demand: npt.NDArray[np.float32]
    state: StockState | None = None
    lead_times: npt.NDArray[np.int32] | None = None

    def __post_init__(self) -> None:
        paths = np.ascontiguousarray(self.demand, dtype=np.float32)
        paths = paths[:, None, :] if paths.ndim == 2 else paths
        n_series = self.family.terms.n_series
        if paths.ndim != 3 or len(paths) != n_series:
            raise UsageError(f"demand must be ({n_series}, P, T); got shape {np.shape(self.demand)}")
        object.__setattr__(self, "demand", paths)
        if self.state is None:
            interval = self.family.terms.lead_time_buckets + self.family.terms.review_period_buckets
            object.__setattr__(self, "state", StockState(self.family.mean * interval))

    def __call__(self, candidates: npt.ArrayLike) -> Verdict:
        """Judge candidates (C, d), the same for all series, or (C, N, d)."""
        theta = self.family.checked(candidates)
        at_once = max(1, UNITS_AT_ONCE // max(1, self.demand.size))
        parts = [self._part(theta[start : start + at_once]) for start in range(0, len(theta), at_once)]
        return Verdict(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def with_shortage(self, shortage: float) -> Judge:
        """The same judge with another price of a unit short."""
        costs = self.family.costs
        priced = Costs(costs.holding, np.full(costs.n_series, shortage), costs.order, costs.unit)
        return replace(self, family=replace(self.family, costs=priced))

    def _part(self, theta: Floats) -> Verdict:
        count, n_series = len(theta), len(self.demand)
        again = np.tile(np.arange(n_series), count)
        assert self.state is not None  # __post_init__ fills it in
        run = simulate(
            self.demand[again],
            self.family.terms.take(again),
            self.family.costs.take(again),
            self.state.take(again),
            self.family.levels(theta),
            lead_times=None if self.lead_times is None else self.lead_times[again],
        )
        # Goods are not a loss: what the policies differ in is stock, shortage and orders.
        money = (run.cost - run.purchase_cost).mean(axis=1).reshape(count, n_series) / run.n_buckets
        asked = run.demand.sum(axis=1).reshape(count, n_series).sum(axis=1)
        at_once = (run.served - run.served_late).sum(axis=1).reshape(count, n_series).sum(axis=1)
        fill = np.divide(at_once, asked, out=np.ones(count), where=asked > 0)
        return Verdict(money.sum(axis=1), fill, money)
