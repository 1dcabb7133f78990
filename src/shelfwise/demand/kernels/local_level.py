"""The level of each series over time: a discounted gamma-Poisson mean of the buckets seen on both sides.

Two-sided discounting of counts and exposures (West & Harrison 1997, "Bayesian forecasting and dynamic
models", ch. 14); half-life and prior of each series are those that tell its left-out buckets best.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]


@njit(cache=True, inline="always")
def _two_sided(observed, rate, exposure, noise, decay):  # type: ignore[no-untyped-def]
    """(4, T) discounted units seen and expected, over noise, up to and including t, and from t on."""
    buckets = len(observed)
    out = np.zeros((4, buckets))
    seen, mean = 0.0, 0.0
    for t in range(buckets):
        seen *= decay
        mean *= decay
        if exposure[t] > 0:
            seen += observed[t] / noise
            mean += rate[t] * exposure[t] / noise
        out[0, t], out[1, t] = seen, mean
    seen, mean = 0.0, 0.0
    for t in range(buckets - 1, -1, -1):
        seen *= decay
        mean *= decay
        if exposure[t] > 0:
            seen += observed[t] / noise
            mean += rate[t] * exposure[t] / noise
        out[2, t], out[3, t] = seen, mean
    return out


@njit(cache=True, inline="always")
def _around(state, t, gap, weight):  # type: ignore[no-untyped-def]
    """Discounted units seen and expected at t in the buckets at least `gap` away."""
    seen, mean = 0.0, 0.0
    if t >= gap:
        seen += weight * state[0, t - gap]
        mean += weight * state[1, t - gap]
    if t + gap < state.shape[1]:
        seen += weight * state[2, t + gap]
        mean += weight * state[3, t + gap]
    return seen, mean


@njit(cache=True)
def level_scores(
    observed: Floats,
    rate: Floats,
    exposure: Floats,
    noise: Doubles,
    decays: Doubles,
    priors: Doubles,
    gap: int,
) -> Doubles:
    """(N, C, P) quasi-log-likelihood of each series under each decay and prior.

    Each bucket is told from others at least `gap` away.
    """
    count, buckets = observed.shape
    out = np.zeros((count, len(decays), len(priors)))
    for i in range(count):
        for c in range(len(decays)):
            state = _two_sided(observed[i], rate[i], exposure[i], noise[i], decays[c])
            weight = decays[c] ** gap
            for t in range(buckets):
                if exposure[i, t] > 0:
                    shape, scale = _around(state, t, gap, weight)
                    mean = rate[i, t] * exposure[i, t]
                    for p in range(len(priors)):
                        level = (priors[p] + shape) / (priors[p] + scale)
                        gain = observed[i, t] * math.log(level) if observed[i, t] > 0 else 0.0
                        out[i, c, p] += (gain - mean * level) / noise[i]
    return out


@njit(cache=True)
def local_levels(
    observed: Floats, rate: Floats, exposure: Floats, noise: Doubles, decay: Doubles, prior: Doubles
) -> tuple[Floats, Floats]:
    """Level over `rate` at each bucket from all other buckets, and the shape of its gamma posterior.

    Args:
        observed, rate, exposure: (N, T) units, units expected of a whole bucket, share seen.
        noise: (N,) variance over mean.
        decay: (N,) weight lost a bucket.
        prior: (N,) shape of the gamma prior of mean 1.

    Returns:
        (N, T) mean and (N, T) shape.
    """
    count, buckets = observed.shape
    level = np.empty((count, buckets), np.float32)
    certainty = np.empty((count, buckets), np.float32)
    for i in range(count):
        state = _two_sided(observed[i], rate[i], exposure[i], noise[i], decay[i])
        for t in range(buckets):
            shape, scale = _around(state, t, 1, decay[i])
            level[i, t] = (prior[i] + shape) / (prior[i] + scale)
            certainty[i, t] = prior[i] + shape
    return level, certainty


def squared_errors(observed: Floats, rate: Floats, exposure: Floats, full: float) -> tuple[Doubles, Doubles]:
    """(N,) squared errors and (N,) units expected, each summed over the buckets seen as a whole."""
    whole = exposure >= full
    error = np.where(whole, observed - rate, np.float32(0))
    expected = np.where(whole, rate, np.float32(0))
    return (error * error).sum(axis=1, dtype=np.float64), expected.sum(axis=1, dtype=np.float64)


def series_totals(observed: Floats, rate: Floats, exposure: Floats) -> tuple[Doubles, Doubles]:
    """(N,) units seen and (N,) units expected; `observed` is 0 where nothing was seen."""
    return observed.sum(axis=1, dtype=np.float64), (rate * exposure).sum(axis=1, dtype=np.float64)


@njit(cache=True)
def levels_without_run(
    observed: Floats,
    rate: Floats,
    exposure: Floats,
    noise: Doubles,
    decay: Doubles,
    prior: Doubles,
    row: Index,
    first: Index,
    stop: Index,
) -> tuple[Doubles, Doubles]:
    """(R,) units expected of each run of buckets, told from all others of its series, and the level's mean shape.

    `row`, `first`, `stop` (R,) say where the runs are; the rest is as in `local_levels`.
    """
    expected, certainty = np.zeros(len(row)), np.zeros(len(row))
    for r in range(len(row)):
        i, d = row[r], decay[row[r]]
        length = stop[r] - first[r]
        state = np.zeros((2, 2))
        for t in range(first[r]):
            state[0] *= d
            if exposure[i, t] > 0:
                state[0, 0] += observed[i, t] / noise[i]
                state[0, 1] += rate[i, t] * exposure[i, t] / noise[i]
        for t in range(observed.shape[1] - 1, stop[r] - 1, -1):
            state[1] *= d
            if exposure[i, t] > 0:
                state[1, 0] += observed[i, t] / noise[i]
                state[1, 1] += rate[i, t] * exposure[i, t] / noise[i]
        for k in range(length):
            before, after = d ** (k + 1), d ** (length - k)
            shape = prior[i] + before * state[0, 0] + after * state[1, 0]
            scale = prior[i] + before * state[0, 1] + after * state[1, 1]
            expected[r] += rate[i, first[r] + k] * shape / scale
            certainty[r] += shape / length
    return expected, certainty
