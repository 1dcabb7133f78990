"""Windows that might have happened: gaps stay gaps, counts stay counts, levels stay where they belong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.errors import UsageError
from shelfwise.forecast.deep.augmentation import Augmentation, made_up, mixed, scaled

shares = st.floats(0.0, 1.0)


def windows(seed, n=12, buckets=60, level=6.0):
    rng = np.random.default_rng(seed)
    demand = rng.poisson(level, (n, buckets)).astype(np.float64)
    demand[rng.random(demand.shape) < 0.15] = np.nan
    return demand, rng


@given(st.integers(0, 50), st.floats(0.0, 0.5), shares, shares, shares)
@settings(max_examples=40, deadline=None)
def test_what_comes_out_is_demand(seed, jitter, scaling, mixing, synthetic):
    demand, rng = windows(seed)
    others, _ = windows(seed + 1)
    whole = np.arange(len(demand)) % 2 == 0
    before = demand.copy()
    change = Augmentation(jitter, scaling, mixing, synthetic)
    read, target = change.apply(demand, whole, others, 52.0, rng)
    np.testing.assert_array_equal(demand, before)
    for made in (read, target):
        assert np.isnan(made[np.isnan(demand)]).all()
        assert (made[np.isfinite(made)] >= 0).all()
    counts = target[whole & (np.arange(len(demand)) >= 0)]
    assert np.array_equal(counts, np.rint(counts), equal_nan=True)
    if mixing == 0:
        assert np.array_equal(np.isnan(target), np.isnan(demand))


def test_off_changes_nothing():
    demand, rng = windows(0)
    assert not Augmentation().on
    read, target = Augmentation().apply(demand, np.ones(12, bool), demand, 52.0, rng)
    np.testing.assert_array_equal(read, demand)
    np.testing.assert_array_equal(target, demand)


def test_jitter_is_in_what_is_read_and_not_in_what_is_forecast():
    demand, rng = windows(1, n=200)
    read, target = Augmentation(jitter=0.3).apply(demand, np.ones(200, bool), demand, 52.0, rng)
    np.testing.assert_array_equal(target, demand)
    known = demand > 0
    assert np.nanmean(read) == pytest.approx(np.nanmean(demand), rel=0.02)
    assert np.log(read[known] / demand[known]).std() == pytest.approx(0.3, rel=0.05)


def test_thinned_counts_are_binomial():
    demand = np.full((4000, 5), 40.0)
    made = scaled(demand, np.ones(4000, bool), np.random.default_rng(2))
    share = made.mean(axis=1) / 40.0
    assert share.min() < 0.35
    assert share.max() > 3.0
    few = made[share < 0.5]
    assert np.array_equal(few, np.rint(few))
    # Within a window the buckets share one rate and spread around it as thinning makes them.
    rate = few.mean(axis=1, keepdims=True) / 40.0
    spread = ((few - 40.0 * rate) ** 2).sum(axis=1) / 4.0
    assert spread.mean() == pytest.approx((40.0 * rate * (1.0 - rate)).mean(), rel=0.1)


def test_a_mixture_keeps_the_level_of_the_first():
    rng = np.random.default_rng(3)
    first, second = rng.poisson(4.0, (500, 80)).astype(float), rng.poisson(90.0, (500, 80)).astype(float)
    made = mixed(first, second, rng)
    np.testing.assert_allclose(made.mean(axis=1), first.mean(axis=1), rtol=1e-9)
    apart = np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(made, first, strict=True)])
    assert apart.mean() > 0.8


def test_made_up_series_have_about_the_given_levels_and_are_new():
    demand, rng = windows(4, n=400, level=20.0)
    made = made_up(demand, 52.0, rng)
    assert 0.3 * 20 < np.nanmean(made) < 1.2 * 20
    known = np.isfinite(demand)
    assert abs(np.corrcoef(made[known], demand[known])[0, 1]) < 0.05


@pytest.mark.parametrize("wrong", [{"jitter": -0.1}, {"scaling": 1.5}, {"mixing": -0.2}, {"synthetic": 2}])
def test_shares_are_shares(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        Augmentation(**wrong)
