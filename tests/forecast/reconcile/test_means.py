"""Reconciled means: coherent, never negative, and what each method promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from shelfwise.demand.hierarchy import Hierarchy
from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.forecast.reconcile import METHODS, reconcile, wls_variance
from shelfwise.forecast.reconcile.least_squares import LeastSquares
from shelfwise.forecast.reconcile.nonnegative import nonnegative_leaves
from shelfwise.forecast.reconcile.top_down import average_proportions, share_by_forecasts

Floats = npt.NDArray[np.float64]


def crossed(skus: int = 60, places: int = 5, seed: int = 0) -> tuple[Hierarchy, Panel]:
    rng = np.random.default_rng(seed)
    names, shops = np.divmod(np.arange(skus * places), places)
    keys = pl.DataFrame({"sku": [f"i{i}" for i in names], "location": [f"s{i}" for i in shops]})
    demand = rng.poisson(rng.gamma(0.5, 3.0, (len(keys), 1)), (len(keys), 40))
    static = pl.DataFrame({"category_1": [f"c{i % 4}" for i in names]})
    panel = replace(Panel.from_arrays(demand, keys=keys), static=static)
    levels = ["total", "category_1", "location", ("category_1", "location"), "sku"]
    return Hierarchy.of(panel, levels), panel


def base(tree: Hierarchy, seed: int = 1, horizon: int = 6) -> tuple[Floats, Floats, Floats]:
    rng = np.random.default_rng(seed)
    leaves = rng.gamma(0.5, 3.0, (tree.n_leaves, horizon))
    nodes = tree.sums(leaves) * rng.uniform(0.5, 1.1, (tree.n_nodes, horizon))
    return leaves, nodes, rng.normal(size=(tree.n_nodes + tree.n_leaves, 30)) * 2


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_coherent_and_never_negative(method: str) -> None:
    tree, panel = crossed()
    leaves, nodes, residuals = base(tree)
    made = reconcile(tree, leaves, nodes, method, residuals=residuals, history=panel.demand)
    assert np.isfinite(made.leaves).all()
    assert (made.leaves >= 0).all()
    assert np.abs(tree.adds @ made.leaves - made.nodes).max() <= 1e-6
    for level in range(len(tree.levels)):
        assert np.allclose(made.nodes[tree.level_of == level].sum(axis=0), made.nodes[0], atol=1e-6)


@pytest.mark.parametrize("method", [name for name in METHODS if name != "top_down_history"])
def test_forecasts_that_agree_already_are_left_alone(method: str) -> None:
    tree, _ = crossed()
    leaves, _, residuals = base(tree)
    made = reconcile(tree, leaves, tree.sums(leaves), method, residuals=residuals)
    assert np.allclose(made.leaves, leaves, atol=1e-8)


@pytest.mark.parametrize("method", ["ols", "wls_structural", "wls_variance"])
def test_the_constrained_optimum_has_no_way_down(method: str) -> None:
    tree, _ = crossed(200, 5)
    leaves, nodes, residuals = base(tree)
    variance = (residuals**2).mean(axis=1)
    if method == "wls_structural":
        variance = np.concatenate([tree.adds.sum(axis=1), np.ones(tree.n_leaves)])
    elif method == "ols":
        variance = np.ones_like(variance)
    free = reconcile(tree, leaves, nodes, method, residuals=residuals, nonnegative=False).leaves
    made = reconcile(tree, leaves, nodes, method, residuals=residuals).leaves
    m = tree.n_nodes
    slope = (made - leaves) / variance[m:, None] + tree.adds.T @ (
        (tree.sums(made) - nodes) / variance[:m, None]
    )
    assert (free < -1e-3).mean() > 0.02
    assert np.abs(slope[made > 0]).max() < 1e-5
    assert slope[made == 0].min() > -1e-5


def test_a_sure_total_is_kept_and_the_unsure_series_moves() -> None:
    tree = Hierarchy.of(Panel.from_arrays(np.ones((2, 3))), ["total"])
    made = reconcile(
        tree,
        np.array([[4.0], [4.0]]),
        np.array([[10.0]]),
        "wls_variance",
        variance=np.array([1e-6, 1e-6, 1.0]),
    )
    assert made.leaves[:, 0] == pytest.approx([4.0, 6.0], abs=1e-4)


def test_negative_pressure_leaves_zero_and_goes_to_the_others() -> None:
    tree = Hierarchy.of(Panel.from_arrays(np.ones((2, 3))), ["total"])
    made = reconcile(tree, np.array([[0.5], [8.0]]), np.array([[2.0]]), "ols")
    assert made.leaves[:, 0] == pytest.approx([0.0, 5.0])


def test_series_without_any_spread_stay_where_they_are() -> None:
    tree = Hierarchy.of(Panel.from_arrays(np.ones((3, 3))), ["total"])
    variance = np.array([2.0, 0.0, 1.0, 1.0])
    made = reconcile(tree, np.full((3, 2), 5.0), np.full((1, 2), 12.0), "wls_variance", variance=variance)
    assert np.allclose(made.leaves[0], 5.0, atol=1e-6)
    assert np.allclose(made.leaves[1], made.leaves[2])
    nothing = reconcile(tree, np.zeros((3, 2)), np.zeros((1, 2)), "wls_variance", variance=np.zeros(4))
    assert not nothing.leaves.any()


def test_negative_base_forecasts_are_met_by_their_nearest_sums() -> None:
    tree, _ = crossed(10, 3)
    leaves, nodes, _ = base(tree)
    system = LeastSquares(tree, wls_variance(tree, np.ones(tree.n_nodes + tree.n_leaves)))
    found = nonnegative_leaves(system, -leaves - 1.0, -np.abs(nodes) - 1.0)
    assert np.allclose(found, 0.0, atol=1e-9)


def test_average_proportions_leave_out_what_is_masked() -> None:
    tree = Hierarchy.of(Panel.from_arrays(np.ones((2, 3))), ["total"])
    history = np.array([[3.0, 3.0, np.nan, 0.0], [1.0, 1.0, 1.0, 0.0]])
    shares = average_proportions(tree, history)
    assert shares.sum() == pytest.approx(1.0)
    assert shares[0] == pytest.approx(0.75 / (0.75 + 0.5))
    silent = average_proportions(tree, np.zeros((2, 4)))
    assert silent.tolist() == [0.5, 0.5]


def test_forecast_proportions_go_down_nested_levels() -> None:
    keys = pl.DataFrame({"sku": list("abcd"), "location": ["x"] * 4})
    panel = replace(
        Panel.from_arrays(np.ones((4, 3)), keys=keys), static=pl.DataFrame({"category": ["f", "f", "t", "t"]})
    )
    tree = Hierarchy.of(panel, ["total", "category"])
    leaves, nodes = np.array([[1.0], [3.0], [0.0], [0.0]]), np.array([[100.0], [30.0], [20.0]])
    # 60 and 40 by the categories' own forecasts, then 1 : 3, and halves where nothing is forecast.
    assert share_by_forecasts(tree, leaves, nodes)[:, 0].tolist() == pytest.approx([15.0, 45.0, 20.0, 20.0])


def test_crossed_levels_are_passed_over_on_the_way_down() -> None:
    tree, _ = crossed(12, 3)
    leaves, nodes, _ = base(tree)
    direct = leaves / leaves.sum(axis=0) * nodes[0]
    only_total_then_crossed = Hierarchy(tree.levels[:1], tree.nodes[:1], tree.membership[:1], tree.adds[:1])
    assert np.allclose(share_by_forecasts(only_total_then_crossed, leaves, nodes[:1]), direct)
    handed_down = share_by_forecasts(tree, leaves, nodes)
    assert np.allclose(handed_down.sum(axis=0), nodes[0])
    by_category = nodes[1:5] / nodes[1:5].sum(axis=0) * nodes[0]
    assert np.allclose(tree.sums(handed_down)[1:5], by_category)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"method": "magic"}, "bottom_up, top_down_history"),
        ({"method": "mint_shrink"}, "needs residuals"),
        ({"method": "wls_variance"}, "needs variance or residuals"),
        ({"method": "top_down_history"}, "needs history"),
        ({"leaves": np.ones((3, 2))}, r"leaves must be \(300, H\)"),
        ({"nodes": np.ones((3, 2))}, r"nodes \(90, H\)"),
        ({"leaves": np.full((300, 6), np.nan)}, "finite"),
        ({"method": "wls_variance", "variance": np.full(390, -1.0)}, "not negative"),
        ({"method": "wls_variance", "variance": np.ones(3)}, "390 in all"),
        ({"method": "mint_shrink", "residuals": np.ones((390, 1))}, "at least two"),
    ],
)
def test_calls_that_make_no_sense_are_refused(change: dict[str, object], said: str) -> None:
    tree, _ = crossed()
    leaves, nodes, _ = base(tree)
    arguments = {"leaves": leaves, "nodes": nodes, "method": "ols"} | change
    with pytest.raises(UsageError, match=said):
        reconcile(tree, **arguments)  # type: ignore[arg-type]
