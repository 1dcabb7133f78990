"""How far base forecasts err: variances, and the shrunk covariance of Schäfer and Strimmer, never N x N.

Schäfer & Strimmer 2005, "A shrinkage approach to large-scale covariance matrix estimation and implications
for functional genomics", Statistical Applications in Genetics and Molecular Biology 4(1); the form for
reconciliation is that of Wickramasuriya, Athanasopoulos & Hyndman 2019.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.demand.hierarchy import Hierarchy
from shelfwise.errors import UsageError

Floats = npt.NDArray[np.float64]

# Shares of the mean variance, and of the diagonal: nothing is known without any error.
LEAST_VARIANCE = 1e-8
LEAST_SHRINKAGE = 1e-3


@dataclass(frozen=True)
class BaseErrors:
    """Covariance W = diag(`variance`) + `factor` @ `factor`.T of the errors of M nodes and N series.

    Attributes:
        variance: (M + N,) positive, nodes first.
        factor: (M + N, R) or None, the part that errors share.
        shrinkage: the weight of the diagonal in W, 1 without a factor.
    """

    variance: Floats
    factor: Floats | None = None
    shrinkage: float = 1.0


def ols(hierarchy: Hierarchy) -> BaseErrors:
    """All nodes and series err alike (ordinary least squares; Hyndman et al. 2011)."""
    return BaseErrors(np.ones(hierarchy.n_nodes + hierarchy.n_leaves))


def wls_structural(hierarchy: Hierarchy) -> BaseErrors:
    """A node's variance is the number of its series (Athanasopoulos et al. 2017, structural scaling)."""
    return BaseErrors(np.concatenate([hierarchy.adds.sum(axis=1), np.ones(hierarchy.n_leaves)]))


def wls_variance(hierarchy: Hierarchy, variance: npt.NDArray[Any]) -> BaseErrors:
    """Each node and series has its own variance; tiny ones are raised to 1e-8 of the mean.

    Args:
        variance: (M + N,) of forecast errors, nodes first, finite and not negative.

    Raises:
        UsageError: wrong shape, or a value that is negative or not finite.

    Example:
        >>> from shelfwise.demand.panel import Panel
        >>> tree = Hierarchy.of(Panel.from_arrays(np.ones((2, 3))), ["total"])
        >>> wls_variance(tree, np.array([3.0, 1.0, 2.0])).variance.tolist()
        [3.0, 1.0, 2.0]
    """
    given = np.asarray(variance, dtype=np.float64)
    _check_rows(hierarchy, given, "variance", 1)
    if not (np.isfinite(given).all() and (given >= 0).all()):
        raise UsageError(f"variances must be finite and not negative; the least is {given.min()}")
    mean = float(given.mean())
    return BaseErrors(np.maximum(given, LEAST_VARIANCE * mean) if mean > 0 else np.ones_like(given))


def mint_shrink(hierarchy: Hierarchy, residuals: npt.NDArray[Any]) -> BaseErrors:
    """Sample covariance of the residuals, shrunk towards its diagonal (MinT-shrink).

    The intensity is worked out from the (R, R) inner products of the residuals, so memory is
    (M + N) x R and never (M + N)².

    Args:
        residuals: (M + N, R) past errors of the base forecasts, nodes first, R >= 2. NaN is unknown: it
            counts as no error in covariances and not at all in variances.

    Raises:
        UsageError: wrong shape, fewer than two residuals, or infinite values.
    """
    errors = np.asarray(residuals, dtype=np.float64)
    _check_rows(hierarchy, errors, "residuals", 2)
    if errors.shape[1] < 2 or np.isinf(errors).any():
        raise UsageError(f"residuals must be at least two a series, finite or NaN; got {errors.shape}")
    known = ~np.isnan(errors)
    filled = np.where(known, errors, 0.0)
    variance = (filled**2).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    diagonal = wls_variance(hierarchy, variance).variance
    shrinkage = shrinkage_intensity(filled / np.sqrt(diagonal)[:, None])
    factor = filled * np.sqrt((1.0 - shrinkage) / errors.shape[1])
    # The diagonal is that of the sample whatever the shrinkage, also where NaN have thinned the factor.
    rest = np.maximum(diagonal - (factor**2).sum(axis=1), shrinkage * diagonal)
    return BaseErrors(rest, factor, shrinkage)


def shrinkage_intensity(standardised: Floats) -> float:
    """The share of the diagonal that is estimated best, from residuals (rows, R) of unit mean square.

    Example:
        >>> noise = np.random.default_rng(0).normal(size=(40, 30))
        >>> 0.9 < shrinkage_intensity(noise / np.sqrt((noise**2).mean(axis=1, keepdims=True))) <= 1.0
        True
    """
    rows, count = standardised.shape
    squares = standardised**2
    own = squares.sum(axis=1)
    # Sums over all pairs of rows equal sums over pairs of columns; the diagonal pairs are taken off.
    products = float(((standardised.T @ standardised) ** 2).sum()) - float((own**2).sum())
    spread = float((squares.sum(axis=0) ** 2).sum()) - float((squares**2).sum())
    if rows < 2 or products <= 0.0:
        return 1.0
    noise = (spread - products / count) / (count * (count - 1))
    return float(np.clip(noise / (products / count**2), LEAST_SHRINKAGE, 1.0))


def _check_rows(hierarchy: Hierarchy, values: Floats, what: str, axes: int) -> None:
    rows = hierarchy.n_nodes + hierarchy.n_leaves
    if values.ndim != axes or len(values) != rows:
        raise UsageError(
            f"{what} must have one row for each of {hierarchy.n_nodes} nodes and {hierarchy.n_leaves} series, "
            f"{rows} in all; got {values.shape}"
        )
