"""Sample paths of fitted exponential smoothing models, innovations drawn from their own residuals."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from shelfwise.forecast.kernels.ets import (
    MULTIPLICATIVE_ERROR,
    MULTIPLICATIVE_SEASON,
    NO_SEASON,
    NO_TREND,
    SMALLEST,
    smooth,
)
from shelfwise.forecast.kernels.ets_fit import observed_part
from shelfwise.forecast.kernels.innovations import (
    MOST_TIMES_SEEN,
    draw_innovation,
    gather_innovations,
    settle,
)
from shelfwise.forecast.kernels.streams import stream

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
LEAST_EFFECT = 0.01


@njit(cache=True)
def point_path(season, m, par, state, phase, point):  # type: ignore[no-untyped-def]
    """Forecast (H,) from `state` on, no innovations, into `point`."""
    level, slope = state[0], state[1]
    for h in range(len(point)):
        slope *= par[3]
        level += slope
        effect = state[2 + (phase + h) % m]
        point[h] = level * effect if season == MULTIPLICATIVE_SEASON else level + effect


@njit(cache=True)
def spread_growth(m, par, seasonal, growth):  # type: ignore[no-untyped-def]
    """Standard deviation h buckets ahead over that of one (HKOS 2008, table 6.2), into `growth` (H,)."""
    variance, reach, damping = 1.0, 0.0, 1.0
    for h in range(len(growth)):
        growth[h] = math.sqrt(variance)
        damping *= par[3]
        reach += damping
        weight = par[0] + par[1] * reach
        if seasonal and (h + 1) % m == 0:
            weight += par[2]
        variance += weight * weight


@njit(cache=True)
def _simulate(error, season, m, par, first, phase, pool, count, cap, state, series_state, out):  # type: ignore[no-untyped-def]
    """One path (H,) of the state-space model into `out`; `state` is scratch."""
    state[:] = first
    for h in range(len(out)):
        slope = par[3] * state[1]
        base = state[0] + slope
        j = 2 + (phase + h) % m
        effect = state[j]
        if season == MULTIPLICATIVE_SEASON:
            base = max(base, SMALLEST)
            fit = base * effect
        else:
            fit = base + effect
        e = draw_innovation(pool, count, series_state, h)
        if error == MULTIPLICATIVE_ERROR:
            e *= max(fit, SMALLEST)
        value = min(cap, max(-cap, fit + e))
        # The state learns from the bounded value, so that no path runs away.
        e = value - fit
        out[h] = value
        if season == MULTIPLICATIVE_SEASON:
            state[0] = base + par[0] * e / effect
            state[1] = slope + par[1] * e / effect
            state[j] = max(LEAST_EFFECT, effect + par[2] * e / base)
        else:
            state[0] = base + par[0] * e
            state[1] = slope + par[1] * e
            state[j] = effect + par[2] * e


@njit(cache=True)
def _draw_series(values, kind, par, start, whole, series, root, expected, paths):  # type: ignore[no-untyped-def]
    """`ets_paths` for one series, apart so that compiling the parallel loop stays cheap."""
    n_samples, horizon = paths.shape
    scaled = np.empty(len(values))
    first, seen, scale, _, greatest = observed_part(values, scaled)
    if seen == 0:
        return
    y = scaled[: len(values) - first]
    error, trend, season = kind[0], kind[1], kind[2]
    m = len(start) - 2 if season != NO_SEASON else 1
    cap = max(0.0, MOST_TIMES_SEEN * greatest / scale)
    final = start[: 2 + m].copy()
    errors, pool = np.empty(len(y)), np.empty(len(y))
    smooth(y, error, season, m, par, final, errors, True)
    if error == MULTIPLICATIVE_ERROR:
        for t in range(len(y)):
            errors[t] /= max(y[t] - errors[t], SMALLEST)
    estimated = 2 + 2 * (trend != NO_TREND) + (m if season != NO_SEASON else 0)
    count = gather_innovations(errors, estimated, pool)
    phase = len(y) % m
    point, unit = np.empty(horizon), np.empty(horizon)
    point_path(season, m, par, final, phase, point)
    spread_growth(m, par, season != NO_SEASON, unit)
    for h in range(horizon):
        point[h] = scale * min(cap, max(0.0, point[h]))
        unit[h] *= point[h] if error == MULTIPLICATIVE_ERROR else scale
        expected[h] = point[h]
    state, drawn = np.empty(2 + m), np.empty((n_samples, horizon))
    for s in range(n_samples):
        key = stream(root, series, s)
        _simulate(error, season, m, par, final, phase, pool, count, cap, state, key, drawn[s])
        for h in range(horizon):
            drawn[s, h] *= scale
    settle(drawn, point, unit, pool, count, cap * scale, whole, root, series, paths)


@njit(cache=True, parallel=True)
def ets_paths(
    demand: Floats,
    kinds: npt.NDArray[np.int64],
    pars: Doubles,
    starts: Doubles,
    whole: npt.NDArray[np.bool_],
    series: npt.NDArray[np.uint64],
    root: np.uint64,
    horizon: int,
    n_samples: int,
) -> tuple[Floats, Floats]:
    """Paths (n, S, H) and point forecasts (n, H) of the models that `fit_panel` found.

    Args:
        demand: (n, T), NaN unknown.
        kinds, pars, starts: as `fit_panel` returns them.
        whole: (n,) whether demand comes in whole units; paths are then rounded at random, mean kept.
        series: (n,) stable series ids, which with `root` make the random streams.
    """
    n = len(demand)
    paths = np.zeros((n, n_samples, horizon), np.float32)
    expected = np.zeros((n, horizon), np.float32)
    for i in prange(n):
        _draw_series(
            demand[i], kinds[i], pars[i], starts[i], whole[i], series[i], root, expected[i], paths[i]
        )
    return paths, expected
