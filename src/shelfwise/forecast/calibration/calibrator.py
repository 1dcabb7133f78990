"""`ConformalCalibrator`: corrects paths by what held-out outcomes say of earlier ones.

Three steps, each learnt on what the one before leaves: quantiles of single buckets (`Correction`), dependence
between buckets, so that sums over a lead time fit too (`dependence`), and the quantiles of named sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.forecast.auto.demand_classes import CLASS_NAMES
from shelfwise.forecast.calibration.correction import (
    LEAST_FORECASTS,
    LEVELS,
    Correction,
    quantiles,
)
from shelfwise.forecast.calibration.dependence import TIES, put_together
from shelfwise.forecast.calibration.kernels import uniforms
from shelfwise.forecast.scenarios import Floats

Interval = tuple[int, int]
SERIES_AT_ONCE = 256
MOST_TRIED = 600
_ACTUAL, _TOTAL, _LOTS = 0x1B873593CC9E2D51, 0x165667B19E3779F9, 0x27D4EB2F165667C5


@dataclass(frozen=True)
class Kinds:
    """What a calibrator must know of n series.

    Attributes:
        classes: (n,) of `CLASS_NAMES`; whole: (n,) whether demand comes in whole units; series: (n,) stable ids.
    """

    classes: npt.NDArray[np.int8]
    whole: npt.NDArray[np.bool_]
    series: npt.NDArray[np.uint64]

    def take(self, rows: npt.NDArray[np.intp]) -> Kinds:
        """Only these series."""
        return Kinds(self.classes[rows], self.whole[rows], self.series[rows])


class ConformalCalibrator:
    """Learns on forecasts that were made before their outcomes were known; corrects later ones.

    Corrected quantiles never cross and are never negative, counts stay counts, and the order of paths within a
    bucket (which of them is large when) is kept but for the tie between buckets, which is tuned so that sums
    fit. Series of which nothing but zeros is forecast are left alone. Coverage is exact on average over
    series alike to those learnt from (split conformal prediction, Vovk et al. 2005), not for each one.

    Args:
        intervals: sums (first, last) to be calibrated, buckets first … last - 1; () = the whole horizon.
        seed: of the smoothing of outcomes.

    Raises:
        UsageError: an interval without a bucket.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> said, happened = rng.normal(50, 2, (500, 100, 2)), rng.normal(50, 6, (500, 2))
        >>> kinds = Kinds(np.zeros(500, np.int8), np.zeros(500, bool), np.arange(500, dtype=np.uint64))
        >>> calibrator = ConformalCalibrator().learn(said, happened, kinds)
        >>> print(round(float(calibrator.apply(said, kinds, root=1).std())))
        6
    """

    def __init__(self, intervals: Sequence[Interval] = (), seed: int = 0) -> None:
        for first, last in intervals:
            if not 0 <= first < last:
                raise UsageError(f"an interval (first, last) needs 0 <= first < last; got ({first}, {last})")
        self.intervals, self.seed = tuple(intervals), seed
        self._buckets, self._sums = Correction.none(), Correction.none()
        self._judged: tuple[Interval, ...] = ()
        self.ties = np.zeros(len(CLASS_NAMES))

    @property
    def idle(self) -> bool:
        """Whether nothing is corrected."""
        return self._buckets.idle and self._sums.idle and not self.ties.any()

    def learn(
        self, paths: Floats, actual: Floats, kinds: Kinds, origins: npt.NDArray[np.int64] | None = None
    ) -> Self:
        """From M forecasts (M, S, H) and what happened (M, H), NaN unknown; rows in a stable order.

        `origins` (M,) says which were made at the same time (None = all): what was wrong at one time and
        not at others is not corrected. A series may be among the M once an origin.
        """
        paths, actual = np.asarray(paths, np.float32), np.asarray(actual, np.float32)
        horizon = paths.shape[2]
        if not len(paths):
            return self
        times = np.zeros(len(paths), np.int64) if origins is None else np.asarray(origins)
        drawn = _smooth(paths, kinds, self.seed)
        ordered = np.sort(drawn, axis=1)
        outcome = self._smooth_actual(actual, kinds)
        self._buckets = self._correction(ordered, outcome, kinds, step_groups(horizon), times)
        self._judged = tuple((first, last) for first, last in self.intervals if last <= horizon)
        if not self._judged:
            self._judged = ((0, horizon),)
        self.ties = self._learn_ties(paths, actual, kinds, times)
        totals = _sums(self.apply(paths, kinds, self.seed), self._judged)
        ordered = np.sort(_smooth(totals, kinds, self.seed ^ _TOTAL), axis=1)
        outcome = self._smooth_actual(_sums(actual[:, None, :], self._judged)[:, 0], kinds)
        self._sums = self._correction(ordered, outcome, kinds, np.arange(len(self._judged)), times)
        return self

    def shrink(self, trust: float) -> Self:
        """Only this share of everything learnt is kept, 0 … 1."""
        self._buckets, self._sums = self._buckets.shrunk(trust), self._sums.shrunk(trust)
        self.ties = trust * self.ties
        return self

    def apply(self, paths: Floats, kinds: Kinds, root: int) -> Floats:
        """(n, S, H) paths, corrected in each bucket and in how buckets hang together."""
        return self._apply(paths, kinds, root, self.ties)

    def total_quantile(
        self, paths: Floats, kinds: Kinds, first: int, last: int, levels: Sequence[float], root: int
    ) -> Floats:
        """(n, Q) quantiles of the sum over an interval of `intervals`, from corrected paths (n, S, H).

        Raises:
            UsageError: another interval, of which nothing can have been learnt.
        """
        if (first, last) not in {*self.intervals, *self._judged}:
            named = ", ".join(map(str, self.intervals or self._judged)) or "none"
            raise UsageError(
                f"the sum ({first}, {last}) was not to be calibrated; the intervals are: {named}"
            )
        total = _sums(paths, ((first, last),))
        corrected = total[:, :, 0]
        if (first, last) in self._judged:
            ordered = np.sort(_smooth(total, kinds, root ^ _TOTAL), axis=1)
            one = self._sums.column(self._judged.index((first, last)))
            corrected = _rough(one.apply(ordered, kinds.classes), kinds)[:, :, 0]
            corrected[~total.any(axis=(1, 2))] = 0.0
        return np.asarray(np.quantile(corrected, levels, axis=1, method="weibull").T, np.float32)

    def _apply(self, paths: Floats, kinds: Kinds, root: int, ties: npt.NDArray[np.float64]) -> Floats:
        corrected = np.array(paths, np.float32)
        if self._buckets.idle and not ties.any():
            return corrected
        live = np.flatnonzero(corrected.any(axis=(1, 2)))
        for start in range(0, len(live), SERIES_AT_ONCE):
            rows = live[start : start + SERIES_AT_ONCE]
            alike = kinds.take(rows)
            drawn = _smooth(corrected[rows], alike, root)
            order = np.argsort(drawn, axis=1, kind="stable")
            place = np.empty_like(order)
            np.put_along_axis(place, order, np.arange(order.shape[1])[None, :, None], axis=1)
            ordered = self._buckets.apply(np.take_along_axis(drawn, order, axis=1), alike.classes)
            tied = put_together(ordered, place, ties[alike.classes], alike.series, root)
            corrected[rows] = _rough(tied, alike)
        return corrected

    def _learn_ties(
        self, paths: Floats, actual: Floats, kinds: Kinds, times: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float64]:
        """(CLASSES,) the tie of each class under which outcomes of sums lie best among their forecasts."""
        every = _evenly(np.arange(len(paths)))
        best = self._best_tie(paths, actual, kinds, times, every)
        ties = np.full(len(CLASS_NAMES), best)
        for c in range(len(CLASS_NAMES)):
            mine = np.flatnonzero(kinds.classes == c)
            if len(mine) >= 2 * LEAST_FORECASTS:
                ties[c] = self._best_tie(paths, actual, kinds, times, _evenly(mine))
        return ties

    def _best_tie(
        self,
        paths: Floats,
        actual: Floats,
        kinds: Kinds,
        times: npt.NDArray[np.int64],
        rows: npt.NDArray[np.intp],
    ) -> float:
        """The tie that fits best, if it fits better than the model's own whenever it was tried."""
        if len(rows) < LEAST_FORECASTS or paths.shape[2] < 2:
            return 0.0
        alike = kinds.take(rows)
        outcome = self._smooth_actual(_sums(actual[rows][:, None, :], self._judged)[:, 0], alike)
        known = np.isfinite(outcome)
        when = np.broadcast_to(times[rows][:, None], outcome.shape)[known]
        if len(when) < LEAST_FORECASTS:
            return 0.0
        noise = float((LEVELS * (1.0 - LEVELS)).sum()) / len(rows)
        misses = []
        for tie in TIES:
            tied = self._apply(paths[rows], alike, self.seed, np.full(len(CLASS_NAMES), tie))
            said = quantiles(np.sort(_smooth(_sums(tied, self._judged), alike, self.seed ^ _TOTAL), axis=1))
            below = (np.where(known, outcome, 0.0)[:, :, None] <= said)[known]
            shares = [below.mean(axis=0), *(below[when == time].mean(axis=0) for time in np.unique(when))]
            misses.append(((np.stack(shares) - LEVELS) ** 2).sum(axis=1))
            # The first tie is the model's own: what fits as well as chance allows is left alone.
            if misses[0][0] <= noise:
                return 0.0
        table = np.stack(misses)
        best = int(np.argmin(table[:, 0]))
        return float(TIES[best]) if (table[best] < table[0]).all() else 0.0

    def _correction(
        self,
        ordered: Floats,
        outcome: Floats,
        kinds: Kinds,
        group: npt.NDArray[np.int64],
        times: npt.NDArray[np.int64],
    ) -> Correction:
        lots = uniforms(_each_forecast(kinds).series, np.uint64(self.seed ^ _LOTS), 1, outcome.shape[1])[:, 0]
        return Correction.learn(ordered, outcome, kinds.classes, group, times, lots)

    def _smooth_actual(self, actual: Floats, kinds: Kinds) -> Floats:
        """(M, B) outcomes as draws are smoothed, but by numbers of their own."""
        return _smooth(actual[:, None, :], _each_forecast(kinds), self.seed ^ _ACTUAL)[:, 0]


