"""Heads against SciPy: losses are likelihoods, draws follow the distribution, quantiles never cross."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.errors import UsageError
from shelfwise.forecast.deep.heads import HEADS, make_head
from shelfwise.forecast.deep.heads.base import inverse_softplus, softplus
from shelfwise.forecast.deep.heads.negative_binomial import LEAST_DISPERSION
from shelfwise.forecast.deep.heads.quantile import LEVELS
from shelfwise.forecast.deep.heads.tweedie import LEAST_DISPERSION as LEAST_PHI

torch = pytest.importorskip("torch")
DISTRIBUTIONS = ("negative_binomial", "tweedie", "quantile")
finite = st.floats(-3.0, 3.0)


def outputs_of(name, growth, width):
    """What a head's network says for log growth `growth` over the level and a width of that name."""
    return np.array([[growth, inverse_softplus(width)]], np.float32)


def loss_of(head, outputs, level, target):
    tensors = (torch.from_numpy(np.asarray(x, np.float32)) for x in (level, target))
    return head.loss(torch.from_numpy(outputs), *tensors).numpy()


def even_uniforms(count, draws, seed=0):
    """The first column spread evenly, so that sample quantiles are exact; the others at random."""
    out = np.random.default_rng(seed).random((count, draws))
    out[:, 0] = (np.arange(count) + 0.5) / count
    return out


@pytest.mark.parametrize("level", [0.3, 4.0, 70.0])
@pytest.mark.parametrize("dispersion", [0.05, 0.7, 3.0])
def test_the_negative_binomial_loss_is_scipys(level, dispersion):
    head = make_head("negative_binomial")
    growth = 0.4
    mean = level * np.exp(growth)
    target = np.array([0.0, 1.0, 5.0, 40.0])
    outputs = np.repeat(outputs_of("nb", growth, dispersion - LEAST_DISPERSION), 4, axis=0)
    size = 1.0 / dispersion
    wanted = -scipy.stats.nbinom.logpmf(target, size, size / (size + mean))
    np.testing.assert_allclose(loss_of(head, outputs, np.full(4, level), target), wanted, rtol=2e-3)


@given(st.floats(0.05, 40.0), st.floats(0.02, 4.0), st.floats(0.001, 0.999))
@settings(max_examples=60, deadline=None)
def test_negative_binomial_draws_are_scipys_quantiles(mean, dispersion, uniform):
    head = make_head("negative_binomial")
    outputs = outputs_of("nb", 0.0, dispersion - LEAST_DISPERSION)
    drawn = head.draw(outputs, np.array([mean]), np.array([True]), np.array([[uniform]]))[0]
    size = 1.0 / dispersion
    low, high = scipy.stats.nbinom.ppf([uniform - 1e-5, uniform + 1e-5], size, size / (size + mean))
    assert low <= drawn <= high


@pytest.mark.parametrize("power", [1.2, 1.5, 1.8])
def test_the_tweedie_loss_is_a_density(power):
    head = make_head("tweedie", power=power)
    level, growth, phi = 3.0, 0.2, 0.8
    grid = np.concatenate([[0.0], np.linspace(1e-3, 60.0, 60_000)])
    outputs = np.repeat(outputs_of("tweedie", growth, phi - LEAST_PHI), len(grid), axis=0)
    density = np.exp(-loss_of(head, outputs, np.full(len(grid), level), grid).astype(np.float64))
    mass = density[0] + np.trapezoid(density[1:], grid[1:])
    mean = np.trapezoid(density[1:] * grid[1:], grid[1:])
    square = np.trapezoid(density[1:] * grid[1:] ** 2, grid[1:])
    wanted = level * np.exp(growth)
    assert mass == pytest.approx(1.0, abs=0.01)
    assert mean == pytest.approx(wanted, rel=0.01)
    # In units of the level the variance is phi m^power.
    assert square - mean**2 == pytest.approx(level**2 * phi * np.exp(growth * power), rel=0.02)


@pytest.mark.parametrize("power", [1.2, 1.5, 1.8])
def test_tweedie_draws_have_the_mean_and_variance_of_the_loss(power):
    head = make_head("tweedie", power=power)
    count, level, phi = 40_000, 3.0, 0.8
    outputs = np.repeat(outputs_of("tweedie", 0.2, phi - LEAST_PHI), count, axis=0)
    random = np.random.default_rng(0).random((count, 3))
    drawn = head.draw(outputs, np.full(count, level), np.zeros(count, bool), random)
    assert drawn.mean() == pytest.approx(level * np.exp(0.2), rel=0.02)
    assert drawn.var() == pytest.approx(level**2 * phi * np.exp(0.2 * power), rel=0.05)
    whole = head.draw(outputs, np.full(count, level), np.ones(count, bool), random)
    assert np.array_equal(whole, np.rint(whole))
    assert whole.mean() == pytest.approx(drawn.mean(), rel=0.02)


