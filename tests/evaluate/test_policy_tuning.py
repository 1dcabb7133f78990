"""Tuning on the shop's own past: it finds what is wrong, leaves alone what is right, and sees nothing later."""

from __future__ import annotations

from datetime import date

import numpy as np

from shelfwise.demand.panel import Panel
from shelfwise.evaluate.policy_tuning import tune_policy
from shelfwise.evaluate.replay import Shop
from shelfwise.forecast.register import make_forecaster
from shelfwise.replenish.adaptation import DEFAULT
from shelfwise.replenish.register import make_policy
from shelfwise.simulate import Costs, SupplyTerms

SERIES = 40


def shop(n_series=SERIES, lead_time=2, **costs):
    terms = SupplyTerms.same(n_series, lead_time_buckets=lead_time)
    rates = {"holding": 0.2, "shortage": 1.0} | costs
    return Shop(terms, Costs.same(n_series, **rates), np.zeros(n_series))


def panel(seed=0, buckets=60, n_series=SERIES):
    demand = np.random.default_rng(seed).poisson(8.0, (n_series, buckets))
    return Panel.from_arrays(demand, start=date(2023, 1, 2))


def tuned(history, policy=None, forecaster=None, **options):
    return tune_policy(
        policy or make_policy(),
        history,
        options.pop("shop", shop()),
        forecaster or (lambda: make_forecaster("moving_average")),
        horizon=3,
        **options,
    )


class Overdrawn:
    """A forecaster whose scenarios lie five times too far from their mean."""

    def __init__(self):
        self.inner = make_forecaster("moving_average")
        self.name, self.failures = "overdrawn", {}

    def fit(self, history):
        self.inner.fit(history)
        return self

    def update(self, history):
        self.inner.update(history)
        return self

    def sample(self, horizon, n_samples, rng, rows=None):
        scenarios = self.inner.sample(horizon, n_samples, rng, rows=rows)
        mean = scenarios.paths.mean(axis=1, keepdims=True)
        scenarios.paths[:] = np.maximum(mean + 5.0 * (scenarios.paths - mean), 0.0)
        return scenarios


def test_scenarios_that_are_too_wide_are_drawn_together():
    learnt = tuned(panel(), forecaster=Overdrawn)
    assert learnt.adaptation.changed
    assert learnt.policy.factors == learnt.adaptation.factors
    assert learnt.policy.factors.spread < 1.0 or learnt.policy.factors.shortage < 1.0
    assert learnt.note.code == "plan.tuning.changed"


def test_the_same_past_gives_the_same_factors_whatever_came_later():
    history = panel(buckets=60)
    first, again = tuned(history), tuned(history)
    later = panel(buckets=60).sold.copy()
    extended = np.concatenate([later, np.full((SERIES, 9), 500.0)], axis=1)
    cut = tuned(Panel.from_arrays(extended, start=date(2023, 1, 2)).until(60))
    for other in (again, cut):
        assert first.adaptation.table.equals(other.adaptation.table)


def test_what_cannot_be_tuned_comes_back_as_it_is():
    for policy in (make_policy("textbook"), make_policy("order_up_to", objective="service")):
        learnt = tuned(panel(), policy)
        assert learnt.policy is policy
        assert learnt.adaptation is None
        assert learnt.note is None


def test_a_short_history_is_said_and_not_tuned_on():
    learnt = tuned(panel(buckets=20))
    assert learnt.policy.factors == DEFAULT
    assert learnt.note.code == "plan.tuning.too_short"
    free = tuned(panel(), shop=shop(shortage=0.0))
    assert free.adaptation is None


def test_a_large_shop_is_sampled_and_no_series_is_no_trouble(monkeypatch):
    monkeypatch.setattr("shelfwise.evaluate.policy_tuning.MOST_SERIES", 7)
    assert tuned(panel()).adaptation.n_series == 7
    none = tuned(panel(n_series=1).take(np.array([], dtype=np.intp)), shop=shop(0))
    assert none.adaptation is None
