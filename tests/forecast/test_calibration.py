"""Calibration brings coverage to within 2 points of its level, for buckets and sums, counts and not."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm, poisson

from checks.forecaster_checks import CHECKS, draw, shop
from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.forecast.auto.demand_classes import INTERMITTENT, SMOOTH
from shelfwise.forecast.calibration import Calibrated, ConformalCalibrator
from shelfwise.forecast.calibration.calibrator import Kinds
from shelfwise.forecast.moving_average import MovingAverage

LEVELS = np.array([0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])
POINTS = 0.02
SAMPLES = 50


def kinds(n, whole, classes=SMOOTH, first=0):
    names = np.arange(first, first + n, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return Kinds(np.full(n, classes, np.int8), np.full(n, whole), names)


def quantiles(paths):
    """(n, H, Q) where the s-th of S sorted draws stands at s / (S + 1)."""
    ordered = np.sort(paths, axis=1)
    return np.moveaxis(np.quantile(ordered, LEVELS, axis=1, method="weibull"), 0, 2)


@given(st.integers(0, 1000), st.floats(0.3, 3.0), st.floats(-1.0, 1.0))
@settings(max_examples=8, deadline=None, derandomize=True)
def test_coverage_of_buckets_on_forecasts_of_the_wrong_width_and_place(seed, width, bias):
    rng = np.random.default_rng(seed)
    n, fresh = 8000, 3000
    mean = rng.uniform(50, 150, n + fresh)
    sd = 0.1 * mean
    said = rng.normal((mean + bias * sd)[:, None, None], (width * sd)[:, None, None], (n + fresh, SAMPLES, 2))
    actual = rng.normal(mean[:n, None], sd[:n, None], (n, 2))
    calibrator = ConformalCalibrator(seed=seed).learn(said[:n], actual, kinds(n, False))
    corrected = calibrator.apply(said[n:], kinds(fresh, False, first=n), root=seed)
    # The truth is known, so what a quantile covers is computed and not counted.
    covered = norm.cdf(quantiles(corrected), mean[n:, None, None], sd[n:, None, None]).mean(axis=0)
    assert np.abs(covered - LEVELS).max() < POINTS


@given(st.integers(0, 1000), st.floats(0.5, 2.0), st.floats(0.2, 6.0))
@settings(max_examples=8, deadline=None, derandomize=True)
def test_coverage_of_buckets_on_counts(seed, factor, level):
    rng = np.random.default_rng(seed)
    n, fresh = 8000, 3000
    mean = level * rng.uniform(0.8, 1.25, n + fresh)
    said = rng.poisson(factor * mean[:, None, None], (n + fresh, SAMPLES, 1))
    actual = rng.poisson(mean[:n, None])
    calibrator = ConformalCalibrator(seed=seed).learn(said[:n], actual, kinds(n, True))
    paths = calibrator.apply(said[n:], kinds(fresh, True, first=n), root=seed)
    assert np.array_equal(paths, np.rint(paths))
    assert (paths >= 0).all()
    # With counts a calibrated level lies between what is below its quantile and what is not above it.
    quantile = np.sort(paths, axis=1)[:, np.ceil(LEVELS * (SAMPLES + 1)).astype(int) - 1, 0]
    below = poisson.cdf(quantile - 1, mean[n:, None]).mean(axis=0)
    at_or_below = poisson.cdf(quantile, mean[n:, None]).mean(axis=0)
    assert (below - POINTS < LEVELS).all()
    assert (at_or_below + POINTS > LEVELS).all()


@pytest.mark.parametrize("level", [0.2, 1.0, 6.0, 40.0])
@pytest.mark.parametrize("factor", [0.7, 1.0, 1.5])
def test_ranks_of_counts_are_uniform(level, factor):
    rng = np.random.default_rng(11)
    n, fresh, samples = 5000, 2000, 150
    mean = level * rng.uniform(0.8, 1.25, n + fresh)
    said = rng.poisson(factor * mean[:, None, None], (n + fresh, samples, 1))
    actual = rng.poisson(mean[:n, None])
    calibrator = ConformalCalibrator().learn(said[:n], actual, kinds(n, True))
    paths = calibrator.apply(said[n:], kinds(fresh, True, first=n), root=1)
    # Randomised within their step (Czado, Gneiting & Held 2009), against ten outcomes each.
    outcome = rng.poisson(mean[n:, None], (fresh, 10))[:, None, :]
    smaller, equal = (paths < outcome).sum(axis=1), (paths == outcome).sum(axis=1)
    rank = (smaller + rng.random(smaller.shape) * (equal + 1)) / (samples + 1)
    covered = (rank[:, :, None] <= LEVELS).mean(axis=(0, 1))
    assert np.abs(covered - LEVELS).max() < POINTS


def related(rng, mean, sd, share, samples, steps):
    """Normal paths of which `share` of the variance is common to all buckets."""
    common = rng.normal(size=(len(mean), samples, 1)) * np.sqrt(share)
    own = rng.normal(size=(len(mean), samples, steps)) * np.sqrt(1 - share)
    return mean[:, None, None] + sd[:, None, None] * (common + own)


@pytest.mark.parametrize(("said_share", "true_share"), [(0.0, 0.6), (0.7, 0.0), (0.3, 0.3)])
@pytest.mark.parametrize("width", [0.6, 1.0])
def test_coverage_of_sums_when_buckets_hang_together_otherwise_than_said(said_share, true_share, width):
    rng = np.random.default_rng(5)
    n, fresh, steps = 6000, 1500, 4
    mean = rng.uniform(80, 120, n + fresh)
    sd = 0.1 * mean
    said = related(rng, mean, width * sd, said_share, SAMPLES, steps)
    actual = related(rng, mean, sd, true_share, 1, steps)[:n, 0]
    calibrator = ConformalCalibrator([(0, 4), (1, 3)]).learn(said[:n], actual, kinds(n, False))
    later = kinds(fresh, False, first=n)
    paths = calibrator.apply(said[n:], later, root=3)
    for first, last in ((0, 4), (1, 3)):
        buckets = last - first
        true_sd = sd[n:, None] * np.sqrt(buckets * (1 + (buckets - 1) * true_share))
        total = paths[:, :, first:last].sum(axis=2)
        raw = norm.cdf(
            quantiles(said[n:, :, first:last].sum(axis=2)[:, :, None])[:, 0],
            buckets * mean[n:, None],
            true_sd,
        )
        in_paths = norm.cdf(quantiles(total[:, :, None])[:, 0], buckets * mean[n:, None], true_sd).mean(
            axis=0
        )
        named = calibrator.total_quantile(paths, later, first, last, list(LEVELS), root=3)
        covered = norm.cdf(named, buckets * mean[n:, None], true_sd).mean(axis=0)
        assert np.abs(covered - LEVELS).max() < POINTS
        # The paths' own sums follow one tie for all intervals: near, and nearer than they were.
        off = np.abs(in_paths - LEVELS).max()
        assert off < 0.03
        if width == 1.0 and said_share != true_share:
            assert off < np.abs(raw.mean(axis=0) - LEVELS).max() / 2
    single = norm.cdf(quantiles(paths), mean[n:, None, None], sd[n:, None, None]).mean(axis=0)
    assert np.abs(single - LEVELS).max() < POINTS


def test_classes_and_steps_are_corrected_each_in_its_own_way():
    rng = np.random.default_rng(1)
    n = 6000
    actual = rng.normal(100, 10, (n, 2))
    said = rng.normal(100, 10, (n, SAMPLES, 2))
    said[: n // 2, :, 1] += 15
    said[n // 2 :, :, 0] = 100 + 3 * (said[n // 2 :, :, 0] - 100)
    both = kinds(n, False)
    both.classes[n // 2 :] = INTERMITTENT
    paths = ConformalCalibrator().learn(said, actual, both).apply(said, both, root=0)
    for half in (slice(0, n // 2), slice(n // 2, n)):
        covered = norm.cdf(quantiles(paths[half]), 100, 10).mean(axis=0)
        assert np.abs(covered - LEVELS).max() < POINTS


def test_good_forecasts_are_left_alone():
    rng = np.random.default_rng(2)
    said, actual = rng.normal(100, 10, (4000, SAMPLES, 2)), rng.normal(100, 10, (4000, 2))
    paths = (
        ConformalCalibrator().learn(said, actual, kinds(4000, False)).apply(said, kinds(4000, False), root=0)
    )
    assert np.abs(np.sort(paths, axis=1) - np.sort(said, axis=1)).mean() < 0.5


def test_quantiles_never_cross_and_are_never_negative():
    rng = np.random.default_rng(3)
    said, actual = rng.gamma(1, 2, (3000, 50, 3)), rng.gamma(0.3, 3, (3000, 3))
    paths = (
        ConformalCalibrator().learn(said, actual, kinds(3000, False)).apply(said, kinds(3000, False), root=0)
    )
    assert (paths >= 0).all()
    assert (np.diff(quantiles(paths), axis=2) >= 0).all()


def test_the_order_of_paths_stays_where_buckets_are_not_retied():
    rng = np.random.default_rng(4)
    common = rng.normal(size=(3000, 50, 1))
    said = 100 + 10 * np.repeat(common, 2, axis=2)
    actual = 130 + 10 * np.repeat(rng.normal(size=(3000, 1)), 2, axis=1)
    calibrator = ConformalCalibrator().learn(said, actual, kinds(3000, False))
    paths = calibrator.apply(said, kinds(3000, False), root=0)
    assert calibrator.ties[SMOOTH] == 0
    assert (np.argsort(paths, axis=1) == np.argsort(said, axis=1)).mean() > 0.99
    assert paths.mean() == pytest.approx(130, abs=1)


def test_unknown_outcomes_count_for_nothing():
    rng = np.random.default_rng(6)
    said, actual = rng.normal(100, 5, (3000, 50, 2)), rng.normal(100, 10, (3000, 2))
    wild = actual.copy()
    unknown = rng.random(actual.shape) < 0.3
    wild[unknown] = np.nan
    paths = (
        ConformalCalibrator().learn(said, wild, kinds(3000, False)).apply(said, kinds(3000, False), root=0)
    )
    covered = norm.cdf(quantiles(paths), 100, 10).mean(axis=0)
    assert np.abs(covered - LEVELS).max() < POINTS


def test_too_little_to_learn_from_changes_nothing():
    rng = np.random.default_rng(7)
    said = rng.poisson(5, (10, 30, 4)).astype(np.float32)
    few = kinds(10, True)
    calibrator = ConformalCalibrator().learn(said, rng.poisson(50, (10, 4)), few)
    assert np.array_equal(calibrator.apply(said, few, root=0), said)
    assert np.array_equal(ConformalCalibrator().apply(said, few, root=0), said)
    empty = kinds(0, True)
    learnt_nothing = ConformalCalibrator().learn(said[:0], np.zeros((0, 4)), empty)
    assert np.array_equal(learnt_nothing.apply(said, few, root=0), said)


def test_nothing_but_zeros_stays_nothing_but_zeros():
    rng = np.random.default_rng(8)
    said, actual = rng.poisson(1, (2000, 50, 2)), rng.poisson(4, (2000, 2))
    said[:100] = 0
    paths = (
        ConformalCalibrator().learn(said, actual, kinds(2000, True)).apply(said, kinds(2000, True), root=0)
    )
    assert not paths[:100].any()
    assert paths[100:].mean() > 3


def test_sums_that_were_not_learnt_are_refused():
    with pytest.raises(UsageError, match="first < last"):
        ConformalCalibrator([(3, 3)])
    model = Calibrated(MovingAverage, horizon=4, intervals=[(0, 2)]).fit(shop(n=30))
    with pytest.raises(UsageError, match=r"\(0, 2\)"):
        model.total_quantile(draw(model), 1, 3, [0.5])
    with pytest.raises(UsageError, match="all series"):
        model.total_quantile(draw(model).take(np.array([0])), 0, 2, [0.5])
    assert model.total_quantile(draw(model), 0, 2, [0.5, 0.9]).shape == (30, 2)


class TooNarrow(MovingAverage):
    """Half as wide as it should be."""

    def _sample_rows(self, rows, horizon, n_samples, root):
        paths, expected = super()._sample_rows(rows, horizon, n_samples, root)
        return np.rint(0.5 * paths + 0.5 * expected[:, None, :]), expected


def test_a_forecaster_that_is_too_narrow_is_widened():
    rng = np.random.default_rng(9)
    level = rng.uniform(20, 60, (80, 1))
    demand = rng.negative_binomial(6, 6 / (6 + level), (80, 126)).astype(np.float32)
    panel, future = Panel.from_arrays(demand[:, :120]), demand[:, 120:]

    def inside(model):
        bounds = draw(model.fit(panel), horizon=6, samples=200).quantile([0.1, 0.9])
        return ((future >= bounds[:, :, 0]) & (future <= bounds[:, :, 1])).mean()

    assert inside(TooNarrow()) < 0.65
    corrected = Calibrated(TooNarrow, horizon=6)
    assert 0.75 < inside(corrected) < 0.88
    assert corrected.gain > 0


class WrongOnce(MovingAverage):
    """Twice too high at one past origin."""

    def _sample_rows(self, rows, horizon, n_samples, root):
        paths, expected = super()._sample_rows(rows, horizon, n_samples, root)
        factor = np.float32(2.0 if self.panel.n_buckets == 108 else 1.0)
        return np.rint(paths * factor), expected * factor


def test_what_was_wrong_once_is_not_corrected():
    panel = Panel.from_arrays(np.random.default_rng(10).poisson(30, (60, 120)))
    model = Calibrated(WrongOnce, horizon=6).fit(panel)
    plain = WrongOnce().fit(panel)
    assert draw(model).paths.mean() == pytest.approx(draw(plain).paths.mean(), rel=0.03)


def test_each_origin_is_forecast_by_a_fresh_fit():
    fitted_on = []

    class Ages(MovingAverage):
        local = False

        def fit(self, panel):
            fitted_on.append(panel.n_buckets)
            return super().fit(panel)

        def update(self, panel):
            raise AssertionError("a model that has aged teaches nothing of a fresh one")

    Calibrated(Ages, horizon=5).fit(Panel.from_arrays(np.random.default_rng(0).poisson(9, (40, 100))))
    assert fitted_on == [80, 85, 90, 95, 100]


def test_of_a_good_forecast_little_is_changed():
    demand = np.random.default_rng(12).poisson(30, (80, 120))
    model = Calibrated(MovingAverage, horizon=6).fit(Panel.from_arrays(demand))
    plain = MovingAverage().fit(Panel.from_arrays(demand))
    gap = np.abs(np.sort(draw(model).paths, axis=1) - np.sort(draw(plain).paths, axis=1)).mean()
    assert 0.0 <= model.trust <= 1.0
    assert gap < 0.03 * 30


def test_half_trusted_is_half_way():
    rng = np.random.default_rng(13)
    said, actual = rng.normal(100, 5, (3000, 50, 2)), rng.normal(120, 5, (3000, 2))
    alike = kinds(3000, False)
    learnt = ConformalCalibrator().learn(said, actual, alike)
    full = learnt.apply(said, alike, root=0).mean()
    half = learnt.shrink(0.5).apply(said, alike, root=0).mean()
    assert full == pytest.approx(120, abs=1)
    assert half == pytest.approx(110, abs=1.5)
    assert learnt.shrink(0.0).idle


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_promise(check):
    check(partial(Calibrated, MovingAverage, horizon=4))
