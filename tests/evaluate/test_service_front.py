"""The cost-service front of a backtest: never beaten by its own family, drawn inside its frame."""

from __future__ import annotations

import re

import numpy as np
import pytest

from shelfwise.demand.panel import Panel
from shelfwise.evaluate.replay import Shop
from shelfwise.evaluate.report.charts.front import SIZE, PolicyPoint, front_chart
from shelfwise.evaluate.report.wording import Wording
from shelfwise.evaluate.service_front import COLUMNS, service_front
from shelfwise.simulate import Costs, Levels, StockState, SupplyTerms, simulate


@pytest.fixture(scope="module")
def shop() -> Shop:
    terms = SupplyTerms.same(4, lead_time_buckets=2, review_period_buckets=2, moq=3.0)
    return Shop(terms, Costs.same(4, holding=1.0, shortage=9.0, order=4.0, unit=5.0), np.zeros(4))


def test_no_rule_of_the_family_beats_the_front(shop):
    rng = np.random.default_rng(0)
    past, demand = rng.poisson(5.0, (4, 80)), rng.poisson(5.0, (4, 60)).astype(np.float32)
    start = StockState(np.full(4, 20.0))
    front = service_front(demand, Panel.from_arrays(past), shop, start)
    assert tuple(front.columns) == COLUMNS
    assert front["fill_rate"].is_sorted()
    assert front["cost"].is_sorted()
    mean, sd = past.mean(axis=1), past.std(axis=1)
    lot = np.maximum(np.sqrt(2 * 4.0 * mean), 2 * mean)
    for row in front.iter_rows(named=True):
        point = mean * 4 + row["safety_factor"] * sd * 2
        levels = Levels.min_max(np.maximum(point, 0), np.maximum(point, 0) + row["lot_factor"] * lot)
        run = simulate(demand, shop.terms, shop.operating_costs, start, levels)
        assert (run.holding_cost + run.order_cost).sum() == pytest.approx(row["cost"], rel=1e-6)


def test_everything_drawn_lies_within_the_frame():
    rate, cost = np.linspace(0.7, 0.93, 9), np.geomspace(100.0, 900.0, 9)
    points = [PolicyPoint("ours", 0.9, 500.0, True), PolicyPoint("<rule>", 0.85, 800.0)]
    drawn = str(front_chart(rate, cost, points, Wording("en"), "front", "title", "summary"))
    assert "&lt;rule&gt;" in drawn
    assert "<rule>" not in drawn
    for name, most in (("cx", SIZE[0]), ("cy", SIZE[1])):
        places = [float(value) for value in re.findall(rf'{name}="([^"]+)"', drawn)]
        assert len(places) == 2
        assert all(0 <= place <= most for place in places)
