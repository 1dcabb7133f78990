"""From simulated paths of a smoothing model to demand: non-negative, bounded, whole units, mean kept."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from shelfwise.forecast.kernels.clipping import keep_mean, mean_kept
from shelfwise.forecast.kernels.streams import stream, uniform

MOST_TIMES_SEEN = 10.0
MOST_WIDENING = 2.0


@njit(cache=True)
def gather_innovations(errors, estimated, pool):  # type: ignore[no-untyped-def]
    """Known `errors` (T,) into `pool`, centred, widened for `estimated` parameters; returns how many."""
    count, total = 0, 0.0
    for t in range(len(errors)):
        if not math.isnan(errors[t]):
            pool[count] = errors[t]
            total += errors[t]
            count += 1
    if count == 0:
        return 0
    widening = min(MOST_WIDENING, math.sqrt(count / max(count - estimated, 0.25 * count)))
    for k in range(count):
        pool[k] = (pool[k] - total / count) * widening
    return count


@njit(cache=True)
def draw_innovation(pool, count, state, step):  # type: ignore[no-untyped-def]
    """One of the first `count` of `pool`; 0 where there is none."""
    return pool[int(uniform(state, 2 * step) * count)] if count else 0.0


@njit(cache=True)
def settle(paths, point, unit, pool, count, cap, whole, root, series, out):  # type: ignore[no-untyped-def]
    """Bring simulated `paths` (S, H) to demand, into `out` (S, H).

    Clipping at zero lifts the mean of the paths above the point forecast (H,). How they are brought back (see
    `mean_kept`) is taken from the innovations spread by `unit` (H,), and so is the same for any S.
    """
    n_samples, horizon = paths.shape
    kept, factor = np.ones(horizon), np.ones(horizon)
    for h in range(horizon):
        clipped, unclipped, largest, second = 0.0, 0.0, 0.0, 0.0
        for k in range(count):
            value = point[h] + unit[h] * pool[k]
            unclipped += value
            value = max(0.0, value)
            clipped += value
            if value > largest:
                largest, second = value, largest
            elif value > second:
                second = value
        kept[h], factor[h] = mean_kept(point[h] * count, clipped, unclipped, largest, second)
    for s in range(n_samples):
        state = stream(root, series, s)
        for h in range(horizon):
            lot = uniform(state, 2 * horizon + h)
            value = min(keep_mean(max(0.0, paths[s, h]), kept[h], factor[h], lot), cap)
            if whole:
                value = math.floor(value + uniform(state, 2 * h + 1))
            out[s, h] = value
