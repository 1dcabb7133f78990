"""Data augmentation: training windows that never happened but might have, made from those that did.

Each transform takes demand (B, T) with NaN where unknown and leaves unknown buckets unknown. Off by default;
what each is worth on real data is in ``benchmarks/results/deep.csv``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError

Doubles = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
MOST_SCALING = 4.0
LEAST_SHARE = 0.5


@dataclass(frozen=True)
class Augmentation:
    """What is done to the windows of a batch.

    Attributes:
        jitter: standard deviation of the log-normal noise on the demand a network reads; what it is asked
            to forecast stays as it was (Um et al. 2017).
        scaling: share of windows sold at a quarter to four times their rate; fewer by binomial thinning.
        mixing: share of windows replaced by a mixture with another series at the same time, brought to one
            level (mixup, Zhang et al. 2018; of series, Ansari et al. 2024, "Chronos", section 4.1).
        synthetic: share of windows replaced by made-up series: a drifting level, a yearly wave, days without
            a sale, negative binomial sizes.

    Raises:
        UsageError: a negative jitter, or a share outside 0…1.
    """

    jitter: float = 0.0
    scaling: float = 0.0
    mixing: float = 0.0
    synthetic: float = 0.0

    def __post_init__(self) -> None:
        if self.jitter < 0:
            raise UsageError(f"jitter must be at least 0; got {self.jitter}")
        for name in ("scaling", "mixing", "synthetic"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{name} is a share, 0 to 1; got {getattr(self, name)}")

    @property
    def on(self) -> bool:
        """Whether anything is done."""
        return any(getattr(self, field.name) > 0 for field in fields(self))

    def apply(
        self, demand: Doubles, whole: Flags, others: Doubles, per_year: float, rng: np.random.Generator
    ) -> tuple[Doubles, Doubles]:
        """(B, T) demand to read and to forecast.

        Args:
            demand: (B, T) of the windows' series; whole: (B,) whether in whole units.
            others: (B, T) of the series to mix with; per_year: buckets in a year.
        """
        changed = demand.copy()

        def chosen(share: float) -> npt.NDArray[np.intp]:
            return np.flatnonzero(rng.random(len(demand)) < share)

        if self.mixing > 0:
            rows = chosen(self.mixing)
            changed[rows] = in_units(mixed(changed[rows], others[rows], rng), whole[rows], rng)
        if self.scaling > 0:
            rows = chosen(self.scaling)
            changed[rows] = in_units(scaled(changed[rows], whole[rows], rng), whole[rows], rng)
        if self.synthetic > 0:
            rows = chosen(self.synthetic)
            changed[rows] = made_up(demand[rows], per_year, rng)
        read = changed
        if self.jitter > 0:
            read = changed * rng.lognormal(-0.5 * self.jitter**2, self.jitter, changed.shape)
        return read, changed


def in_units(demand: Doubles, whole: Flags, rng: np.random.Generator) -> Doubles:
    """Whole units where the series has them, up or down at random so that the mean stays."""
    return np.where(whole[:, None], np.floor(demand + rng.random(demand.shape)), demand)


def scaled(demand: Doubles, whole: Flags, rng: np.random.Generator) -> Doubles:
    """Every series at a rate of its own, a quarter to four times; thinning keeps counts counts."""
    factor = np.exp(rng.uniform(-np.log(MOST_SCALING), np.log(MOST_SCALING), (len(demand), 1)))
    counts = np.nan_to_num(demand, nan=0.0).astype(np.int64)
    thinned = rng.binomial(np.maximum(counts, 0), np.minimum(factor, 1.0)).astype(np.float64)
    fewer = whole[:, None] & (factor < 1.0)
    return np.where(np.isnan(demand), np.nan, np.where(fewer, thinned, factor * demand))


def mixed(demand: Doubles, others: Doubles, rng: np.random.Generator) -> Doubles:
    """At least half of each series and the rest of another, brought to the level of the first."""
    share = rng.uniform(LEAST_SHARE, 1.0, (len(demand), 1))
    level, other = _level(demand), _level(others)
    return share * demand + (1.0 - share) * others * level / other


def made_up(demand: Doubles, per_year: float, rng: np.random.Generator) -> Doubles:
    """As many series of about the same levels, known where the given ones are."""
    n, buckets = demand.shape
    drift = np.cumsum(rng.normal(0.0, 1.0, demand.shape), axis=1) * rng.uniform(0.0, 0.06, (n, 1))
    phase = 2.0 * np.pi * (np.arange(buckets) / per_year + rng.random((n, 1)))
    wave = rng.uniform(0.0, 0.6, (n, 1)) * np.sin(phase)
    wandering = np.clip(drift - drift.mean(axis=1, keepdims=True) + wave, -4.0, 4.0)
    selling = rng.random(demand.shape) < rng.uniform(0.2, 1.0, (n, 1))
    size = 1.0 / rng.uniform(0.05, 1.5, (n, 1))
    mean = np.minimum(_level(demand) * np.exp(wandering), 1e6)
    drawn = rng.poisson(rng.gamma(np.broadcast_to(size, demand.shape), mean / size))
    return np.where(np.isnan(demand), np.nan, np.where(selling, drawn, 0.0))


def _level(demand: Doubles) -> Doubles:
    """(B, 1) mean of the known buckets, positive."""
    known = np.isfinite(demand)
    total = np.where(known, demand, 0.0).sum(axis=1, keepdims=True)
    level: Doubles = np.maximum(total / np.maximum(known.sum(axis=1, keepdims=True), 1), 0.05)
    return level
