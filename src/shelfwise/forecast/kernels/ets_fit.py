"""Fitting exponential smoothing to all series of a panel: bounded Nelder-Mead, models chosen by AICc.

The menu of Hyndman, Koehler, Ord & Snyder 2008 without multiplicative trend and without additive error on
a multiplicative season, both known to be unstable. It is searched in two steps: error and season first,
without trend; then trend and damped trend for the winner.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from shelfwise.forecast.kernels.ets import (
    ADDITIVE_ERROR,
    DAMPED_TREND,
    MULTIPLICATIVE_ERROR,
    MULTIPLICATIVE_SEASON,
    NO_SEASON,
    NO_TREND,
    TREND,
    refine_start,
    smooth,
    start_states,
)

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

LOWEST, HIGHEST = 0.01, 0.99995
PHI_LEAST, PHI_MOST = 0.8, 0.98
COARSE, FINE = 0.2, 0.02
EVALUATIONS_A_PARAMETER = 40
GRID_LEVEL, GRID_SEASON = 4, 2
FORMS = 6


@njit(cache=True)
def _parameters(point, trend, season, par):  # type: ignore[no-untyped-def]
    """Map the unit cube to alpha, beta < alpha, gamma < 1 - alpha, phi; squares resolve the small."""
    par[0] = point[0] * point[0]
    k = 1
    par[1], par[2], par[3] = 0.0, 0.0, 1.0
    if season != NO_SEASON:
        par[2] = (1.0 - par[0]) * point[k] * point[k]
        k += 1
    if trend != NO_TREND:
        par[1] = par[0] * point[k] * point[k]
        k += 1
    if trend == DAMPED_TREND:
        par[3] = PHI_LEAST + (PHI_MOST - PHI_LEAST) * point[k]


@njit(cache=True)
def _value(y, error, trend, season, m, point, par, start, state, nothing):  # type: ignore[no-untyped-def]
    _parameters(point, trend, season, par)
    state[:] = start
    return smooth(y, error, season, m, par, state, nothing, False)


@njit(cache=True)
def _minimise(  # type: ignore[no-untyped-def]
    y, error, trend, season, m, point, size, step, tolerance, par, start, state, nothing
):
    """Nelder & Mead 1965 within the unit cube; `point` in and out. Returns the least value found."""
    simplex = np.empty((size + 1, size))
    values = np.empty(size + 1)
    for v in range(size + 1):
        simplex[v] = point[:size]
        if v > 0:
            at = simplex[v, v - 1]
            simplex[v, v - 1] = at + step if at + step < HIGHEST else at - step
        values[v] = _value(y, error, trend, season, m, simplex[v], par, start, state, nothing)
    used = size + 1
    centre, trial, other = np.empty(size), np.empty(size), np.empty(size)
    while used < EVALUATIONS_A_PARAMETER * size:
        best, worst = 0, 0
        for v in range(size + 1):
            if values[v] < values[best]:
                best = v
            if values[v] >= values[worst]:
                worst = v
        if values[worst] - values[best] < tolerance:
            break
        second = best
        for v in range(size + 1):
            if v != worst and values[v] > values[second]:
                second = v
        for k in range(size):
            total = 0.0
            for v in range(size + 1):
                if v != worst:
                    total += simplex[v, k]
            centre[k] = total / size
            trial[k] = min(HIGHEST, max(LOWEST, 2.0 * centre[k] - simplex[worst, k]))
        reflected = _value(y, error, trend, season, m, trial, par, start, state, nothing)
        used += 1
        if reflected < values[best]:
            for k in range(size):
                other[k] = min(HIGHEST, max(LOWEST, 3.0 * centre[k] - 2.0 * simplex[worst, k]))
            expanded = _value(y, error, trend, season, m, other, par, start, state, nothing)
            used += 1
            if expanded < reflected:
                simplex[worst], values[worst] = other, expanded
            else:
                simplex[worst], values[worst] = trial, reflected
            continue
        if reflected < values[second]:
            simplex[worst], values[worst] = trial, reflected
            continue
        outside = reflected < values[worst]
        for k in range(size):
            towards = trial[k] if outside else simplex[worst, k]
            other[k] = 0.5 * (centre[k] + towards)
        contracted = _value(y, error, trend, season, m, other, par, start, state, nothing)
        used += 1
        if contracted < (reflected if outside else values[worst]):
            simplex[worst], values[worst] = other, contracted
            continue
        for v in range(size + 1):
            if v != best:
                for k in range(size):
                    simplex[v, k] = 0.5 * (simplex[v, k] + simplex[best, k])
                values[v] = _value(y, error, trend, season, m, simplex[v], par, start, state, nothing)
                used += 1
    least = np.argmin(values)
    point[:size] = simplex[least]
    return values[least]


@njit(cache=True)
def _grid(y, error, trend, season, m, point, par, start, state, nothing):  # type: ignore[no-untyped-def]
    """The best of a few starting points: the likelihood often has one optimum for slow and one for fast."""
    least = np.inf
    trial = np.empty(2)
    for k in range(GRID_LEVEL * GRID_SEASON):
        if season == NO_SEASON and k % GRID_SEASON > 0:
            continue
        trial[0] = 0.14 + 0.22 * (k // GRID_SEASON)
        trial[1] = 0.05 + 0.25 * (k % GRID_SEASON)
        value = _value(y, error, trend, season, m, trial, par, start, state, nothing)
        if value < least:
            least = value
            point[:2] = trial
    return least


@njit(cache=True)
def _fit_model(y, n, error, trend, season, m, point, par, start, state, work):  # type: ignore[no-untyped-def]
    """Fit one model, with a trend from `point` on; parameters and first states go to `par` and `start`.

    Returns:
        Its AICc.
    """
    size = 1 + (season != NO_SEASON) + (trend != NO_TREND) + (trend == DAMPED_TREND)
    estimated = size + 1 + (trend != NO_TREND) + (m - 1 if season != NO_SEASON else 0) + 1
    if n - estimated - 1 < 1:
        return np.inf
    start_states(y, season, m, trend, start)
    if trend == NO_TREND:
        if not math.isfinite(_grid(y, error, trend, season, m, point, par, start, state, work[0])):
            return np.inf
    else:
        # First the best line for the smoothing already found; only then is the slope's own worth tried.
        _parameters(point, trend, season, par)
        refine_start(y, error, trend, season, m, par, start, work)
    _minimise(y, error, trend, season, m, point, size, 0.12, COARSE, par, start, state, work[0])
    _parameters(point, trend, season, par)
    value = refine_start(y, error, trend, season, m, par, start, work)
    return value + 2.0 * estimated + 2.0 * estimated * (estimated + 1) / (n - estimated - 1)


@njit(cache=True)
def _choose(y, n, m, seasonal, positive, kind, par, start):  # type: ignore[no-untyped-def]
    """The model of least AICc, into `kind`, `par`, `start`; False if none could be fitted."""
    work = np.empty((3 + m, len(y)))
    state, trial_start = np.empty(2 + m), np.empty(2 + m)
    trial_par, point, plain, winner = np.empty(4), np.empty(4), np.empty(4), np.empty(4)
    least = np.inf
    for step in range(FORMS + 2):
        if step < FORMS:
            error, trend, season = step // 3, NO_TREND, step % 3
            if (season != NO_SEASON and not seasonal) or (error == MULTIPLICATIVE_ERROR and not positive):
                continue
            if season == MULTIPLICATIVE_SEASON and error == ADDITIVE_ERROR:
                continue
        else:
            if not math.isfinite(least):
                return False
            error, trend, season = kind[0], step - FORMS + TREND, kind[2]
            if trend == TREND:
                plain[:] = winner
            point[:] = plain
            point[1 + (season != NO_SEASON)] = 0.1
            if trend == DAMPED_TREND:
                point[2 + (season != NO_SEASON)] = 0.9
        period = m if season != NO_SEASON else 1
        first = trial_start[: 2 + period]
        criterion = _fit_model(
            y, n, error, trend, season, period, point, trial_par, first, state[: 2 + period], work
        )
        if criterion < least:
            least = criterion
            kind[0], kind[1], kind[2] = error, trend, season
            par[:], start[:], winner[:] = trial_par, 0.0, point
            start[: 2 + period] = first
    error, trend, season = kind[0], kind[1], kind[2]
    period = m if season != NO_SEASON else 1
    size = 1 + (season != NO_SEASON) + (trend != NO_TREND) + (trend == DAMPED_TREND)
    first = start[: 2 + period]
    _minimise(
        y, error, trend, season, period, winner, size, 0.05, FINE, par, first, state[: 2 + period], work[0]
    )
    _parameters(winner, trend, season, par)
    refine_start(y, error, trend, season, period, par, first, work)
    return True


@njit(cache=True)
def observed_part(values, y):  # type: ignore[no-untyped-def]
    """Scale `values` from the first observed bucket on into `y`.

    Returns:
        First observed bucket, how many are observed, the scale (mean size), least and greatest value.
    """
    first, n, size, least, greatest = len(values), 0, 0.0, np.inf, -np.inf
    for t in range(len(values)):
        value = values[t]
        if math.isnan(value):
            continue
        first = min(first, t)
        n += 1
        size += abs(value)
        least, greatest = min(least, value), max(greatest, value)
    scale = size / n if n and size > 0 else 1.0
    for t in range(first, len(values)):
        y[t - first] = values[t] / scale
    return first, n, scale, least, greatest


@njit(cache=True)
def _every_bucket_seen_twice(y, m):  # type: ignore[no-untyped-def]
    seen = np.zeros(m, np.int64)
    for t in range(len(y)):
        seen[t % m] += not math.isnan(y[t])
    return seen.min() >= 2


@njit(cache=True)
def _fit_series(values, m, kind, par, start):  # type: ignore[no-untyped-def]
    """`fit_panel` for one series, apart so that compiling the parallel loop stays cheap."""
    scaled = np.empty(len(values))
    first, n, scale, least, greatest = observed_part(values, scaled)
    y = scaled[: len(values) - first]
    par[3] = 1.0
    if n == 0 or greatest - least <= 1e-6 * scale:
        start[0] = least / scale if n else 0.0
        return
    seasonal = m > 1 and _every_bucket_seen_twice(y, m)
    positive = least > 1e-3 * scale
    if not _choose(y, n, m, seasonal, positive, kind, par, start):
        total = 0.0
        for t in range(len(y)):
            if not math.isnan(y[t]):
                total += y[t]
        start[0] = total / n


@njit(cache=True, parallel=True)
def fit_panel(demand: Floats, m: int) -> tuple[Codes, Doubles, Doubles]:
    """Fit every series, each from its first observed bucket on, in units of its mean size.

    Args:
        demand: (N, T), NaN unknown.
        m: buckets in a season, 1 for none.

    Returns:
        (N, 3) error, trend and season type, (N, 4) alpha, beta, gamma, phi, and (N, 2 + m) level, slope
        and season effects before the first observed bucket, in units of the series' mean size.
    """
    n_series = demand.shape[0]
    kinds = np.zeros((n_series, 3), np.int64)
    pars = np.zeros((n_series, 4))
    starts = np.zeros((n_series, 2 + m))
    for i in prange(n_series):
        _fit_series(demand[i], m, kinds[i], pars[i], starts[i])
    return kinds, pars, starts
