"""Uniform numbers for breaking ties and smoothing counts, the same wherever a series stands."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from shelfwise.forecast.kernels.streams import stream, uniform

# Nearer to 1, a count and its number would round to the next count in float32.
NEAR_ONE = 0.999


@njit(cache=True)
def uniforms(series: Any, root: Any, samples: int, steps: int) -> npt.NDArray[np.float32]:
    """(n, samples, steps) float32 in (0, 1), a function of (root, series, sample, step)."""
    out = np.empty((len(series), samples, steps), np.float32)
    for i in range(len(series)):
        for s in range(samples):
            state = stream(root, series[i], s)
            for h in range(steps):
                out[i, s, h] = min(uniform(state, h), NEAR_ONE)
    return out
