"""`Worth`: what part of an order costs and saves, for the limits that all orders share."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from shelfwise.replenish.projection import Projection, lot_range
from shelfwise.replenish.situation import Doubles

POINTS = 257


@dataclass(frozen=True)
class Worth:
    """Expected cost of any part of N orders.

    An order decided on one review's cost is valued by that. One decided by its cycle lasts for many reviews
    and would look worthless beyond the first, so it is valued by the whole cycle it starts: the relative cost of the
    stock it leads to, if the best rule follows, made convex between nothing and the whole order.

    Attributes:
        projection: of the N series.
        ceiling: (N,) the orders.
        at: (N,) row of `points` and `costs` for a series decided by its cycle, else -1.
        points, costs: (C, M) quantities from 0 to the order, and what they cost.
    """

    projection: Projection
    ceiling: Doubles
    at: npt.NDArray[np.intp]
    points: Doubles
    costs: Doubles

    @classmethod
    def of(cls, projection: Projection, ceiling: Doubles, cycles: npt.NDArray[np.bool_]) -> Worth:
        """Of `ceiling` (N,) above 0; `cycles` (N,) tells who was decided by the cycle."""
        rows = np.flatnonzero(cycles)
        at = np.full(len(ceiling), -1, dtype=np.intp)
        at[rows] = np.arange(len(rows))
        lot = np.asarray(projection.situation.terms.multiple)[rows]
        stride = np.maximum(np.ceil(np.rint(ceiling[rows] / lot) / (POINTS - 1)), 1.0)
        points = np.minimum(np.arange(POINTS) * (stride * lot)[:, None], ceiling[rows, None])
        costs = projection.take(rows).cycle_costs(points) if len(rows) else np.zeros((0, POINTS))
        return cls(projection, ceiling, at, points, costs)

    def take(self, rows: npt.NDArray[np.intp]) -> Worth:
        """Only the series in `rows`."""
        if len(rows) == len(self.at) and (rows == np.arange(len(rows))).all():
            return self
        at, own = self.at[rows], np.full(len(rows), -1, dtype=np.intp)
        kept = at[at >= 0]
        own[at >= 0] = np.arange(len(kept))
        return replace(
            self, projection=self.projection.take(rows), ceiling=self.ceiling[rows], at=own,
            points=self.points[kept], costs=self.costs[kept],
        )  # fmt: skip

    def choose(self, charge: Doubles) -> Doubles:
        """(N,) the best part of each order if a unit costs `charge` (N,) more."""
        best = np.zeros(len(charge))
        whole, single = np.flatnonzero(self.at >= 0), np.flatnonzero(self.at < 0)
        if len(single):
            part = self.projection.take(single) if len(whole) else self.projection
            # That an order is worth its cost was settled when the ceiling was.
            free = np.zeros(len(single))
            best[single] = part.choose(charge=charge[single], ceiling=self.ceiling[single], order_cost=free)[
                1
            ]
        if len(whole):
            charged = self.costs + charge[whole, None] * self.points
            # Of equals the largest, so that without a charge it is the whole order.
            last = POINTS - 1 - charged[:, ::-1].argmin(axis=1)
            best[whole] = self.points[np.arange(len(whole)), last]
        return best

    def cost(self, quantity: Doubles) -> Doubles:
        """(N,) expected cost with orders of `quantity` (N,)."""
        cost = np.zeros(len(quantity))
        whole, single = np.flatnonzero(self.at >= 0), np.flatnonzero(self.at < 0)
        if len(single):
            part = self.projection.take(single) if len(whole) else self.projection
            cost[single] = part.assess(quantity[single], judged=True).cost
        if len(whole):
            rows = np.arange(len(whole))
            left = np.clip((self.points <= quantity[whole, None]).sum(axis=1) - 1, 0, POINTS - 2)
            start, end = self.points[rows, left], self.points[rows, left + 1]
            width = end - start
            share = np.divide(quantity[whole] - start, width, out=np.zeros(len(whole)), where=width > 0)
            share = np.clip(share, 0.0, 1.0)
            cost[whole] = (1.0 - share) * self.costs[rows, left] + share * self.costs[rows, left + 1]
        return cost

    def first_order(self) -> Doubles:
        """(N,) the smallest order worth starting with: the supplier's, or where a cycle's saving a unit is best."""
        terms = self.projection.situation.terms
        multiple = np.asarray(terms.multiple)
        fewest = lot_range(terms.moq, multiple, terms.max_quantity)[0] * multiple
        whole = np.flatnonzero(self.at >= 0)
        if len(whole):
            slope = (self.costs[:, :1] - self.costs[:, 1:]) / self.points[:, 1:]
            same = slope >= slope[:, :1] * (1.0 - 1e-9)
            corner = self.points[np.arange(len(whole)), np.cumprod(same, axis=1).sum(axis=1)]
            fewest[whole] = np.maximum(fewest[whole], corner)
        return fewest

    def bid_size(self) -> Doubles:
        """(N,) units to raise an order by at a time: a lot, or more where an order has very many."""
        multiple = np.array(self.projection.situation.terms.multiple, dtype=np.float64)
        lots = np.where(self.at >= 0, np.rint(self.ceiling / multiple) / (POINTS * 64.0), 1.0)
        return np.asarray(np.maximum(np.floor(lots), 1.0) * multiple)
