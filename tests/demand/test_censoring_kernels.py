"""Kernels of the censored-demand estimator beside slow, plain twins."""

from __future__ import annotations

import numpy as np
import pytest

from shelfwise.demand.kernels.local_level import level_scores, levels_without_run, local_levels
from shelfwise.demand.kernels.pooling import Grouping, common_shocks, credible_ratio, spread_of_ratio
from shelfwise.demand.kernels.response import fit_response, response_factor


@pytest.fixture
def seen():
    rng = np.random.default_rng(0)
    exposure = rng.choice([0.0, 0.5, 1.0], (6, 30), p=[0.2, 0.2, 0.6]).astype(np.float32)
    rate = rng.gamma(2.0, 2.0, (6, 30)).astype(np.float32)
    observed = rng.poisson(rate * exposure).astype(np.float32)
    return observed, rate, exposure, rng.uniform(1, 3, 6)


def plain_level(seen, row, step, decay, prior, far=1, hidden=()):
    observed, rate, exposure, noise = seen
    shape = scale = prior
    for other in range(observed.shape[1]):
        if abs(other - step) >= far and exposure[row, other] > 0 and other not in hidden:
            weight = decay ** abs(other - step) / noise[row]
            shape += weight * observed[row, other]
            scale += weight * rate[row, other] * exposure[row, other]
    return shape, scale


def test_local_levels_are_discounted_gamma_poisson_means_of_all_other_buckets(seen):
    decay, prior = np.linspace(0.7, 1.0, 6), np.linspace(1.0, 9.0, 6)
    level, certainty = local_levels(*seen, decay, prior)
    for row in range(6):
        for step in range(30):
            shape, scale = plain_level(seen, row, step, decay[row], prior[row])
            assert level[row, step] == pytest.approx(shape / scale, rel=1e-5)
            assert certainty[row, step] == pytest.approx(shape, rel=1e-5)


def test_scores_tell_each_bucket_from_those_a_gap_away(seen):
    observed, rate, exposure, noise = seen
    scores = level_scores(*seen, np.array([0.8]), np.array([4.0]), 3)
    for row in range(6):
        total = 0.0
        for step in np.flatnonzero(exposure[row]):
            shape, scale = plain_level(seen, row, step, 0.8, 4.0, far=3)
            level, mean = shape / scale, rate[row, step] * exposure[row, step]
            total += (observed[row, step] * np.log(level) - mean * level) / noise[row]
        assert scores[row, 0, 0] == pytest.approx(total, rel=1e-5)


def test_a_run_is_told_from_everything_but_itself(seen):
    decay, prior = np.full(6, 0.85), np.full(6, 2.0)
    at = [np.array(part) for part in ([0, 3, 5], [4, 0, 25], [9, 3, 30])]
    expected, certainty = levels_without_run(*seen, decay, prior, *at)
    for run, (row, first, stop) in enumerate(zip(*at, strict=True)):
        inside = range(first, stop)
        states = [plain_level(seen, row, step, 0.85, 2.0, hidden=inside) for step in inside]
        levels = np.array([shape / scale for shape, scale in states])
        assert expected[run] == pytest.approx((seen[1][row, first:stop] * levels).sum(), rel=1e-5)
        assert certainty[run] == pytest.approx(np.mean([shape for shape, _ in states]), rel=1e-5)


@pytest.mark.parametrize("decay", [0.0, 0.6])
def test_shocks_are_what_the_others_of_the_group_did(seen, decay):
    observed, rate, exposure, noise = seen
    observed = observed * np.where(np.arange(30) > 15, 2, 1).astype(np.float32)
    grouping = Grouping.of(np.array([0, 0, 0, 1, 1, 2]))
    factor = np.ones_like(observed)
    common_shocks(factor, observed, rate, exposure, noise, grouping, decay)
    weight = decay ** np.abs(np.subtract.outer(np.arange(30), np.arange(30))) if decay else np.eye(30)
    parts = np.stack([observed * (exposure > 0), rate * exposure, noise[:, None] * rate * exposure])
    smooth = np.stack([parts[0] @ weight, parts[1] @ weight, parts[2] @ weight**2])
    members = [[0, 1, 2], [3, 4]]
    totals = np.stack([smooth[:, group].sum(axis=1) for group in members], axis=1)
    spread = spread_of_ratio(*totals)
    assert spread > 0
    for group, rows in enumerate(members):
        for row in rows:
            others, mean, variance = totals[:, group] - smooth[:, row]
            told = 1 + spread * mean * (others - mean) / np.maximum(spread * mean**2 + variance, 1e-9)
            assert factor[row] == pytest.approx(told, rel=1e-4)
    assert (factor[5] == 1).all()


def test_ratios_that_are_only_noise_are_drawn_to_one():
    rng = np.random.default_rng(1)
    mean = np.full(500, 20.0)
    noise = credible_ratio(rng.poisson(mean).astype(float), mean, mean)
    truth = rng.gamma(4, 0.25, 500)
    signal = credible_ratio(rng.poisson(mean * truth).astype(float), mean, mean)
    assert np.abs(noise - 1).max() < 0.2
    assert ((signal - truth) ** 2).mean() < ((rng.poisson(mean * truth) / mean - truth) ** 2).mean()


def test_the_response_finds_the_coefficients_it_was_made_with():
    rng = np.random.default_rng(2)
    features = np.concatenate([rng.random((20, 200)) < 0.2, rng.normal(0, 0.2, (20, 200))]).astype(np.float32)
    row = np.stack([np.arange(20), np.arange(20) + 20])
    true = np.array([0.7, -1.8])
    flat, phase = np.ones((20, 1), np.float32), np.zeros(200, np.int64)
    rate = np.full((20, 200), 5.0, np.float32)
    observed = rng.poisson(rate * response_factor(features, row, true, flat, phase)).astype(np.float32)
    found = fit_response(observed, rate, np.ones_like(rate), np.ones(20), features, row, np.zeros(2))
    assert found == pytest.approx(true, abs=0.08)
