"""The memory of a series: a slow twin of the kernel, and paths that are remembered as history is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shelfwise.forecast.deep.kernels.memory import PHASE_KEEP, SMALLEST_LEVEL, move_on, remember

KEEP = 0.5 ** (1.0 / np.array([4.0, 1.0, 16.0]))
demands = arrays(
    np.float64, (3, 17), elements=st.one_of(st.just(np.nan), st.integers(0, 50).map(float), st.just(1e6))
)


def slowly(demand, keep, season, first_bucket, prior):
    """What one series knows before bucket len(demand), from the definition of each figure."""
    seen = np.flatnonzero(~np.isnan(demand))
    readings = [0.0, 0.0]
    for share in keep:
        weights = share ** np.arange(len(seen))[::-1]
        total = prior * share ** len(seen) + (weights * demand[seen]).sum()
        readings.append(max(total / (share ** len(seen) + weights.sum()), SMALLEST_LEVEL))
    if season > 1:
        phase = (first_bucket + len(demand)) % season
        alike = [t for t in seen if (first_bucket + t) % season == phase]
        weights = PHASE_KEEP ** np.arange(len(alike))[::-1]
        readings.append(((weights * demand[alike]).sum() + readings[2]) / (weights.sum() + 1.0))
    known = len(demand) > 0 and not np.isnan(demand[-1])
    readings[0] = demand[-1] if known else readings[2]
    readings[1] = float(known)
    return readings


@given(demands, st.sampled_from([1, 7]), st.integers(0, 10))
@settings(max_examples=40, deadline=None)
def test_readings_are_what_their_definition_says(demand, season, first_bucket):
    readings, _ = remember(demand, KEEP, season, first_bucket, 2.5)
    for row in range(3):
        for t in (0, 1, 9, 17):
            wanted = slowly(demand[row, :t], KEEP, season, first_bucket, 2.5)
            np.testing.assert_allclose(readings[row, t], wanted, rtol=1e-9)


@given(demands, st.sampled_from([1, 7]), st.integers(1, 16))
@settings(max_examples=40, deadline=None)
def test_a_path_is_remembered_as_history_is(demand, season, cut):
    everything, after = remember(demand, KEEP, season, 3, 2.5)
    _, memory = remember(np.ascontiguousarray(demand[:, :cut]), KEEP, season, 3, 2.5)
    for t in range(cut, 17):
        readings = move_on(memory, KEEP, season, np.ascontiguousarray(demand[:, t]), 3 + t)
        np.testing.assert_array_equal(readings, everything[:, t + 1])
    np.testing.assert_array_equal(memory, after)


def test_unknown_demand_moves_no_level():
    demand = np.array([[4.0, 6.0, np.nan, np.nan]])
    readings, _ = remember(demand, KEEP, 1, 0, 1.0)
    np.testing.assert_array_equal(readings[0, 2, 2:], readings[0, 4, 2:])
    assert readings[0, 4, 0] == pytest.approx(readings[0, 4, 2])
    assert readings[0, 4, 1] == 0.0
