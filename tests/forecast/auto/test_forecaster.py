"""`AutoForecaster`: the right winners, honest reasons, and a budget that holds."""

from __future__ import annotations

import sys
from typing import ClassVar

import numpy as np
import pytest

from checks.forecaster_checks import draw, same, shop
from shelfwise.buckets import Bucket
from shelfwise.demand.panel import Panel
from shelfwise.errors import MissingExtra, UsageError
from shelfwise.forecast.auto import AutoForecaster
from shelfwise.forecast.auto.candidates import PRESETS, candidates_for
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.moving_average import MovingAverage
from shelfwise.forecast.naive import SeasonalNaive
from shelfwise.forecast.register import FORECASTERS

DAY = Bucket("day")


def weekly_pattern(n=40, weeks=20, seed=0):
    pattern = np.tile([8, 8, 9, 9, 12, 20, 18], weeks)
    return np.random.default_rng(seed).poisson(pattern, (n, 7 * weeks)).astype(np.float32)


class Always(Forecaster):
    """The same level for ever, with Poisson noise a series, sample and step."""

    name: ClassVar[str] = "always"

    def __init__(self, level):
        super().__init__()
        self.level = level

    def fit(self, panel):
        self.panel = panel
        return self

    def _sample_rows(self, rows, horizon, n_samples, root):
        paths = np.stack(
            [
                np.random.default_rng([root, int(self.panel.series_ids[row])]).poisson(
                    self.level, (n_samples, horizon)
                )
                for row in rows
            ]
        ).astype(np.float32)
        return paths, np.full((len(rows), horizon), self.level, np.float32)


class Breaks(MovingAverage):
    def fit(self, panel):
        raise ZeroDivisionError("out of luck")


class NeedsMore(MovingAverage):
    def fit(self, panel):
        raise MissingExtra("nothing", "more")


class SaysNaN(MovingAverage):
    def _sample_rows(self, rows, horizon, n_samples, root):
        paths, expected = super()._sample_rows(rows, horizon, n_samples, root)
        paths[0] = np.nan
        return paths, expected


def test_each_class_gets_the_model_that_suits_it():
    rare = np.random.default_rng(1).poisson(0.25, (40, 140)).astype(np.float32)
    panel = Panel.from_arrays(np.vstack([weekly_pattern(), rare]), bucket=DAY)
    auto = AutoForecaster(models={"seven": lambda: SeasonalNaive(7), "mean": MovingAverage}).fit(panel)
    table = auto.report().table
    best = {row["class"]: row for row in table.iter_rows(named=True) if row["weight"] > 0.5}
    assert best["smooth"]["model"] == "seven"
    assert best["intermittent"]["model"] == "mean"
    assert set(table["class"].unique()) <= {"smooth", "erratic", "intermittent", "lumpy"}
    assert table.filter(table["class"] == "smooth")["series"][0] >= 20


def test_two_biased_models_are_blended_and_the_blend_is_better():
    rng = np.random.default_rng(3)
    # Half of the buckets are quiet, half are loud, in no order: neither model alone says so.
    loud = rng.random((60, 120)) < 0.5
    demand = rng.poisson(np.where(loud, 30, 10)).astype(np.float32)
    models = {"low": lambda: Always(10.0), "high": lambda: Always(30.0)}
    panel = Panel.from_arrays(demand, bucket=DAY)
    auto = AutoForecaster(models=models, horizon=14).fit(panel)
    table = auto.report().table
    weights = dict(zip(table["model"], table["weight"], strict=True))
    assert abs(weights["low"] - 0.5) < 0.1
    assert weights["low"] + weights["high"] == pytest.approx(1)
    assert table["why"].str.contains("beats the best alone").all()
    scenarios = draw(auto, samples=100, horizon=6)
    assert set(scenarios.models) == {"low+high"}
    high = (scenarios.paths > 19).mean()
    assert abs(high - weights["high"]) < 0.03
    assert scenarios.mean() == pytest.approx(scenarios.paths.mean(axis=1), rel=0.2)


def test_paths_come_whole_from_one_member():
    models = {"low": lambda: Always(10.0), "high": lambda: Always(1000.0)}
    demand = np.where(np.random.default_rng(0).random((60, 90)) < 0.5, 10.0, 1000.0)
    auto = AutoForecaster(models=models, horizon=10).fit(Panel.from_arrays(demand, bucket=DAY))
    large = draw(auto, samples=50, horizon=5).paths > 300
    assert (large.all(axis=2) | ~large.any(axis=2)).all()
    assert 0 < large.mean() < 1


