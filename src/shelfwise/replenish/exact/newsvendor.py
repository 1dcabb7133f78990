"""The newsvendor: one order for one stretch of uncertain demand, for all items at once.

Literature: Arrow, Harris and Marschak (1951), "Optimal inventory policy", Econometrica 19(3); Snyder and Shen (2019),
*Fundamentals of Supply Chain Theory*, chapter 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.replenish.exact.arguments import above_zero, at_least_zero, finite
from shelfwise.replenish.exact.discrete import checked_pmf
from shelfwise.simulate.per_series import Floats


@dataclass(frozen=True, eq=False)
class Newsvendor:
    """The best stock for each item, in units, and its expected cost; arrays of the shape of the arguments."""

    level: Floats
    cost: Floats


def newsvendor_normal(
    mean: npt.ArrayLike, sd: npt.ArrayLike, holding_cost: npt.ArrayLike, shortage_cost: npt.ArrayLike
) -> Newsvendor:
    """Normal demand. All arguments broadcast against each other.

    Args:
        mean, sd: units, sd at least 0. holding_cost, shortage_cost: per unit left, per unit short; above 0.

    Raises:
        UsageError: a value breaks its rule.

    Example:
        >>> best = newsvendor_normal(50.0, 8.0, holding_cost=0.18, shortage_cost=0.70)
        >>> round(best.level.item(), 4), round(best.cost.item(), 4)
        (56.604, 1.9976)
    """
    from scipy.special import ndtri

    mu, sigma, h, p = finite(mean=mean, sd=sd, holding_cost=holding_cost, shortage_cost=shortage_cost)
    at_least_zero(sd=sigma)
    above_zero(holding_cost=h, shortage_cost=p)
    z = ndtri(p / (p + h))
    density = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
    return Newsvendor(mu + z * sigma, (h + p) * sigma * density)


def newsvendor_gamma(
    mean: npt.ArrayLike, sd: npt.ArrayLike, holding_cost: npt.ArrayLike, shortage_cost: npt.ArrayLike
) -> Newsvendor:
    """Gamma demand: never negative, skewed as real demand is. Arguments as in `newsvendor_normal`, sd above 0.

    Example:
        >>> newsvendor_gamma(50.0, 8.0, 0.18, 0.70).level.round(2).item()
        56.44
    """
    from scipy.stats import gamma

    mu, sigma, h, p = finite(mean=mean, sd=sd, holding_cost=holding_cost, shortage_cost=shortage_cost)
    above_zero(mean=mu, sd=sigma, holding_cost=h, shortage_cost=p)
    shape, scale = (mu / sigma) ** 2, sigma**2 / mu
    level = gamma.ppf(p / (p + h), shape, scale=scale)
    # Partial expectations of a gamma are those of the gamma with one more shape.
    above = mu * gamma.sf(level, shape + 1.0, scale=scale) - level * gamma.sf(level, shape, scale=scale)
    return Newsvendor(level, h * (level - mu) + (h + p) * above)


def newsvendor_poisson(
    mean: npt.ArrayLike, holding_cost: npt.ArrayLike, shortage_cost: npt.ArrayLike
) -> Newsvendor:
    """Poisson demand; the level is the least whole number that reaches the critical ratio.

    Example:
        >>> best = newsvendor_poisson([6.0, 20.0], 1.0, 4.0)
        >>> best.level.tolist(), best.cost.round(4).tolist()
        ([8.0, 24.0], [3.5701, 6.438])
    """
    from scipy.stats import poisson

    mu, h, p = finite(mean=mean, holding_cost=holding_cost, shortage_cost=shortage_cost)
    above_zero(mean=mu, holding_cost=h, shortage_cost=p)
    level = _whole(poisson(mu), p / (p + h))
    above = mu * poisson.sf(level - 1, mu) - level * poisson.sf(level, mu)
    return Newsvendor(level, h * (level - mu) + (h + p) * above)


def newsvendor_negative_binomial(
    mean: npt.ArrayLike, sd: npt.ArrayLike, holding_cost: npt.ArrayLike, shortage_cost: npt.ArrayLike
) -> Newsvendor:
    """Negative binomial demand; sd² must be above the mean.

    Example:
        >>> newsvendor_negative_binomial(6.0, 4.0, 1.0, 4.0).level.item()
        9.0
    """
    from scipy.stats import nbinom

    mu, sigma, h, p = finite(mean=mean, sd=sd, holding_cost=holding_cost, shortage_cost=shortage_cost)
    above_zero(mean=mu, sd=sigma, holding_cost=h, shortage_cost=p)
    if not (sigma**2 > mu).all():
        raise UsageError(
            "sd must be above the square root of the mean; with less spread take newsvendor_poisson"
        )
    chance = mu / sigma**2
    size = mu * chance / (1.0 - chance)
    level = _whole(nbinom(size, chance), p / (p + h))
    above = mu * nbinom.sf(level - 1, size + 1.0, chance) - level * nbinom.sf(level, size, chance)
    return Newsvendor(level, h * (level - mu) + (h + p) * above)


def newsvendor_discrete(pmf: npt.ArrayLike, holding_cost: float, shortage_cost: float) -> Newsvendor:
    """One item with any whole-unit demand, given as the chances of 0, 1, … units.

    Example:
        >>> newsvendor_discrete([0.25, 0.5, 0.25], 1.0, 1.0).cost.item()
        0.5
    """
    chances = checked_pmf(pmf)
    values = np.arange(len(chances), dtype=np.float64)
    h, p = finite(holding_cost=holding_cost, shortage_cost=shortage_cost)
    above_zero(holding_cost=h, shortage_cost=p)
    ratio = (p / (p + h)).item()
    level = values[min(int(np.searchsorted(np.cumsum(chances), ratio - 1e-12)), len(values) - 1)]
    left = level - values
    cost = np.maximum(left, 0.0) @ chances * h + np.maximum(-left, 0.0) @ chances * p
    return Newsvendor(np.asarray(level), np.asarray(cost))


def newsvendor_samples(
    samples: npt.ArrayLike, holding_cost: npt.ArrayLike, shortage_cost: npt.ArrayLike
) -> Newsvendor:
    """(N,) best levels for (N, S) sampled demands: the least sample that reaches the critical ratio.

    It minimises the mean cost over the samples themselves, whatever their distribution (sample average
    approximation; Levi, Roundy and Shmoys 2007).

    Args:
        samples: (N, S) units. holding_cost, shortage_cost: one value or (N,).

    Example:
        >>> newsvendor_samples([[1.0, 2.0, 3.0, 10.0]], 1.0, 2.0).level
        array([3.])
    """
    demand = np.asarray(samples, dtype=np.float64)
    if demand.ndim != 2 or demand.shape[1] == 0:
        raise UsageError(f"samples must be (N, S) with at least one sample; got shape {demand.shape}")
    finite(samples=demand)
    h, p, _ = finite(holding_cost=holding_cost, shortage_cost=shortage_cost, samples=np.zeros(len(demand)))
    above_zero(holding_cost=h, shortage_cost=p)
    n = demand.shape[1]
    place = np.clip(np.ceil(p / (p + h) * n - 1e-9).astype(np.int64) - 1, 0, n - 1)
    level = np.take_along_axis(np.sort(demand, axis=1), place[:, None], axis=1)
    left = level - demand
    cost = h * np.maximum(left, 0.0).mean(axis=1) + p * np.maximum(-left, 0.0).mean(axis=1)
    return Newsvendor(level[:, 0], cost)


def _whole(distribution: Any, ratio: Floats) -> Floats:
    """The least whole number whose chance of not being exceeded reaches `ratio`, float dust aside."""
    level: Floats = np.asarray(distribution.ppf(np.maximum(ratio - 1e-12, 0.0)), dtype=np.float64)
    # What SciPy says of a ratio of 0 is one below the least demand.
    return np.maximum(level, 0.0)
