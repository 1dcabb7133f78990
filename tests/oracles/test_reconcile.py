"""Sparse reconciliation against the textbook's dense matrices, on small trees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from scipy.optimize import nnls

from shelfwise.demand.hierarchy import Hierarchy
from shelfwise.demand.panel import Panel
from shelfwise.forecast.reconcile import mint_shrink, reconcile
from shelfwise.forecast.reconcile.errors import shrinkage_intensity
from shelfwise.forecast.reconcile.means import base_errors

Floats = npt.NDArray[np.float64]
MINIMUM_TRACE = ("ols", "wls_structural", "wls_variance", "mint_shrink")


class Case:
    """A random tree, nested or crossed, with base forecasts and residuals that disagree."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        skus, places = int(rng.integers(2, 8)), int(rng.integers(1, 4))
        names, shops = np.divmod(np.arange(skus * places), places)
        keys = pl.DataFrame({"sku": [f"i{i}" for i in names], "location": [f"s{i}" for i in shops]})
        category = [f"c{i % 3}" for i in names]
        panel = replace(
            Panel.from_arrays(rng.poisson(4, (len(keys), 30)), keys=keys),
            static=pl.DataFrame({"category": category}),
        )
        levels = ["total", "category", "location", ("category", "location"), "sku"][: int(rng.integers(1, 6))]
        self.tree = Hierarchy.of(panel, levels)
        n, m = self.tree.n_leaves, self.tree.n_nodes
        self.leaves = rng.gamma(0.7, 3.0, (n, 5)) * (rng.random((n, 1)) < 0.8)
        self.nodes = self.tree.sums(self.leaves) * rng.uniform(0.3, 1.2, (m, 5))
        mixing = rng.normal(size=(m + n, 3))
        self.residuals = mixing @ rng.normal(size=(3, 25)) + rng.normal(size=(m + n, 25)) * 2.0
        self.summing = np.vstack([self.tree.adds.toarray(), np.eye(n)])
        self.base = np.vstack([self.nodes, self.leaves])

    def covariance(self, method: str) -> Floats:
        if method == "ols":
            return np.eye(len(self.base))
        if method == "wls_structural":
            return np.diag(self.summing.sum(axis=1))
        sample = self.residuals @ self.residuals.T / self.residuals.shape[1]
        if method == "wls_variance":
            return np.diag(np.diag(sample))
        share = dense_intensity(self.residuals)
        return share * np.diag(np.diag(sample)) + (1 - share) * sample


def dense_intensity(residuals: Floats) -> float:
    """Schäfer & Strimmer's formula, pair by pair."""
    count = residuals.shape[1]
    scaled = residuals / np.sqrt((residuals**2).mean(axis=1, keepdims=True))
    noise = signal = 0.0
    for i in range(len(scaled)):
        for j in range(len(scaled)):
            if i != j:
                products = scaled[i] * scaled[j]
                noise += ((products - products.mean()) ** 2).sum() / (count * (count - 1))
                signal += products.mean() ** 2
    return min(max(noise / signal, 0.0), 1.0)


def textbook(case: Case, covariance: Floats) -> Floats:
    """(S' W^-1 S)^-1 S' W^-1 y."""
    weight = np.linalg.inv(covariance)
    normal = case.summing.T @ weight @ case.summing
    return np.linalg.solve(normal, case.summing.T @ weight @ case.base)


def nonnegative_textbook(case: Case, covariance: Floats) -> Floats:
    """min (y - S b)' W^-1 (y - S b), b >= 0, by Lawson & Hanson's method."""
    root = np.linalg.cholesky(np.linalg.inv(covariance)).T
    return np.stack([nnls(root @ case.summing, root @ y)[0] for y in case.base.T], axis=1)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("method", MINIMUM_TRACE)
def test_unconstrained_equals_the_textbook(method: str, seed: int) -> None:
    case = Case(seed)
    made = reconcile(case.tree, case.leaves, case.nodes, method, residuals=case.residuals, nonnegative=False)
    wanted = textbook(case, case.covariance(method))
    assert np.allclose(made.leaves, wanted, atol=1e-8)
    assert np.allclose(made.nodes, case.tree.adds @ wanted, atol=1e-8)


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("method", ["ols", "wls_structural", "wls_variance"])
def test_nonnegative_is_the_optimum(method: str, seed: int) -> None:
    case = Case(seed)
    made = reconcile(case.tree, case.leaves, case.nodes, method, residuals=case.residuals)
    assert np.allclose(made.leaves, nonnegative_textbook(case, case.covariance(method)), atol=1e-6)
    assert (made.leaves >= 0).all()


def test_the_cases_do_need_the_constraint() -> None:
    below = [
        (reconcile(case.tree, case.leaves, case.nodes, "ols", nonnegative=False).leaves < -1e-6).any()
        for case in map(Case, range(25))
    ]
    assert sum(below) > 10


@pytest.mark.parametrize("seed", range(25))
def test_shrunk_nonnegative_is_near_the_optimum(seed: int) -> None:
    case = Case(seed)
    covariance = case.covariance("mint_shrink")
    weight = np.linalg.inv(covariance)

    def loss(leaves: Floats) -> float:
        gap = case.base - case.summing @ leaves
        return float(np.einsum("nh,nk,kh->", gap, weight, gap))

    made = reconcile(case.tree, case.leaves, case.nodes, "mint_shrink", residuals=case.residuals)
    best = loss(nonnegative_textbook(case, covariance))
    assert (made.leaves >= 0).all()
    assert best - 1e-9 <= loss(made.leaves) <= 1.1 * best + 1e-6


@pytest.mark.parametrize("seed", range(8))
def test_shrinkage_equals_the_sum_over_pairs(seed: int) -> None:
    residuals = Case(seed).residuals
    scaled = residuals / np.sqrt((residuals**2).mean(axis=1, keepdims=True))
    assert shrinkage_intensity(scaled) == pytest.approx(max(dense_intensity(residuals), 1e-3))


def test_shrunk_covariance_has_the_sample_diagonal() -> None:
    case = Case(3)
    errors = mint_shrink(case.tree, case.residuals)
    assert errors.factor is not None
    whole = np.diag(errors.variance) + errors.factor @ errors.factor.T
    assert np.allclose(whole, case.covariance("mint_shrink"))
    holes = case.residuals.copy()
    holes[:, ::3] = np.nan
    thinned = mint_shrink(case.tree, holes)
    assert thinned.factor is not None
    diagonal = thinned.variance + (thinned.factor**2).sum(axis=1)
    assert np.allclose(diagonal, np.nanmean(holes**2, axis=1))


def test_variances_come_from_residuals_where_none_are_given() -> None:
    case = Case(5)
    from_residuals = base_errors(case.tree, "wls_variance", residuals=case.residuals).variance
    assert np.allclose(from_residuals, (case.residuals**2).mean(axis=1))
