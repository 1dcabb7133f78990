"""The small parts the solvers stand on: distributions, pattern search, chains, average costs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.errors import ShelfwiseError, UsageError
from shelfwise.replenish.exact import discrete
from shelfwise.replenish.exact.average_cost import relative_values
from shelfwise.replenish.exact.chain import Outcome, average_cost, explore
from shelfwise.replenish.exact.search import pattern_search


@given(mean=st.floats(0.1, 300.0), extra=st.floats(0.1, 400.0))
def test_distributions_have_the_moments_asked_for(mean, extra):
    for pmf, variance in (
        (discrete.poisson_pmf(mean), mean),
        (discrete.negative_binomial_pmf(mean, mean + extra), mean + extra),
    ):
        values = np.arange(len(pmf))
        assert pmf.sum() == pytest.approx(1.0)
        assert discrete.mean_of(pmf) == pytest.approx(mean, rel=1e-8)
        assert pmf @ values**2 - mean**2 == pytest.approx(variance, rel=1e-6)


def test_rounded_gamma_counts_what_rounding_gives():
    pmf = discrete.rounded_gamma_pmf(4.0, 0.5)
    draws = np.rint(np.random.default_rng(0).gamma(4.0, 1.0, 400_000)).astype(int)
    assert np.bincount(draws)[:12] / len(draws) == pytest.approx(pmf[:12], abs=0.003)


@given(chances=st.lists(st.floats(0.01, 1.0), min_size=1, max_size=6), buckets=st.integers(0, 4))
def test_totals_add_up(chances, buckets):
    pmf = np.array(chances) / sum(chances)
    total = discrete.total_pmf(pmf, buckets)
    assert total.sum() == pytest.approx(1.0)
    assert discrete.mean_of(total) == pytest.approx(buckets * discrete.mean_of(pmf))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: discrete.checked_pmf([]), "not empty"),
        (lambda: discrete.checked_pmf([0.5, -0.5, 1.0]), "at least 0"),
        (lambda: discrete.poisson_pmf(0.0), "above 0"),
        (lambda: discrete.negative_binomial_pmf(4.0, 4.0), "variance above its mean"),
        (lambda: discrete.uniform_pmf(3, 2), "low <= high"),
        (lambda: discrete.empirical_pmf([1.5]), "whole numbers"),
    ],
)
def test_bad_distributions_are_refused(call, text):
    with pytest.raises(UsageError, match=text):
        call()


@given(a=st.integers(-8, 8), b=st.integers(-8, 8), tilt=st.floats(-0.9, 0.9))
def test_pattern_search_finds_the_bottom_of_a_valley(a, b, tilt):
    def cost(point):
        x, y = point[0] - a, point[1] - b
        return x * x + y * y + 2 * tilt * x * y

    assert pattern_search(cost, (0, 0)).parameters == (a, b)


def test_pattern_search_refines_its_step():
    found = pattern_search(lambda point: (point[0] - 2.3) ** 2, (0,), steps=(1.0, 0.25, 0.0625))
    assert found.parameters == (2.3125,)


def two_states(chance_01, chance_10, costs):
    def expand(states):
        at = states[:, 0]
        row = np.repeat(np.arange(len(at)), 2)
        leave = np.where(at == 0, chance_01, chance_10)
        ahead = np.stack([at, 1 - at], axis=1).reshape(-1, 1)
        return Outcome(np.asarray(costs)[at], row, ahead, np.stack([1 - leave, leave], axis=1).ravel())

    return explore([0], expand)


@given(up=st.floats(0.01, 1.0), down=st.floats(0.01, 1.0))
def test_the_cost_of_two_states(up, down):
    found = average_cost(two_states(up, down, [1.0, 5.0]), 1e-9)
    share = up / (up + down)
    assert found.lower - 1e-12 <= 1.0 + 4.0 * share <= found.upper + 1e-12
    assert found.cost == pytest.approx(1.0 + 4.0 * share, rel=1e-8)


def test_states_that_never_meet_have_no_common_cost(monkeypatch):
    monkeypatch.setattr("shelfwise.replenish.exact.average_cost.LARGEST_SWEEPS", 200)
    with pytest.raises(ShelfwiseError, match="between 1 and 2"):
        relative_values(lambda values: np.array([1.0, 2.0]) + values, 2, tolerance=1e-6)
