"""The linear pool: its matrix against a plain twin, its weights against a search, its samples in proportion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.forecast.auto.blend import pool_gram, pool_weights, shares


def mixture_loss(actual, quantiles, weights):
    """½ CRPS of the mixture by E|X - y| / 2 - E|X - X'| / 4, cell by cell and pair by pair."""
    total = 0.0
    points = quantiles.shape[2]
    for cell, y in enumerate(actual):
        x = quantiles[:, cell].ravel()
        p = np.repeat(weights, points) / points
        total += 0.5 * (p @ np.abs(x - y)) - 0.25 * p @ np.abs(x[:, None] - x[None, :]) @ p
    return total


@given(st.integers(0, 2**16), st.booleans())
@settings(max_examples=25, deadline=None)
def test_quadratic_form_is_the_loss_of_the_mixture(seed, counts):
    rng = np.random.default_rng(seed)
    quantiles = np.sort(rng.gamma(2, 3, (3, 7, 5)), axis=2)
    actual = rng.gamma(2, 3, 7)
    if counts:
        quantiles, actual = np.rint(quantiles), np.rint(actual)
    weights = rng.dirichlet(np.ones(3))
    gram = pool_gram(actual, quantiles, np.ones(7))
    assert weights @ gram @ weights == pytest.approx(mixture_loss(actual, quantiles, weights), abs=1e-9)
    assert np.linalg.eigvalsh(gram).min() > -1e-9


def test_diagonal_is_the_pinball_loss_over_all_levels():
    rng = np.random.default_rng(1)
    points = np.sort(rng.gamma(2, 3, 4000))
    levels = (np.arange(4000) + 0.5) / 4000
    loss = np.maximum(levels * (7.3 - points), (levels - 1) * (7.3 - points)).mean()
    assert pool_gram(np.array([7.3]), points[None, None, :], np.ones(1))[0, 0] == pytest.approx(
        loss, rel=1e-3
    )


def test_cells_count_by_their_weight():
    quantiles = np.sort(np.random.default_rng(2).gamma(2, 3, (2, 2, 8)), axis=2)
    actual = np.array([4.0, 9.0])
    parts = [pool_gram(actual[i : i + 1], quantiles[:, i : i + 1], np.ones(1)) for i in range(2)]
    assert np.allclose(pool_gram(actual, quantiles, np.array([1.0, 3.0])), parts[0] + 3 * parts[1])


@given(st.integers(0, 2**16), st.integers(2, 4))
@settings(max_examples=25, deadline=None)
def test_weights_beat_every_other_point_of_the_simplex(seed, members):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(members, 6))
    gram = root @ root.T
    weights = pool_weights(gram)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    others = rng.dirichlet(np.full(members, 0.5), 2000)
    assert weights @ gram @ weights <= np.einsum("im,mk,ik->i", others, gram, others).min() + 1e-6


def test_twins_are_not_both_asked():
    assert pool_weights(np.ones((3, 3))).tolist() == [1, 0, 0]
    assert pool_weights(np.zeros((2, 2))).tolist() == [1, 0]
    near = np.array([[2.0, 2.0, 0.5], [2.0, 2.0, 0.5], [0.5, 0.5, 1.0]])
    assert pool_weights(near) == pytest.approx([0.25, 0, 0.75])


@given(st.integers(1, 300), st.floats(0, 0.999))
def test_samples_are_shared_out_within_one_of_proportion(n_samples, start):
    weights = np.array([0.62, 0.3, 0.08])
    counts = np.bincount(shares(weights, n_samples, start), minlength=3)
    assert counts.sum() == n_samples
    assert (np.abs(counts - weights * n_samples) < 1 + 1e-9).all()


def test_a_single_sample_comes_from_each_member_as_often_as_its_weight():
    starts = (np.arange(1000) + 0.5) / 1000
    counts = np.bincount([shares(np.array([0.7, 0.3]), 1, start)[0] for start in starts])
    assert counts.tolist() == [700, 300]
