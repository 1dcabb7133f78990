"""`Projection`: stock carried through the lead time in every scenario, ready to price any order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.replenish.situation import Doubles, Situation
from shelfwise.simulate.lead_times import draw_lead_times
from shelfwise.simulate.lots import round_lots
from shelfwise.simulate.terms import SupplyTerms

Goal = Literal["cost", "fill_rate", "cycle"]
GOALS: dict[Goal, int] = {"cost": 0, "fill_rate": 1, "cycle": 2}
SPREADS_COVERED = 3.0
# The longest lead time and the longest review period that settings allow.
MOST_BUCKETS = 3000


def horizon_needed(terms: SupplyTerms, lead_time_sd: npt.ArrayLike = 0.0) -> int:
    """Buckets the scenarios must reach: lead time, three of its standard deviations, review period.

    Example:
        >>> horizon_needed(SupplyTerms.same(2, lead_time_buckets=[2, 5], review_period_buckets=1))
        6
        >>> horizon_needed(SupplyTerms.same(1, lead_time_buckets=5), lead_time_sd=0.7)
        9
    """
    if terms.n_series == 0:
        return 1
    lead, review = np.asarray(terms.lead_time_buckets), np.asarray(terms.review_period_buckets)
    return int(np.max(buckets_needed(lead, review, np.asarray(lead_time_sd, dtype=np.float64))))


def buckets_needed(
    lead: npt.NDArray[Any], review: npt.NDArray[Any], lead_time_sd: npt.NDArray[Any], most: float = np.inf
) -> Doubles:
    """(N,) buckets the scenarios of each series must reach; 0 where that is more than `most`."""
    needed = lead + np.ceil(SPREADS_COVERED * lead_time_sd - 1e-9) + review
    return np.where(needed <= most, needed, 0.0)


@dataclass(frozen=True)
class Outcome:
    """What an order leads to in the buckets it answers for, expected over the scenarios; each (N,)."""

    cost: Doubles
    lost: Doubles
    left: Doubles
    unbroken: Doubles


@dataclass(frozen=True)
class Projection:
    """Scenarios, receipts and stock at arrival of N series.

    An order placed now serves from bucket L on, and the next one from L + R on, so what is decided now
    is the cost of the buckets L … L + R - 1; nothing before can be changed. A random lead time is
    drawn once a scenario and shifts those buckets as a whole, which is exact where orders do not overtake
    each other (Zipkin 2000, *Foundations of Inventory Management*, section 7.4).

    Attributes:
        paths: (N, S, H) demand.
        leads: (N, 1) or (N, S) buckets until the order arrives.
        receipts: (N, H) units due in each bucket.
        stock: (N, S) net stock when the order arrives, with what is due by then (below 0: owed).
        dry: (N,) share of scenarios in which demand goes unserved before the order arrives.
        holding, shortage: (N,) cost per unit and bucket.
        weight: (N,) share of the shortage cost that `choose` judges by; see `shortage_weight`.
        cycle_weight: (N,) the same for orders that are judged by their cycle.
    """

    situation: Situation
    paths: npt.NDArray[np.float32]
    leads: npt.NDArray[np.int32]
    receipts: Doubles
    stock: Doubles
    dry: Doubles
    holding: Doubles
    shortage: Doubles
    weight: Doubles
    cycle_weight: Doubles

    @classmethod
    def of(
        cls,
        situation: Situation,
        *,
        holding: Doubles | None = None,
        shortage: Doubles | None = None,
        weight: Doubles | None = None,
        cycle_weight: Doubles | None = None,
        seed: int = 0,
    ) -> Projection:
        """Project a situation; `holding` and `shortage` replace its own cost rates.

        A `weight` (N,) that would leave a shelf empty for good which the whole shortage cost would fill is
        raised until the first lot pays: with nothing else on its way, no other order needs to shrink.

        Raises:
            UsageError: no scenarios, or they are too short.
        """
        from shelfwise.replenish.kernels.projection import project_to_arrival

        if situation.scenarios is None:
            raise UsageError("this policy decides on scenarios and the situation has none; forecast first")
        terms, paths = situation.terms, situation.scenarios.paths
        leads = _lead_times(situation, paths.shape[1], paths.shape[2], seed)
        receipts = np.zeros((situation.n_series, paths.shape[2]))
        width = min(paths.shape[2], situation.receipts.shape[1])
        receipts[:, :width] = situation.receipts[:, :width]
        stock = np.empty(paths.shape[:2])
        dry = np.empty(situation.n_series)
        net = np.asarray(situation.on_hand - situation.backorders, dtype=np.float64)
        project_to_arrival(paths, leads, receipts, net, terms.lost_share, stock, dry)
        own = situation.costs
        full = cls(
            situation,
            paths,
            leads,
            receipts,
            stock,
            dry,
            np.asarray(own.holding if holding is None else holding, dtype=np.float64),
            np.asarray(own.shortage if shortage is None else shortage, dtype=np.float64),
            np.ones(situation.n_series),
            np.ones(situation.n_series) if cycle_weight is None else cycle_weight,
        )
        return full if weight is None else replace(full, weight=full._filling(weight))

    def _filling(self, weight: Doubles) -> Doubles:
        """(N,) `weight`, raised where only that makes the first lot to an empty shelf pay."""
        from shelfwise.replenish.kernels.choice import weights_of_first_lot

        terms = self.situation.terms
        multiple = np.asarray(terms.multiple)
        lot = np.maximum(lot_range(terms.moq, multiple, terms.max_quantity)[0], 1) * multiple
        least = np.empty(len(weight))
        weights_of_first_lot(
            self.paths, self.leads, self.receipts, np.asarray(terms.review_period_buckets),
            self.holding, self.shortage, terms.lost_share, lot, least,
        )  # fmt: skip
        least *= 1.0 + 1e-6
        return np.where((weight < least) & (least <= 1.0), least, weight)

    @property
    def judged(self) -> Doubles:
        """(N,) cost of a unit short that `choose` judges by."""
        return self.shortage * self.weight

    def choose(
        self,
        goal: Goal = "cost",
        level: float = 0.0,
        *,
        charge: Doubles | None = None,
        ceiling: Doubles | None = None,
        moq: Doubles | None = None,
        order_cost: Doubles | None = None,
    ) -> tuple[Doubles, Doubles]:
        """The best order of each series: units wanted before lot rules (negative: above target), and units.

        Args:
            goal: ``cost`` = least expected cost; ``fill_rate`` and ``cycle`` = the smallest order that
                reaches `level` over the buckets it answers for.
            charge: (N,) money added per unit ordered (the price of a shared limit).
            ceiling: (N,) units no order may exceed, in place of the supplier's maximum.
            moq, order_cost: (N,) in place of the situation's own.
        """
        from shelfwise.replenish.kernels.choice import choose

        terms, n_series = self.situation.terms, self.situation.n_series
        multiple = np.asarray(terms.multiple)
        most = np.asarray(terms.max_quantity) if ceiling is None else ceiling
        fewest_lots, most_lots = lot_range(terms.moq if moq is None else moq, multiple, most)
        wanted, lots = np.empty(n_series), np.empty(n_series, dtype=np.int64)
        choose(
            GOALS[goal], level, self.paths, self.leads, self.receipts, self.stock,
            np.asarray(terms.review_period_buckets), self.holding, self.judged, terms.lost_share,
            np.asarray(self.situation.costs.order if order_cost is None else order_cost),
            np.zeros(n_series) if charge is None else charge,
            multiple, fewest_lots, most_lots, wanted, lots,
        )  # fmt: skip
        return wanted, lots * multiple

    def by_cycle(self) -> npt.NDArray[np.bool_]:
        """(N,) series whose orders outlast one review, so that one review's cost cannot judge them: an order
        costs money, or the smallest lot is above the mean demand of a review.

        A lot is not judged by its cycle where the item ends within `longest_cycle`: no cycle follows.
        """
        from shelfwise.replenish.kernels.projection import describe_demand

        terms = self.situation.terms
        moq, multiple = np.asarray(terms.moq), np.asarray(terms.multiple)
        chosen = np.asarray(self.situation.costs.order) > 0
        lots = (moq > multiple) | (multiple > 1.0)
        lots &= self.longest_cycle() >= self.situation.panel.bucket.per_year
        rows = np.flatnonzero(lots & ~chosen)
        if len(rows):
            demand = np.empty((len(rows), 3))
            review = np.asarray(terms.review_period_buckets)[rows]
            describe_demand(self.paths[rows], self.leads[rows], review, np.zeros(len(rows)), demand)
            chosen[rows] = np.maximum(moq, multiple)[rows] > demand[:, 1] - demand[:, 0]
        return chosen

    def longest_cycle(self) -> Doubles:
        """(N,) buckets one order may cover at most: a year, or what is left until the item ends."""
        panel = self.situation.panel
        left = panel.ends - panel.n_buckets - np.asarray(self.situation.terms.lead_time_buckets, dtype=float)
        return np.asarray(np.clip(left, 0.0, panel.bucket.per_year))

    def longest_batch(self) -> Doubles:
        """(N,) buckets one order decided by its cycle may cover at most."""
        return self.longest_cycle()

    def cycle_waste(self) -> tuple[Doubles, Doubles]:
        """What a unit that expires costs, (N,), and how many of an order can be sold in time, (N, S); here all keeps."""
        return np.zeros(self.situation.n_series), np.zeros((self.situation.n_series, 0))

    def choose_by_cycle(self) -> tuple[Doubles, Doubles]:
        """For series of `by_cycle`: units to order, and the least the supplier's lots make of them.

        An order is due once stock has fallen to the s of the best (s, S) cycle, and reaches up to its S; see
        `kernels.cycle`. Both are 0 where none is due; the maximum is not applied yet.
        """
        from shelfwise.replenish.kernels.cycle import cycle_orders

        terms, n_series = self.situation.terms, self.situation.n_series
        multiple = np.asarray(terms.multiple)
        fewest_lots, most_lots = lot_range(terms.moq, multiple, terms.max_quantity)
        reorder_at, up_to = np.empty(n_series), np.empty(n_series)
        cycle_orders(
            self.paths, self.leads, self.receipts, self.stock, np.asarray(terms.review_period_buckets),
            self.holding, self.shortage * self.cycle_weight, terms.lost_share,
            np.asarray(self.situation.costs.order),
            fewest_lots * multiple, self.longest_batch(), np.minimum(multiple, 1.0), *self.cycle_waste(),
            reorder_at, up_to,
        )  # fmt: skip
        due = (reorder_at >= 0.0) & (up_to > 0.0) & (most_lots > 0)
        lots = np.maximum(np.rint(up_to / multiple), 1.0)
        return np.where(due, up_to, 0.0), np.where(due, lots * multiple, 0.0)

    def cycle_costs(self, quantities: Doubles) -> Doubles:
        """(N, M) what orders of `quantities` (N, M), rising from 0 to each series' own order, cost over the cycle
        they start; see `kernels.cycle_worth`."""
        from shelfwise.replenish.kernels.cycle_worth import cycle_costs

        terms = self.situation.terms
        multiple = np.asarray(terms.multiple)
        fewest_lots, _ = lot_range(terms.moq, multiple, terms.max_quantity)
        costs = np.empty_like(quantities)
        cycle_costs(
            self.paths, self.leads, self.receipts, self.stock, np.asarray(terms.review_period_buckets),
            self.holding, self.shortage * self.cycle_weight, terms.lost_share,
            np.asarray(self.situation.costs.order),
            fewest_lots * multiple, self.longest_batch(), np.minimum(multiple, 1.0), *self.cycle_waste(),
            quantities, costs,
        )  # fmt: skip
        return costs

    def assess(self, quantity: Doubles, *, judged: bool = False) -> Outcome:
        """What an order of `quantity` (N,) units leads to; its order cost is not counted, and a unit short at what
        it costs, or with `judged` at what `choose` judges by."""
        from shelfwise.replenish.kernels.projection import assess

        terms = self.situation.terms
        outcome = np.empty((self.situation.n_series, 4))
        assess(
            self.paths, self.leads, self.receipts, self.stock, np.asarray(terms.review_period_buckets),
            np.asarray(quantity, dtype=np.float64), self.holding, self.judged if judged else self.shortage,
            terms.lost_share, outcome,
        )  # fmt: skip
        return Outcome(*(np.ascontiguousarray(outcome[:, column]) for column in range(4)))

    def take(self, rows: npt.NDArray[np.intp]) -> Projection:
        """Only the series in `rows`; their paths are copied once, here."""
        return Projection(
            replace(self.situation, scenarios=None).take(rows),
            self.paths[rows],
            self.leads[rows],
            self.receipts[rows],
            self.stock[rows],
            self.dry[rows],
            self.holding[rows],
            self.shortage[rows],
            self.weight[rows],
            self.cycle_weight[rows],
        )


def lot_range(
    moq: npt.ArrayLike, multiple: npt.ArrayLike, max_quantity: npt.ArrayLike
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Fewest and most lots of an order, (N,), by the rule of `round_lots`; most = 0 where none is possible.

    Example:
        >>> lot_range([10, 0, 8], [6, 1, 6], [100, float("inf"), 10])
        (array([2, 1, 0]), array([              16, 4503599627370496,                0]))
    """
    step = np.asarray(multiple, dtype=np.float64)
    largest = np.asarray(max_quantity, dtype=np.float64)
    fewest = np.rint(round_lots(step * 0.5, moq, step, largest) / step)
    most = np.rint(round_lots(np.where(np.isinf(largest), 0.0, largest), moq, step, largest) / step)
    unlimited = np.isinf(largest)
    return fewest.astype(np.int64), np.where(unlimited, 2**52, np.where(fewest > 0, most, 0)).astype(np.int64)


def _lead_times(situation: Situation, n_samples: int, horizon: int, seed: int) -> npt.NDArray[np.int32]:
    """(N, 1) fixed lead times, or (N, S) draws where one of them is random; cut to what the paths cover."""
    terms = situation.terms
    needed = horizon_needed(terms, situation.lead_time_sd)
    if needed > horizon:
        raise UsageError(
            f"the scenarios reach {horizon} buckets, but lead time (with its spread) and review period need "
            f"{needed}; sample with horizon={needed} or more"
        )
    lead = np.asarray(terms.lead_time_buckets, dtype=np.int32)
    if not (situation.lead_time_sd > 0).any():
        return lead[:, None]
    draws = draw_lead_times(
        lead, situation.lead_time_sd, n_samples, 1, seed=seed, series=situation.panel.series_ids
    )[:, :, 0]
    latest = horizon - np.asarray(terms.review_period_buckets)
    return np.minimum(draws, latest[:, None]).astype(np.int32)
