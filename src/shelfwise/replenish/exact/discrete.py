"""Distributions of whole-unit demand as plain arrays: `pmf[k]` is the chance of exactly k units in a bucket."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError

Pmf = npt.NDArray[np.float64]
# What lies beyond is counted at the last value kept; costs per unit are far too small to show it.
TAIL = 1e-13


def checked_pmf(pmf: npt.ArrayLike) -> Pmf:
    """`pmf` as float64 that sums to 1, trailing zeros cut.

    Raises:
        UsageError: not one-dimensional, empty, negative or not finite, or a sum further than 1e-6 from 1.
    """
    given = np.asarray(pmf, dtype=np.float64)
    if given.ndim != 1 or given.size == 0:
        raise UsageError(f"a pmf must be one-dimensional and not empty; got shape {given.shape}")
    if not np.isfinite(given).all() or (given < 0).any():
        raise UsageError("a pmf must hold finite chances of at least 0; it has a negative or infinite one")
    total = float(given.sum())
    if abs(total - 1.0) > 1e-6:
        raise UsageError(f"the chances of a pmf must sum to 1; they sum to {total:g}")
    kept = int(np.flatnonzero(given)[-1]) + 1
    return np.ascontiguousarray(given[:kept] / total)


def _above_zero(name: str, value: float) -> None:
    if not (np.isfinite(value) and value > 0):
        raise UsageError(f"{name} must be a number above 0; got {value}")


def _cut(distribution: Any) -> Pmf:
    """A SciPy distribution of whole numbers as an array, the far tail counted at its start."""
    last = int(distribution.isf(TAIL))
    pmf = np.asarray(distribution.pmf(np.arange(last + 1)), dtype=np.float64)
    pmf[-1] += float(distribution.sf(last))
    return checked_pmf(pmf)


def poisson_pmf(mean: float) -> Pmf:
    """Poisson demand.

    Example:
        >>> poisson_pmf(0.5)[:3].round(4)
        array([0.6065, 0.3033, 0.0758])
    """
    from scipy.stats import poisson

    _above_zero("the mean", mean)
    return _cut(poisson(mean))


def negative_binomial_pmf(mean: float, variance: float) -> Pmf:
    """Negative binomial demand; `variance` above `mean`. The geometric has variance mean + mean².

    Example:
        >>> negative_binomial_pmf(5.0, 30.0)[:2].round(4)
        array([0.1667, 0.1389])
    """
    from scipy.stats import nbinom

    _above_zero("the mean", mean)
    if not (np.isfinite(variance) and variance > mean):
        raise UsageError(f"a negative binomial needs a variance above its mean {mean:g}; got {variance}")
    return _cut(nbinom(mean**2 / (variance - mean), mean / variance))


def uniform_pmf(low: int, high: int) -> Pmf:
    """Every whole number from `low` to `high`, both included, with the same chance.

    Example:
        >>> uniform_pmf(0, 4).tolist()
        [0.2, 0.2, 0.2, 0.2, 0.2]
    """
    if not 0 <= low <= high:
        raise UsageError(f"a uniform demand needs 0 <= low <= high; got {low} and {high}")
    pmf = np.zeros(high + 1)
    pmf[low:] = 1.0 / (high - low + 1)
    return pmf


def rounded_gamma_pmf(mean: float, cv: float) -> Pmf:
    """Gamma demand of coefficient of variation `cv`, rounded to the nearest whole unit.

    Example:
        >>> rounded_gamma_pmf(4.0, 0.5)[:2].round(4)
        array([0.0018, 0.0639])
    """
    from scipy.stats import gamma

    _above_zero("the mean", mean)
    _above_zero("cv", cv)
    distribution = gamma(cv**-2, scale=mean * cv**2)
    last = int(np.ceil(distribution.isf(TAIL)))
    edges = np.concatenate([[0.0], np.arange(last) + 0.5, [np.inf]])
    return checked_pmf(np.diff(distribution.cdf(edges)))


def empirical_pmf(samples: npt.ArrayLike) -> Pmf:
    """The shares of whole, non-negative samples.

    Example:
        >>> empirical_pmf([0, 2, 2, 1]).tolist()
        [0.25, 0.25, 0.5]
    """
    values = np.asarray(samples, dtype=np.float64).ravel()
    if values.size == 0 or not (np.isfinite(values) & (values >= 0) & (values == np.floor(values))).all():
        raise UsageError("samples must be whole numbers of at least 0, and one at least must be given")
    return np.bincount(values.astype(np.int64)) / values.size


def total_pmf(pmf: npt.ArrayLike, buckets: int) -> Pmf:
    """The demand of that many independent buckets together; none at all for 0 buckets.

    Example:
        >>> total_pmf([0.5, 0.5], 2).tolist()
        [0.25, 0.5, 0.25]
    """
    one, total = checked_pmf(pmf), np.ones(1)
    for _ in range(buckets):
        total = np.convolve(total, one)
    return total


def mean_of(pmf: npt.ArrayLike) -> float:
    """Units a bucket."""
    given = np.asarray(pmf, dtype=np.float64)
    return float(given @ np.arange(len(given)))


def quantile(pmf: npt.ArrayLike, level: float) -> int:
    """The least k with P(demand <= k) >= level; float dust of 1e-12 does not count.

    Example:
        >>> quantile([0.25, 0.5, 0.25], 0.75)
        1
    """
    cdf = np.cumsum(np.asarray(pmf, dtype=np.float64))
    return int(np.minimum(np.searchsorted(cdf, level - 1e-12), len(cdf) - 1))