def test_by_wape_ranks_by_the_mean():
    panel = Panel.from_arrays(np.random.default_rng(0).poisson(9, (30, 90)), bucket=DAY)
    models = {"off": lambda: Always(14.0), "right": lambda: Always(9.0)}
    auto = AutoForecaster(models=models, by="wape", horizon=10).fit(panel)
    table = auto.report().table
    assert table["model"][0] == "right"
    assert table["weight"][0] == 1
    assert table["score"][0] == pytest.approx(2.4 / 9, rel=0.1)


def test_scores_are_pinball_loss_over_demand():
    panel = Panel.from_arrays(np.full((20, 60), 10.0), bucket=DAY)
    auto = AutoForecaster(models={"a": lambda: Always(10.0), "b": lambda: Always(20.0)}, horizon=5).fit(panel)
    table = auto.report().table
    # E|X - 10| / 2 - E|X - X'| / 4 of Poisson(10) is 0.366 of a unit, of 10 units demanded.
    assert table["score"][0] == pytest.approx(0.0366, abs=0.005)


def test_the_clock_decides_nothing_without_a_budget():
    def no_clock():
        raise AssertionError("the clock was read")

    panel = shop()
    names = ["moving_average", "seasonal_naive", "sba"]
    first = AutoForecaster(models=names, clock=no_clock).fit(panel)
    second = AutoForecaster(models=names, clock=no_clock).fit(panel)
    assert first.report().table.equals(second.report().table)
    assert same(draw(first), draw(second))


def test_a_model_too_dear_is_not_started():
    began = []

    class Slow(MovingAverage):
        def fit(self, panel):
            began.append(panel.n_series)
            time[0] += 0.5 * panel.n_series
            return super().fit(panel)

    time = [0.0]
    panel = Panel.from_arrays(weekly_pattern(200), bucket=DAY)
    models = {"seven": lambda: SeasonalNaive(7), "slow": Slow}
    auto = AutoForecaster(time_budget_seconds=300, models=models, clock=lambda: time[0]).fit(panel)
    # Only the probes were fitted, and brought up to date: 2, 32 and 128 series.
    assert began == [2, 2, 32, 32, 128, 128]
    row = auto.report().table.filter(auto.report().table["model"] == "slow").row(0, named=True)
    assert row["score"] is None
    assert "predicted" in row["why"]
    generous = AutoForecaster(time_budget_seconds=10_000, models=models, clock=lambda: time[0]).fit(panel)
    assert generous.report().table.filter(generous.report().table["model"] == "slow")["score"][0] > 0


def test_the_last_fit_is_paid_from_the_budget_too():
    time = [0.0]

    def costs(seconds):
        class Costs(MovingAverage):
            local = False

            def fit(self, panel):
                time[0] += seconds * panel.n_series
                return super().fit(panel)

        return Costs

    panel = Panel.from_arrays(np.random.default_rng(0).poisson(9, (100, 80)), bucket=DAY)
    models = {"a": costs(0.1), "b": costs(0.1), "c": costs(0.1)}
    auto = AutoForecaster(time_budget_seconds=190, models=models, clock=lambda: time[0]).fit(panel)
    assert auto.report().table.filter(auto.report().table["score"].is_null())["model"].to_list() == ["c"]
    assert time[0] <= 190


def test_a_model_that_is_not_installed_costs_no_budget(monkeypatch):
    panel = Panel.from_arrays(weekly_pattern(60), bucket=DAY)
    monkeypatch.setitem(sys.modules, "torch", None)
    names = ["moving_average", "lstm", "gru", "theta"]
    # Enough for one network, were it there.
    auto = AutoForecaster(time_budget_seconds=20, models=names).fit(panel)
    why = {row["model"]: row["why"] for row in auto.report("zh").table.iter_rows(named=True)}
    assert "未安装 torch" in why["lstm"]
    assert "shelfwise[deep]" in why["gru"]
    competing = auto.report().table.filter(auto.report().table["score"].is_not_null())
    assert set(competing["model"]) == {"moving_average", "theta"}


def test_networks_compete_where_there_is_enough_to_learn_from_and_time():
    pytest.importorskip("torch")
    learnable, young, large = (
        Panel.from_arrays(np.ones(shape)) for shape in ((40, 110), (400, 50), (1001, 60))
    )
    labels = [candidate.label for candidate in candidates_for(learnable, None)[0]]
    assert labels.index("gbm") < labels.index("lstm") < labels.index("gru")
    assert candidates_for(young, None)[1]["gru"] == "too_little_history"
    assert candidates_for(large, None)[1]["lstm"] == "too_many_series"
    panel = Panel.from_arrays(weekly_pattern(40, 16), bucket=DAY)
    report = AutoForecaster(time_budget_seconds=3, models=["moving_average", "gru"]).fit(panel).report()
    assert "Not in the competition: gru (not started" in report.sentence


