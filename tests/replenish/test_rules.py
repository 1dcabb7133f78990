"""The rules of today's shops, against arithmetic done by hand."""

from __future__ import annotations

import numpy as np
import pytest

from checks.situations import make_situation
from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.replenish.days_of_cover import DaysOfCover
from shelfwise.replenish.history import recent_rate, seasonal_factors
from shelfwise.replenish.reorder_point import ReorderPoint
from shelfwise.replenish.textbook import Textbook

FLAT = np.full((1, 2, 8), 10.0)


def test_four_weeks_of_the_masked_thirteen_week_average():
    history = np.concatenate([np.full(10, 99.0), np.full(12, 6.0), [np.nan]])[None, :]
    situation = make_situation(FLAT, lead_time=2, on_hand=3.0, receipts=np.eye(1, 8, 1) * 5, history=history)
    decision = DaysOfCover(cover_buckets=4).decide(situation)
    assert decision.figures["target"][0] == 24
    assert decision.quantity[0] == 24 - 3 - 5


def test_cover_defaults_to_lead_time_review_and_one_more():
    situation = make_situation(FLAT, lead_time=2, review=3, history=np.full((1, 20), 5.0))
    assert DaysOfCover().decide(situation).figures["target"][0] == 5 * (2 + 3 + 1)


def test_a_series_without_known_demand_orders_nothing():
    situation = make_situation(FLAT, history=np.full((1, 20), np.nan))
    assert DaysOfCover().decide(situation).quantity[0] == 0
    assert ReorderPoint().decide(situation).quantity[0] == 0


def test_seasonal_cover_follows_the_weekday():
    from shelfwise.buckets import Bucket

    week = np.array([1.0, 1, 1, 1, 1, 2, 7])
    panel = Panel.from_arrays(np.tile(week, 4)[None, :], bucket=Bucket("day"))
    assert seasonal_factors(panel, first=0, count=7) == pytest.approx(week / 2)
    assert recent_rate(panel, 7, seasonal=True).mean[0] == pytest.approx(2.0)


def test_reorder_point_by_hand():
    history = np.tile([8.0, 12.0], 10)[None, :]
    situation = make_situation(FLAT, lead_time=3, on_hand=45.0, history=history[:, :20])
    figures = ReorderPoint(service_level=0.95, window=20).decide(situation).figures
    point = 10 * 4 + 1.6448536269514722 * 2 * 2
    assert figures["reorder_point"][0] == pytest.approx(point)
    assert figures["after_limits"][0] == np.ceil(point - 45 + 10)
    above = make_situation(FLAT, lead_time=3, on_hand=50.0, history=history)
    assert ReorderPoint(window=20).decide(above).quantity[0] == 0


def test_economic_lots_by_hand():
    situation = make_situation(
        FLAT, lead_time=1, on_hand=20.0, history=np.full((1, 20), 10.0), order_cost=8.0, holding=0.1
    )
    assert ReorderPoint(order="eoq").decide(situation).quantity[0] == 40
    lower = make_situation(
        FLAT, lead_time=1, on_hand=-25.0, history=np.full((1, 20), 10.0), order_cost=8.0, holding=0.1
    )
    assert ReorderPoint(order="eoq").decide(lower).quantity[0] == 80


def test_a_random_lead_time_raises_the_reorder_point():
    history = np.full((1, 20), 10.0)
    fixed = ReorderPoint().decide(make_situation(FLAT, lead_time=3, history=history))
    loose = ReorderPoint().decide(make_situation(FLAT, lead_time=3, history=history, lead_time_sd=1.0))
    gap = loose.figures["reorder_point"][0] - fixed.figures["reorder_point"][0]
    assert gap == pytest.approx(1.6448536269514722 * 10)


def test_textbook_by_hand():
    paths = np.random.default_rng(1).normal(50, 8, (1, 20_000, 4))
    decision = Textbook().decide(make_situation(paths, lead_time=3, holding=0.18, shortage=0.70))
    assert decision.figures["target"][0] == pytest.approx(200 + 0.82542 * 8 * 2, abs=0.5)


def test_scenarios_that_are_too_short_or_absent():
    from dataclasses import replace

    situation = make_situation(FLAT, lead_time=9)
    with pytest.raises(UsageError, match="horizon=10"):
        Textbook().decide(situation)
    with pytest.raises(UsageError, match="forecast first"):
        Textbook().decide(replace(situation, scenarios=None))


@pytest.mark.parametrize(
    ("rule", "options"),
    [
        (DaysOfCover, {"cover_buckets": -1}),
        (DaysOfCover, {"window": 0}),
        (ReorderPoint, {"service_level": 0.0}),
        (ReorderPoint, {"order": "min"}),
        (ReorderPoint, {"window": 0}),
        (Textbook, {"service_level": 2.0}),
    ],
    ids=str,
)
def test_wrong_options_are_refused(rule, options):
    with pytest.raises(UsageError):
        rule(**options)
