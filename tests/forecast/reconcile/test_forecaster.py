"""`Reconciled`: what it does with two models that disagree, with ends, launches and new series."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from shelfwise.demand.hierarchy import Hierarchy
from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.forecast import make_forecaster
from shelfwise.forecast.reconcile import METHODS, Reconciled, node_scenarios

LEVELS = ("total", "location", "category_1", ("category_1", "location"))


def growing(skus: int = 12, buckets: int = 60) -> Panel:
    """Series too noisy to show the trend that their total shows."""
    rng = np.random.default_rng(2)
    names, shops = np.divmod(np.arange(skus * 2), 2)
    keys = pl.DataFrame({"sku": [f"i{i:02d}" for i in names], "location": [f"s{i}" for i in shops]})
    level = np.linspace(1.0, 5.0, buckets)[None, :] * rng.uniform(0.5, 1.5, (len(keys), 1))
    panel = Panel.from_arrays(rng.negative_binomial(2, 2 / (2 + level)), keys=keys)
    return replace(panel, static=pl.DataFrame({"category_1": [f"c{i % 3}" for i in names]}))


def drawn(model, horizon=4, samples=200, seed=0):
    return model.sample(horizon, samples, np.random.default_rng(seed))


@pytest.mark.parametrize("method", METHODS)
def test_means_add_up_at_every_level(method):
    panel = growing()
    scenarios = drawn(Reconciled("moving_average", "theta", LEVELS, method).fit(panel))
    nodes = node_scenarios(Hierarchy.of(panel, LEVELS), scenarios)
    first = nodes.mean()[0]
    assert np.allclose(first, scenarios.mean().sum(axis=0), rtol=1e-6)
    for rows in ([1, 2], [3, 4, 5], range(6, 12)):
        assert np.allclose(nodes.mean()[list(rows)].sum(axis=0), first, rtol=1e-6)
    assert (scenarios.paths >= 0).all()
    assert np.isfinite(scenarios.paths).all()


def test_the_total_pulls_the_series_towards_its_trend():
    panel = growing()
    alone = drawn(make_forecaster("moving_average").fit(panel)).mean().sum(axis=0)
    both = drawn(Reconciled("moving_average", "theta", ["total"]).fit(panel)).mean().sum(axis=0)
    top = drawn(make_forecaster("theta").fit(Hierarchy.of(panel, ["total"]).aggregate(panel))).mean()[0]
    assert (alone < both).all()
    assert (both < top).all()


def test_bottom_up_means_are_the_series_own():
    panel = growing()
    alone = drawn(make_forecaster("moving_average").fit(panel))
    both = drawn(Reconciled("moving_average", "theta", ["total"], "bottom_up").fit(panel))
    assert np.allclose(both.mean(), alone.mean(), rtol=1e-6)
    for row in (0, 11):
        assert sorted(map(tuple, both.paths[row])) == sorted(map(tuple, alone.paths[row]))


def test_ended_and_coming_series_keep_their_own_forecast_and_do_not_burden_the_rest():
    panel = growing()
    ends, launched = panel.ends.copy(), panel.launched.copy()
    ends[:6], launched[23] = panel.n_buckets, panel.n_buckets + 1
    demand = panel.demand.copy()
    demand[23] = np.nan
    panel = replace(panel, ends=ends, launched=launched, demand=demand)
    scenarios = drawn(Reconciled("moving_average", "moving_average", ["total"]).fit(panel))
    alone = drawn(make_forecaster("moving_average").fit(panel))
    assert not scenarios.mean()[:6].any()
    assert np.allclose(scenarios.mean()[23], alone.mean()[23])
    assert scenarios.mean()[6:23].sum() == pytest.approx(alone.mean()[6:23].sum(), rel=0.1)


def test_a_panel_of_ended_series_alone_is_forecast_at_zero():
    panel = growing()
    panel = replace(panel, ends=np.full(panel.n_series, 10, np.int32))
    assert not drawn(Reconciled(levels=["total"]).fit(panel)).paths.any()


def test_update_takes_series_that_were_not_there():
    panel = growing()
    model = Reconciled("moving_average", "moving_average", LEVELS).fit(panel.take(np.arange(10)))
    assert drawn(model.update(panel)).paths.shape[0] == panel.n_series
    again = drawn(Reconciled("moving_average", "moving_average", LEVELS).fit(panel))
    assert drawn(model).paths.tobytes() == again.paths.tobytes()


def test_series_without_history_are_listed():
    panel = growing()
    demand = panel.demand.copy()
    demand[5] = np.nan
    model = Reconciled(levels=LEVELS).fit(replace(panel, demand=demand))
    drawn(model)
    assert list(model.failures) == [5]


def test_unknown_methods_and_levels_are_refused():
    with pytest.raises(UsageError, match="method must be one of"):
        Reconciled(method="magic")
    with pytest.raises(UsageError, match="no attribute 'brand'"):
        Reconciled(levels=["brand"]).fit(growing())
