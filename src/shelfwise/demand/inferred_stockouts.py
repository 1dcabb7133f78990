"""Likely stock-outs of a shop that kept no record of them: zeros too many to be chance.

A run of zeros is read as a stock-out if the series' rate around it (`rhythm.py`, the run itself left out) makes
it improbable. With variance over mean v and purchases of geometric size, a bucket of mean m sells nothing with
probability exp(-2 m / (v + 1)) (Pólya-Aeppli; Adelson 1966), and a level that is itself gamma with shape S makes
(1 + M / S)^-S of a run whose exponents sum to M. The idea is that of zero-run tests for phantom and lost stock
(Fisher & Raman 2010, "The new science of retailing"; Chen 2021, "Fixing phantom stockouts").
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demand.availability import FULL
from shelfwise.demand.kernels.expected_rate import Rates
from shelfwise.demand.kernels.local_level import levels_without_run
from shelfwise.demand.panel import Panel
from shelfwise.demand.rhythm import Seen, family_labels, rates_of
from shelfwise.errors import UsageError

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

LEAST_BUCKETS = 2
PROBABILITY = 1e-3
# A current stock of zero is half the proof.
PROBABILITY_WITH_STOCK = 0.05
# Runs this likely at the plain mean rate are not looked at further.
WORTH_A_LOOK = 0.2
PASSES = 3


@dataclass(frozen=True, slots=True)
class InferredStockouts:
    """What `infer_stockouts` marked.

    Attributes:
        runs: `sku`, `location`, `first` (date of the first bucket), `buckets`, `expected` (units the run would have
            sold), `probability` (of so long a run anywhere in the series, were it on sale all along),
            `stock_says_zero`; a row a likely stock-out, sorted by series and date.
        candidates: runs of zeros that were long enough and were tested.
        inferred: False if the inference was switched off.
    """

    runs: pl.DataFrame
    candidates: int
    inferred: bool

    @property
    def buckets(self) -> int:
        """Series-buckets marked as out of stock."""
        return int(self.runs["buckets"].sum())

    @property
    def series(self) -> int:
        """Series with at least one likely stock-out."""
        return self.runs.select("sku", "location").n_unique()

    @property
    def lost_units(self) -> float:
        """Units that would have been sold."""
        return float(self.runs["expected"].sum())


@dataclass(frozen=True, slots=True)
class _Runs:
    """R runs of zeros, by series, first bucket and the one after the last; `supported` by a stock of zero."""

    row: Index
    first: Index
    stop: Index
    supported: npt.NDArray[np.bool_]

    def where(self, chosen: npt.NDArray[np.bool_]) -> _Runs:
        return _Runs(self.row[chosen], self.first[chosen], self.stop[chosen], self.supported[chosen])


def infer_stockouts(
    panel: Panel,
    stock_table: pl.DataFrame | None = None,
    *,
    infer: bool = False,
    least_buckets: int = LEAST_BUCKETS,
    probability: float = PROBABILITY,
    family: str | None = None,
) -> tuple[Floats, InferredStockouts]:
    """The share of each bucket on sale, with runs of zeros that are hardly chance marked as out of stock.

    A run at the end of the history may be the end of the item's life, so it counts only if today's stock is
    zero; a run before the first sale never does. Buckets already known to be short are left as they are.

    Args:
        panel: demand of N series over T buckets.
        stock_table: today's `sku`, `on_hand` and, where known, `location`, `reserved`.
        infer: off unless asked for; switched off, the panel's own shares come back.
        least_buckets: shortest run that is looked at.
        probability: of a run of that length anywhere in the series, below which it is no chance.
        family: column of `Panel.static` that names a series' family; as in `CensoredDemandEstimator`.

    Returns:
        (N, T) float32 shares, 0 in likely stock-outs, and what was marked.

    Raises:
        UsageError: `least_buckets` or `probability` is out of range, or `family` is not known.

    Example:
        >>> sold = np.full((1, 60), 4.0)
        >>> sold[0, 30:37] = 0
        >>> share, found = infer_stockouts(Panel.from_arrays(sold), infer=True)
        >>> np.flatnonzero(share[0] == 0).tolist(), found.runs["buckets"].to_list()
        ([30, 31, 32, 33, 34, 35, 36], [7])
    """
    if least_buckets < 1 or not 0 < probability < 1:
        raise UsageError(
            "least_buckets must be 1 or more and probability between 0 and 1; "
            f"got {least_buckets} and {probability}"
        )
    share = panel.on_sale.copy()
    labels = family_labels(panel, family)
    if not infer:
        return share, _report(panel, _no_runs(), np.zeros(0), np.zeros(0), 0, inferred=False)
    seen = Seen.of(panel)
    runs, chances = _zero_runs(seen, least_buckets, _out_of_stock_today(panel, stock_table))
    tested = len(runs.row)
    limit = np.where(runs.supported, PROBABILITY_WITH_STOCK, probability)
    runs = runs.where(_crude_chance(seen, runs) < WORTH_A_LOOK)
    limit = np.where(runs.supported, PROBABILITY_WITH_STOCK, probability)
    guilty = np.zeros(len(runs.row), bool)
    calm = rates_of(panel, _without(seen, runs), labels, neighbours=True)
    expected, chance = np.zeros(len(runs.row)), np.ones(len(runs.row))
    for _ in range(PASSES):
        expected, chance = _tested(panel, seen, labels, runs, guilty, chances, calm)
        before, guilty = guilty, chance < limit
        if np.array_equal(guilty, before):
            break
    runs, expected, chance = runs.where(guilty), expected[guilty], chance[guilty]
    share[_cells(runs, share.shape)] = 0.0
    return share, _report(panel, runs, expected, chance, tested, inferred=True)


def mask_inferred(panel: Panel, share: Floats) -> Panel:
    """The panel with the buckets that `infer_stockouts` marked out of stock: not on sale, demand unknown.

    Example:
        >>> panel = Panel.from_arrays([[4.0, 0.0, 5.0]])
        >>> mask_inferred(panel, np.array([[1, 0, 1]], np.float32)).demand.tolist()
        [[4.0, nan, 5.0]]
    """
    marked = (share <= 0) & (panel.on_sale > 0)
    demand = np.where(marked, np.float32(np.nan), panel.demand)
    return replace(panel, on_sale=np.where(marked, np.float32(0), panel.on_sale), demand=demand)


def _no_runs() -> _Runs:
    none = np.zeros(0, np.int64)
    return _Runs(none, none, none, np.zeros(0, bool))


def _zero_runs(seen: Seen, least: int, empty_today: npt.NDArray[np.bool_]) -> tuple[_Runs, Doubles]:
    """Runs of zeros after a series' first sale, and (N,) how many runs of any length each series has."""
    buckets = seen.units.shape[1]
    whole = seen.exposure >= FULL
    zero = whole & (seen.units <= 0)
    edge = np.diff(np.pad(zero, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    row, first = np.nonzero(edge == 1)
    stop = np.nonzero(edge == -1)[1]
    chances = np.bincount(row, minlength=len(zero)).astype(np.float64)
    sold = seen.units > 0
    first_sale = np.where(sold.any(axis=1), sold.argmax(axis=1), buckets)
    last_alive = buckets - seen.alive[:, ::-1].argmax(axis=1)
    trailing = stop >= last_alive[row]
    supported = trailing & empty_today[row] & (stop == buckets)
    kept = (stop - first >= least) & (first > first_sale[row]) & (~trailing | supported)
    runs = _Runs(row.astype(np.int64), first.astype(np.int64), stop.astype(np.int64), supported)
    return runs.where(kept), np.maximum(chances, 1.0)


def _out_of_stock_today(panel: Panel, stock: pl.DataFrame | None) -> npt.NDArray[np.bool_]:
    """(N,) whether the stock table lists a series with nothing free to sell."""
    if stock is None or stock.is_empty():
        return np.zeros(panel.n_series, bool)
    on = [name for name in ("sku", "location") if name in stock.columns]
    reserved = pl.col("reserved").fill_null(0) if "reserved" in stock.columns else pl.lit(0)
    free = stock.with_columns(pl.col(on).cast(pl.String), free=pl.col("on_hand") - reserved)
    totals = free.group_by(on).agg(pl.col("free").sum())
    listed = panel.keys.join(totals, on=on, how="left", maintain_order="left")["free"]
    return (listed <= 0).fill_null(False).to_numpy()


def _crude_chance(seen: Seen, runs: _Runs) -> Doubles:
    exposed = np.maximum(seen.exposure.sum(axis=1, dtype=np.float64), 1.0)
    rate = seen.units.sum(axis=1, dtype=np.float64) / exposed
    return np.asarray(np.exp(-rate[runs.row] * (runs.stop - runs.first)))


def _tested(
    panel: Panel,
    seen: Seen,
    labels: pl.Series,
    runs: _Runs,
    guilty: npt.NDArray[np.bool_],
    chances: Doubles,
    calm: Rates,
) -> tuple[Doubles, Doubles]:
    """(R,) units each run would have sold, and (R,) how likely such a run is anywhere in its series.

    Each run is tested against rates that leave out itself and the runs already found `guilty`, no others: left
    out all at once, the many zeros of a lumpy series would find each other guilty.
    """
    known = _without(seen, runs.where(guilty))
    rates = rates_of(panel, known, labels, neighbours=True, like=calm)
    expected, certainty = levels_without_run(
        seen.units,
        rates.without_local,
        known.exposure,
        rates.noise,
        calm.decay,
        calm.prior,
        runs.row,
        runs.first,
        runs.stop,
    )
    exponent = expected * _zero_exponent(rates)[runs.row]
    single = np.exp(-certainty * np.log1p(exponent / np.maximum(certainty, 1e-12)))
    # A long history has many places for a long run but one end: the more places, the less one of them proves.
    places = np.where(runs.supported, 1.0, chances[runs.row])
    return expected, np.minimum(single * places, 1.0)


def _without(seen: Seen, runs: _Runs) -> Seen:
    """What was seen but for these runs."""
    exposure = seen.exposure.copy()
    exposure[_cells(runs, exposure.shape)] = 0.0
    return replace(seen, exposure=exposure)


def _zero_exponent(rates: Rates) -> Doubles:
    """(N,) minus the logarithm of the chance of selling nothing, a unit of the mean."""
    return np.asarray(2.0 / (np.maximum(rates.noise, 1.0) + 1.0))


def _cells(runs: _Runs, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """(N, T) true inside the runs."""
    steps = np.zeros((shape[0], shape[1] + 1), np.int8)
    steps[runs.row, runs.first] = 1
    steps[runs.row, runs.stop] -= 1
    return np.asarray(steps.cumsum(axis=1)[:, :-1] > 0)


def _report(
    panel: Panel, runs: _Runs, expected: Doubles, chance: Doubles, candidates: int, *, inferred: bool
) -> InferredStockouts:
    frame = panel.keys.select("sku", "location")[runs.row].with_columns(
        first=pl.Series([panel.bucket.shift(panel.start, int(step)) for step in runs.first], dtype=pl.Date),
        buckets=pl.Series(runs.stop - runs.first),
        expected=pl.Series(expected),
        probability=pl.Series(chance),
        stock_says_zero=pl.Series(runs.supported),
    )
    return InferredStockouts(frame, candidates, inferred)
