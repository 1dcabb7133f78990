"""Random lead times from a counter: each draw depends on seed, series, path and bucket alone."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from shelfwise.simulate.per_series import Floats, Ints

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
SHIFT_30, SHIFT_27, SHIFT_31, SHIFT_11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
HARMONICS = 200
HALVINGS = 40


@njit(cache=True)
def mix(z: np.uint64) -> np.uint64:
    """SplitMix64's finaliser (Steele, Lea and Flood 2014): a one-to-one scramble of 64 bits."""
    z = (z ^ (z >> SHIFT_30)) * MIX_1
    z = (z ^ (z >> SHIFT_27)) * MIX_2
    return z ^ (z >> SHIFT_31)


@njit(cache=True)
def uniform(stream: np.uint64) -> tuple[np.uint64, float]:
    """The next state of a stream and a number strictly between 0 and 1."""
    stream = stream + GOLDEN
    return stream, (np.float64(mix(stream) >> SHIFT_11) + 0.5) * 2.0**-53


@njit(cache=True)
def gamma(stream: np.uint64, shape: float) -> tuple[np.uint64, float]:
    """Standard gamma by Marsaglia and Tsang (2000); below shape 1 by their boost."""
    boost = 1.0
    if shape < 1.0:
        stream, u = uniform(stream)
        boost = u ** (1.0 / shape)
        shape += 1.0
    d = shape - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        stream, u1 = uniform(stream)
        stream, u2 = uniform(stream)
        normal = math.sqrt(-2.0 * math.log(u1)) * math.cos(2.0 * math.pi * u2)
        v = (1.0 + c * normal) ** 3
        if v <= 0.0:
            continue
        stream, u = uniform(stream)
        # Their squeeze accepts nearly all that the logarithms would, and nothing else.
        if u < 1.0 - 0.0331 * normal**4:
            return stream, d * v * boost
        if math.log(u) < 0.5 * normal * normal + d - d * v + d * math.log(v):
            return stream, d * v * boost


@njit(cache=True)
def rounding_variance(mean: float, sd: float) -> float:
    """Variance that random rounding adds to a gamma: E[f (1 - f)] of its fraction f.

    f (1 - f) = 1/6 - sum_k cos(2 pi k x) / (pi k)^2, and the mean of each cosine is the real part of the
    gamma's characteristic function.
    """
    shape, scale = (mean / sd) ** 2, sd * sd / mean
    total = 1.0 / 6.0
    for k in range(1, HARMONICS + 1):
        u = 2.0 * math.pi * k * scale
        size = math.exp(-0.5 * shape * math.log1p(u * u))
        if size < 1e-9:
            break
        total -= size * math.cos(shape * math.atan(u)) / (math.pi * k) ** 2
    return total


@njit(cache=True)
def sd_before_rounding(mean: float, sd: float) -> float:
    """Spread of the gamma whose rounded draws have spread `sd`; 0 where rounding alone spreads that much."""
    fraction = mean - math.floor(mean)
    if mean == 0.0 or sd * sd <= fraction * (1.0 - fraction):
        return 0.0
    low, high = 0.0, sd
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        if middle * middle + rounding_variance(mean, middle) < sd * sd:
            low = middle
        else:
            high = middle
    return high


@njit(parallel=True, cache=True)
def draw(mean: Floats, sd: Floats, series_keys: npt.NDArray[np.uint64], seed: np.uint64, draws: Ints) -> None:
    """Fill draws (N, P, T): gamma, then rounded down or up at random so that the mean is kept."""
    n_series, n_paths, n_buckets = draws.shape
    for series in prange(n_series):
        spread = sd_before_rounding(mean[series], sd[series])
        key = mix(mix(seed + GOLDEN) ^ series_keys[series])
        shape = (mean[series] / spread) ** 2 if spread > 0.0 else 0.0
        for path in range(n_paths):
            path_key = mix(key + GOLDEN * np.uint64(path + 1))
            for t in range(n_buckets):
                stream = mix(path_key + GOLDEN * np.uint64(t + 1))
                value = mean[series]
                if spread > 0.0:
                    stream, standard = gamma(stream, shape)
                    value = standard * value / shape
                stream, u = uniform(stream)
                draws[series, path, t] = min(math.floor(value + u), 2147483647.0)
