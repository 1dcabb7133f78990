"""`AgedProjection`: a projection in which some goods expire, so that an order foresees what of it will be wasted."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from shelfwise.replenish.projection import GOALS, Goal, Outcome, Projection, lot_range
from shelfwise.replenish.situation import Doubles, Situation

Rows = npt.NDArray[np.intp]
RATE_BUCKETS = 8


@dataclass(frozen=True, eq=False)
class Aged:
    """What the shelf life of A series adds to their projection.

    Attributes:
        inner: their projection onto the demand that older stock leaves over, from the order's arrival on.
        life: (A,) buckets a unit can be sold in, from its receipt on.
        in_life: (A, S) units of the order that can be sold before they expire.
        unit_cost: (A,) money per unit of older stock wasted.
        waste_cost: (A,) the same of the order, less the holding cost that is counted for its last bucket.
        told: (A, 5) means over the scenarios: units of older stock held over the review, wasted until its end and
            left then; demand after the order has expired; all demand of the review.
    """

    inner: Projection
    life: npt.NDArray[np.int32]
    in_life: Doubles
    unit_cost: Doubles
    waste_cost: Doubles
    told: Doubles

    def waste(self, quantity: Doubles) -> Doubles:
        """(A,) units of orders (A,) expected to expire unsold."""
        from shelfwise.replenish.kernels.ageing import waste_of_orders

        wasted = np.empty(len(quantity))
        waste_of_orders(np.ascontiguousarray(quantity, dtype=np.float64), self.in_life, wasted)
        return wasted

    def take(self, rows: Rows) -> Aged:
        """Only the series in `rows`."""
        return Aged(
            self.inner.take(rows),
            self.life[rows],
            self.in_life[rows],
            self.unit_cost[rows],
            self.waste_cost[rows],
            self.told[rows],
        )


@dataclass(frozen=True)
class AgedProjection(Projection):
    """A projection of N series of which A, those at `rows`, have a shelf life; the others are decided as without one.

    The oldest units are sold first. `stock` holds of those A what of the older stock is still usable, and an
    order's cost includes the unit cost of what of it is expected to expire (Nahmias 1976, "Myopic approximations for the
    perishable inventory problem", Management Science 22(9)); the older stock is projected age by age (Broekmeulen
    and van Donselaar 2009, Computers & Operations Research 36(11)).
    """

    rows: Rows = field(default_factory=lambda: np.zeros(0, dtype=np.intp))
    aged: Aged | None = None

    @classmethod
    def over(cls, plain: Projection, situation: Situation) -> Projection:
        """`plain` with the shelf lives of its situation; `plain` itself if no series has one."""
        if situation.shelf_life is None:
            return plain
        rows = np.flatnonzero(situation.shelf_life > 0)
        if not len(rows):
            return plain
        from shelfwise.replenish.kernels.ageing import project_ageing

        part = plain.take(rows)
        state, terms, panel = part.situation, part.situation.terms, part.situation.panel
        assert state.shelf_life is not None
        life = np.asarray(state.shelf_life, dtype=np.int32)
        review = np.asarray(terms.review_period_buckets)
        shape = part.stock.shape
        residual = part.paths.copy()
        usable, owed, in_life, told = (
            np.empty(shape),
            np.empty(shape),
            np.empty(shape),
            np.empty((len(rows), 5)),
        )
        dry = np.empty(len(rows))
        project_ageing(
            part.paths, part.leads, part.receipts, np.asarray(state.on_hand - state.backorders), _rates(state),
            _ages(state), life, review, (panel.ends - panel.n_buckets).astype(np.float64), panel.bucket.season,
            terms.lost_share, residual, usable, owed, in_life, dry, told,
        )  # fmt: skip
        # An order that expires before the next one arrives answers for its life alone.
        answers = replace(terms, review_period_buckets=np.minimum(review, life))
        inner = replace(part, situation=replace(state, terms=answers), paths=residual, stock=-owed, dry=dry)
        stock, all_dry = plain.stock.copy(), plain.dry.copy()
        stock[rows], all_dry[rows] = usable - owed, dry
        unit_cost = np.asarray(state.costs.unit, dtype=np.float64)
        # What expires at the end of the review is no stock there; `inner`, which knows no shelf life, holds it.
        held_to_the_end = np.where(life <= review, part.holding, 0.0)
        aged = Aged(inner, life, in_life, unit_cost, unit_cost - held_to_the_end, told)
        own = {name: getattr(plain, name) for name in plain.__dataclass_fields__}
        return cls(**own | {"stock": stock, "dry": all_dry, "rows": rows, "aged": aged})

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
        """As of `Projection`; what expires is charged to the order."""
        from shelfwise.replenish.kernels.ageing import choose_aged

        wanted, quantity = super().choose(
            goal, level, charge=charge, ceiling=ceiling, moq=moq, order_cost=order_cost
        )
        if self.aged is None:
            return wanted, quantity
        rows, inner = self.rows, self.aged.inner
        terms, n_aged = inner.situation.terms, len(self.rows)
        multiple = np.asarray(terms.multiple)
        fewest_lots, most_lots = lot_range(
            terms.moq if moq is None else moq[rows],
            multiple,
            np.asarray(terms.max_quantity) if ceiling is None else ceiling[rows],
        )
        found, lots = np.empty(n_aged), np.empty(n_aged, dtype=np.int64)
        choose_aged(
            GOALS[goal], level, inner.paths, inner.leads, inner.receipts, inner.stock,
            np.asarray(terms.review_period_buckets), inner.holding, inner.judged, terms.lost_share,
            np.asarray(inner.situation.costs.order) if order_cost is None else order_cost[rows],
            np.zeros(n_aged) if charge is None else charge[rows],
            multiple, fewest_lots, most_lots, self.aged.in_life, self.aged.waste_cost, self.aged.told, found, lots,
        )  # fmt: skip
        # How far stock is above its target is told by the plain rule; this one knows no order below none.
        wanted[rows] = np.where(found > 0, found, np.minimum(wanted[rows], 0.0))
        quantity[rows] = lots * multiple
        return wanted, quantity

    def assess(self, quantity: Doubles, *, judged: bool = False) -> Outcome:
        """As of `Projection`, with what is wasted, of the order and of what is there, at its unit cost."""
        plain = super().assess(quantity, judged=judged)
        if self.aged is None:
            return plain
        rows, aged = self.rows, self.aged
        order = np.asarray(quantity, dtype=np.float64)[rows]
        inner, wasted = aged.inner.assess(order, judged=judged), aged.waste(order)
        held, older_wasted, older_left, beyond, _ = aged.told.T
        short_cost = aged.inner.judged if judged else aged.inner.shortage
        cost, lost, left = plain.cost.copy(), plain.lost.copy(), plain.left.copy()
        cost[rows] = (
            inner.cost
            + aged.inner.holding * held
            + short_cost * beyond
            + aged.waste_cost * wasted
            + aged.unit_cost * older_wasted
        )
        lost[rows] = inner.lost + beyond
        # What is left of an order that has expired by then is waste, not stock.
        review = np.asarray(self.situation.terms.review_period_buckets)[rows]
        left[rows] = np.maximum(inner.left - np.where(aged.life <= review, wasted, 0.0), 0.0) + older_left
        unbroken = plain.unbroken.copy()
        unbroken[rows] = inner.unbroken
        return Outcome(cost, lost, left, unbroken)

    def waste(self, quantity: Doubles) -> tuple[Doubles, Doubles]:
        """(N,) units of older stock, and (N,) of orders (N,), expected to expire unsold; NaN = keeps for ever."""
        n_series = self.situation.n_series
        older, own = np.full(n_series, np.nan), np.full(n_series, np.nan)
        if self.aged is not None:
            older[self.rows] = self.aged.told[:, 1]
            own[self.rows] = self.aged.waste(np.asarray(quantity, dtype=np.float64)[self.rows])
        return older, own

    def first_stockout(self) -> Doubles:
        """(A,) first bucket in which mean demand finds nothing that keeps, without an order; NaN = none in sight."""
        from shelfwise.replenish.kernels.ageing import first_shortages

        part = self.situation.take(self.rows)
        assert part.scenarios is not None  # a projection is only made of scenarios
        assert part.shelf_life is not None
        first = np.empty(len(self.rows))
        first_shortages(
            part.scenarios.mean().astype(np.float64), self.receipts[self.rows],
            np.asarray(part.on_hand - part.backorders, dtype=np.float64), _rates(part), _ages(part),
            np.asarray(part.shelf_life, dtype=np.int32), first,
        )  # fmt: skip
        return first

    def as_if_kept(self, goal: Goal, level: float) -> Doubles:
        """(N,) units that would be ordered if the order kept for ever; NaN for goods that do."""
        quantity = np.full(self.situation.n_series, np.nan)
        if self.aged is not None:
            quantity[self.rows] = Projection.choose(self.take(self.rows), goal, level)[1]
        return quantity

    def cycle_waste(self) -> tuple[Doubles, Doubles]:
        """As of `Projection`."""
        cost, sold = np.zeros(self.situation.n_series), np.zeros(self.stock.shape)
        if self.aged is not None:
            cost[self.rows], sold[self.rows] = np.maximum(self.aged.waste_cost, 0.0), self.aged.in_life
        return cost, sold

    def longest_batch(self) -> Doubles:
        """(N,) as of `Projection`, and no longer than the goods keep."""
        longest = super().longest_batch().copy()
        if self.aged is not None:
            longest[self.rows] = np.minimum(longest[self.rows], self.aged.life)
        return longest

    def take(self, rows: Rows) -> AgedProjection:
        """Only the series in `rows`; their paths are copied once, here."""
        plain = super().take(rows)
        place = np.full(self.situation.n_series, -1, dtype=np.intp)
        place[self.rows] = np.arange(len(self.rows))
        kept = np.flatnonzero(place[rows] >= 0)
        aged = None if self.aged is None or not len(kept) else self.aged.take(place[rows][kept])
        own = {name: getattr(plain, name) for name in Projection.__dataclass_fields__}
        return AgedProjection(**own, rows=kept, aged=aged)


def _ages(situation: Situation) -> Doubles:
    """(A, K) units by buckets of life left less one; K = 0 where nobody knows."""
    ages = np.zeros((situation.n_series, 0)) if situation.ages is None else situation.ages
    return np.asarray(ages, dtype=np.float64)


def _rates(situation: Situation) -> Doubles:
    """(A,) units sold a bucket of late: what deliveries have brought, which tells how old the stock is."""
    recorded = situation.panel.recorded[:, -RATE_BUCKETS:]
    known = np.isfinite(recorded)
    total = np.where(known, recorded, 0.0).sum(axis=1, dtype=np.float64)
    return np.asarray(total / np.maximum(known.sum(axis=1), 1))
