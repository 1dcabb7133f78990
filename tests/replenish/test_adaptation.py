"""Tuned factors: what they change, and when the past is believed."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from checks.situations import make_situation
from shelfwise.errors import UsageError
from shelfwise.replenish.adaptation import CANDIDATES, DEFAULT, Factors, choose_factors
from shelfwise.replenish.order_up_to import ScenarioOrderUpTo, spread_out

FIRST, LAST = date(2024, 1, 1), date(2024, 3, 25)


def chosen(costs):
    return choose_factors(CANDIDATES, np.asarray(costs, dtype=float), FIRST, LAST, 50)


def noisy(seed, gain, buckets=12):
    """Costs that all candidates share but for noise; the first saves `gain` a bucket."""
    rng = np.random.default_rng(seed)
    costs = 100.0 + rng.normal(0, 20, (1, buckets)) + rng.normal(0, 1.0, (len(CANDIDATES), buckets))
    costs[0] -= gain
    return costs


def test_noise_is_rarely_taken_for_a_saving_and_a_large_saving_always():
    false_alarms = sum(chosen(noisy(seed, 0.0, buckets=10)).changed for seed in range(600))
    assert false_alarms < 0.06 * 600
    assert all(chosen(noisy(seed, 5.0)).factors == CANDIDATES[0] for seed in range(20))


def test_of_equals_the_one_nearest_to_the_default_is_taken():
    costs = np.full((len(CANDIDATES), 12), 100.0)
    far, near = CANDIDATES.index(Factors(0.7, 0.7)), CANDIDATES.index(Factors(1.0, 0.7))
    costs[far], costs[near] = 80.0, 80.0
    assert chosen(costs).factors == Factors(1.0, 0.7)
    costs[near] = 80.5
    assert chosen(costs).factors == Factors(0.7, 0.7)


def test_one_lucky_bucket_does_not_convince():
    costs = np.full((len(CANDIDATES), 12), 100.0)
    costs[0, 5] = 40.0
    adaptation = chosen(costs)
    assert not adaptation.changed
    assert adaptation.note.code == "plan.tuning.kept"
    assert "5.0 %" in adaptation.note


def test_the_evidence_is_told():
    costs = np.full((len(CANDIDATES), 12), 100.0)
    costs[0] = 90.0
    adaptation = chosen(costs)
    assert adaptation.row(CANDIDATES[0])["saves"] == pytest.approx(120.0)
    assert adaptation.row(DEFAULT)["saves"] == 0.0
    assert adaptation.note.code == "plan.tuning.changed"
    assert "10.0 %" in adaptation.note
    assert adaptation.table.height == len(CANDIDATES)


def test_factors_move_orders_the_way_they_say():
    paths = np.random.default_rng(3).poisson(20.0, (1, 800, 3))
    situation = make_situation(paths, lead_time=2, shortage=2.0)

    def order(**factors):
        return ScenarioOrderUpTo(factors=Factors(**factors)).decide(situation).raw[0]

    assert order(shortage=0.5) < order() < order(shortage=2.0)
    assert order(spread=0.5) < order() < order(spread=1.5)
    assert order(shortage=1.0, spread=1.0) == order()


def test_spread_keeps_the_mean_and_stays_above_nothing():
    paths = np.random.default_rng(4).poisson(3.0, (2, 500, 4))
    situation = make_situation(paths)
    narrow, wide = spread_out(situation.scenarios, 0.5), spread_out(situation.scenarios, 2.0)
    assert np.allclose(narrow.paths.mean(axis=1), paths.mean(axis=1), rtol=1e-4)
    assert np.allclose(narrow.paths.std(axis=1), 0.5 * paths.std(axis=1), rtol=1e-4)
    assert wide.paths.min() == 0.0


@pytest.mark.parametrize("factors", [Factors(0.0), Factors(float("inf")), Factors(1.0, -1.0)], ids=str)
def test_impossible_factors_are_refused(factors):
    with pytest.raises(UsageError, match="factor"):
        ScenarioOrderUpTo(factors=factors)
