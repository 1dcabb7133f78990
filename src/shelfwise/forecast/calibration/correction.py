"""`Correction`: how the quantiles of a forecast have to be changed, learnt on held-out outcomes.

Two steps by level. As long as outcomes lie among the draws, the quantile at level p is read at the level below
which a share p of the outcomes' ranks lay (Kuleshov, Fenner & Ermon 2018; with conformal ranks, Vovk et al. 2005).
What is left, and forecasts whose draws do not reach their outcomes, is moved by the p-quantile of how far
outcomes lay from the quantile, in units of spread: one-sided conformalised quantile regression (Romano,
Patterson & Candès 2019). Counts are smoothed by a uniform number first (Machado & Santos Silva 2005), so that
levels between two counts mean something; what comes out is rounded down again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.forecast.auto.demand_classes import CLASS_NAMES
from shelfwise.forecast.scenarios import Floats

Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
LEVELS = np.array([0.01, 0.02, *(np.arange(1, 20) / 20), 0.98, 0.99])
LOW, HIGH = 3, 19
EVERY_CLASS = len(CLASS_NAMES)
LEAST_OUTCOMES = 200
LEAST_FORECASTS = 20
MOST_OUTSIDE = 0.03
FLOOR_SHARE = 0.1


@dataclass(frozen=True)
class Correction:
    """Changes of quantiles by class and group of columns.

    Attributes:
        read_at: (CLASSES + 1, G, K) the level at which each of K levels is read; the last class stands for all.
        moves: (CLASSES + 1, G, K) what is then added, in units of spread.
        group: (B,) the group of each column; columns beyond take the last.
    """

    read_at: Doubles
    moves: Doubles
    group: Integers

    @classmethod
    def learn(
        cls,
        drawn: Floats,
        actual: Floats,
        classes: npt.NDArray[np.int8],
        group: Integers,
        origins: Integers,
        lots: Floats,
    ) -> Correction:
        """From smoothed, sorted draws (M, S, B) and smoothed outcomes (M, B), NaN unknown.

        A class with fewer than 200 outcomes, or forecasts of fewer than 20 series and origins, in a group is
        corrected as all classes are; where these are too few as well, nothing is. `origins` (M,) says which
        forecasts were made at the same time; `lots` (M, B) in (0, 1) place each rank within its step.
        """
        samples = drawn.shape[1]
        ranks = (drawn < actual[:, None, :]).sum(axis=1)
        outside = (ranks == 0) | (ranks == samples)
        level = (ranks + lots) / (samples + 1)

        at_once = np.broadcast_to(origins[:, None], actual.shape)

        def read_at(cells: Any, forecasts: int) -> Doubles:
            if outside[cells].mean() > MOST_OUTSIDE + 2.0 / (samples + 1):
                return LEVELS
            return np.asarray(_conformal(level[cells][:, None] - LEVELS, forecasts, at_once[cells]) + LEVELS)

        known = np.isfinite(actual)
        table = _by_class(known, classes, group, read_at, LEVELS)
        ranked = cls(table, np.zeros_like(table), group)
        drawn = ranked.apply(drawn, classes)
        said = quantiles(drawn)
        excess = (np.where(known, actual, 0.0)[:, :, None] - said) / spread(drawn, said)[:, :, None]

        def moves(cells: Any, forecasts: int) -> Doubles:
            return _conformal(excess[cells], forecasts, at_once[cells])

        return cls(table, _by_class(known, classes, group, moves, np.zeros(len(LEVELS))), group)

    @classmethod
    def none(cls) -> Correction:
        """Leaves everything as it is."""
        nothing = np.zeros((EVERY_CLASS + 1, 1, len(LEVELS)))
        return cls(nothing + LEVELS, nothing, np.zeros(1, np.int64))

    @property
    def idle(self) -> bool:
        """Whether it changes nothing."""
        return bool((self.read_at == LEVELS).all() and not self.moves.any())

    def shrunk(self, trust: float) -> Correction:
        """Part of the way from no change to this one."""
        return Correction(LEVELS + trust * (self.read_at - LEVELS), trust * self.moves, self.group)

    def column(self, column: int) -> Correction:
        """The correction of one column."""
        one = slice(self.group[column], self.group[column] + 1)
        return Correction(self.read_at[:, one], self.moves[:, one], np.zeros(1, np.int64))

    def apply(self, drawn: Floats, classes: npt.NDArray[np.int8]) -> Floats:
        """Smoothed, sorted draws (n, S, B) with their quantiles corrected; sorted still."""
        samples, columns = drawn.shape[1:]
        group = self.group[np.minimum(np.arange(columns), len(self.group) - 1)]
        read_at = self.read_at[classes[:, None], group[None, :]]
        moves = self.moves[classes[:, None], group[None, :]]
        stands = np.arange(1, samples + 1) / (samples + 1)
        if (read_at != LEVELS).any():
            drawn = _read_again(drawn, read_at, stands)
        if moves.any():
            steps = moves * spread(drawn, quantiles(drawn))[:, :, None]
            place = np.interp(stands, LEVELS, np.arange(len(LEVELS)))
            drawn = drawn + np.moveaxis(_between(steps.astype(np.float32), place), 2, 1)
        # Sorting what crosses never makes a forecast worse (Chernozhukov, Fernández-Val & Galichon 2010).
        return np.sort(drawn, axis=1)


def quantiles(drawn: Floats) -> Floats:
    """(n, B, K) quantiles at `LEVELS` of sorted draws (n, S, B).

    The s-th of S draws stands at s / (S + 1): so often an outcome like them lies below it.
    """
    samples = drawn.shape[1]
    return _between(np.moveaxis(drawn, 1, 2), np.clip(LEVELS * (samples + 1) - 1.0, 0.0, samples - 1.0))


def spread(drawn: Floats, said: Floats) -> Doubles:
    """(n, B) the unit of moves: from the 10 % to the 90 % quantile, and not less than a tenth of the mean."""
    floor = FLOOR_SHARE * np.abs(drawn.mean(axis=1, dtype=np.float64))
    return np.asarray(np.maximum(np.maximum(said[:, :, HIGH] - said[:, :, LOW], floor), 1e-6))


def _conformal(excess: Doubles, forecasts: int, origins: Integers) -> Doubles:
    """(K,) the p-quantiles of (n, K) excesses over what was said for level p, as far as they can be trusted.

    Outcomes of one forecast hang together, and so do all outcomes of a good or a bad month: how sure a share
    is goes by `forecasts` and by how it differs between `origins`, not by n. The less sure, the less is
    corrected (James & Stein 1961, positive part), and nothing within a standard error.
    """
    n = len(excess)
    ordered = np.sort(excess, axis=0)
    place = np.clip(np.ceil((n + 1) * LEVELS).astype(np.intp) - 1, 0, n - 1)
    below = excess <= 0
    missed = np.abs(below.mean(axis=0) - LEVELS)
    doubt = LEVELS * (1.0 - LEVELS) / forecasts
    times = np.unique(origins)
    if len(times) > 1:
        shares = np.stack([below[origins == time].mean(axis=0) for time in times])
        doubt = doubt + shares.var(axis=0, ddof=1) / len(times)
    trust = np.maximum(1.0 - doubt / np.maximum(missed, 1e-9) ** 2, 0.0)
    return np.asarray(trust * ordered[place, np.arange(len(LEVELS))])


def _by_class(
    known: npt.NDArray[np.bool_], classes: npt.NDArray[np.int8], group: Integers, learn: Any, nothing: Doubles
) -> Doubles:
    """(CLASSES + 1, G, K) what `learn(cells, forecasts)` says of each class and group with enough outcomes."""
    groups = int(group.max()) + 1
    table = np.zeros((EVERY_CLASS + 1, groups, len(LEVELS))) + nothing
    for g in range(groups):
        for c in range(EVERY_CLASS, -1, -1):
            mine = np.ones(len(classes), bool) if c == EVERY_CLASS else classes == c
            cells = known & mine[:, None] & (group == g)
            forecasts = int(cells.any(axis=1).sum())
            if cells.sum() >= LEAST_OUTCOMES and forecasts >= LEAST_FORECASTS:
                table[c, g] = learn(cells, forecasts)
            else:
                table[c, g] = table[EVERY_CLASS, g]
    return table


def _read_again(drawn: Floats, read_at: Doubles, stands: Doubles) -> Floats:
    """Each draw replaced by the quantile at the level its own place is to be read at."""
    samples = drawn.shape[1]
    ends = np.array([0.0, *LEVELS, 1.0])
    width = ((0, 0), (0, 0), (1, 1))
    level = _between(
        np.pad(read_at, width, constant_values=(0.0, 1.0)), np.interp(stands, ends, np.arange(len(ends)))
    )
    place = np.moveaxis(np.clip(level * (samples + 1) - 1.0, 0.0, samples - 1.0), 2, 1)
    below = np.floor(place).astype(np.intp)
    low = np.take_along_axis(drawn, below, axis=1)
    high = np.take_along_axis(drawn, np.minimum(below + 1, samples - 1), axis=1)
    return np.asarray(low + (high - low) * (place - below).astype(np.float32))


def _between(values: npt.NDArray[Any], place: Doubles) -> npt.NDArray[Any]:
    """`values` along their last axis at fractional places."""
    below = np.minimum(np.floor(place).astype(np.intp), values.shape[-1] - 1)
    above = np.minimum(below + 1, values.shape[-1] - 1)
    low, high = values[..., below], values[..., above]
    return np.asarray(low + (high - low) * (place - below).astype(values.dtype))
