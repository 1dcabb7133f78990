"""Moves every path of a series to a new mean and puts its paths in a new order."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from shelfwise.forecast.kernels.streams import stream, uniform

Floats = npt.NDArray[np.float32]

# The base model has used this root already, so rounding and order must draw from others.
_ROUNDING = np.uint64(0xA0761D6478BD642F)
_ORDER = np.uint64(0xE7037ED1A0B428DB)


@njit(cache=True, inline="always")
def _normal(state: np.uint64) -> float:
    """A standard normal (Box & Muller)."""
    return math.sqrt(-2.0 * math.log(uniform(state, 0))) * math.cos(2.0 * math.pi * uniform(state, 1))


@njit(cache=True, parallel=True)
def adjust_paths(
    paths: Floats,
    ratio: Floats,
    surplus: Floats,
    whole: npt.NDArray[np.bool_],
    follows: npt.NDArray[np.float64],
    score: npt.NDArray[np.float64],
    group: npt.NDArray[np.int64],
    series: npt.NDArray[np.uint64],
    root: np.uint64,
) -> Floats:
    """(n, S, H) paths * ratio + surplus, in whole units where `whole`, reordered to follow `score`.

    Args:
        paths: (n, S, H) base paths.
        ratio, surplus: (n, H), not negative.
        whole: (n,) whether to round, at random and right on average.
        follows: (n,) correlation with the scores of the series' group, 0 to keep the order.
        score: (G, S) normal scores of the groups' samples.
        group: (n,) row of `score`.
        series: (n,) stable numbers of the series.
        root: seed of the draw.
    """
    count, samples, horizon = paths.shape
    out = np.empty_like(paths)
    for row in prange(count):
        target = np.arange(samples)
        source = target
        if follows[row] > 0.0:
            total = np.empty(samples)
            wish = np.empty(samples)
            own = math.sqrt(1.0 - follows[row])
            common = math.sqrt(follows[row])
            for sample in range(samples):
                total[sample] = paths[row, sample].sum()
                noise = _normal(stream(root ^ _ORDER, series[row], sample))
                wish[sample] = common * score[group[row], sample] + own * noise
            source = np.argsort(total, kind="mergesort")
            target = np.argsort(wish, kind="mergesort")
        for rank in range(samples):
            state = stream(root ^ _ROUNDING, series[row], source[rank])
            for step in range(horizon):
                value = paths[row, source[rank], step] * ratio[row, step] + surplus[row, step]
                if whole[row]:
                    below = math.floor(value)
                    value = below + (1.0 if uniform(state, step) < value - below else 0.0)
                out[row, target[rank], step] = value
    return out