def test_the_quantile_loss_is_the_pinball_loss():
    head = make_head("quantile")
    outputs = np.random.default_rng(1).normal(size=(5, len(LEVELS))).astype(np.float32)
    level, target = np.full(5, 2.0), np.array([0.0, 1.0, 3.0, 9.0, 20.0])
    error = target[:, None] / 3.0 - np.cumsum(softplus(outputs), axis=1)
    wanted = np.maximum(LEVELS * error, (LEVELS - 1.0) * error).mean(axis=1)
    np.testing.assert_allclose(loss_of(head, outputs, level, target), wanted, rtol=1e-4)


@given(st.lists(finite, min_size=len(LEVELS), max_size=len(LEVELS)), st.floats(0.01, 1000.0))
@settings(max_examples=40, deadline=None)
def test_quantile_draws_rise_with_the_uniform_and_agree_with_the_mean(values, level):
    head = make_head("quantile")
    count = 4000
    outputs = np.repeat(np.array([values], np.float32), count, axis=0)
    levels = np.full(count, level)
    drawn = head.draw(outputs, levels, np.zeros(count, bool), even_uniforms(count, 2))
    assert (np.diff(drawn) >= -1e-9 * level).all()
    assert (drawn >= 0).all()
    assert drawn.mean() == pytest.approx(head.mean(outputs[:1], levels[:1])[0], rel=0.01)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_an_untrained_head_says_that_the_level_goes_on(name):
    rng = np.random.default_rng(2)
    head = make_head(name)
    level = np.full(20_000, 6.0)
    target = rng.negative_binomial(2, 2 / 8, 20_000).astype(float)
    start = np.repeat(np.array([head.start(target, level)], np.float32), 20_000, axis=0)
    assert head.mean(start[:1], level[:1])[0] == pytest.approx(6.0, rel=0.08)
    drawn = head.draw(start, level, np.ones(20_000, bool), rng.random((20_000, head.draws)))
    assert drawn.mean() == pytest.approx(6.0, rel=0.08)
    assert drawn.std() == pytest.approx(target.std(), rel=0.25)


@pytest.mark.parametrize("name", HEADS)
def test_a_head_begins_even_where_nothing_is_known(name):
    head = make_head(name)
    start = head.start(np.zeros(0), np.zeros(0))
    assert len(start) == head.n_outputs
    assert np.isfinite(start).all()


@pytest.mark.parametrize("name", HEADS)
def test_losses_and_their_gradients_are_finite_at_the_edges(name):
    head = make_head(name)
    for output in (-60.0, 0.0, 60.0):
        raw = torch.full((6, head.n_outputs), output, requires_grad=True)
        level = torch.tensor([0.01, 0.01, 1.0, 1.0, 1e6, 1e6])
        target = torch.tensor([0.0, 60.0, 0.0, 1e3, 0.0, 1e7])
        loss = head.loss(raw, level, target)
        loss.sum().backward()
        assert torch.isfinite(loss).all(), f"{name} at {output}"
        assert torch.isfinite(raw.grad).all(), f"{name} at {output}"


def test_the_point_is_on_the_scale_and_has_nothing_to_draw():
    head = make_head("mse", scaler="standard")
    assert head.draws == 0
    assert head.mean(np.array([[0.25]], np.float32), np.array([0.5])).tolist() == [0.75]
    with pytest.raises(TypeError, match="point"):
        head.draw(np.zeros((1, 1), np.float32), np.ones(1), np.ones(1, bool), np.ones((1, 0)))


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("gaussian", {}, "negative_binomial, tweedie, quantile, mse; got 'gaussian'"),
        ("tweedie", {"power": 2.0}, "between 1 and 2; got 2.0"),
        ("mse", {"scaler": "robust"}, "min_max, standard; got 'robust'"),
        ("negative_binomial", {"power": 1.5}, "power"),
    ],
)
def test_unknown_heads_and_options_are_refused(name, options, told):
    with pytest.raises(UsageError, match=told):
        make_head(name, **options)
