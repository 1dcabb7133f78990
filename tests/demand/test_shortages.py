"""The list of short buckets follows its panel wherever it is cut, and keeps record and estimate apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.demand.panel import Panel
from shelfwise.demand.shortages import Shortages
from shelfwise.errors import UsageError
from shelfwise.forecast.calibration import Calibrated
from shelfwise.forecast.classical.ets import ETS
from shelfwise.forecast.moving_average import MovingAverage
from shelfwise.forecast.newcomers import NewItemForecaster

N, T = 5, 9


def short_panel(seed: int) -> tuple[Panel, np.ndarray]:
    """A panel whose short buckets hold 100 as drawn, 50 as expected and nothing as recorded."""
    rng = np.random.default_rng(seed)
    short = rng.random((N, T)) < 0.3
    row, column = np.nonzero(short)
    ones = np.ones(len(row), np.float32)
    shortages = Shortages(row, column, 50 * ones, np.nan * ones, rng.random(len(row)) < 0.5)
    demand = rng.poisson(4, (N, T)).astype(np.float32)
    panel = Panel.from_arrays(demand)
    return replace(panel, demand=shortages.written(100 * ones, demand), shortages=shortages), short


@given(st.integers(0, 50), st.lists(st.integers(0, N - 1), max_size=8), st.integers(1, T))
def test_a_cut_panel_knows_its_short_buckets(seed, rows, buckets):
    panel, short = short_panel(seed)
    cut = panel.take(np.array(rows, dtype=np.intp)).until(buckets)
    here = short[rows][:, :buckets]
    assert np.array_equal(cut.imputed, here)
    assert np.array_equal(cut.demand == 100, here)
    assert np.array_equal(cut.expected == 50, here)
    assert np.array_equal(np.isnan(cut.recorded), here)
    assert len(cut.shortages) == here.sum()
    assert (np.diff(cut.shortages.row) >= 0).all()


def test_a_panel_without_short_buckets_has_one_demand():
    panel = Panel.from_arrays([[1.0, 2.0]])
    assert panel.recorded is panel.demand
    assert panel.expected is panel.demand
    assert not panel.imputed.any()


@pytest.mark.parametrize("wrong", [float("inf"), -1.0, 1e39])
def test_a_panel_from_arrays_refuses_what_is_no_demand(wrong):
    with pytest.raises(UsageError, match="at least 0, or NaN"):
        Panel.from_arrays([[4.0, wrong, float("nan")]])


@pytest.mark.parametrize("make", [MovingAverage, ETS, NewItemForecaster])
def test_demand_scaled_up_turns_no_count_into_a_fraction(make):
    """Half a week on sale makes 7 sold 14 wanted, three quarters make it 9.33: units stay whole."""
    sold = np.random.default_rng(0).poisson(7, (8, 40)).astype(np.float32)
    scaled = sold.copy()
    scaled[:, 20] /= 0.75
    sold[7], scaled[7] = sold[7] + 0.25, scaled[7] + 0.25
    panel = replace(Panel.from_arrays(scaled), sold=sold)
    assert panel.whole_units.tolist() == [True] * 7 + [False]
    for model in (make(), Calibrated(make, horizon=6)):
        paths = model.fit(panel).sample(6, 50, np.random.default_rng(0)).paths
        assert (paths[:7] == np.rint(paths[:7])).all()
        assert (paths[7] != np.rint(paths[7])).any()
