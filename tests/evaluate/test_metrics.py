"""Forecast errors, the bootstrap and the demand of a replay, against figures worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from shelfwise.demand.panel import Panel
from shelfwise.evaluate.bootstrap import cost_difference
from shelfwise.evaluate.metrics import bias, coverage, mean_pinball, pinball_loss, wape
from shelfwise.evaluate.truth import replay_demand

UNKNOWN = float("nan")


def test_errors_leave_unknown_demand_out():
    actual, forecast = np.array([10.0, UNKNOWN, 0.0, 5.0]), np.array([8.0, 99.0, 1.0, 5.0])
    assert wape(actual, forecast) == pytest.approx(3 / 15)
    assert bias(actual, forecast) == pytest.approx(-1 / 15)


@pytest.mark.parametrize("measure", [wape, bias])
def test_errors_of_no_demand_are_not_a_number(measure):
    assert math.isnan(measure(np.zeros(3), np.ones(3)))
    assert math.isnan(measure(np.full(3, UNKNOWN), np.ones(3)))


def test_pinball_charges_a_shortage_by_its_level():
    assert pinball_loss(np.array([10.0]), np.array([6.0]), 0.75).item() == pytest.approx(3.0)
    assert pinball_loss(np.array([6.0]), np.array([10.0]), 0.75).item() == pytest.approx(1.0)
    actual = np.array([[10.0, UNKNOWN]])
    quantiles = np.array([[[6.0, 12.0], [0.0, 0.0]]])
    assert mean_pinball(actual, quantiles, (0.5, 0.9)) == pytest.approx((2.0 + 0.2) / 2)
    assert math.isnan(mean_pinball(np.array([[UNKNOWN]]), np.zeros((1, 1, 1)), (0.5,)))


def test_coverage_tells_below_from_at_or_below():
    assert coverage(np.array([1.0, 2.0, 2.0, 3.0, UNKNOWN]), np.full(5, 2.0)) == (0.25, 0.75)


def test_the_interval_holds_the_difference_and_says_nothing_when_there_is_none():
    rng = np.random.default_rng(0)
    reference = rng.gamma(2.0, 10.0, 200)
    cheaper = cost_difference(reference - 3.0 + rng.normal(0, 1, 200), reference)
    assert cheaper.low < cheaper.total < cheaper.high < 0
    assert cheaper.share_below_zero == 1.0
    no_difference = cost_difference(reference + rng.normal(0, 5, 200), reference)
    assert no_difference.low < 0 < no_difference.high
    assert cost_difference(reference, reference) == cost_difference(reference, reference, seed=1)


def test_the_interval_is_as_wide_as_the_spread_over_series_makes_it():
    gain = np.random.default_rng(3).normal(1.0, 4.0, 400)
    difference = cost_difference(gain, np.zeros(400))
    by_theory = 2 * 1.96 * gain.std() * math.sqrt(400)
    assert difference.high - difference.low == pytest.approx(by_theory, rel=0.1)


def test_unknown_demand_is_the_mean_of_six_known_buckets_on_either_side():
    row = [100.0] + [1.0] * 6 + [UNKNOWN] + [4.0] * 6 + [100.0]
    demand, guessed = replay_demand(Panel.from_arrays([row]), 7, 9)
    assert demand.tolist() == [[2.0, 4.0]]  # 2.5 in whole units, ties to even
    assert guessed.tolist() == [[True, False]]


def test_with_nothing_known_nearby_the_mean_of_the_series_is_taken():
    row = [8.0] + [UNKNOWN] * 20
    demand, guessed = replay_demand(Panel.from_arrays([row]), 15, 17)
    assert demand.tolist() == [[8.0, 8.0]]
    assert guessed.all()


def test_before_launch_and_after_the_end_nothing_is_demanded():
    panel = Panel.from_arrays([[UNKNOWN, 3.0, 3.0, UNKNOWN]])
    panel.launched[:], panel.ends[:] = 1, 3
    demand, guessed = replay_demand(panel, 0, 4)
    assert demand.tolist() == [[0.0, 3.0, 3.0, 0.0]]
    assert not guessed.any()
