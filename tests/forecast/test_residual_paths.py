"""Residual paths: dependence, borrowed paths, means, and series nothing is known about."""

from __future__ import annotations

import numpy as np
import pytest

from shelfwise.buckets import Bucket
from shelfwise.demand.panel import Panel
from shelfwise.forecast.kernels.residuals import draw_paths
from shelfwise.forecast.moving_average import MovingAverage
from shelfwise.forecast.naive import SeasonalNaive
from shelfwise.forecast.residual_paths import NO_HISTORY, NO_HISTORY_AT_ALL
from shelfwise.forecast.residual_pool import ORIGINS, past_origins
from shelfwise.forecast.scenarios import Scenarios
from shelfwise.messages import Said


def draw(
    model: MovingAverage | SeasonalNaive, demand: np.ndarray, horizon: int = 4, samples: int = 200
) -> Scenarios:
    return model.fit(Panel.from_arrays(demand)).sample(horizon, samples, np.random.default_rng(0))


def persistent_demand(rng: np.random.Generator, n: int, buckets: int) -> np.ndarray:
    """Poisson demand whose log level is a stationary AR(1) with slow decay."""
    level = np.zeros((n, buckets))
    level[:, 0] = rng.normal(0, 0.3, n)
    for t in range(1, buckets):
        level[:, t] = 0.9 * level[:, t - 1] + rng.normal(0, 0.3 * np.sqrt(1 - 0.81), n)
    return rng.poisson(40 * np.exp(level)).astype(np.float64)


@pytest.mark.parametrize("model", [MovingAverage(), SeasonalNaive()])
def test_dependence_between_buckets_is_kept(model: MovingAverage | SeasonalNaive) -> None:
    rng = np.random.default_rng(4)
    demand = persistent_demand(rng, 300, 160)
    scenarios = draw(model, demand[:, :156])
    missed = demand[:, 156:].sum(axis=1) - scenarios.mean().sum(axis=1)
    realised = missed.std()
    totals = scenarios.total(0, 4)
    joint = np.sqrt(totals.var(axis=1).mean())
    independent = np.sqrt(scenarios.paths.var(axis=1).sum(axis=1).mean())
    assert abs(joint - realised) < abs(independent - realised)
    assert abs(joint / realised - 1) < 0.25
    assert independent < 0.8 * realised


def test_masked_steps_are_filled_from_the_same_step_of_other_paths() -> None:
    nan = np.nan
    bank = np.array([[1, nan, 3], [1, 5, nan], [1, 6, nan]], np.float32)
    out = np.zeros((1, 400, 3), np.float32)
    one, zero = np.ones(1), np.zeros(1, np.int64)
    point = np.full((1, 3), 100, np.float32)
    series = np.ones(1, np.uint64)
    draw_paths(point, bank, zero, zero + 3, one, one < 0, series, np.uint64(1), zero, out)
    seen = [np.unique(np.rint(out[0, :, h] * (100 + mean) / 100 - 100)) for h, mean in enumerate((1, 5.5, 3))]
    assert [values.tolist() for values in seen] == [[1], [5, 6], [3]]
    five, six = (np.isclose(out[0, :, 1] * 1.055 - 100, value, atol=0.1).mean() for value in (5, 6))
    assert five == pytest.approx(0.5, abs=0.1)
    assert five + six == 1


@pytest.mark.parametrize("level", [0.3, 1.0, 5.0, 50.0])
def test_clipping_does_not_raise_the_mean(level: float) -> None:
    demand = np.random.default_rng(8).poisson(level, (150, 104))
    scenarios = draw(MovingAverage(), demand)
    assert scenarios.paths.mean() == pytest.approx(scenarios.mean().mean(), rel=0.03)


def test_fractions_stay_fractions_and_counts_stay_counts() -> None:
    demand = np.random.default_rng(8).poisson(3, (2, 60)) * np.array([[1.0], [0.37]])
    paths = draw(MovingAverage(), demand).paths
    assert np.array_equal(paths[0], np.rint(paths[0]))
    assert not np.array_equal(paths[1], np.rint(paths[1]))


def test_a_dormant_item_may_wake_up() -> None:
    demand = np.random.default_rng(8).poisson(3, (20, 80))
    demand[:, -15:] = 0
    scenarios = draw(MovingAverage(), demand)
    assert scenarios.mean().max() == 0
    assert scenarios.paths.max() > 0


def test_one_spike_in_the_past_does_not_end_ordinary_demand() -> None:
    demand = np.random.default_rng(8).poisson(20, (1, 104)).astype(float)
    demand[0, 40] = 1e6
    assert np.median(draw(MovingAverage(), demand, samples=500).paths) > 8


def test_origins_reach_two_years_back_and_no_further() -> None:
    demand = np.random.default_rng(8).poisson(20, (1, 5 * 52)).astype(float)
    calm = draw(MovingAverage(), demand)
    demand[0, :60] *= 50
    assert np.array_equal(draw(MovingAverage(), demand).paths, calm.paths)


