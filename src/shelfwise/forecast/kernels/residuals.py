"""Empirical residual paths: collecting what past forecasts missed, and drawing futures from it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from shelfwise.forecast.kernels.clipping import keep_mean, mean_kept
from shelfwise.forecast.kernels.streams import stream, uniform

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

TRIES = 8
# Uniform numbers a step: which path, a stand-in for a masked step, rounding, and whether it is kept.
NUMBERS = 4


@njit(cache=True, parallel=True)
def collect_residuals(
    demand: Floats, forecasts: Floats, alike: Flags, origins: Integers, least: int
) -> Integers:
    """Turn `forecasts` (N, O, P) into residual paths, in place, the usable ones moved to the front.

    An origin is usable if at least half of its P steps were observed. Where at least `least` origins
    forecast as today does (`alike`), only those are kept; else all usable ones.

    Returns:
        (N,) how many residual paths each series has; masked steps in them are NaN.
    """
    n, n_origins, steps = forecasts.shape
    kept = np.zeros(n, np.int64)
    for i in prange(n):
        usable = np.zeros(n_origins, np.bool_)
        n_alike = 0
        for o in range(n_origins):
            observed = 0
            for h in range(steps):
                residual = demand[i, origins[o] + h] - forecasts[i, o, h]
                forecasts[i, o, h] = residual
                observed += not np.isnan(residual)
            usable[o] = 2 * observed >= steps
            n_alike += usable[o] and alike[i, o]
        for o in range(n_origins):
            if usable[o] and (alike[i, o] or n_alike < least):
                forecasts[i, kept[i]] = forecasts[i, o]
                kept[i] += 1
    return kept


@njit(cache=True)
def _observed_steps(bank, first, count):  # type: ignore[no-untyped-def]
    """(P,) each step itself, or else the nearest step (earlier first) at which anything was observed."""
    steps = bank.shape[1]
    any_observed = np.zeros(steps, np.bool_)
    for h in range(steps):
        for entry in range(first, first + count):
            if not np.isnan(bank[entry, h]):
                any_observed[h] = True
                break
    source = np.arange(steps)
    for h in range(steps):
        for away in range(steps):
            if h - away >= 0 and any_observed[h - away]:
                source[h] = h - away
                break
            if h + away < steps and any_observed[h + away]:
                source[h] = h + away
                break
    return source


@njit(cache=True)
def _mean_kept(bank, first, count, step, point, unit):  # type: ignore[no-untyped-def]
    """`mean_kept` of all residual paths around the point forecast."""
    clipped, unclipped, largest, second, observed = 0.0, 0.0, 0.0, 0.0, 0
    for entry in range(first, first + count):
        residual = bank[entry, step]
        if np.isnan(residual):
            continue
        value = point + unit * residual
        unclipped += value
        value = max(0.0, value)
        clipped += value
        observed += 1
        if value > largest:
            largest, second = value, largest
        elif value > second:
            second = value
    return mean_kept(point * observed, clipped, unclipped, largest, second)


@njit(cache=True)
def _another(bank, first, count, step, state, counter, stride):  # type: ignore[no-untyped-def]
    """An observed residual at `step`, from another path drawn at random."""
    pick = 0
    for attempt in range(TRIES):
        pick = int(uniform(state, counter + attempt * stride) * count)
        if not np.isnan(bank[first + pick, step]):
            return bank[first + pick, step]
    for away in range(count):
        residual = bank[first + (pick + away) % count, step]
        if not np.isnan(residual):
            return residual
    return np.float32(0.0)


@njit(cache=True, parallel=True)
def draw_paths(
    point: Floats,
    bank: Floats,
    first: Integers,
    count: Integers,
    unit: Doubles,
    whole: Flags,
    series: npt.NDArray[np.uint64],
    root: np.uint64,
    slots: Integers,
    out: Floats,
) -> None:
    """Draw residual paths, add them to the point forecast, clip at zero keeping the mean, and write them to `out`.

    A horizon longer than the P steps of a residual path is covered by several, one after another.

    Args:
        point: (n, H) point forecasts.
        bank: (E, P) residual paths, NaN where masked.
        first, count: (n,) the run of `bank` each series draws from; `count` at least 1.
        unit: (n,) what the residuals of a series are multiplied by.
        whole: (n,) whether demand comes in whole units; paths are then rounded at random, mean kept.
        series: (n,) stable series ids, which with `root` make the random streams.
        slots: (n,) row of `out` each series is written to.
        out: (N, S, H) float32.
    """
    n, horizon = point.shape
    steps = bank.shape[1]
    n_samples = out.shape[1]
    stride = NUMBERS * horizon
    for i in prange(n):
        source = _observed_steps(bank, first[i], count[i])
        kept, factor = np.empty(horizon), np.empty(horizon)
        for h in range(horizon):
            step = source[h % steps]
            kept[h], factor[h] = _mean_kept(bank, first[i], count[i], step, point[i, h], unit[i])
        for s in range(n_samples):
            state = stream(root, series[i], s)
            entry, ahead = first[i], steps
            for h in range(horizon):
                number = NUMBERS * h
                if ahead == steps:
                    entry, ahead = first[i] + int(uniform(state, number) * count[i]), 0
                step = source[ahead]
                ahead += 1
                residual = bank[entry, step]
                if np.isnan(residual):
                    residual = _another(bank, first[i], count[i], step, state, number + 1, stride)
                value = max(0.0, point[i, h] + unit[i] * residual)
                value = keep_mean(value, kept[h], factor[h], uniform(state, number + 3))
                if whole[i]:
                    value = np.floor(value + uniform(state, number + 2))
                out[slots[i], s, h] = value
