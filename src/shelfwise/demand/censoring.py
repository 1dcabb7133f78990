"""`CensoredDemandEstimator`: demand of buckets out of stock, as a distribution and not as a patch.

What was sold while an item was on sale for a part of a bucket is a lower bound of its demand; an item never
on sale says nothing at all. The rate of each bucket comes from the series' own rhythm and its neighbours
(`rhythm.py`). Given that, demand is gamma-Poisson: with r the shape and m the mean of the rate,
a units in the share u leave (r + a) / (r / m + u) a bucket for the rest 1 - u. Stock that ends when the a-th unit
goes does not change this posterior: the stopping rule is not informative (Berger & Wolpert 1988).
Censored demand in inventory: Conrad 1976; Nahmias 1994. Multiple imputation: Rubin 1987.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demand.availability import FULL
from shelfwise.demand.kernels.expected_rate import Rates
from shelfwise.demand.panel import Panel
from shelfwise.demand.rhythm import Seen, family_labels, rates_of, whole_units
from shelfwise.errors import UsageError

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NINETY = 1.6449


@dataclass(frozen=True, slots=True)
class BiasReport:
    """How far sales fall short of demand. Units of the items, over the buckets of each series' life.

    Attributes:
        buckets: series-buckets of known or estimated demand.
        out_of_stock: of these, never on sale.
        partly: of these, on sale for a part.
        sold: units sold (spikes capped as in `Panel.demand`).
        expected: units demanded, posterior mean.
        low, high: 90 % interval of the units demanded.
        by_family: `family`, `buckets`, `censored`, `sold`, `expected`.
    """

    buckets: int
    out_of_stock: int
    partly: int
    sold: float
    expected: float
    low: float
    high: float
    by_family: pl.DataFrame

    @property
    def raw_bias(self) -> float:
        """Sales over demand, less 1; 0 where nothing was demanded."""
        return self.sold / self.expected - 1.0 if self.expected > 0 else 0.0


@dataclass(frozen=True)
class _Cells:
    """The C censored buckets, sorted by series and time: what was sold, the share seen, the rate of a whole one."""

    row: Index
    column: Index
    run: Index
    sold: Doubles
    share: Doubles
    mean: Doubles
    certainty: Doubles
    noise: Doubles

    @cached_property
    def posterior(self) -> tuple[Doubles, Doubles]:
        """(C,) shape and (C,) scale-inverse of the gamma of the bucket's own rate, given what was sold."""
        spread = np.maximum(self.noise - 1.0, 0.0) / self.mean + 1.0 / self.certainty
        return 1.0 / spread + self.sold, 1.0 / (spread * self.mean) + self.share


