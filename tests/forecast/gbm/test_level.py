"""The level that the boosted model multiplies: in any unit, and for counts what it always was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.forecast.gbm.level import SMALLEST_LEVEL, levels, newcomer_level


def floored_at_a_hundredth(demand: np.ndarray, half_life: float, prior: float) -> np.ndarray:
    """(N, T + 1) each origin told anew from the weights of all buckets before it."""
    n, buckets = demand.shape
    out = np.empty((n, buckets + 1))
    for row in range(n):
        for t in range(buckets + 1):
            past = demand[row, :t][np.isfinite(demand[row, :t])].astype(np.float64)
            weight = 0.5 ** (np.arange(len(past), -1, -1) / half_life)
            mean = (weight * np.concatenate([[prior], past])).sum() / weight.sum()
            out[row, t] = max(mean, SMALLEST_LEVEL)
    return out


@given(st.integers(0, 100), st.sampled_from([0.02, 0.3, 4.0]))
def test_a_count_is_floored_at_a_hundredth_of_a_unit(seed, mean):
    rng = np.random.default_rng(seed)
    demand = rng.poisson(mean, (6, 40)).astype(np.float32)
    demand[rng.random((6, 40)) < 0.1] = np.nan
    demand[0, :] = 0.0
    expected = floored_at_a_hundredth(demand, 3.0, 0.5)
    assert levels(demand, 3.0, 0.5) == pytest.approx(expected, rel=1e-5)
    assert levels(demand, 3.0, 0.5)[0, -1] == np.float32(SMALLEST_LEVEL)


@given(st.integers(0, 100), st.sampled_from([1e-6, 1e-3]))
def test_what_is_sold_in_crumbs_has_a_level_in_crumbs(seed, unit):
    demand = np.random.default_rng(seed).gamma(4.0, 0.2, (3, 60)).clip(0.0, 1.0).astype(np.float32)
    small = demand * np.float32(unit)
    ours, plain = levels(small, 8.0, 0.8 * unit)[:, 1:], levels(demand, 8.0, 0.8)[:, 1:]
    assert ours == pytest.approx(plain * unit, rel=1e-4)
    first = np.zeros(3, np.int64)
    assert newcomer_level(small, first) == pytest.approx(newcomer_level(demand, first) * unit, rel=1e-4)
    assert (levels(np.zeros((1, 5), np.float32), 8.0, 1e-9) == np.float32(SMALLEST_LEVEL)).all()
