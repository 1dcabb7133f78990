"""Sample paths of fitted theta models: level and line learn from each simulated bucket."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from shelfwise.forecast.kernels.ets_fit import observed_part
from shelfwise.forecast.kernels.innovations import (
    MOST_TIMES_SEEN,
    draw_innovation,
    gather_innovations,
    settle,
)
from shelfwise.forecast.kernels.streams import stream
from shelfwise.forecast.kernels.theta import BURN_IN, MULTIPLICATIVE, adjusted, theta_squares

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
ESTIMATED = 3


@njit(cache=True)
def theta_errors(y, alpha, dynamic, found, out):  # type: ignore[no-untyped-def]
    """One-step errors (T,) of what `theta_squares` found into `out`, NaN where unknown and in the burn-in."""
    n, st, sy, stt, sty = 0.0, 0.0, 0.0, 0.0, 0.0
    intercept, slope = (0.0, 0.0) if dynamic else (found[3], found[4])
    level, weight, decay, seen = found[0], found[1], 1.0, 0
    for t in range(len(y)):
        line = decay * intercept + (1.0 - decay * (1.0 - alpha)) / alpha * slope
        decay *= 1.0 - alpha
        fit = level + weight * line
        if math.isnan(y[t]):
            out[t] = np.nan
            level += alpha * (fit - level)
            continue
        seen += 1
        out[t] = y[t] - fit if seen > BURN_IN else np.nan
        level += alpha * (y[t] - level)
        if dynamic:
            step = t + 1.0
            n, st, sy, stt, sty = n + 1.0, st + step, sy + y[t], stt + step * step, sty + step * y[t]
            spread = n * stt - st * st
            slope = (n * sty - st * sy) / spread if spread > 0 else 0.0
            intercept = (sy - slope * st) / n


@njit(cache=True)
def walk(found, alpha, dynamic, elapsed, pool, count, bound, state, out):  # type: ignore[no-untyped-def]
    """One path (H,) without season, from what `theta_squares` found; the point forecast if `count` is 0."""
    weight, level, intercept, slope = found[1], found[2], found[3], found[4]
    n, st, sy, stt, sty = found[5], found[6], found[7], found[8], found[9]
    decay = (1.0 - alpha) ** elapsed
    for h in range(len(out)):
        line = decay * intercept + (1.0 - decay * (1.0 - alpha)) / alpha * slope
        decay *= 1.0 - alpha
        value = level + weight * line + draw_innovation(pool, count, state, h)
        # The state learns from the bounded value, so that no path runs away.
        value = min(bound, max(-bound, value))
        out[h] = value
        level += alpha * (value - level)
        if dynamic:
            step = elapsed + h + 1.0
            n, st, sy, stt, sty = n + 1.0, st + step, sy + value, stt + step * step, sty + step * value
            slope = (n * sty - st * sy) / (n * stt - st * st)
            intercept = (sy - slope * st) / n


@njit(cache=True)
def _draw_series(values, dynamic, alpha, form, effects, whole, series, root, expected, paths):  # type: ignore[no-untyped-def]
    """`theta_paths` for one series, apart so that compiling the parallel loop stays cheap."""
    n_samples, horizon = paths.shape
    scaled = np.empty(len(values))
    first, seen, scale, least, greatest = observed_part(values, scaled)
    if seen == 0:
        return
    if greatest - least <= 1e-6 * scale or seen <= BURN_IN:
        expected[:] = max(0.0, least)
        paths[:] = max(0.0, least)
        return
    y = scaled[: len(values) - first]
    adjusted(y, form, effects)
    cap = max(0.0, MOST_TIMES_SEEN * greatest / scale)
    found = np.empty(10)
    theta_squares(y, alpha, dynamic, found)
    errors, pool = np.empty(len(y)), np.empty(len(y))
    theta_errors(y, alpha, dynamic, found, errors)
    count = gather_innovations(errors, ESTIMATED, pool)
    point, unit, drawn = np.empty(horizon), np.empty(horizon), np.empty((n_samples, horizon))
    walk(found, alpha, dynamic, len(y), pool, 0, cap, np.uint64(0), point)
    for s in range(n_samples):
        walk(found, alpha, dynamic, len(y), pool, count, cap, stream(root, series, s), drawn[s])
    for h in range(horizon):
        effect = effects[(len(y) + h) % len(effects)]
        times = scale * effect if form == MULTIPLICATIVE else scale
        plus = 0.0 if form == MULTIPLICATIVE else scale * effect
        unit[h] = times * math.sqrt(1.0 + h * alpha * alpha)
        point[h] = min(cap * scale, max(0.0, times * point[h] + plus))
        expected[h] = point[h]
        for s in range(n_samples):
            drawn[s, h] = times * drawn[s, h] + plus
    settle(drawn, point, unit, pool, count, cap * scale, whole, root, series, paths)


@njit(cache=True, parallel=True)
def theta_paths(
    demand: Floats,
    dynamic: bool,
    alphas: Doubles,
    forms: npt.NDArray[np.int8],
    effects: Doubles,
    whole: npt.NDArray[np.bool_],
    series: npt.NDArray[np.uint64],
    root: np.uint64,
    horizon: int,
    n_samples: int,
) -> tuple[Floats, Floats]:
    """Paths (n, S, H) and point forecasts (n, H) of the models that `fit_theta` found.

    Args:
        demand: (n, T), NaN unknown.
        alphas, forms, effects: as `fit_theta` returns them.
        whole: (n,) whether demand comes in whole units; paths are then rounded at random, mean kept.
        series: (n,) stable series ids, which with `root` make the random streams.
    """
    n = len(demand)
    paths = np.zeros((n, n_samples, horizon), np.float32)
    expected = np.zeros((n, horizon), np.float32)
    for i in prange(n):
        _draw_series(
            demand[i],
            dynamic,
            alphas[i],
            forms[i],
            effects[i],
            whole[i],
            series[i],
            root,
            expected[i],
            paths[i],
        )
    return paths, expected
