"""How demand answers to promotions and price, one coefficient a covariate for the whole shop; and its season.

A quasi-Poisson regression with a log link (McCullagh & Nelder 1989) on top of a given rate, fitted by
Newton's method with a normal prior on each coefficient.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from shelfwise.demand.kernels.local_level import series_totals

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

NEWTON_STEPS = 6
LONGEST_STEP = 1.0
CLOSE_ENOUGH = 1e-3
# A normal prior of this precision is one of standard deviation 1 on the logarithm: no help where data are many.
PRECISION = 1.0
LARGEST_LOG = 3.0


@njit(cache=True)
def _slopes(
    observed: Floats,
    rate: Floats,
    exposure: Floats,
    noise: Doubles,
    features: Floats,
    row: Index,
    coefficients: Doubles,
) -> tuple[Doubles, Doubles]:
    """(N, K) gradients and (N, K, K) curvatures of each series' quasi-log-likelihood."""
    count, buckets = observed.shape
    width = len(coefficients)
    gradient, curvature = np.zeros((count, width)), np.zeros((count, width, width))
    for i in range(count):
        x = np.empty(width)
        for t in range(buckets):
            if exposure[i, t] <= 0:
                continue
            log_factor, moved = 0.0, False
            for k in range(width):
                x[k] = features[row[k, i], t]
                moved |= x[k] != 0.0
                log_factor += coefficients[k] * x[k]
            if not moved:
                continue
            mean = rate[i, t] * exposure[i, t] * math.exp(min(max(log_factor, -LARGEST_LOG), LARGEST_LOG))
            error = (observed[i, t] - mean) / noise[i]
            weight = mean / noise[i]
            for k in range(width):
                gradient[i, k] += x[k] * error
                for j in range(k + 1):
                    curvature[i, k, j] += x[k] * x[j] * weight
    return gradient, curvature


def fit_response(
    observed: Floats,
    rate: Floats,
    exposure: Floats,
    noise: Doubles,
    features: Floats,
    row: Index,
    start: Doubles,
) -> Doubles:
    """(K,) coefficients of the covariates in the logarithm of demand.

    Args:
        observed, rate, exposure: (N, T) units, units expected of a whole bucket otherwise, share seen.
        noise: (N,) variance over mean.
        features: (G, T) covariates of all kinds, a row a group of series.
        row: (K, N) the row of `features` that holds covariate k of series i.
        start: (K,) where to begin.
    """
    width = len(row)
    found = start.copy()
    for _ in range(NEWTON_STEPS):
        gradient, curvature = _slopes(observed, rate, exposure, noise, features, row, found)
        lower = curvature.sum(axis=0)
        whole = lower + np.tril(lower, -1).T + PRECISION * np.eye(width)
        step = np.linalg.solve(whole, gradient.sum(axis=0) - PRECISION * found)
        found += np.clip(step, -LONGEST_STEP, LONGEST_STEP)
        if np.abs(step).max() < CLOSE_ENOUGH:
            break
    return found


@njit(cache=True)
def response_factor(
    features: Floats, row: Index, coefficients: Doubles, profile: Floats, phase: Index
) -> Floats:
    """(N, T) what covariates and season multiply the level of a series by; `profile` is (N, P), `phase` (T,)."""
    count, buckets = len(profile), len(phase)
    out = np.empty((count, buckets), np.float32)
    for i in range(count):
        for t in range(buckets):
            log_factor = 0.0
            for k in range(len(coefficients)):
                log_factor += coefficients[k] * features[row[k, i], t]
            out[i, t] = profile[i, phase[t]] * math.exp(min(max(log_factor, -LARGEST_LOG), LARGEST_LOG))
    return out


def phase_totals(
    observed: Floats, rate: Floats, exposure: Floats, phase: Index, phases: int
) -> tuple[Doubles, Doubles]:
    """(N, P) units seen and units expected in each phase of the season."""
    seen, mean = np.zeros((len(observed), phases)), np.zeros((len(observed), phases))
    for p in range(phases):
        here = phase == p
        seen[:, p], mean[:, p] = series_totals(observed[:, here], rate[:, here], exposure[:, here])
    return seen, mean
