"""`reconcile`: forecasts of series and totals that disagree, made to add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.demand.hierarchy import Hierarchy
from shelfwise.errors import UsageError
from shelfwise.forecast.reconcile.errors import BaseErrors, mint_shrink, ols, wls_structural, wls_variance
from shelfwise.forecast.reconcile.least_squares import LeastSquares
from shelfwise.forecast.reconcile.nonnegative import nonnegative_leaves
from shelfwise.forecast.reconcile.top_down import share_by_forecasts, share_by_history

Floats = npt.NDArray[np.float64]

METHODS = (
    "bottom_up",
    "top_down_history",
    "top_down_forecasts",
    "ols",
    "wls_structural",
    "wls_variance",
    "mint_shrink",
)


@dataclass(frozen=True)
class Coherent:
    """Forecasts that add up.

    Attributes:
        leaves: (N, H) units.
        nodes: (M, H) units, the sums of the leaves.
    """

    leaves: Floats
    nodes: Floats


def reconcile(
    hierarchy: Hierarchy,
    leaves: npt.NDArray[Any],
    nodes: npt.NDArray[Any],
    method: str = "wls_structural",
    *,
    variance: npt.NDArray[Any] | None = None,
    residuals: npt.NDArray[Any] | None = None,
    history: npt.NDArray[Any] | None = None,
    nonnegative: bool = True,
) -> Coherent:
    """Forecasts of N series and M nodes, made to add up.

    Args:
        hierarchy: who adds up to whom.
        leaves: (N, H) base forecasts of the series, units.
        nodes: (M, H) base forecasts of the upper nodes, units.
        method: one of `METHODS`. Top-down begins at the hierarchy's first level.
        variance: (M + N,) error variances, for ``wls_variance``; by default from `residuals`.
        residuals: (M + N, R) past errors, for ``mint_shrink`` (and ``wls_variance``).
        history: (N, T) demand, for ``top_down_history``.
        nonnegative: no leaf below zero. Exact for the methods with a diagonal covariance; for
            ``mint_shrink`` the unconstrained solution is brought to the nearest non-negative one, near by
            the diagonal of its covariance.

    Raises:
        UsageError: wrong shapes, values not finite, an unknown method, or one without what it needs.

    Example:
        >>> from shelfwise.demand.panel import Panel
        >>> tree = Hierarchy.of(Panel.from_arrays(np.ones((2, 3))), ["total"])
        >>> made = reconcile(tree, np.array([[4.0], [2.0]]), np.array([[9.0]]), "ols")
        >>> made.leaves.tolist(), made.nodes.tolist()
        ([[5.0], [3.0]], [[8.0]])
    """
    leaves, nodes = np.asarray(leaves, dtype=np.float64), np.asarray(nodes, dtype=np.float64)
    _check(hierarchy, leaves, nodes, method)
    if method == "bottom_up":
        found = leaves
    elif method == "top_down_history":
        found = share_by_history(hierarchy, nodes, _needed(history, "history", method))
    elif method == "top_down_forecasts":
        found = share_by_forecasts(hierarchy, np.maximum(leaves, 0.0), np.maximum(nodes, 0.0))
    else:
        errors = base_errors(hierarchy, method, variance=variance, residuals=residuals)
        return reconcile_with(
            LeastSquares(hierarchy, errors), hierarchy, leaves, nodes, nonnegative=nonnegative
        )
    found = np.maximum(found, 0.0) if nonnegative else found
    return Coherent(found, hierarchy.sums(found))


def base_errors(
    hierarchy: Hierarchy,
    method: str,
    *,
    variance: npt.NDArray[Any] | None = None,
    residuals: npt.NDArray[Any] | None = None,
) -> BaseErrors:
    """The covariance that a minimum-trace `method` assumes."""
    if method == "ols":
        return ols(hierarchy)
    if method == "wls_structural":
        return wls_structural(hierarchy)
    if method == "wls_variance":
        if variance is None:
            errors = np.asarray(_needed(residuals, "variance or residuals", method), dtype=np.float64)
            known = ~np.isnan(errors)
            variance = np.where(known, errors, 0.0) ** 2 @ np.ones(errors.shape[1])
            variance = variance / np.maximum(known.sum(axis=1), 1)
        return wls_variance(hierarchy, variance)
    return mint_shrink(hierarchy, _needed(residuals, "residuals", method))


def reconcile_with(
    system: LeastSquares, hierarchy: Hierarchy, leaves: Floats, nodes: Floats, *, nonnegative: bool = True
) -> Coherent:
    """`reconcile` with a system that is factored already, for many forecasts of one hierarchy."""
    shared = system.has_shared_errors
    if nonnegative and not shared:
        found = nonnegative_leaves(system, leaves, nodes)
    else:
        found = system.reconcile(leaves, nodes)
        below = np.flatnonzero((found < 0).any(axis=0))
        if nonnegative and len(below):
            found[:, below] = nonnegative_leaves(system, found[:, below], hierarchy.sums(found[:, below]))
    return Coherent(found, hierarchy.sums(found))


def _needed(values: npt.NDArray[Any] | None, what: str, method: str) -> npt.NDArray[Any]:
    if values is None:
        raise UsageError(f"method {method!r} needs {what}; none was given")
    return values


def _check(hierarchy: Hierarchy, leaves: Floats, nodes: Floats, method: str) -> None:
    if method not in METHODS:
        raise UsageError(f"method must be one of {', '.join(METHODS)}; got {method!r}")
    horizon = leaves.shape[1:]
    if leaves.shape != (hierarchy.n_leaves, *horizon) or nodes.shape != (hierarchy.n_nodes, *horizon):
        raise UsageError(
            f"leaves must be ({hierarchy.n_leaves}, H) and nodes ({hierarchy.n_nodes}, H); "
            f"got {leaves.shape} and {nodes.shape}"
        )
    if leaves.ndim != 2 or not (np.isfinite(leaves).all() and np.isfinite(nodes).all()):
        raise UsageError("base forecasts must be (rows, H) of finite numbers")
