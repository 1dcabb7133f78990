"""Counter-based random numbers: a uniform is a function of (root, series, sample, step), not of a state.

The mixer is SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators").
"""

from __future__ import annotations

import numpy as np
from numba import njit

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_TO_UNIT = 1.0 / 9007199254740992.0


@njit(cache=True, inline="always")
def mix(value: np.uint64) -> np.uint64:
    """SplitMix64's output function."""
    value = (value ^ (value >> np.uint64(30))) * _MIX_1
    value = (value ^ (value >> np.uint64(27))) * _MIX_2
    return value ^ (value >> np.uint64(31))


@njit(cache=True, inline="always")
def stream(root: np.uint64, series: np.uint64, sample: int) -> np.uint64:
    """The state of one (series, sample) stream."""
    return mix(mix(root ^ (series * _GOLDEN)) + np.uint64(sample) * _GOLDEN)


@njit(cache=True, inline="always")
def uniform(state: np.uint64, step: int) -> float:
    """A uniform in (0, 1), the `step`-th of a stream."""
    bits = mix(state + (np.uint64(step) + np.uint64(1)) * _GOLDEN)
    return (float(bits >> np.uint64(11)) + 0.5) * _TO_UNIT
