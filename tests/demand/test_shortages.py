"""The list of short buckets follows its panel wherever it is cut, and keeps record and estimate apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.demand.panel import Panel
from shelfwise.demand.shortages import Shortages

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
