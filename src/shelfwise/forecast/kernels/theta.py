"""The theta method for all series at once: deseasonalised, smoothed, with a drift that learns.

Fiorucci, Pellegrini, Louzada, Petropoulos & Koehler 2016, "Models for optimising the theta method and their
relationship to state space models". For a given smoothing the fits are linear in the first level and in
w = 1 - 1 / theta, so both follow from least squares and the search is over the smoothing alone.
Unknown buckets enter neither the line nor the level, which takes the forecast in their place.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from shelfwise.forecast.kernels.ets_fit import observed_part

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

NOT_SEASONAL, ADDITIVE, MULTIPLICATIVE = 0, 1, 2
LOWEST, HIGHEST = 0.1, 0.99
GRID = 7
GOLDEN = 0.6180339887498949
TOLERANCE = 1e-4
BURN_IN = 3
SEASONAL_QUANTILE = 1.6448536269514722
LEAST_EFFECT = 0.01
STANDARD_WEIGHT = 0.5


@njit(cache=True)
def seasonal_effects(y, m, positive, effects):  # type: ignore[no-untyped-def]
    """Classical decomposition of `y`, if its autocorrelation at the season passes the 90 % test.

    Returns:
        NOT_SEASONAL, ADDITIVE or MULTIPLICATIVE (where `positive`), with `effects` (m,) filled.
    """
    n, mean = 0, 0.0
    for t in range(len(y)):
        if not math.isnan(y[t]):
            mean += y[t]
            n += 1
    effects[:] = 0.0
    if m < 4 or n < 2 * m:
        return NOT_SEASONAL
    mean /= n
    variance, squares, last = 0.0, 0.0, 0.0
    for t in range(len(y)):
        if not math.isnan(y[t]):
            variance += (y[t] - mean) ** 2
    if variance <= 0.0:
        return NOT_SEASONAL
    for lag in range(1, m + 1):
        total = 0.0
        for t in range(lag, len(y)):
            product = (y[t] - mean) * (y[t - lag] - mean)
            if not math.isnan(product):
                total += product
        last = total / variance
        if lag < m:
            squares += last * last
    if abs(last) <= SEASONAL_QUANTILE * math.sqrt((1.0 + 2.0 * squares) / n):
        return NOT_SEASONAL
    if positive and _decompose(y, m, MULTIPLICATIVE, effects) and effects.min() >= LEAST_EFFECT:
        return MULTIPLICATIVE
    if _decompose(y, m, ADDITIVE, effects):
        return ADDITIVE
    effects[:] = 0.0
    return NOT_SEASONAL


@njit(cache=True)
def _decompose(y, m, form, effects):  # type: ignore[no-untyped-def]
    """Effects against a centred moving average of one season; False if a season bucket was never seen."""
    totals, counts = np.zeros(m), np.zeros(m)
    half = m // 2
    for t in range(half, len(y) - half):
        around, weights = 0.0, 0.0
        for k in range(-half, half + 1):
            weight = 0.5 if m % 2 == 0 and (k == -half or k == half) else 1.0
            if not math.isnan(y[t + k]):
                around += weight * y[t + k]
                weights += weight
        if math.isnan(y[t]) or weights == 0.0 or (form == MULTIPLICATIVE and around <= 0.0):
            continue
        centre = around / weights
        totals[t % m] += y[t] / centre if form == MULTIPLICATIVE else y[t] - centre
        counts[t % m] += 1.0
    if counts.min() == 0.0:
        return False
    mean = 0.0
    for j in range(m):
        effects[j] = totals[j] / counts[j]
        mean += effects[j] / m
    for j in range(m):
        effects[j] = effects[j] / mean if form == MULTIPLICATIVE else effects[j] - mean
    return True


@njit(cache=True)
def _whole_line(y):  # type: ignore[no-untyped-def]
    """Intercept and slope of the least squares line through all known (t, y), t from 1."""
    n, st, sy, stt, sty = 0.0, 0.0, 0.0, 0.0, 0.0
    for t in range(len(y)):
        if not math.isnan(y[t]):
            n, st, sy = n + 1.0, st + t + 1.0, sy + y[t]
            stt, sty = stt + (t + 1.0) ** 2, sty + (t + 1.0) * y[t]
    spread = n * stt - st * st
    slope = (n * sty - st * sy) / spread if spread > 0 else 0.0
    return (sy - slope * st) / n, slope


@njit(cache=True)
def theta_squares(y, alpha, dynamic, out):  # type: ignore[no-untyped-def]
    """Best first level and weight of the line for `alpha`, and the one-step squared error they leave.

    `out` takes: first level, w, last level, intercept, slope, n, sum t, sum y, sum tt, sum ty of the line.
    The level is carried as a + b * first + c * w, and w is held within 0 ... 1 (theta >= 1).
    """
    n, st, sy, stt, sty = 0.0, 0.0, 0.0, 0.0, 0.0
    intercept, slope = (0.0, 0.0) if dynamic else _whole_line(y)
    a, b, c = 0.0, 1.0, 0.0
    decay = 1.0
    rr, bb, dd, bd, br, dr = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    seen = 0
    for t in range(len(y)):
        line = decay * intercept + (1.0 - decay * (1.0 - alpha)) / alpha * slope
        decay *= 1.0 - alpha
        value = y[t]
        if math.isnan(value):
            c += alpha * line
            continue
        seen += 1
        if seen > BURN_IN:
            r, d = value - a, c + line
            rr, bb, dd = rr + r * r, bb + b * b, dd + d * d
            bd, br, dr = bd + b * d, br + b * r, dr + d * r
        a += alpha * (value - a)
        b *= 1.0 - alpha
        c *= 1.0 - alpha
        if dynamic:
            step = t + 1.0
            n, st, sy, stt, sty = n + 1.0, st + step, sy + value, stt + step * step, sty + step * value
            spread = n * stt - st * st
            slope = (n * sty - st * sy) / spread if spread > 0 else 0.0
            intercept = (sy - slope * st) / n
    weight = STANDARD_WEIGHT
    if dynamic:
        determinant = bb * dd - bd * bd
        if determinant > 1e-12 * bb * dd:
            weight = (bb * dr - bd * br) / determinant
        else:
            weight = dr / dd if dd > 0.0 else 0.0
        weight = min(1.0, max(0.0, weight))
    first = (br - weight * bd) / bb if bb > 0.0 else 0.0
    out[0], out[1], out[2], out[3], out[4] = first, weight, a + b * first + c * weight, intercept, slope
    out[5], out[6], out[7], out[8], out[9] = n, st, sy, stt, sty
    cross = first * br + weight * dr - first * weight * bd
    return rr - 2.0 * cross + first * first * bb + weight * weight * dd


@njit(cache=True)
def _search(y, dynamic, out):  # type: ignore[no-untyped-def]
    """The smoothing of least squared error: a coarse grid, then golden section around its best point."""
    best, least = 0, np.inf
    width = (HIGHEST - LOWEST) / (GRID - 1)
    for g in range(GRID):
        value = theta_squares(y, LOWEST + g * width, dynamic, out)
        if value < least:
            best, least = g, value
    low = LOWEST + max(best - 1, 0) * width
    high = LOWEST + min(best + 1, GRID - 1) * width
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = theta_squares(y, left, dynamic, out), theta_squares(y, right, dynamic, out)
    while high - low > TOLERANCE:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = theta_squares(y, left, dynamic, out)
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = theta_squares(y, right, dynamic, out)
    middle = 0.5 * (low + high)
    return middle if theta_squares(y, middle, dynamic, out) <= least else LOWEST + best * width


@njit(cache=True)
def adjusted(y, form, effects):  # type: ignore[no-untyped-def]
    """Take the season out of `y`, in place."""
    m = len(effects)
    for t in range(len(y)):
        if form == MULTIPLICATIVE:
            y[t] /= effects[t % m]
        elif form == ADDITIVE:
            y[t] -= effects[t % m]


@njit(cache=True)
def _fit_series(values, dynamic, effects):  # type: ignore[no-untyped-def]
    """`fit_theta` for one series, apart so that compiling the parallel loop stays cheap."""
    scaled, out = np.empty(len(values)), np.empty(10)
    first, n, scale, least, greatest = observed_part(values, scaled)
    if n <= BURN_IN or greatest - least <= 1e-6 * scale:
        return LOWEST, NOT_SEASONAL
    y = scaled[: len(values) - first]
    form = seasonal_effects(y, len(effects), least > 0.0, effects)
    adjusted(y, form, effects)
    return _search(y, dynamic, out), form


@njit(cache=True, parallel=True)
def fit_theta(demand: Floats, m: int, dynamic: bool) -> tuple[Doubles, npt.NDArray[np.int8], Doubles]:
    """Season form and smoothing of every series, from its first observed bucket on, scaled by its mean.

    Args:
        demand: (N, T), NaN unknown.
        m: buckets in a season, 1 for none.
        dynamic: the dynamic optimised model; else the standard one (theta = 2, the line of all history).

    Returns:
        (N,) smoothing, (N,) season form, (N, m) season effects.
    """
    n_series = len(demand)
    alphas = np.zeros(n_series)
    forms = np.zeros(n_series, np.int8)
    effects = np.zeros((n_series, m))
    for i in prange(n_series):
        alphas[i], forms[i] = _fit_series(demand[i], dynamic, effects[i])
    return alphas, forms, effects
