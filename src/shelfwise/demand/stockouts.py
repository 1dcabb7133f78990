"""`settle_stockouts`: what a panel says of the buckets in which stock ran short, as the settings ask for it.

`censored` puts one draw of the likely demand there (`censoring.py`), so that a model learns from buckets as lumpy and
as unsure as those that were seen; means in their place would make history look smoother than it was, and would turn the
zeros of a slow item into fractions. `mask` leaves them unknown, or scaled up where half the bucket was on sale. `raw`
takes what was sold for what was wanted.

A series that was never on sale is left unknown in any case but `raw`: a history made up of guesses would be read as
one, while a forecaster that sees none says that it guesses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demand.availability import FULL
from shelfwise.demand.censoring import CensoredDemandEstimator
from shelfwise.demand.inferred_stockouts import InferredStockouts, infer_stockouts, mask_inferred
from shelfwise.demand.panel import Panel
from shelfwise.demand.rhythm import Seen
from shelfwise.demand.shortages import Flags, Shortages
from shelfwise.messages import Said

Floats = npt.NDArray[np.float32]
How = Literal["censored", "mask", "raw"]
# One root for all panels: the same history is always told in the same words, whatever the run's seed.
ROOT = 0x51E1F


@dataclass(frozen=True, slots=True)
class StockoutReport:
    """What was made of stock-outs. Units of the items; buckets are those of single series.

    Attributes:
        how: what the settings asked for.
        inferred: likely stock-outs that nobody recorded, None if none were looked for.
        out_of_stock, partly: buckets recorded as never on sale, and as on sale for a part.
        sold: units sold in the buckets that were estimated.
        added: units added there by the records, `added_inferred` by inference.
        low, high: 90 % interval of all units added.
    """

    how: How = "censored"
    inferred: InferredStockouts | None = None
    out_of_stock: int = 0
    partly: int = 0
    sold: float = 0.0
    added: float = 0.0
    added_inferred: float = 0.0
    low: float = 0.0
    high: float = 0.0

    @property
    def inferred_buckets(self) -> int:
        """Buckets that count as out of stock though nobody recorded it."""
        return 0 if self.inferred is None else self.inferred.buckets

    def notes(self) -> tuple[str, ...]:
        """What a user should know."""
        told = []
        if self.out_of_stock or self.partly:
            told.append(
                Said(
                    f"demand.stockouts.{self.how}",
                    out=self.out_of_stock,
                    partly=self.partly,
                    sold=f"{self.sold:.10g}",
                    added=f"{self.added:.0f}",
                )
            )
        if self.inferred is not None and self.inferred.buckets:
            told.append(
                Said(
                    f"demand.inferred.{self.how}",
                    buckets=self.inferred.buckets,
                    series=self.inferred.series,
                    added=f"{self.added_inferred:.0f}",
                )
            )
        if self.how == "censored" and told:
            told.append(Said("demand.stockouts.interval", low=f"{self.low:.0f}", high=f"{self.high:.0f}"))
        return tuple(told)


def settle_stockouts(
    panel: Panel, how: How, infer: bool = False, stock: pl.DataFrame | None = None
) -> tuple[Panel, StockoutReport]:
    """The panel with its short buckets told as `how` says, and what that did.

    Args:
        panel: N series over T buckets, short buckets as the records tell them (masked or scaled).
        how: ``censored``, ``mask`` or ``raw``.
        infer: look for stock-outs nobody recorded; left alone under ``raw``, which reads every zero as one.
        stock: today's `sku`, `on_hand`, evidence for the inference.

    Returns:
        The panel, in which `recorded` still says what the records alone tell, and the report.

    Example:
        >>> panel = Panel.from_arrays([[4.0, 6.0, float("nan"), 5.0, 7.0, 5.0]] * 2)
        >>> filled, report = settle_stockouts(panel, "censored")
        >>> bool(np.isfinite(filled.demand).all()), report.out_of_stock, int(np.isnan(filled.recorded).sum())
        (True, 2, 2)
        >>> settle_stockouts(panel, "raw")[0].demand[0].tolist()
        [4.0, 6.0, 0.0, 5.0, 7.0, 5.0]
    """
    seen = Seen.of(panel)
    short = seen.alive & (seen.exposure < FULL)
    report = StockoutReport(
        how, None, int((short & (seen.exposure <= 0)).sum()), int((short & (seen.exposure > 0)).sum())
    )
    if how == "raw":
        return _as_sold(panel, seen, short), replace(report, sold=float(seen.units[short].sum()))
    guessed = np.zeros_like(short)
    if infer:
        share, found = infer_stockouts(panel, stock, infer=True)
        guessed = (share <= 0) & (panel.on_sale > 0)
        panel, report = mask_inferred(panel, share), replace(report, inferred=found)
    if how == "mask" or not (short.any() or guessed.any()):
        return panel, report
    ever: Flags = np.asarray((Seen.of(panel).exposure > 0).any(axis=1))
    short &= ever[:, None]
    report = replace(
        report,
        out_of_stock=int((short & (seen.exposure <= 0)).sum()),
        partly=int((short & (seen.exposure > 0)).sum()),
    )
    known = np.flatnonzero(ever)
    estimator = CensoredDemandEstimator().fit(panel.take(known))
    place, column = np.nonzero(estimator.censored)
    row = known[place]
    expected = estimator.expected()[place, column]
    drawn = estimator.impute_rows(np.arange(len(known)), 1, ROOT)[0, place, column]
    shortages = Shortages(row, column, expected, panel.demand[row, column], guessed[row, column])
    bias, extra = estimator.bias_report(), expected - seen.units[row, column]
    filled = replace(panel, demand=shortages.written(drawn, panel.demand), shortages=shortages)
    return filled, replace(
        report,
        sold=float(seen.units[row, column].sum(dtype=np.float64)),
        added=float(extra[~shortages.inferred].sum(dtype=np.float64)),
        added_inferred=float(extra[shortages.inferred].sum(dtype=np.float64)),
        low=max(bias.low - bias.sold, 0.0),
        high=bias.high - bias.sold,
    )


def _as_sold(panel: Panel, seen: Seen, short: Flags) -> Panel:
    row, column = np.nonzero(short)
    sold = seen.units[row, column]
    shortages = Shortages(row, column, sold, panel.demand[row, column], np.zeros(len(row), bool))
    return replace(panel, demand=shortages.written(sold, panel.demand), shortages=shortages)
