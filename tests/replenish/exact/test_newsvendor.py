"""Newsvendor levels and costs: printed values, brute force, and an independent library."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.errors import UsageError
from shelfwise.replenish.exact import (
    newsvendor_discrete,
    newsvendor_gamma,
    newsvendor_negative_binomial,
    newsvendor_normal,
    newsvendor_poisson,
    newsvendor_samples,
)
from shelfwise.replenish.exact.discrete import negative_binomial_pmf, poisson_pmf

COSTS = st.floats(0.1, 20.0)


def test_the_printed_values():
    normal = newsvendor_normal(50.0, 8.0, 0.18, 0.70)
    assert normal.level.item() == pytest.approx(56.60395593, abs=1e-8)
    assert normal.cost.item() == pytest.approx(1.997605193, abs=1e-9)
    assert newsvendor_poisson(6.0, 1.0, 4.0).cost.item() == pytest.approx(3.570106946, abs=1e-9)


@given(mean=st.floats(0.2, 40.0), holding=COSTS, shortage=COSTS)
def test_poisson_agrees_with_its_pmf(mean, holding, shortage):
    closed = newsvendor_poisson(mean, holding, shortage)
    plain = newsvendor_discrete(poisson_pmf(mean), holding, shortage)
    assert closed.level == plain.level
    assert closed.cost == pytest.approx(plain.cost, rel=1e-8, abs=1e-8)


@given(mean=st.floats(0.5, 30.0), extra=st.floats(0.1, 60.0), holding=COSTS, shortage=COSTS)
def test_negative_binomial_agrees_with_its_pmf(mean, extra, holding, shortage):
    closed = newsvendor_negative_binomial(mean, np.sqrt(mean + extra), holding, shortage)
    plain = newsvendor_discrete(negative_binomial_pmf(mean, mean + extra), holding, shortage)
    assert closed.level == plain.level
    assert closed.cost == pytest.approx(plain.cost, rel=1e-6, abs=1e-6)


@given(chances=st.lists(st.floats(0.01, 1.0), min_size=1, max_size=12), holding=COSTS, shortage=COSTS)
def test_no_other_level_costs_less(chances, holding, shortage):
    pmf = np.array(chances) / sum(chances)
    best = newsvendor_discrete(pmf, holding, shortage)
    values = np.arange(len(pmf))
    left = values[:, None] - values
    costs = np.where(left > 0, holding * left, -shortage * left) @ pmf
    assert best.cost == pytest.approx(costs.min(), abs=1e-12)
    assert costs[int(best.level)] == pytest.approx(costs.min(), abs=1e-12)


@given(
    samples=st.lists(st.lists(st.floats(0.0, 100.0), min_size=5, max_size=5), min_size=1, max_size=4),
    holding=COSTS,
    shortage=COSTS,
)
def test_no_sample_costs_less_than_the_level_of_samples(samples, holding, shortage):
    best = newsvendor_samples(samples, holding, shortage)
    for row, level, cost in zip(np.array(samples), best.level, best.cost, strict=True):
        left = row[:, None] - row
        costs = np.where(left > 0, holding * left, -shortage * left).mean(axis=1)
        assert level in row
        assert cost == pytest.approx(costs.min(), rel=1e-9, abs=1e-9)


def test_gamma_against_numerical_integration():
    from scipy.integrate import quad
    from scipy.stats import gamma

    best = newsvendor_gamma(20.0, 12.0, 1.0, 5.0)
    shape, scale = (20 / 12) ** 2, 144 / 20

    def cost(level):
        held = quad(lambda x: (level - x) * gamma.pdf(x, shape, scale=scale), 0, level)[0]
        return held + 5 * quad(lambda x: (x - level) * gamma.pdf(x, shape, scale=scale), level, 400)[0]

    level = best.level.item()
    assert best.cost.item() == pytest.approx(cost(level), rel=1e-6)
    assert cost(level) < min(cost(level - 0.3), cost(level + 0.3))


def test_normal_and_poisson_agree_with_stockpyl():
    theirs = pytest.importorskip("stockpyl.newsvendor")
    level, cost = theirs.newsvendor_normal(0.3, 2.1, 40.0, 9.0)
    ours = newsvendor_normal(40.0, 9.0, 0.3, 2.1)
    assert (ours.level.item(), ours.cost.item()) == pytest.approx((level, cost), rel=1e-9)
    level, cost = theirs.newsvendor_poisson(0.3, 2.1, 7.5)
    ours = newsvendor_poisson(7.5, 0.3, 2.1)
    assert (ours.level.item(), ours.cost.item()) == pytest.approx((level, cost), rel=1e-9)


def test_all_items_at_once_are_as_one_by_one():
    means, shortages = np.array([3.0, 50.0, 7.0]), np.array([1.0, 9.0, 4.0])
    many = newsvendor_normal(means, 2.0, 1.0, shortages)
    for i in range(3):
        one = newsvendor_normal(means[i], 2.0, 1.0, shortages[i])
        assert (many.level[i], many.cost[i]) == (one.level, one.cost)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: newsvendor_normal(5.0, -1.0, 1.0, 1.0), "sd must be at least 0; got -1.0"),
        (lambda: newsvendor_normal(5.0, 1.0, 0.0, 1.0), "holding_cost must be above 0"),
        (
            lambda: newsvendor_poisson([3.0, np.nan], 1.0, 1.0),
            "mean must be a finite number; got nan at item 1",
        ),
        (lambda: newsvendor_negative_binomial(9.0, 3.0, 1.0, 1.0), "newsvendor_poisson"),
        (lambda: newsvendor_samples([1.0, 2.0], 1.0, 1.0), r"\(N, S\)"),
        (lambda: newsvendor_discrete([0.5, 0.4], 1.0, 1.0), "sum to 1"),
        (lambda: newsvendor_normal([1.0, 2.0], [1.0, 2.0, 3.0], 1.0, 1.0), "do not fit"),
    ],
)
def test_what_is_wrong_is_named(call, text):
    with pytest.raises(UsageError, match=text):
        call()


def test_a_shortage_that_costs_next_to_nothing_is_left_to_happen():
    best = newsvendor_poisson([1e-9, 5.0], 1.0, 1e-13)
    assert best.level.tolist() == [0.0, 0.0]
    assert best.cost == pytest.approx(1e-13 * np.array([1e-9, 5.0]))
