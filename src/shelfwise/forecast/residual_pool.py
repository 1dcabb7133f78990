"""`ResidualPool`: residual paths lent by other series to those whose own history is too short.

A young series borrows from series of similar level, whose past is forecast as if they, too, had been
seen for only as long as the young one: so the paths are as wide as so short a history deserves.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from shelfwise.forecast.kernels.levels import level_forecasts
from shelfwise.forecast.kernels.residuals import collect_residuals
from shelfwise.forecast.scenarios import Floats

Integers = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

LEAST_PATHS = 8
DONORS = 256
DONORS_A_SERIES = 16
ORIGINS = 128
FLOOR_SHARE = 0.1
LAUNCH_BUCKETS = 4
GUESSES = 64


@dataclass(frozen=True)
class Draws:
    """What n series draw their residual paths from.

    Attributes:
        bank: (E, P) float32 residual paths, NaN where masked.
        first, count: (n,) the run of `bank` each series draws from.
        unit: (n,) what the residuals of a series are multiplied by.
    """

    bank: Floats
    first: Integers
    count: Integers
    unit: Doubles

    @classmethod
    def from_all(cls, bank: Floats, unit: Doubles) -> Draws:
        """Every series draws from the whole bank."""
        return cls(bank, np.zeros(len(unit), np.int64), np.full(len(unit), len(bank)), unit)


@dataclass(frozen=True)
class Bank:
    """Residual paths of all donors one after another, donors by rising level.

    Attributes:
        paths: (E, P) float32 residuals in units of the donor's level, NaN where masked.
        offsets: (D + 1,) where each donor's paths begin.
        levels: (D,) the donors' levels.
    """

    paths: Floats
    offsets: Integers
    levels: Doubles

    def runs(self, levels: Doubles) -> tuple[Integers, Integers]:
        """For each level the (first, count) of `paths` that belong to the donors nearest to it."""
        position = np.searchsorted(self.levels, levels)
        lower = np.clip(position - DONORS_A_SERIES // 2, 0, max(0, len(self.levels) - DONORS_A_SERIES))
        upper = np.minimum(lower + DONORS_A_SERIES, len(self.levels))
        first, count = self.offsets[lower], self.offsets[upper] - self.offsets[lower]
        scarce = count < LEAST_PATHS
        return np.where(scarce, 0, first), np.where(scarce, self.offsets[-1], count)


class ResidualPool:
    """The residual paths a shop can lend.

    Args:
        demand: (N, T) C-contiguous, NaN unknown.
        series_ids: (N,) stable ids, which break ties so that the order of rows does not matter.
        origin_span_buckets: how far back past origins reach.
    """

    def __init__(self, demand: Floats, series_ids: npt.NDArray[np.uint64], origin_span_buckets: int) -> None:
        self._demand = demand
        self._span = origin_span_buckets
        seen = ~np.isnan(demand[:, -origin_span_buckets:])
        self._counts = seen.sum(axis=1)
        totals = np.where(seen, demand[:, -origin_span_buckets:], 0.0).sum(axis=1, dtype=np.float64)
        self._levels = np.maximum(totals / np.maximum(self._counts, 1), 0.0)
        self._order = np.lexsort((series_ids, self._levels))
        positive = self._levels[self._levels > 0]
        self._floor = float(np.median(positive)) * FLOOR_SHARE if len(positive) else 0.0
        self._banks: dict[tuple[int, int], Bank] = {}
        self._launches: dict[int, Floats] = {}

    def lend(self, observed_buckets: int, levels: Doubles, steps: int, horizon: int) -> Draws:
        """Residual paths of `steps` buckets for series seen for `observed_buckets`, now at `levels` (n,).

        Series never seen (0) draw from the shop's launches around their level. A shop with too
        little history to lend anything leaves the level itself in doubt.
        """
        if observed_buckets == 0:
            launches = self._launch_paths(steps) - np.float32(self.launch_level)
            draws = Draws.from_all(launches, np.ones(len(levels)))
        else:
            key = (observed_buckets, steps)
            if key not in self._banks:
                self._banks[key] = self._collect(observed_buckets, steps)
            bank = self._banks[key]
            first, count = bank.runs(levels)
            draws = Draws(bank.paths, first, count, np.maximum(levels, self._floor))
        return draws if len(draws.bank) >= LEAST_PATHS else Draws.from_all(guesses(horizon), levels)

    @cached_property
    def launch_level(self) -> float:
        """Median of the means of the series' first observed buckets; of new items if there are enough."""
        seen = ~np.isnan(self._demand)
        early = seen & (np.cumsum(seen, axis=1) <= LAUNCH_BUCKETS)
        totals = np.where(early, self._demand, 0.0).sum(axis=1, dtype=np.float64)
        levels = totals / np.maximum(early.sum(axis=1), 1)
        known = seen.any(axis=1)
        new = known & ~seen[:, 0]
        chosen = new if new.sum() >= LEAST_PATHS else known
        return max(0.0, float(np.median(levels[chosen]))) if chosen.any() else 0.0

    def _launch_paths(self, steps: int) -> Floats:
        """(E, steps) demand of each series from its first observed bucket on."""
        if steps in self._launches:
            return self._launches[steps]
        seen = ~np.isnan(self._demand)
        first = np.argmax(seen, axis=1)
        complete = seen.any(axis=1) & (first + steps <= self._demand.shape[1])
        rows = self._order[complete[self._order]]
        rows = rows[:: max(1, -(-len(rows) // DONORS))]
        paths = self._demand[rows[:, None], first[rows, None] + np.arange(steps)]
        kept: Floats = paths[2 * (~np.isnan(paths)).sum(axis=1) >= steps]
        self._launches[steps] = kept
        return kept

    def _collect(self, observed_buckets: int, steps: int) -> Bank:
        donors = self._donors(steps)
        origins = past_origins(self._demand.shape[1], steps, self._span)
        demand = self._demand[donors]
        plain = np.ones(demand.shape, np.float32)
        residuals, alike = level_forecasts(demand, plain, origins, steps, observed_buckets)
        kept = collect_residuals(demand, residuals, alike, origins, 1)
        scale = np.maximum(self._levels[donors], self._floor)
        residuals /= np.where(scale > 0, scale, 1.0).astype(np.float32)[:, None, None]
        paths = residuals[np.arange(len(origins))[None, :] < kept[:, None]]
        return Bank(paths, np.concatenate([[0], np.cumsum(kept)]), self._levels[donors])

    def _donors(self, steps: int) -> npt.NDArray[np.intp]:
        """At most `DONORS` rows by rising level, evenly spread; those long on record if there are enough."""
        counts = self._counts[self._order]
        mature = self._order[counts >= steps + LEAST_PATHS]
        rows: npt.NDArray[np.intp] = mature if len(mature) >= DONORS_A_SERIES else self._order[counts >= 2]
        return rows[:: max(1, -(-len(rows) // DONORS))]


def past_origins(buckets: int, steps: int, span_buckets: int) -> Integers:
    """The origins, not before bucket 1, whose `steps` buckets ahead all lie in history.

    At most `ORIGINS`, evenly spaced back from the last: neighbouring paths overlap and tell little more.

    Example:
        >>> past_origins(10, 3, 104).tolist()
        [1, 2, 3, 4, 5, 6, 7]
    """
    last = buckets - steps
    earliest = max(1, last - span_buckets + 1)
    spacing = max(1, -(-(last - earliest + 1) // ORIGINS))
    return np.arange(last, earliest - 1, -spacing, dtype=np.int64)[::-1].copy()


def guesses(horizon: int) -> Floats:
    """(GUESSES, H) residuals of an exponential level with mean 1, the same at all steps.

    Of all laws on the positive line with a given mean, the exponential one assumes least.
    """
    levels = -np.log1p(-(np.arange(GUESSES) + 0.5) / GUESSES)
    return np.repeat((levels / levels.mean() - 1.0).astype(np.float32)[:, None], horizon, axis=1)
