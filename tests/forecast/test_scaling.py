"""Scalers come back exactly: float32 in, the same bits out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shelfwise.errors import UsageError
from shelfwise.forecast.scaling import SCALERS, MinMax, Standard, fit_scaler

NAMES = sorted(SCALERS)
counts = arrays(np.float32, (3, 9), elements=st.one_of(st.integers(0, 10**6).map(float), st.just(np.nan)))
any_size = arrays(
    np.float32, (2, 7), elements=st.floats(-(2.0**60), 2.0**60, width=32, allow_subnormal=False)
)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150, deadline=None)
@given(values=counts)
def test_counts_come_back_to_the_bit(name, values):
    scaler = fit_scaler(name, values)
    back = scaler.inverse(scaler.transform(values))
    np.testing.assert_array_equal(back, values)
    assert back.dtype == np.float32


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150, deadline=None)
@given(values=any_size)
def test_any_float_comes_back_to_the_bit_unless_it_is_lost_beside_the_largest(name, values):
    scaler = fit_scaler(name, values)
    back = scaler.inverse(scaler.transform(values))
    largest = np.abs(values).max(axis=1, keepdims=True)
    kept = (np.abs(values) >= largest * 2.0**-24) | (values == 0)
    np.testing.assert_array_equal(back[kept], values[kept])
    assert (np.abs(back - values) <= np.spacing(largest)).all()


@pytest.mark.parametrize("name", NAMES)
def test_constants_zeros_and_nothing_known(name):
    odd = np.array([[7, 7, 7], [0, 0, 0], [np.nan] * 3, [np.nan, 3, np.nan], [0.1, 0.1, 0.1]], np.float32)
    scaler = fit_scaler(name, odd)
    assert (scaler.scale > 0).all()
    scaled = scaler.transform(odd)
    assert (scaled[np.isfinite(odd)] == 0).all()
    np.testing.assert_array_equal(scaler.inverse(scaled), odd)
    # Where nothing is known the scale is that of the units.
    assert scaler.transform(np.full((5, 1), 9.0, np.float32))[2, 0] == 9


def test_min_max_runs_from_zero_to_one_whatever_is_unknown():
    values = np.random.default_rng(0).gamma(1, 50, (20, 60)).astype(np.float32)
    values[:, ::7] = np.nan
    scaled = MinMax.fit(values).transform(values)
    np.testing.assert_array_equal(np.nanmin(scaled, axis=1), 0)
    np.testing.assert_array_equal(np.nanmax(scaled, axis=1), 1)
    assert np.isnan(scaled[:, ::7]).all()


def test_standard_has_mean_zero_and_deviation_one():
    values = np.random.default_rng(1).gamma(1, 50, (20, 60))
    values[3, 5:20] = np.nan
    scaled = Standard.fit(values).transform(values)
    np.testing.assert_allclose(np.nanmean(scaled, axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(np.nanstd(scaled, axis=1), 1)


@pytest.mark.parametrize("name", NAMES)
def test_paths_and_picked_series_are_taken_back_by_their_own_series(name):
    rng = np.random.default_rng(2)
    history = rng.poisson(rng.uniform(1, 400, (6, 1)), (6, 30)).astype(np.float32)
    scaler = fit_scaler(name, history)
    paths = rng.poisson(20, (3, 4, 5)).astype(np.float32)
    rows = np.array([5, 0, 2])
    np.testing.assert_array_equal(scaler.inverse(scaler.transform(paths, rows), rows), paths)
    again = type(scaler)(scaler.offset.copy(), scaler.scale.copy())
    np.testing.assert_array_equal(again.transform(history), scaler.transform(history))
    with pytest.raises(UsageError, match="one entry a series, 6"):
        scaler.transform(paths)


def test_what_cannot_be_scaled_by_is_refused():
    with pytest.raises(UsageError, match="min_max, standard; got 'log'"):
        fit_scaler("log", np.ones((1, 2)))
    with pytest.raises(UsageError, match=r"\(N, T\)"):
        MinMax.fit(np.ones(3))
    with pytest.raises(UsageError, match="infinite"):
        Standard.fit(np.array([[1.0, np.inf]]))
