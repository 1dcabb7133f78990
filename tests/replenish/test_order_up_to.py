"""The scenario policy: equal to brute force, and near the optimum where theory knows it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from checks.situations import make_situation, situations
from oracles.order_twin import expected, least_cost, least_service
from shelfwise.errors import UsageError
from shelfwise.replenish.order_up_to import ScenarioOrderUpTo
from shelfwise.replenish.projection import Projection, horizon_needed


def twin_input(situation, row, projection):
    leads = projection.leads[row]
    leads = np.resize(leads, projection.paths.shape[1])
    return (
        projection.paths[row].astype(float).tolist(),
        leads.tolist(),
        situation.receipts[row].tolist(),
        max(situation.on_hand[row], 0.0),
        situation.backorders[row] + max(-situation.on_hand[row], 0.0),
        int(situation.terms.review_period_buckets[row]),
    )


@given(situations())
@settings(max_examples=60, deadline=None)
def test_cost_equals_brute_force_over_the_lattice(situation):
    # Orders that outlast a review are judged by whole cycles, see test_cycle.py.
    situation = replace(situation, costs=replace(situation.costs, order=np.zeros(situation.n_series)))
    decision = ScenarioOrderUpTo().decide(situation)
    projection = ScenarioOrderUpTo().project(situation)
    terms, costs = situation.terms, situation.costs
    for row in np.flatnonzero(~projection.by_cycle()):
        args = twin_input(situation, row, projection)
        share = float(terms.lost_share[row])
        rates = (float(costs.holding[row]), float(projection.judged[row]), float(costs.order[row]))
        best, _ = least_cost(
            *args, (terms.moq[row], terms.multiple[row], terms.max_quantity[row]), rates, share
        )
        chosen = expected(*args, decision.quantity[row], *rates[:2], share)[0]
        chosen += rates[2] if decision.quantity[row] > 0 else 0.0
        assert chosen == pytest.approx(best, rel=1e-6, abs=1e-6)
        told = expected(*args, decision.quantity[row], rates[0], float(costs.shortage[row]), share)[0]
        assert decision.figures["expected_cost_with"][row] == pytest.approx(told, rel=1e-6, abs=1e-6)


@given(situations(), st.sampled_from(["fill_rate", "cycle"]), st.sampled_from([0.5, 0.9, 0.99]))
@settings(max_examples=40, deadline=None)
def test_service_is_the_smallest_order_that_reaches_the_level(situation, kind, level):
    decision = ScenarioOrderUpTo("service", level, kind).decide(situation)
    projection = Projection.of(situation)
    terms = situation.terms
    for row in range(situation.n_series):
        best = least_service(
            *twin_input(situation, row, projection),
            (terms.moq[row], terms.multiple[row], terms.max_quantity[row]),
            float(terms.lost_share[row]),
            kind,
            level,
        )
        assert decision.quantity[row] == pytest.approx(best)


def test_newsvendor_with_poisson_demand():
    paths = np.random.default_rng(1).poisson(6.0, (1, 40_000, 1))
    decision = ScenarioOrderUpTo().decide(make_situation(paths, lead_time=0, holding=1.0, shortage=4.0))
    level = decision.quantity[0]
    demand = np.arange(60)
    cost = (
        np.where(demand < level, level - demand, 4 * (demand - level)) * stats.poisson.pmf(demand, 6)
    ).sum()
    assert cost == pytest.approx(3.570106946, abs=1e-6)
    assert decision.figures["expected_cost_with"][0] == pytest.approx(3.570106946, abs=0.05)


def test_newsvendor_with_normal_demand():
    paths = np.random.default_rng(2).normal(50, 8, (1, 100_000, 1))
    situation = make_situation(paths, lead_time=0, holding=0.18, shortage=0.70, multiple=0.01)
    decision = ScenarioOrderUpTo().decide(situation)
    assert decision.quantity[0] == pytest.approx(56.60395593, abs=0.12)
    assert decision.figures["expected_cost_with"][0] == pytest.approx(1.997605193, abs=0.02)
    assert decision.figures["service_target"][0] == pytest.approx(0.70 / 0.88)


def test_the_target_less_what_is_there_is_the_need():
    paths = np.full((1, 4, 6), 10.0)
    receipts = np.array([[0.0, 7.0, 0.0, 0.0, 9.0, 0.0]])
    figures = (
        ScenarioOrderUpTo()
        .decide(
            make_situation(paths, lead_time=2, review=2, on_hand=30.0, receipts=receipts, unmet="backorder")
        )
        .figures
    )
    assert figures["usable_receipts"][0] == 7
    assert figures["late_receipts"][0] == 9
    assert figures["target"][0] - 30 - 7 == figures["raw"][0] == 3
    assert figures["demand_protection"][0] == 40
    assert figures["demand_lead_time"][0] == 20
    assert figures["stock_at_arrival"][0] == 30 + 7 - 20
    assert figures["target"][0] == 40
    assert figures["safety_stock"][0] == 0


def test_receipts_that_come_too_late_do_not_hide_a_stockout():
    paths = np.full((1, 4, 6), 10.0)
    late = np.zeros((1, 6))
    late[0, 5] = 1000.0
    assert ScenarioOrderUpTo().decide(make_situation(paths, lead_time=1, receipts=late)).quantity[0] == 10


def test_a_random_lead_time_shifts_the_target_and_is_repeatable():
    paths = np.full((1, 2000, 12), 10.0)
    fixed = ScenarioOrderUpTo().decide(make_situation(paths, lead_time=4, unmet="backorder", shortage=9.0))
    loose = make_situation(paths, lead_time=4, lead_time_sd=1.5, unmet="backorder", shortage=9.0)
    first, second = (ScenarioOrderUpTo().decide(loose) for _ in range(2))
    assert fixed.quantity[0] == 50
    assert first.quantity[0] >= 60
    assert first.quantity[0] == second.quantity[0]


def test_scenarios_that_are_too_short_are_refused_with_what_is_needed():
    situation = make_situation(np.ones((1, 3, 4)), lead_time=3, review=2)
    assert horizon_needed(situation.terms) == 5
    with pytest.raises(UsageError, match="horizon=5"):
        ScenarioOrderUpTo().decide(situation)


def test_profit_adds_the_margin_to_the_shortage():
    paths = np.random.default_rng(3).poisson(20.0, (1, 500, 1))
    situation = make_situation(paths, lead_time=0, holding=1.0, shortage=0.0, margin=9.0)
    assert ScenarioOrderUpTo("cost").decide(situation).quantity[0] == 0
    assert ScenarioOrderUpTo("profit").decide(situation).quantity[0] == pytest.approx(
        np.quantile(paths, 0.9, method="inverted_cdf")
    )
    with pytest.raises(UsageError, match="margin"):
        ScenarioOrderUpTo("profit").decide(make_situation(paths, lead_time=0))


@pytest.mark.parametrize(
    "options", [{"objective": "speed"}, {"service_level": 1.0}, {"kind": "alpha"}], ids=str
)
def test_wrong_options_are_refused(options):
    with pytest.raises(UsageError):
        ScenarioOrderUpTo(**options)
