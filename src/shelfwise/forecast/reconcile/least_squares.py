"""Minimum-trace reconciliation on the upper nodes: an M x M sparse system in place of dense N x N algebra.

With leaf variances D, node variances V and the sums A, the reconciled leaves are b + D A' m, where
(V + A D A') m = a - A b is what base nodes a and base leaves b disagree by; a covariance that errors share
is a low-rank change of that system (Woodbury). Wickramasuriya, Athanasopoulos & Hyndman 2019, "Optimal
forecast reconciliation for hierarchical and grouped time series through trace minimization", JASA 114(526).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse.linalg import splu

from shelfwise.demand.hierarchy import Hierarchy
from shelfwise.forecast.reconcile.errors import BaseErrors

Floats = npt.NDArray[np.float64]


class LeastSquares:
    """The system of one hierarchy and one covariance, factored once.

    Args:
        hierarchy: M nodes over N leaves.
        errors: their covariance.
    """

    def __init__(self, hierarchy: Hierarchy, errors: BaseErrors) -> None:
        count = hierarchy.n_nodes
        self.adds = hierarchy.adds
        self.adds_back = hierarchy.adds.T.tocsr()
        self.node_variance = errors.variance[:count, None]
        self.leaf_variance = errors.variance[count:, None]
        diagonal = sparse.dia_array((errors.variance[count:][None, :], [0]), shape=(hierarchy.n_leaves,) * 2)
        between = self.adds @ diagonal @ self.adds_back
        system = between + sparse.dia_array((errors.variance[:count][None, :], [0]), shape=(count, count))
        # A unit diagonal keeps totals and single items on one scale.
        self._scale = 1.0 / np.sqrt(system.diagonal())[:, None]
        scaling = sparse.dia_array((self._scale.T, [0]), shape=(count, count))
        self._factor = splu(
            sparse.csc_matrix(scaling @ system @ scaling),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        )
        self._shared = errors.factor
        if errors.factor is not None:
            self._leaf_factor = errors.factor[count:]
            self._gap_factor = errors.factor[:count] - self.adds @ self._leaf_factor
            self._solved_gap = self.solve_diagonal(self._gap_factor)
            inner = np.eye(errors.factor.shape[1]) + self._gap_factor.T @ self._solved_gap
            self._inner = cho_factor(inner)

    @property
    def has_shared_errors(self) -> bool:
        """Whether the covariance is more than a diagonal."""
        return self._shared is not None

    def solve_diagonal(self, right: npt.NDArray[Any]) -> Floats:
        """(M, K) solution for the diagonal part of the covariance alone."""
        solved: Floats = self._factor.solve(np.ascontiguousarray(right * self._scale)) * self._scale
        return solved

    def gap(self, leaves: Floats, nodes: Floats) -> Floats:
        """(M, H) what base nodes say beyond the sum of their base leaves."""
        return np.asarray(nodes - self.adds @ leaves)

    def reconcile(self, leaves: Floats, nodes: Floats) -> Floats:
        """(N, H) leaves whose sums are the best linear unbiased compromise; they may be negative."""
        found = self.solve_diagonal(self.gap(leaves, nodes))
        if self._shared is None:
            return np.asarray(leaves + self.leaf_variance * (self.adds_back @ found))
        found = found - self._solved_gap @ cho_solve(self._inner, self._gap_factor.T @ found)
        moved = self.leaf_variance * (self.adds_back @ found)
        return np.asarray(leaves + moved - self._leaf_factor @ (self._gap_factor.T @ found))
