"""The negative binomial kernels against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import gamma, nbinom

from shelfwise.forecast.gbm.spread import Spread
from shelfwise.forecast.kernels.counts import draw_paths, gamma_table, likely_dispersion, ranks

TABLE = gamma_table()
ROOT = np.uint64(3)


def scipy_counts(mean: float, dispersion: float):
    size = 1.0 / dispersion
    return nbinom(size, size / (size + mean))


def quantiles(mean: float, dispersion: float, levels: np.ndarray, whole: bool = True) -> np.ndarray:
    """What `draw_paths` makes of a pool that holds just these ranks, each member drawn once."""
    pool = levels.astype(np.float32)[:, None]
    paths = draw_paths(
        np.array([[mean]]), np.array([[dispersion]]), np.array([whole]), pool, np.array([0]), np.array([len(levels)]),
        np.array([1], np.uint64), len(levels), ROOT, TABLE,
    )  # fmt: skip
    return paths[0, :, 0]


@pytest.mark.parametrize("mean", [0.05, 0.7, 3.0, 20.0, 55.0])
@pytest.mark.parametrize("dispersion", [0.05, 0.5, 3.0])
def test_quantiles_of_counts_are_scipys(mean, dispersion):
    levels = np.linspace(0.005, 0.995, 67).astype(np.float32).astype(np.float64)
    law = scipy_counts(mean, dispersion)
    ours = quantiles(mean, dispersion, levels)
    exact = law.ppf(levels)
    # Where a level sits on the very edge of a step, float32 may fall to either side.
    edge = np.isclose(law.cdf(exact), levels, atol=1e-6) | np.isclose(law.cdf(exact - 1), levels, atol=1e-6)
    assert (ours[~edge] == exact[~edge]).all()


@pytest.mark.parametrize(("mean", "dispersion"), [(80.0, 0.1), (500.0, 0.5), (1e6, 0.02)])
def test_large_means_follow_the_gamma_of_the_same_variance(mean, dispersion):
    levels = np.linspace(0.01, 0.99, 45)
    shape = mean / (1.0 + dispersion * mean)
    assert quantiles(mean, dispersion, levels, whole=False) == pytest.approx(
        gamma(shape, scale=mean / shape).ppf(levels), rel=0.01
    )


def test_ranks_of_what_the_law_itself_draws_are_uniform():
    rng = np.random.default_rng(0)
    mean = np.repeat(np.array([[0.3], [4.0], [40.0], [300.0]]), 3000, axis=1)
    dispersion = np.full_like(mean, 0.6)
    size = 1.0 / dispersion
    value = rng.negative_binomial(size, size / (size + mean)).astype(np.float64)
    rank = ranks(value, mean, dispersion, np.arange(4, dtype=np.uint64), ROOT, TABLE)
    for row in rank:
        assert np.abs(np.sort(row) - np.linspace(0, 1, row.size)).max() < 0.035


def test_ranks_stay_inside_zero_and_one_and_skip_the_unknown():
    value = np.array([[50_000.0, 0.0, np.nan, 4_500.0, 3.5]])
    mean = np.array([[100.0, 100.0, 1.0, 2.0, 3.0]])
    rank = ranks(value, mean, np.full_like(mean, 0.1), np.array([1], np.uint64), ROOT, TABLE)
    assert np.isnan(rank[0, 2])
    known = rank[0, [0, 1, 3, 4]]
    assert (known > 0).all()
    assert (known < 1).all()


@pytest.mark.parametrize("dispersion", [0.1, 0.8, 4.0])
def test_the_likeliest_dispersion_is_found_and_not_ruled_by_one_huge_value(dispersion):
    rng = np.random.default_rng(1)
    mean = rng.gamma(2.0, 3.0, 20_000) + 0.1
    size = 1.0 / dispersion
    value = rng.negative_binomial(size, size / (size + mean)).astype(np.float64)
    assert likely_dispersion(value, mean, 0.005, 25.0) == pytest.approx(dispersion, rel=0.06)
    value[0] = 10_000.0
    moments = ((value - mean) ** 2 - mean).sum() / (mean**2).sum()
    assert likely_dispersion(value, mean, 0.005, 25.0) < dispersion + 0.01 * moments


def test_a_spread_learnt_from_held_out_counts_covers_as_it_should_and_keeps_dependence():
    rng = np.random.default_rng(2)
    n, horizon = 3000, 4
    level = rng.gamma(1.5, 3.0, (n, 1)).astype(np.float32) + np.float32(0.2)
    shock = rng.gamma(2.0, 0.5, (n, 1))
    actual = rng.poisson(level * shock, (n, horizon)).astype(np.float32)
    mean = np.repeat(level, horizon, axis=1)
    variation = np.full(n, 1.0, np.float32)
    half = slice(0, n // 2), slice(n // 2, n)
    ids = np.arange(n, dtype=np.uint64)
    spread = Spread.learn(
        actual[half[0]],
        mean[half[0]],
        level[half[0], 0],
        variation[half[0]],
        np.ones(n // 2, bool),
        ids[half[0]],
        5,
    )
    paths = spread.draw(
        mean[half[1]],
        level[half[1], 0],
        variation[half[1]],
        np.ones(n // 2, bool),
        np.full((n // 2, horizon), 1e9, np.float32),
        ids[half[1]],
        400,
        5,
    )
    total, truth = paths.sum(axis=2), actual[half[1]].sum(axis=1)
    for level_wanted in (0.1, 0.5, 0.9, 0.975):
        edge = np.quantile(total, level_wanted, axis=1)
        assert (truth < edge).mean() - 0.03 <= level_wanted <= (truth <= edge).mean() + 0.03
    # Independent steps would make the total about a third narrower.
    independent = np.sqrt(paths.var(axis=1).sum(axis=1))
    assert np.median(total.std(axis=1) / independent) > 1.3