class CensoredDemandEstimator:
    """Demand of buckets partly or wholly out of stock, with its uncertainty.

    Known buckets are never changed; demand is never below what was sold. Only the panel's own history is used:
    covariates beyond it are not looked at.

    Args:
        family: column of `Panel.static` that names a series' family; the first one that begins with
            ``category`` if left out, one family if there is none.
        neighbours: learn shocks that other series share (same item elsewhere, same family at the location).

    Example:
        >>> panel = Panel.from_arrays([[4.0, 6.0, float("nan"), 5.0, 7.0, 5.0]] * 2)
        >>> estimator = CensoredDemandEstimator().fit(panel)
        >>> [round(float(units), 1) for units in estimator.expected()[0]]
        [4.0, 6.0, 5.4, 5.0, 7.0, 5.0]
        >>> estimator.impute(100, np.random.default_rng(0)).shape
        (100, 2, 6)
    """

    def __init__(self, *, family: str | None = None, neighbours: bool = True) -> None:
        self.family = family
        self.neighbours = neighbours

    def fit(self, panel: Panel) -> CensoredDemandEstimator:
        """Learn the rhythm of all series and the rates of the buckets out of stock.

        Raises:
            UsageError: `family` is no column of the panel's attributes.
        """
        self.panel = panel
        labels = family_labels(panel, self.family)
        seen = Seen.of(panel)
        rates = rates_of(panel, seen, labels, self.neighbours)
        self._labels, self._seen, self._rates = labels, seen, rates
        self._whole_units = whole_units(seen)
        row, column = np.nonzero(seen.alive & (seen.exposure < FULL))
        begins = np.ones(len(row), bool)
        begins[1:] = (np.diff(row) != 0) | (np.diff(column) != 1)
        self._cells = _Cells(
            row=row,
            column=column,
            run=np.cumsum(begins) - 1,
            sold=seen.units[row, column].astype(np.float64),
            share=seen.exposure[row, column].astype(np.float64),
            mean=np.maximum(rates.mean[row, column].astype(np.float64), 1e-9),
            certainty=rates.certainty[row, column].astype(np.float64),
            noise=rates.noise[row],
        )
        return self

    @property
    def censored(self) -> Flags:
        """(N, T) which buckets are estimated."""
        self._need_fit()
        return np.asarray(self._seen.alive & (self._seen.exposure < FULL))

    @property
    def rates(self) -> Rates:
        """Units expected of each whole bucket without looking at its own sales, and how sure that is."""
        self._need_fit()
        return self._rates

    def expected(self) -> Floats:
        """(N, T) units demanded, posterior mean; what was sold where on sale all the bucket, NaN outside life."""
        self._need_fit()
        cells = self._cells
        shape, scale = cells.posterior
        filled = np.where(self._seen.alive, self._seen.units, np.float32(np.nan))
        rest = shape / scale * (1.0 - cells.share)
        filled[cells.row, cells.column] = np.maximum(cells.sold + rest, cells.sold)
        return filled

    def impute(self, n: int, rng: np.random.Generator, rows: npt.ArrayLike | None = None) -> Floats:
        """(n, N, T) possible demands: known buckets repeated, the others drawn from their posterior.

        The buckets of one stock-out share one draw of the level, so a sum over them is as unsure as it should
        be. A series' draws depend on the generator's state, the series and `n` alone.

        Args:
            n: imputations, 1 or more.
            rng: where the root of all random numbers comes from.
            rows: only these series, (n, len(rows), T); the draws are the same.
        """
        if n < 1:
            raise UsageError(f"at least one imputation is needed; got {n}")
        self._need_fit()
        every = np.arange(self.panel.n_series) if rows is None else np.asarray(rows)
        return self.impute_rows(every, n, int(rng.integers(0, 2**63 - 1)))

    def impute_rows(self, rows: npt.NDArray[Any], n: int, root: int) -> Floats:
        """`impute` for some series with a root drawn before: chunks joined equal the whole byte for byte."""
        self._need_fit()
        known = np.where(self._seen.alive[rows], self._seen.units[rows], np.float32(np.nan))
        drawn = np.repeat(known[None].astype(np.float32), n, axis=0)
        ids = self.panel.series_ids
        first = np.searchsorted(self._cells.row, rows, "left")
        last = np.searchsorted(self._cells.row, rows, "right")
        for place, (row, low, high) in enumerate(zip(rows, first, last, strict=True)):
            if high > low:
                rng = np.random.Generator(np.random.Philox(key=[np.uint64(root), ids[row]]))
                column = self._cells.column[low:high]
                drawn[:, place, column] = self._draw(slice(low, high), n, bool(self._whole_units[row]), rng)
        return drawn

    def bias_report(self) -> BiasReport:
        """How many buckets are censored and what that cost in units."""
        self._need_fit()
        cells, alive = self._cells, self._seen.alive
        sold = np.where(alive, self._seen.units, 0).sum(axis=1, dtype=np.float64)
        expected = np.nansum(self.expected(), axis=1, dtype=np.float64)
        unseen = cells.mean * (1.0 - cells.share)
        level = np.bincount(cells.run, weights=unseen / np.sqrt(cells.certainty))
        deviation = float(np.sqrt((cells.noise * unseen).sum() + (level**2).sum()))
        frame = pl.DataFrame(
            {
                "family": self._labels,
                "buckets": alive.sum(axis=1),
                "censored": self.censored.sum(axis=1),
                "sold": sold,
                "expected": expected,
            }
        )
        total = float(expected.sum())
        return BiasReport(
            buckets=int(alive.sum()),
            out_of_stock=int((cells.share <= 0).sum()),
            partly=int((cells.share > 0).sum()),
            sold=float(sold.sum()),
            expected=total,
            low=max(total - NINETY * deviation, float(sold.sum())),
            high=total + NINETY * deviation,
            by_family=frame.group_by("family").sum().sort("family"),
        )

    def fill(self, panel: Panel) -> Panel:
        """The fitted panel with posterior means in `demand`, for totals and summaries.

        Forecasters are better served by the masked panel: a mean in place of a draw has no noise.

        Raises:
            UsageError: `panel` is not the one that was fitted.
        """
        self._need_fit()
        same = panel.demand.shape == self.panel.demand.shape and panel.start == self.panel.start
        if not (same and panel.keys.equals(self.panel.keys)):
            raise UsageError("fill needs the panel that was fitted; fit this one first")
        return replace(panel, demand=self.expected())

    def _draw(self, at: slice, n: int, whole: bool, rng: np.random.Generator) -> Floats:
        """(n, C) demands of the censored buckets `at` of one series."""
        cells = self._cells
        mean, share, noise = cells.mean[at], cells.share[at], float(cells.noise[at][0])
        run = cells.run[at] - cells.run[at][0]
        certainty = np.bincount(run, weights=cells.certainty[at]) / np.bincount(run)
        level = rng.gamma(certainty, 1.0 / certainty, size=(n, len(certainty)))[:, run]
        shape, scale = (part[at] for part in cells.posterior)
        given = rng.gamma(shape, 1.0 / scale, size=(n, len(shape)))
        # Beyond the level, a bucket's own rate varies so that its units have the series' variance over mean.
        own = mean * level
        if noise > 1.0:
            own = rng.gamma(np.maximum(own / (noise - 1.0), 1e-12), noise - 1.0)
        rest = np.where(share > 0, given, own) * (1.0 - share)
        if whole:
            units = rng.poisson(rest).astype(np.float64)
        else:
            narrow = min(noise, 1.0)
            units = rng.gamma(np.maximum(rest / narrow, 1e-12), narrow)
        return np.asarray(np.maximum(cells.sold[at] + units, cells.sold[at]), np.float32)

    def _need_fit(self) -> None:
        if not hasattr(self, "panel"):
            raise UsageError("CensoredDemandEstimator is not fitted; call fit(panel) first")
