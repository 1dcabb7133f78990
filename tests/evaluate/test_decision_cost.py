"""The judge of orders: better forecasts cost less, nothing later is looked at, cost chooses as it should."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.evaluate.decision_cost import REVIEWS, DecisionCost
from shelfwise.evaluate.replay import Shop
from shelfwise.forecast.auto import AutoForecaster
from shelfwise.forecast.moving_average import MovingAverage
from shelfwise.forecast.scenarios import Scenarios
from shelfwise.replenish.order_up_to import ScenarioOrderUpTo
from shelfwise.simulate import Costs, SupplyTerms

N = 30


def panel(seed: int = 0) -> Panel:
    return Panel.from_arrays(np.random.default_rng(seed).poisson(8, (N, 80)))


def shop_of(n: int, lead=2, holding: float = 0.2, shortage: float = 1.0) -> Shop:
    costs = Costs.same(n, holding=holding, shortage=shortage)
    return Shop(SupplyTerms.same(n, lead_time_buckets=lead), costs, np.zeros(n))


def judge_of(given: Panel, **options) -> DecisionCost:
    return DecisionCost(given, shop_of(given.n_series, **options), ScenarioOrderUpTo())


def said(given: Panel, origin: int, horizon: int, factor: float = 1.0) -> Scenarios:
    drawn = MovingAverage().fit(given.until(origin)).sample(horizon, 100, np.random.default_rng(1))
    return replace(drawn, paths=np.float32(factor) * drawn.paths)


def test_forecasts_of_the_wrong_level_cost_more():
    given = panel()
    judge = judge_of(given)
    cost = {factor: judge(60, said(given, 60, judge.horizon, factor)).sum() for factor in (0.3, 1.0, 3.0)}
    assert cost[1.0] < 0.7 * min(cost[0.3], cost[3.0])


def test_holding_and_shortage_are_weighed_by_the_shops_own_costs():
    given = panel()
    dear, cheap = judge_of(given, shortage=20.0), judge_of(given, shortage=0.21)
    plenty, little = (said(given, 60, dear.horizon, factor) for factor in (1.6, 0.6))
    assert dear(60, plenty).sum() < dear(60, little).sum()
    assert cheap(60, plenty).sum() > cheap(60, little).sum()


def test_what_happens_after_the_judged_buckets_changes_nothing():
    given = panel()
    judge = judge_of(given)
    changed = given.demand.copy()
    changed[:, 50 + judge.horizon + 6 :] = 500
    other = judge_of(replace(given, demand=changed, sold=np.nan_to_num(changed)))
    scenarios = said(given, 50, judge.horizon)
    assert np.array_equal(judge(50, scenarios), other(50, scenarios))


def test_any_order_of_series_and_any_part_of_them_can_be_judged():
    given = panel()
    judge = judge_of(given)
    scenarios = said(given, 55, judge.horizon)
    rows = np.array([7, 2, 19])
    assert judge(55, scenarios.take(rows)) == pytest.approx(judge(55, scenarios)[rows])


def test_the_few_with_long_lead_times_are_not_replayed():
    given = panel()
    lead = np.full(N, 2)
    lead[:3] = 40
    judge = judge_of(given, lead=lead)
    assert judge.horizon == 3 + REVIEWS - 1
    cost = judge(60, said(given, 60, judge.horizon))
    assert not cost[:3].any()
    assert (cost[3:] > 0).all()


def test_auto_by_cost_takes_the_model_whose_orders_cost_least():
    class Scaled(MovingAverage):
        def __init__(self, factor):
            super().__init__()
            self.factor = factor

        def _sample_rows(self, rows, horizon, n_samples, root):
            paths, mean = super()._sample_rows(rows, horizon, n_samples, root)
            return self.factor * paths, self.factor * mean

    models = {"low": lambda: Scaled(np.float32(0.4)), "right": MovingAverage}
    auto = AutoForecaster(models=models, by="cost", horizon=4, judge=judge_of).fit(panel())
    table = auto.report().table
    best = table.filter(table["weight"] > 0)
    assert best["model"].to_list() == ["right"]
    assert "simulated cost" in auto.report().sentence
    assert "模拟订单成本" in auto.report("zh").sentence


def test_history_too_short_for_orders_is_said_and_pinball_decides():
    short = panel().until(12)
    auto = AutoForecaster(models=["moving_average", "tsb"], by="cost", judge=judge_of).fit(short)
    assert "too short to judge orders" in auto.report().sentence


def test_cost_without_a_judge_is_refused():
    with pytest.raises(UsageError, match="judge"):
        AutoForecaster(by="cost")