def test_no_budget_left_at_all_means_the_cheapest():
    auto = AutoForecaster(time_budget_seconds=1e-6).fit(shop())
    report = auto.report()
    assert "No competition" in report.sentence
    assert set(draw(auto).models) == {"moving_average"}
    assert report.table.filter(report.table["weight"] > 0)["model"].to_list() == ["moving_average"]


@pytest.mark.parametrize("broken", [Breaks, NeedsMore, SaysNaN])
def test_a_model_that_breaks_is_left_out_and_said(broken):
    auto = AutoForecaster(models={"good": MovingAverage, "bad": broken}).fit(shop())
    row = auto.report().table.filter(auto.report().table["model"] == "bad").row(0, named=True)
    assert row["weight"] == 0
    assert row["score"] is None
    assert set(draw(auto).models) == {"good"}
    assert "bad" in auto.report().sentence


def test_what_the_user_can_put_right_is_raised_when_nothing_else_is_left():
    with pytest.raises(MissingExtra):
        AutoForecaster(models={"bad": NeedsMore}).fit(shop())
    with pytest.raises(UsageError, match="seasonal_naive"):
        AutoForecaster(models=["season"]).fit(shop())
    with pytest.raises(UsageError, match="empty"):
        AutoForecaster(models=[]).fit(shop())
    with pytest.raises(UsageError, match="time_budget_seconds"):
        AutoForecaster(time_budget_seconds=0)
    with pytest.raises(UsageError, match="pinball, wape"):
        AutoForecaster(by="rmse")


def test_a_single_broken_model_is_replaced_and_said():
    auto = AutoForecaster(models={"bad": Breaks}).fit(shop())
    assert "out of luck" in auto.report().sentence
    assert np.isfinite(draw(auto).paths).all()


def test_one_spike_does_not_choose_for_all():
    demand = np.random.default_rng(4).poisson(9, (30, 90)).astype(np.float32)
    demand[0, 85] = 1e6
    models = {"right": lambda: Always(9.0), "high": lambda: Always(60.0)}
    auto = AutoForecaster(models=models, horizon=10).fit(Panel.from_arrays(demand, bucket=DAY))
    table = auto.report().table.filter(auto.report().table["class"] == "smooth")
    assert table["model"][0] == "right"
    assert table["weight"][0] == 1


def test_candidates_fit_the_data():
    small = Panel.from_arrays(np.ones((5, 60)))
    large = Panel.from_arrays(np.ones((500, 60)))
    chosen, left_out = candidates_for(small, None)
    assert "arima" in [candidate.label for candidate in chosen]
    assert left_out["gbm"] == "too_little_history"
    chosen, left_out = candidates_for(large, None)
    assert "gbm" in [candidate.label for candidate in chosen]
    assert left_out["arima"] == "too_many_series"
    assert {preset.model for preset in PRESETS} <= set(FORECASTERS)


def test_classes_move_on_with_new_buckets():
    demand = np.full((21, 120), np.nan)
    demand[:20] = weekly_pattern(20, 18)[:, :120]
    demand[20, 80:] = 8.0
    panel = Panel.from_arrays(demand, bucket=DAY)
    auto = AutoForecaster(models={"seven": lambda: SeasonalNaive(7), "mean": MovingAverage})
    auto.fit(panel.until(90))
    assert auto.report().table.filter(auto.report().table["class"] == "new")["series"][0] == 1
    names = draw(auto.update(panel)).models
    assert names[20] == names[0]


def test_report_speaks_both_languages():
    auto = AutoForecaster(models=["moving_average", "sba"]).fit(shop())
    english, chinese = auto.report("en"), auto.report("zh")
    assert english.table.select("model", "score", "weight").equals(
        chinese.table.select("model", "score", "weight")
    )
    assert "competed" in english.sentence
    assert "loss over demand: " in english.sentence
    assert "需求" in chinese.sentence
    assert english.sentence in str(english)


@pytest.mark.parametrize("demand", [[[np.nan, 3.0, np.nan]], [[np.nan] * 3] * 2, [[5.0]]])
def test_with_next_to_nothing_known_the_cheapest_model_stands_alone(demand):
    auto = AutoForecaster().fit(Panel.from_arrays(np.array(demand)))
    assert [member.name for member in auto.members] == ["moving_average"]
    assert np.isfinite(auto.sample(3, 20, np.random.default_rng(0)).paths).all()
    assert "moving_average." in str(auto.report())