def step_groups(horizon: int) -> npt.NDArray[np.int64]:
    """(H,) groups of steps that are corrected alike: 1, 2, 3-4, 5-8, 9-16, …

    Example:
        >>> step_groups(9).tolist()
        [0, 1, 2, 2, 3, 3, 3, 3, 4]
    """
    return np.ceil(np.log2(np.arange(1, horizon + 1))).astype(np.int64)


def _each_forecast(kinds: Kinds) -> Kinds:
    """A series is met once an origin; here each time under another number."""
    turn = np.arange(len(kinds.series), dtype=np.uint64) << np.uint64(40)
    return Kinds(kinds.classes, kinds.whole, kinds.series ^ turn)


def _sums(paths: Floats, intervals: Sequence[Interval]) -> Floats:
    """(n, S, B) sums over each interval."""
    return np.stack(
        [paths[:, :, first:last].sum(axis=2, dtype=np.float32) for first, last in intervals], axis=2
    )


def _smooth(values: Floats, kinds: Kinds, root: int) -> Floats:
    """Whole units with a uniform number added; others with next to nothing, so that no two are equal."""
    samples, steps = values.shape[1:]
    added = uniforms(kinds.series, np.uint64(root), samples, steps)
    return np.where(kinds.whole[:, None, None], values + added, values + np.float32(1e-6) * added)


def _rough(values: Floats, kinds: Kinds) -> Floats:
    """What `_smooth` did undone, and nothing below zero."""
    return np.maximum(np.where(kinds.whole[:, None, None], np.floor(values), values), 0.0)


def _evenly(rows: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    return rows[:: max(1, -(-len(rows) // MOST_TRIED))]
