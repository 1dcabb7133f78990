"""Ratios of units seen to units expected, pooled over neighbours and drawn towards 1 as far as they are noise.

With A units seen, M expected, noise variance W and spread s² of the true ratio, the credibility estimate is
1 + s² M (A - M) / (s² M² + W) (Bühlmann & Straub 1970); for Poisson noise it is the gamma-Poisson mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Grouping:
    """Which series are neighbours: `of_series` (N,), -1 for none; `members` by group, `first` (G + 1,)."""

    of_series: Index
    members: Index
    first: Index

    @classmethod
    def of(cls, labels: npt.NDArray[np.generic]) -> Grouping | None:
        """Series with equal labels are neighbours; None if no series has any.

        Example:
            >>> Grouping.of(np.array(["b", "a", "b"])).of_series.tolist()
            [0, -1, 0]
        """
        _, inverse, count = np.unique(labels, return_inverse=True, return_counts=True)
        shared = count > 1
        if not shared.any():
            return None
        number = np.where(shared, np.cumsum(shared) - 1, -1)
        group = number[inverse].astype(np.int64)
        members = np.argsort(group, kind="stable")[int((group < 0).sum()) :]
        first = np.searchsorted(group[members], np.arange(shared.sum() + 1))
        return cls(group, members.astype(np.int64), first.astype(np.int64))


@njit(cache=True)
def group_totals(
    observed: Floats, rate: Floats, exposure: Floats, noise: Doubles, members: Index, first: Index
) -> Doubles:
    """(3, G, T) units seen, units expected and noise variance of each group and bucket.

    Args:
        observed: (N, T) units.
        rate: (N, T) units expected of a whole bucket.
        exposure: (N, T) share of the bucket seen, 0 where nothing was.
        noise: (N,) variance over mean.
        members, first: as in `Grouping`.
    """
    groups, buckets = len(first) - 1, observed.shape[1]
    out = np.zeros((3, groups, buckets))
    for g in range(groups):
        for i in members[first[g] : first[g + 1]]:
            for t in range(buckets):
                if exposure[i, t] > 0:
                    mean = rate[i, t] * exposure[i, t]
                    out[0, g, t] += observed[i, t]
                    out[1, g, t] += mean
                    out[2, g, t] += noise[i] * mean
    return out


@njit(cache=True, inline="always")
def smooth(values, decay):  # type: ignore[no-untyped-def]
    """Turn x[t] into the sum over k of decay^|t - k| x[k], in place."""
    ahead = 0.0
    backwards = np.empty(len(values))
    for t in range(len(values) - 1, -1, -1):
        backwards[t] = ahead * decay
        ahead = backwards[t] + values[t]
    before = 0.0
    for t in range(len(values)):
        before = before * decay + values[t]
        values[t] = before + backwards[t]


@njit(cache=True)
def smooth_totals(totals: Doubles, decay: float) -> None:
    """Smooth `totals` over time, in place; the variance with squared weights."""
    for g in range(totals.shape[1]):
        smooth(totals[0, g], decay)
        smooth(totals[1, g], decay)
        smooth(totals[2, g], decay * decay)


@njit(cache=True)
def multiply_by_neighbours(
    factor: Floats,
    observed: Floats,
    rate: Floats,
    exposure: Floats,
    noise: Doubles,
    group: Index,
    totals: Doubles,
    spread: float,
    decay: float,
) -> None:
    """Multiply `factor` (N, T), in place, by the credible ratio of each series' neighbours, itself left out.

    Leaving a series out of its own correction keeps its own luck from being read as a common shock.
    """
    buckets = observed.shape[1]
    for i in range(len(group)):
        g = group[i]
        if g < 0:
            continue
        seen, mean, variance = np.zeros(buckets), np.zeros(buckets), np.zeros(buckets)
        for t in range(buckets):
            if exposure[i, t] > 0:
                seen[t] = observed[i, t]
                mean[t] = rate[i, t] * exposure[i, t]
                variance[t] = noise[i] * mean[t]
        if decay > 0:
            smooth(seen, decay)
            smooth(mean, decay)
            smooth(variance, decay * decay)
        for t in range(buckets):
            others = totals[1, g, t] - mean[t]
            if others > 1e-9:
                gap = max(totals[0, g, t] - seen[t], 0.0) - others
                noise_of_others = max(totals[2, g, t] - variance[t], 1e-9)
                factor[i, t] *= 1.0 + spread * others * gap / (spread * others * others + noise_of_others)


def spread_of_ratio(seen: Doubles, mean: Doubles, variance: Doubles) -> float:
    """Variance of the true ratio seen / mean across entries, beyond their noise; by moments, never negative."""
    weight = float((mean * mean).sum())
    return max(float(((seen - mean) ** 2 - variance).sum()) / weight, 0.0) if weight > 0 else 0.0


def credible_ratio(seen: Doubles, mean: Doubles, variance: Doubles) -> Doubles:
    """The credibility estimate of seen / mean, entry by entry, with the spread found in these entries.

    Example:
        >>> ratio = credible_ratio(np.array([900.0, 100.0]), np.array([500.0, 500.0]), np.array([500.0, 500.0]))
        >>> ratio.round(2).tolist()
        [1.8, 0.2]
    """
    spread = spread_of_ratio(seen, mean, variance)
    gain = spread * mean / np.maximum(spread * mean**2 + variance, 1e-12)
    return np.asarray(1.0 + gain * (seen - mean))


def common_shocks(
    factor: Floats,
    observed: Floats,
    rate: Floats,
    exposure: Floats,
    noise: Doubles,
    grouping: Grouping,
    decay: float,
) -> None:
    """Correct `factor` (N, T), in place, by what the neighbours did at the time (`decay` 0) or around it."""
    totals = group_totals(observed, rate, exposure, noise, grouping.members, grouping.first)
    if decay > 0:
        smooth_totals(totals, decay)
    spread = spread_of_ratio(totals[0], totals[1], totals[2])
    if spread > 0:
        multiply_by_neighbours(
            factor, observed, rate, exposure, noise, grouping.of_series, totals, spread, decay
        )
