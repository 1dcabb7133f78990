"""Objectives, strategies and weights of the boosted model, and what they must not disturb."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np
import pytest

from shelfwise.buckets import Bucket
from shelfwise.demand.behaviour import Observed
from shelfwise.demand.panel import Known, Panel
from shelfwise.errors import UsageError
from shelfwise.forecast.gbm.booster import OBJECTIVES, TreeSettings, _squared_error_of_log_mean
from shelfwise.forecast.gbm.features import FeatureTable
from shelfwise.forecast.gbm.forecaster import GradientBoosting
from shelfwise.forecast.gbm.recursion import recursive_mean
from shelfwise.forecast.gbm.sampling import SETTLING_SHARE, every_step, training_triples
from shelfwise.forecast.gbm.spread import Spread

SERIES, DAYS, HORIZON = 24, 112, 14
WEEK = np.array([1.0, 0.8, 0.8, 1.0, 1.4, 2.2, 1.8])


def daily(trend: float = 0.0) -> Panel:
    rng = np.random.default_rng(4)
    level = rng.uniform(2, 30, (SERIES, 1)) * np.exp(trend * np.arange(DAYS) / DAYS)
    demand = rng.poisson(level * WEEK[np.arange(DAYS) % 7]).astype(np.float32)
    return Panel.from_arrays(demand, start=date(2024, 1, 1), bucket=Bucket("day"), horizon=HORIZON)


@cache
def recursive() -> GradientBoosting:
    return GradientBoosting(horizon=HORIZON, strategy="recursive").fit(daily(trend=0.5))


def drawn(model: GradientBoosting, horizon: int = HORIZON, samples: int = 50):
    return model.sample(horizon, samples, np.random.default_rng(3))


@pytest.mark.parametrize("strategy", ["direct", "recursive"])
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_choice_finds_level_and_week(objective, strategy):
    panel = daily()
    model = GradientBoosting(horizon=HORIZON, trees=TreeSettings(objective=objective), strategy=strategy)
    mean = drawn(model.fit(panel)).mean()
    assert mean.sum(axis=0) == pytest.approx(
        panel.demand[:, -56:].mean(axis=1).sum() * WEEK[(DAYS + np.arange(HORIZON)) % 7] / WEEK.mean(),
        rel=0.15,
    )
    assert model.recursive == (strategy == "recursive")


def test_objectives_differ_and_the_number_of_trees_is_what_was_asked_for():
    means = []
    for objective in OBJECTIVES:
        model = GradientBoosting(horizon=7, trees=TreeSettings(objective=objective, rounds=30)).fit(daily())
        assert model.booster.rounds == 30
        means.append(drawn(model, 7).mean())
    assert not np.allclose(means[0], means[1])
    assert not np.allclose(means[1], means[2])


def test_squared_error_has_the_gradient_of_its_loss():
    rng = np.random.default_rng(0)
    level, y = rng.uniform(1, 5, 20), rng.poisson(3, 20).astype(float)
    score, nudge = rng.normal(0.5, 0.3, 20), 1e-6

    class Data:
        def get_label(self):
            return y

        def get_weight(self):
            return None

    def loss(at):
        return (y - np.exp(at)) ** 2 / (2 * level)

    gradient, curvature = _squared_error_of_log_mean(level)(score, Data())
    assert gradient == pytest.approx((loss(score + nudge) - loss(score - nudge)) / (2 * nudge), rel=1e-4)
    assert (curvature > 0).all()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: TreeSettings(objective="mae"), "objective must be one of poisson, tweedie, l2; got 'mae'"),
        (lambda: TreeSettings(rounds=0), "rounds must be at least 1; got 0"),
        (lambda: TreeSettings(variance_power=2.0), "strictly between 1 and 2; got 2.0"),
        (lambda: GradientBoosting(strategy="iterated"), "one of direct, recursive; got 'iterated'"),
        (lambda: GradientBoosting(step_weights=[1.0, 0.0]), "positive numbers"),
        (lambda: GradientBoosting(step_weights=[]), "positive numbers"),
    ],
)
def test_wrong_choices_are_told(make, said):
    with pytest.raises(UsageError, match=said):
        make()


def test_weights_of_steps_change_the_trees_and_even_ones_do_not():
    panel = daily()
    plain = drawn(GradientBoosting(horizon=7).fit(panel), 7).mean()
    even = drawn(GradientBoosting(horizon=7, step_weights=[1.0]).fit(panel), 7).mean()
    first = drawn(GradientBoosting(horizon=7, step_weights=[1.0, 0.01]).fit(panel), 7).mean()
    assert even == pytest.approx(plain, rel=1e-4)
    assert not np.allclose(first, plain, rtol=1e-3)


def test_recursion_feeds_its_first_season_to_the_second_and_nothing_else():
    """The second season from the origin is the first season of a panel that ends with the first one's mean."""
    table, booster = recursive()._table, recursive().booster
    panel = table.panel
    mean = recursive_mean(table, booster, DAYS, HORIZON, 7)
    longer = Panel.from_arrays(
        np.hstack([table.panel.demand, mean[:, :7]]),
        start=panel.start,
        bucket=panel.bucket,
        horizon=HORIZON - 7,
        keys=table.panel.keys,
    )
    seen = FeatureTable(longer, like=table)
    second = booster.mean(seen, every_step(np.arange(SERIES), DAYS + 7, 7)).reshape(SERIES, 7)
    np.testing.assert_array_equal(mean[:, 7:], second)
    first = booster.mean(table, every_step(np.arange(SERIES), DAYS, 7)).reshape(SERIES, 7)
    np.testing.assert_array_equal(mean[:, :7], first)


