"""Negative binomial counts: randomised ranks of what happened, and quantiles of what may happen.

Mean m and dispersion a give variance m + a m². A rank is the probability integral transform, randomised
within the step of a count (Czado, Gneiting & Held 2009, "Predictive model assessment for count data").
Above `LARGE_MEAN` the gamma distribution of the same mean and variance takes over.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from shelfwise.forecast.kernels.streams import stream, uniform

LARGE_MEAN = 60.0
SMALLEST_RANK = 1e-7
TABLE = 512
SHAPES = 160
LOG_SHAPE_FIRST, LOG_SHAPE_LAST = math.log(0.02), math.log(1e6)
LOGIT_SPAN = 20.0


@cache
def gamma_table() -> npt.NDArray[np.float64]:
    """(SHAPES, TABLE) quantiles of the gamma with mean 1, over log shape and the logit of the rank."""
    from scipy.special import gammaincinv

    shapes = np.exp(np.linspace(LOG_SHAPE_FIRST, LOG_SHAPE_LAST, SHAPES))
    logits = np.linspace(-LOGIT_SPAN, LOGIT_SPAN, TABLE)
    return np.asarray(gammaincinv(shapes[:, None], 1.0 / (1.0 + np.exp(-logits))[None, :]) / shapes[:, None])


@njit(cache=True)
def _gamma_quantile(rank: float, mean: float, dispersion: float, table: Any) -> float:
    variance = mean + dispersion * mean * mean
    shape = mean * mean / variance
    at = (math.log(shape) - LOG_SHAPE_FIRST) / (LOG_SHAPE_LAST - LOG_SHAPE_FIRST) * (SHAPES - 1)
    at = min(max(at, 0.0), SHAPES - 1.000001)
    where = (math.log(rank / (1.0 - rank)) + LOGIT_SPAN) / (2.0 * LOGIT_SPAN) * (TABLE - 1)
    where = min(max(where, 0.0), TABLE - 1.000001)
    i, j = int(at), int(where)
    a, b = at - i, where - j
    low = table[i, j] * (1 - b) + table[i, j + 1] * b
    high = table[i + 1, j] * (1 - b) + table[i + 1, j + 1] * b
    return float(mean * (low * (1 - a) + high * a))


@njit(cache=True)
def _gamma_rank(value: float, mean: float, dispersion: float, table: Any) -> float:
    low, high = 1e-9, 1.0 - 1e-9
    for _ in range(50):
        middle = 0.5 * (low + high)
        if _gamma_quantile(middle, mean, dispersion, table) < value:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


@njit(cache=True)
def _cumulate(mean: float, dispersion: float, top_rank: float, cdf: Any) -> int:
    """Fill cdf[0 … k] until it passes `top_rank`; returns how many entries are filled."""
    a = max(dispersion, 1e-6)
    size = 1.0 / a
    ratio = mean / (mean + size)
    pmf = math.exp(-size * math.log1p(mean * a))
    total = pmf
    cdf[0] = total
    k = 0
    while total < top_rank and k < cdf.shape[0] - 1:
        pmf *= ratio * (k + size) / (k + 1.0)
        k += 1
        total += pmf
        cdf[k] = total
        if pmf < 1e-14 and k > mean:
            break
    return k + 1


@njit(cache=True)
def _count_quantile(rank: float, cdf: Any, filled: int, whole: bool) -> float:
    at = int(np.searchsorted(cdf[:filled], rank))
    if at >= filled:
        at = filled - 1
    if whole:
        return float(at)
    below = cdf[at - 1] if at > 0 else 0.0
    width = cdf[at] - below
    share = (rank - below) / width if width > 0 else 0.5
    return max(at - 1.0 + min(max(share, 0.0), 1.0), 0.0)


@njit(parallel=True, cache=True)
def ranks(
    value: Any, mean: Any, dispersion: Any, series: Any, root: Any, table: Any
) -> npt.NDArray[np.float32]:
    """(M, H) ranks of values in their predictive distributions; NaN where the value is NaN."""
    rows, horizon = value.shape
    out = np.full((rows, horizon), np.nan, dtype=np.float32)
    for i in prange(rows):
        cdf = np.empty(4096)
        state = stream(root, series[i], 0)
        for h in range(horizon):
            y = value[i, h]
            if np.isnan(y):
                continue
            m, a = mean[i, h], dispersion[i, h]
            if m > LARGE_MEAN or y > 4000:
                # A rank nearer to 1 than float32 can tell becomes 1, which has no quantile.
                rank = _gamma_rank(y, m, a, table)
                out[i, h] = min(max(rank, SMALLEST_RANK), 1.0 - SMALLEST_RANK)
                continue
            filled = _cumulate(m, a, 1.0, cdf)
            k = int(y)
            inside = y - k
            if k >= filled:
                out[i, h] = 1.0 - SMALLEST_RANK
                continue
            below = cdf[k - 1] if k > 0 else 0.0
            share = uniform(state, h)
            if inside > 0 and k + 1 < filled:
                rank = cdf[k] + inside * (cdf[k + 1] - cdf[k])
            else:
                rank = below + share * (cdf[k] - below)
            out[i, h] = min(max(rank, SMALLEST_RANK), 1.0 - SMALLEST_RANK)
    return out


@njit(parallel=True, cache=True)
def draw_paths(
    mean: Any,
    dispersion: Any,
    whole: Any,
    pool: Any,
    pool_first: Any,
    pool_count: Any,
    series: Any,
    samples: int,
    root: Any,
    table: Any,
) -> npt.NDArray[np.float32]:
    """(N, S, H) paths: each sample borrows the whole rank path of one pool member.

    Borrowing a path, and not a rank at a time, keeps how errors hang together over the horizon.

    Args:
        mean, dispersion: (N, H).
        whole: (N,) whether demand comes in whole units.
        pool: (P, K) rank paths, sorted so that alike members are neighbours; steps beyond K start over.
        pool_first, pool_count: (N,) the run of the pool a series draws from.
        series: (N,) stable series numbers; root: seed.
    """
    n, horizon = mean.shape
    depth = pool.shape[1]
    out = np.empty((n, samples, horizon), dtype=np.float32)
    for i in prange(n):
        cdf = np.empty(4096)
        member = np.empty(samples, dtype=np.int64)
        for s in range(samples):
            pick = uniform(stream(root, series[i], s), 0)
            # Stratified picks spread the samples evenly over the pool's run.
            member[s] = pool_first[i] + int((s + pick) / samples * pool_count[i])
        for h in range(horizon):
            m, a = mean[i, h], dispersion[i, h]
            if m <= LARGE_MEAN:
                filled = _cumulate(m, a, 1.0 - 1e-9, cdf)
                for s in range(samples):
                    out[i, s, h] = _count_quantile(pool[member[s], h % depth], cdf, filled, whole[i])
            else:
                for s in range(samples):
                    value = _gamma_quantile(pool[member[s], h % depth], m, a, table)
                    out[i, s, h] = np.rint(value) if whole[i] else value
    return out


@njit(cache=True)
def _log_likelihood(value: Any, mean: Any, dispersion: float) -> float:
    """Negative binomial log likelihood of real values, the factorial left out."""
    size = 1.0 / dispersion
    total = 0.0
    for index in range(len(value)):
        y, m = value[index], mean[index]
        total += math.lgamma(y + size) - math.lgamma(size)
        total += y * math.log(m / (m + size)) - size * math.log1p(m * dispersion)
    return total


@njit(cache=True)
def likely_dispersion(value: Any, mean: Any, low: float, high: float) -> float:
    """The dispersion of greatest likelihood between two bounds, by golden section on its logarithm.

    Unlike the moment estimate it is not ruled by the one largest value.
    """
    ratio = 0.6180339887498949
    a, b = math.log(low), math.log(high)
    c, d = b - ratio * (b - a), a + ratio * (b - a)
    at_c, at_d = _log_likelihood(value, mean, math.exp(c)), _log_likelihood(value, mean, math.exp(d))
    for _ in range(24):
        if at_c > at_d:
            b, d, at_d = d, c, at_c
            c = b - ratio * (b - a)
            at_c = _log_likelihood(value, mean, math.exp(c))
        else:
            a, c, at_c = c, d, at_d
            d = a + ratio * (b - a)
            at_d = _log_likelihood(value, mean, math.exp(d))
    return math.exp(0.5 * (a + b))
