"""Exponential smoothing in state-space form: one filter for all error, trend and season types.

Hyndman, Koehler, Ord & Snyder 2008, "Forecasting with Exponential Smoothing", tables 2.2 and 2.3. The
states of the additive and the multiplicative error model move alike when driven by the raw error
e = y - fit; only the likelihood tells them apart. Where y is NaN the states are carried on, not updated.
A state is level, slope, then one effect a season bucket; no season is m = 1 with an effect that stays 0.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

Doubles = npt.NDArray[np.float64]

ADDITIVE_ERROR, MULTIPLICATIVE_ERROR = 0, 1
NO_TREND, TREND, DAMPED_TREND = 0, 1, 2
NO_SEASON, ADDITIVE_SEASON, MULTIPLICATIVE_SEASON = 0, 1, 2
SMALLEST = 1e-8
LEAST_SQUARES = 1e-14
DIFFERENCE = 1e-3
RIDGE = 1e-9


@njit(cache=True)
def smooth(y, error, season, m, par, state, residuals, keep):  # type: ignore[no-untyped-def]
    """Run the filter over `y`, moving `state` in place.

    Args:
        y: (T,) float64, NaN unknown.
        par: alpha, beta, gamma, phi.
        state: (2 + m,) states before the first bucket; afterwards those after the last.
        residuals: (T,) raw errors y - fit, NaN where y is, written if `keep`.

    Returns:
        -2 log likelihood up to a constant (HKOS 2008, eq. 5.3), infinite where the model is undefined.
    """
    alpha, beta, gamma, phi = par[0], par[1], par[2], par[3]
    level, slope = state[0], state[1]
    squares, log_fits, product = 0.0, 0.0, 1.0
    count, phase = 0, 0
    for t in range(len(y)):
        base = level + phi * slope
        slope = phi * slope
        effect = state[2 + phase]
        value = y[t]
        fit = base * effect if season == MULTIPLICATIVE_SEASON else base + effect
        e = value - fit
        if keep:
            residuals[t] = e
        level = base
        if not math.isnan(value):
            count += 1
            if error == MULTIPLICATIVE_ERROR:
                if fit < SMALLEST:
                    return np.inf
                relative = e / fit
                squares += relative * relative
                product *= fit
                # One logarithm for many factors: the log is the dearest operation here.
                if product > 1e100 or product < 1e-100:
                    log_fits += math.log(product)
                    product = 1.0
            else:
                squares += e * e
            if season == MULTIPLICATIVE_SEASON:
                if base < SMALLEST or effect < SMALLEST:
                    return np.inf
                level += alpha * e / effect
                slope += beta * e / effect
                state[2 + phase] = effect + gamma * e / base
            else:
                level += alpha * e
                slope += beta * e
                state[2 + phase] = effect + gamma * e
        phase += 1
        if phase == m:
            phase = 0
    state[0], state[1] = level, slope
    log_fits += math.log(product)
    if not math.isfinite(squares):
        return np.inf
    return count * math.log(max(squares, LEAST_SQUARES)) + 2.0 * log_fits


@njit(cache=True)
def start_states(y, season, m, trend, state):  # type: ignore[no-untyped-def]
    """First guess of the states before the first bucket, into `state`.

    Season effects from the distance to a centred moving average, slope from a line through all of
    the adjusted series, level from its first 2 m (at least 10) observed buckets.
    """
    buckets = len(y)
    state[:] = 0.0
    if season != NO_SEASON:
        totals, counts = np.zeros(m), np.zeros(m)
        half = m // 2
        for t in range(half, buckets - half):
            if math.isnan(y[t]):
                continue
            around, seen = 0.0, 0.0
            for k in range(-half, half + 1):
                weight = 0.5 if m % 2 == 0 and (k in (-half, half)) else 1.0
                if not math.isnan(y[t + k]):
                    around += weight * y[t + k]
                    seen += weight
            centre = around / seen
            if season == ADDITIVE_SEASON:
                totals[t % m] += y[t] - centre
            elif centre > SMALLEST:
                totals[t % m] += y[t] / centre
            counts[t % m] += 1.0
        neutral = 0.0 if season == ADDITIVE_SEASON else 1.0
        mean = 0.0
        for j in range(m):
            state[2 + j] = totals[j] / counts[j] if counts[j] > 0 else neutral
            mean += state[2 + j] / m
        for j in range(m):
            if season == ADDITIVE_SEASON:
                state[2 + j] -= mean
            else:
                state[2 + j] = max(0.05, state[2 + j] / mean)
    n, sum_t, sum_y, sum_tt, sum_ty, early, first = 0, 0.0, 0.0, 0.0, 0.0, 0.0, 0
    for t in range(buckets):
        if math.isnan(y[t]):
            continue
        effect = state[2 + t % m]
        value = y[t] / effect if season == MULTIPLICATIVE_SEASON else y[t] - effect
        n += 1
        sum_t += t
        sum_y += value
        sum_tt += float(t) * t
        sum_ty += t * value
        if first < max(10, 2 * m):
            first += 1
            early += value
    state[0] = early / max(first, 1)
    spread = n * sum_tt - sum_t * sum_t
    if trend != NO_TREND and spread > 0:
        state[1] = (n * sum_ty - sum_t * sum_y) / spread


@njit(cache=True)
def _solve(matrix, vector, size):  # type: ignore[no-untyped-def]
    """Solve a positive definite system in place (Cholesky); False if it is not one."""
    for i in range(size):
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= matrix[i, k] * matrix[j, k]
            if i == j:
                if total <= 0.0:
                    return False
                matrix[i, i] = math.sqrt(total)
            else:
                matrix[i, j] = total / matrix[j, j]
    for i in range(size):
        for k in range(i):
            vector[i] -= matrix[i, k] * vector[k]
        vector[i] /= matrix[i, i]
    for i in range(size - 1, -1, -1):
        for k in range(i + 1, size):
            vector[i] -= matrix[k, i] * vector[k]
        vector[i] /= matrix[i, i]
    return True


@njit(cache=True)
def refine_start(y, error, trend, season, m, par, start, work):  # type: ignore[no-untyped-def]
    """One Gauss-Newton step on the states before the first bucket, kept only if the likelihood gains.

    With additive errors and season the residuals are linear in these states, so one step is exact.

    Args:
        start: (2 + m,) in and out.
        work: (3 + m, T) scratch.

    Returns:
        The likelihood's value (see `smooth`) at `start` as it is left.
    """
    state = start.copy()
    before = smooth(y, error, season, m, par, state, work[0], True)
    if not math.isfinite(before):
        return before
    chosen = np.empty(2 + m, np.int64)
    size = 0
    for c in range(2 + m):
        if c == 0 or (c == 1 and trend != NO_TREND) or (c > 1 and season != NO_SEASON):
            chosen[size] = c
            size += 1
    for j in range(size):
        state[:] = start
        state[chosen[j]] += DIFFERENCE
        if not math.isfinite(smooth(y, error, season, m, par, state, work[1 + j], True)):
            return before
    matrix, vector = np.zeros((size, size)), np.zeros(size)
    row = np.empty(size)
    for t in range(len(y)):
        e = work[0, t]
        if math.isnan(e):
            continue
        fit = y[t] - e
        weight = 1.0 / (fit * fit) if error == MULTIPLICATIVE_ERROR else 1.0
        for j in range(size):
            row[j] = (work[1 + j, t] - e) / DIFFERENCE
        for i in range(size):
            scaled = weight * row[i]
            vector[i] -= scaled * e
            for j in range(i + 1):
                matrix[i, j] += scaled * row[j]
    largest = 0.0
    for i in range(size):
        largest = max(largest, matrix[i, i])
    # Level and season effects can trade a constant; a trace of ridge settles that.
    for i in range(size):
        matrix[i, i] += RIDGE * largest
    if largest <= 0.0 or not _solve(matrix, vector, size):
        return before
    moved = start.copy()
    for _ in range(3):
        for j in range(size):
            moved[chosen[j]] = start[chosen[j]] + vector[j]
        state[:] = moved
        after = smooth(y, error, season, m, par, state, work[0], False)
        if after < before:
            start[:] = moved
            return after
        vector *= 0.25
    return before
