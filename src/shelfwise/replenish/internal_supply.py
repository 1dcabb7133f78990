"""Places that supply each other: where `terms.supplier` names a location, its orders are that location's demand."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.errors import DataRejected, Problem
from shelfwise.replenish.situation import Doubles, Situation

Rows = npt.NDArray[np.intp]
Float32s = npt.NDArray[np.float32]


@dataclass(frozen=True)
class InternalSupply:
    """Who of N series is ordered from which other one.

    Attributes:
        upstream: (N,) row of the series it is ordered from, -1 = from outside.
        level: (N,) 0 for a series nobody orders from, else one more than the highest of those that do.
    """

    upstream: Rows
    level: Rows

    @classmethod
    def of(cls, terms: pl.DataFrame) -> InternalSupply | None:
        """Of N rows of terms (`sku`, `location`, `supplier`); None if all supply comes from outside.

        Raises:
            DataRejected: places supply each other in a circle.

        Example:
            >>> terms = pl.DataFrame({"sku": ["a"] * 3, "location": ["hub", "north", "south"],
            ...                       "supplier": ["acme", "hub", "hub"]})
            >>> supply = InternalSupply.of(terms)
            >>> supply.upstream.tolist(), supply.level.tolist()
            ([-1, 0, 0], [1, 0, 0])
        """
        if "supplier" not in terms.columns:
            return None
        series = terms.select("sku", "location", "supplier")
        rows = series.select("sku", supplier="location").with_row_index("upstream")
        joined = series.join(rows, on=["sku", "supplier"], how="left", maintain_order="left")
        found = joined["upstream"].cast(pl.Int64).fill_null(-1).to_numpy().astype(np.intp)
        upstream = np.where(found == np.arange(len(found)), -1, found)
        if (upstream < 0).all():
            return None
        level = np.zeros(len(upstream), dtype=np.intp)
        fed = np.flatnonzero(upstream >= 0)
        for _ in range(len(set(series["location"].to_list())) + 1):
            before = level.copy()
            np.maximum.at(level, upstream[fed], level[fed] + 1)
            if (level == before).all():
                return cls(upstream, level)
        raise DataRejected([_circle(series, upstream, level)])

    @property
    def inside(self) -> npt.NDArray[np.bool_]:
        """(N,) series ordered from another of the shop's own places."""
        return np.asarray(self.upstream >= 0)

    def take(self, rows: Rows) -> InternalSupply:
        """Only the series in `rows`, among which are all that their links lead to."""
        place = np.full(len(self.upstream) + 1, -1, dtype=np.intp)
        place[rows] = np.arange(len(rows))
        return InternalSupply(place[self.upstream[rows]], self.level[rows])

    def dependents(self, row: int) -> Rows:
        """Rows that are ordered from this one."""
        return np.flatnonzero(self.upstream == row)

    def with_dependents(
        self, situation: Situation, quantity: Doubles, rows: Rows
    ) -> tuple[Situation, Doubles]:
        """The situation with the orders of their dependents in the demand of `rows`, and (n,) how many units that is
        until the next order of each could arrive.

        A dependent orders `quantity` (N,) now, and at each later review what it sold since the one before, scenario by
        scenario. What cannot be sent at once is asked for again, so it waits even where customers' demand is lost.
        """
        assert situation.scenarios is not None  # asked for only by policies on scenarios
        paths = situation.scenarios.paths.copy()
        share = np.array(situation.terms.lost_share, dtype=np.float64)
        review = np.asarray(situation.terms.review_period_buckets)
        reach = np.asarray(situation.terms.lead_time_buckets) + review
        expected = np.zeros(len(rows))
        for place, row in enumerate(rows):
            asked = np.zeros(paths.shape[1:], dtype=np.float32)
            for dependent in self.dependents(int(row)):
                asked += orders_of(paths[dependent], int(review[dependent]), float(quantity[dependent]))
            own = float(paths[row].mean(dtype=np.float64))
            both = own + float(asked.mean(dtype=np.float64))
            share[row] *= own / both if both > 0 else 1.0
            paths[row] += asked
            expected[place] = asked[:, : reach[row]].sum(axis=1, dtype=np.float64).mean()
        terms = replace(situation.terms, unmet=share)
        scenarios = replace(situation.scenarios, paths=paths, expected=None)
        return replace(situation, terms=terms, scenarios=scenarios), expected


def orders_of(paths: Float32s, review: int, quantity: float) -> Float32s:
    """(S, H) units a place orders in each bucket: `quantity` now, then at each review its demand since the last.

    Example:
        >>> orders_of(np.array([[1, 2, 3, 4, 5]], np.float32), 2, 9.0).tolist()
        [[9.0, 0.0, 3.0, 0.0, 7.0]]
    """
    orders = np.zeros_like(paths)
    orders[:, 0] = quantity
    for bucket in range(review, paths.shape[1], review):
        orders[:, bucket] = paths[:, bucket - review : bucket].sum(axis=1)
    return orders


def _circle(series: pl.DataFrame, upstream: Rows, level: Rows) -> Problem:
    row = int(np.argmax(level))
    seen: list[int] = []
    while row >= 0 and row not in seen:
        seen.append(row)
        row = int(upstream[row])
    names = [series["location"][place] for place in (*seen[seen.index(row) if row in seen else 0 :], row)]
    return Problem(
        code="terms.supply_circle",
        rule="places may supply each other, but not in a circle",
        fix="Name a supplier from outside for one of them in terms",
        file="terms",
        column="supplier",
        value=f"{series['sku'][seen[0]]}: {' <- '.join(names)}",
    )