def test_recursion_from_an_origin_in_the_past_sees_nothing_after_it():
    model = recursive()
    panel = model._table.panel
    changed = panel.demand.copy()
    changed[:, 80:] = 500.0
    other = FeatureTable(replace(panel, demand=changed, sold=changed), like=model._table)
    before = recursive_mean(model._table, model.booster, 80, HORIZON, 7)
    np.testing.assert_array_equal(before, recursive_mean(other, model.booster, 80, HORIZON, 7))


def test_recursion_has_no_signals_ahead_and_chunks_agree():
    rng = np.random.default_rng(1)
    every = np.arange(SERIES, dtype=np.int32)
    views = Observed(rng.poisson(40, (SERIES, DAYS)).astype(np.float32), every)
    price = Known(rng.choice([5.0, 8.0], (SERIES, DAYS + HORIZON)).astype(np.float32), every)
    panel = replace(daily(), observed={"views": views}, known={"price": price})
    model = GradientBoosting(horizon=HORIZON, strategy="recursive").fit(panel)
    whole = drawn(model).paths
    parts = [part.paths for part in model.sample_chunks(HORIZON, 50, np.random.default_rng(3), 7)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))
    assert np.isfinite(whole).all()


def test_a_step_with_a_huge_mean_leaves_the_paths_of_other_steps_alone():
    rng = np.random.default_rng(7)
    actual = rng.poisson(4.0, (600, 3)).astype(np.float32)
    mean = np.full((600, 3), 4.0, np.float32)
    level = rng.uniform(1, 8, 600).astype(np.float32)
    ids = np.arange(600, dtype=np.uint64)
    spread = Spread.learn(actual, mean, level, np.ones(600, np.float32), np.ones(600, bool), ids, 1)
    promoted = mean.copy()
    promoted[:, 1] = 400.0

    def paths(expected):
        return spread.draw(
            expected, level, np.ones(600, np.float32), np.ones(600, bool), 3 * expected, ids, 60, 2
        )

    calm, planned = paths(mean), paths(promoted)
    np.testing.assert_array_equal(planned[:, :, [0, 2]], calm[:, :, [0, 2]])
    assert planned[:, :, 1].mean() > 50 * calm[:, :, 1].mean()


def test_goods_by_weight_among_counts_keep_their_own_spread_in_any_unit():
    rng = np.random.default_rng(1)
    counts = rng.poisson(rng.uniform(0.3, 8, (60, 1)), (60, 118)).astype(np.float64)
    kilograms = rng.gamma(9.0, rng.uniform(0.5, 3.0, (12, 1)) / 9.0, (12, 118)).round(3)
    actual, width = kilograms[:, 110:], {}
    for unit in (1.0, 100.0):
        demand = np.vstack([counts, kilograms * unit])
        model = GradientBoosting(horizon=8).fit(Panel.from_arrays(demand[:, :110]))
        paths = model.sample(8, 300, np.random.default_rng(0)).paths[60:] / unit
        width[unit] = float(np.median(paths.std(axis=1) / paths.mean(axis=1)))
        # Told as counts of kilograms, every eighth path would be 0 and no outcome below the lowest tenth.
        assert (paths < 0.02).mean() < 0.01
        assert 0.03 < (actual < np.quantile(paths, 0.1, axis=1)).mean() < 0.2
    assert 0.25 < width[1.0] < 0.45
    assert width[1.0] == pytest.approx(width[100.0], rel=0.1)


def test_learning_begins_where_the_panel_has_settled():
    known = np.ones((5, 120), bool)
    triples = training_triples(known, 7, 14, 10_000, np.random.default_rng(0))
    assert triples.origins.min() == int(SETTLING_SHARE * 120)
    young = known.copy()
    young[:, :60] = False
    assert training_triples(young, 7, 14, 10_000, np.random.default_rng(0)).origins.min() == 74


@pytest.mark.parametrize(("years", "looks"), [(1.1, False), (1.3, True)])
def test_last_year_is_looked_at_once_enough_of_history_has_one(years, looks):
    demand = np.random.default_rng(2).poisson(5, (3, int(364 * years))).astype(np.float32)
    table = FeatureTable(Panel.from_arrays(demand, bucket=Bucket("day"), horizon=7))
    built = table.build(every_step(np.arange(3), demand.shape[1], 7))
    columns = [table.names.index(name) for name in ("year", "year_growth", "family_year")]
    # Growth over the year before the year is unknown where only a little more than one is there.
    assert np.isfinite(built[:, columns[0]]).all() == looks
    assert np.isfinite(built[:, columns]).any() == looks


def test_age_is_not_told_apart_once_grown_up():
    table = FeatureTable(daily())
    age = table.names.index("age")
    for origin, seen in ((20, 20.0), (56, 56.0), (100, 56.0)):
        assert (table.build(every_step(np.arange(3), origin, 2))[:, age] == seen).all()