@pytest.mark.parametrize(
    ("buckets", "steps", "span"), [(800, 28, 730), (420, 28, 730), (30, 4, 104), (2, 1, 104)]
)
def test_past_origins_lie_in_history(buckets: int, steps: int, span: int) -> None:
    origins = past_origins(buckets, steps, span)
    assert 0 < len(origins) <= ORIGINS
    assert origins[-1] == buckets - steps
    assert origins[0] >= max(1, buckets - steps - span + 1)
    assert len(set(np.diff(origins))) <= 1


def test_a_horizon_longer_than_residual_paths_keeps_its_spread() -> None:
    demand = np.random.default_rng(8).poisson(20, (40, 30))
    spread = draw(MovingAverage(), demand, horizon=40).paths.std(axis=1).mean(axis=0)
    assert spread[:10].mean() == pytest.approx(spread[-10:].mean(), rel=0.15)


def young_shop(seen: int) -> np.ndarray:
    """Items of many levels, the last ten of them on record for `seen` buckets."""
    rng = np.random.default_rng(2)
    level = np.append(rng.gamma(2, 10, 60), np.full(10, 20.0))
    demand = rng.negative_binomial(4, 4 / (4 + level[:, None]), (70, 100)).astype(float)
    demand[60:, : 100 - seen] = np.nan
    return demand


def test_the_less_is_known_the_wider_the_paths() -> None:
    variation = []
    for seen in (1, 4, 60):
        scenarios = draw(MovingAverage(), young_shop(seen), samples=400).take(np.arange(60, 70))
        variation.append(np.mean(scenarios.total(0, 4).std(axis=1) / scenarios.mean().sum(axis=1)))
    assert variation[0] > 1.15 * variation[1] > 1.3 * variation[2]


def test_young_series_cover_what_comes() -> None:
    rng = np.random.default_rng(3)
    level = rng.gamma(2, 15, (200, 1))
    demand = rng.negative_binomial(5, 5 / (5 + level), (200, 104)).astype(float)
    demand[100:, :98] = np.nan
    bounds = draw(MovingAverage(), demand[:, :100]).quantile([0.1, 0.9])[100:]
    inside = (demand[100:, 100:, None] >= bounds[:, :, :1]) & (demand[100:, 100:, None] <= bounds[:, :, 1:])
    assert 0.68 <= inside.mean() <= 0.94


def test_borrowed_paths_come_from_series_of_similar_level() -> None:
    rng = np.random.default_rng(3)
    demand = np.vstack([np.full((40, 90), 10.0), rng.poisson(10, (40, 90)) * 100.0, np.full((1, 90), 10.0)])
    demand[80, :85] = np.nan
    assert (draw(MovingAverage(), demand).paths[80] == 10).all()


def test_without_history_the_shops_launches_stand_in() -> None:
    rng = np.random.default_rng(6)
    demand = rng.poisson(30, (41, 80)).astype(float)
    demand[20:40, :50] = np.nan
    demand[20:40, 50:] = rng.poisson(np.arange(5, 25)[:, None], (20, 30))
    demand[40] = np.nan
    model = MovingAverage()
    scenarios = draw(model, demand, samples=500)
    first_buckets = np.median(demand[20:40, 50:54].mean(axis=1))
    assert model.failures == {40: Said(NO_HISTORY)}
    assert scenarios.mean()[40] == pytest.approx([first_buckets] * 4)
    assert scenarios.paths[40].mean() == pytest.approx(first_buckets, rel=0.2)
    assert scenarios.paths[40].std() > 5


def test_without_any_history_in_the_shop_nothing_is_expected() -> None:
    model = SeasonalNaive()
    assert draw(model, np.full((3, 20), np.nan)).paths.max() == 0
    assert model.failures == dict.fromkeys(range(3), Said(NO_HISTORY_AT_ALL))


def test_an_item_that_has_ended_is_no_failure() -> None:
    panel = Panel.from_arrays(np.vstack([np.full(20, np.nan), np.ones(20)]))
    panel.ends[0] = 20
    assert MovingAverage().fit(panel).failures == {}


def test_with_little_to_learn_from_the_level_itself_is_in_doubt() -> None:
    totals = draw(MovingAverage(), np.array([[6.0, 4.0]]), samples=2000).total(0, 4)[0]
    assert totals.mean() == pytest.approx(20, rel=0.1)
    assert totals.std() == pytest.approx(20, rel=0.2)


def test_daily_and_monthly_buckets() -> None:
    demand = np.random.default_rng(1).poisson(6, (4, 50))
    for name in ("day", "month"):
        panel = Panel.from_arrays(demand, bucket=Bucket(name))
        for model in (MovingAverage(), SeasonalNaive()):
            paths = model.fit(panel).sample(6, 50, np.random.default_rng(0)).paths
            assert 4 < paths.mean() < 8
