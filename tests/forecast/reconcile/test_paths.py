"""Reconciled paths: coherent in every sample, on the reconciled mean, and together as the total says."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from shelfwise.demand.hierarchy import Hierarchy
from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.forecast import Scenarios
from shelfwise.forecast.reconcile import node_paths, node_scenarios, reconcile, reconcile_paths
from shelfwise.forecast.reconcile.means import Coherent

SAMPLES, HORIZON = 2000, 3


class Shop:
    """30 series of independent Poisson paths under one total whose own spread is far wider."""

    def __init__(self, level: float = 10.0, factor: float = 1.2, spread: float = 60.0) -> None:
        rng = np.random.default_rng(0)
        panel = Panel.from_arrays(np.full((30, 10), level))
        self.tree = Hierarchy.of(panel, ["total"])
        self.series_ids = panel.series_ids
        paths = rng.poisson(level, (30, SAMPLES, HORIZON)).astype(np.float32)
        self.leaves = Scenarios(panel.keys, panel.bucket, panel.as_of, paths)
        shift = rng.normal(0.0, spread, (1, SAMPLES, 1))
        top = np.maximum(30 * level * factor + shift + np.zeros((1, SAMPLES, HORIZON)), 0).astype(np.float32)
        self.nodes = Scenarios(panel.keys[:1], panel.bucket, panel.as_of, top)
        self.made = reconcile(self.tree, self.leaves.mean(), self.nodes.mean(), "top_down_forecasts")

    def joint(self, level: int | None = 0, seed: int = 0) -> Scenarios:
        return reconcile_paths(
            self.tree, self.leaves, self.nodes, self.made, series_ids=self.series_ids, level=level, seed=seed
        )


def correlation(left: npt.NDArray[np.float32], right: npt.NDArray[np.float32]) -> float:
    return float(np.corrcoef(left, right)[0, 1])


def test_paths_are_counts_on_the_reconciled_mean() -> None:
    shop = Shop()
    joint = shop.joint()
    assert joint.paths.dtype == np.float32
    assert (joint.paths >= 0).all()
    assert np.array_equal(joint.paths, np.rint(joint.paths))
    assert np.allclose(joint.mean(), shop.made.leaves, rtol=1e-6)
    assert np.allclose(joint.paths.mean(axis=1), shop.made.leaves, rtol=0.01)


def test_every_sample_and_the_mean_are_coherent() -> None:
    shop = Shop()
    joint = shop.joint()
    nodes = node_scenarios(shop.tree, joint)
    assert np.array_equal(node_paths(shop.tree, joint)[0], joint.paths.sum(axis=0))
    assert np.allclose(nodes.mean(), shop.made.nodes, rtol=1e-6)
    assert nodes.keys.row(0) == ("total", "total")


def test_the_sum_spreads_as_far_as_the_total_said() -> None:
    shop = Shop()
    wanted = shop.nodes.total(0, HORIZON).std()
    alone = shop.joint(level=None).total(0, HORIZON).sum(axis=0).std()
    together = shop.joint().total(0, HORIZON).sum(axis=0).std()
    assert alone < 0.4 * wanted
    assert together == pytest.approx(wanted, rel=0.1)


def test_paths_rise_and_fall_with_the_total_and_keep_their_own_law() -> None:
    shop = Shop()
    joint, apart = shop.joint(), shop.joint(level=None)
    top = shop.nodes.total(0, HORIZON)[0]
    assert correlation(joint.total(0, HORIZON).sum(axis=0), top) > 0.9
    assert abs(correlation(apart.total(0, HORIZON).sum(axis=0), top)) < 0.1
    # Whole paths change places, none changes.
    for row in (0, 17):
        assert sorted(map(tuple, joint.paths[row])) == sorted(map(tuple, apart.paths[row]))


def test_a_narrow_total_makes_no_series_follow_it() -> None:
    shop = Shop(spread=0.1)
    assert np.array_equal(shop.joint().paths, shop.joint(level=None).paths)


def test_rare_sales_become_more_frequent_not_huge() -> None:
    shop = Shop(level=0.02, factor=20.0, spread=0.0)
    joint = shop.joint()
    assert np.allclose(joint.paths.mean(axis=1), shop.made.leaves, rtol=0.25)
    assert joint.paths.mean() == pytest.approx(0.4, rel=0.05)
    assert joint.paths.max() <= 2 * shop.leaves.paths.max() + 1


def test_a_series_forecast_at_zero_can_be_lifted() -> None:
    shop = Shop()
    shop.leaves.paths[4] = 0
    shop.made = Coherent(np.full((30, HORIZON), 2.5), np.full((1, HORIZON), 75.0))
    joint = shop.joint()
    assert joint.paths[4].mean() == pytest.approx(2.5, rel=0.02)
    assert set(np.unique(joint.paths[4])) == {2.0, 3.0}


def test_fractions_stay_fractions() -> None:
    shop = Shop()
    shop.leaves.paths[:] += 0.5
    joint = shop.joint(level=None)
    ratio = shop.made.leaves[0, 0] / shop.leaves.mean()[0, 0]
    assert np.allclose(joint.paths[0, :, 0], shop.leaves.paths[0, :, 0] * ratio, rtol=1e-5)


def test_same_seed_same_bytes() -> None:
    shop = Shop()
    assert shop.joint(seed=3).paths.tobytes() == shop.joint(seed=3).paths.tobytes()
    assert shop.joint(seed=3).paths.tobytes() != shop.joint(seed=4).paths.tobytes()


def test_scenarios_that_do_not_fit_are_refused() -> None:
    shop = Shop()
    shop.nodes = Scenarios(
        shop.nodes.keys, shop.nodes.bucket, shop.nodes.start, shop.nodes.paths[:, : SAMPLES // 2]
    )
    with pytest.raises(UsageError, match=r"\(30, S, H\)"):
        shop.joint()
