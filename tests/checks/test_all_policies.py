"""Every registered policy, found automatically, passes the same checks."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.policy_checks import EVERYWHERE, WITHOUT_DEBTS
from checks.situations import make_situation, situations
from shelfwise.errors import UsageError
from shelfwise.replenish.register import POLICIES, make_policy

VARIANTS = [
    *((name, {}) for name in POLICIES),
    ("order_up_to", {"objective": "profit"}),
    ("order_up_to", {"objective": "service", "service_level": 0.9}),
    ("order_up_to", {"objective": "service", "kind": "cycle"}),
    ("reorder_point", {"order": "eoq"}),
    ("days_of_cover", {"cover_buckets": 4, "window": 5}),
    ("days_of_cover", {"seasonal": True}),
]


@pytest.fixture(params=VARIANTS, ids=str)
def make(request):
    name, options = request.param
    return partial(make_policy, name, **options)


@pytest.mark.parametrize("check", EVERYWHERE, ids=lambda check: check.__name__)
def test_promises(make, check):
    @given(situations(expiring=True))
    @settings(max_examples=25, deadline=None, derandomize=True)
    def run(situation):
        check(make, with_margin(situation))

    run()


@pytest.mark.parametrize("check", WITHOUT_DEBTS, ids=lambda check: check.__name__)
def test_promises_where_nobody_is_owed(make, check):
    @given(situations(owed=False, expiring=True), st.sampled_from([2.0, 3.0, 7.0]))
    @settings(max_examples=25, deadline=None, derandomize=True)
    def run(situation, amount):
        check(make, with_margin(situation), amount)

    run()


def with_margin(situation):
    from dataclasses import replace

    return replace(situation, margin=np.full(situation.n_series, 2.0))


def lively(**changes):
    """Poisson demand around 5 and what is changed about it."""
    horizon = 2 + changes.get("lead_time", 1) + changes.get("review", 1)
    paths = np.random.default_rng(5).poisson(5.0, (2, 64, horizon)) * changes.pop("scale", 1)
    return with_margin(make_situation(paths, **changes))


@pytest.mark.parametrize("lead_time", [0, 60])
def test_short_and_long_lead_times(make, lead_time):
    decision = make().decide(lively(lead_time=lead_time))
    assert np.isfinite(decision.quantity).all()
    if make().name != "none":
        assert (decision.quantity > 0).all()


def test_no_demand_orders_nothing(make):
    assert (make().decide(lively(scale=0)).quantity == 0).all()


def test_huge_demand(make):
    decision = make().decide(lively(scale=1_000_000))
    assert np.isfinite(decision.quantity).all()
    assert (decision.quantity > 1_000_000).all() or make().name == "none"


def test_free_stock_and_free_shortage(make):
    assert np.isfinite(make().decide(lively(holding=0.0)).quantity).all()
    assert np.isfinite(make().decide(lively(holding=0.0, shortage=0.0)).quantity).all()


def test_a_long_review_and_a_lone_sample(make):
    paths = np.random.default_rng(6).poisson(5.0, (1, 1, 90))
    assert np.isfinite(
        make().decide(with_margin(make_situation(paths, lead_time=30, review=60))).quantity
    ).all()


def test_no_series_at_all(make):
    assert make().decide(lively().take(np.array([], dtype=np.intp))).quantity.shape == (0,)


def test_costs_that_make_an_order_pointless():
    assert (make_policy().decide(lively(holding=2.0, shortage=0.0)).quantity == 0).all()
    cheap = make_policy().decide(lively(holding=2.0, shortage=0.5)).quantity
    dear = make_policy().decide(lively(holding=2.0, shortage=50.0)).quantity
    assert (cheap < dear).all()
    assert (make_policy().decide(lively(order_cost=1e6)).quantity == 0).all()


def test_an_moq_nobody_could_sell_is_not_ordered():
    decision = make_policy().decide(lively(moq=10_000.0))
    assert (decision.quantity == 0).all()
    assert (decision.raw > 0).all()
    assert (decision.figures["after_multiple"] > 0).all()
    assert (decision.figures["after_moq"] == 0).all()


def test_unknown_names_and_options_are_refused():
    with pytest.raises(UsageError, match="Did you mean 'reorder_point'"):
        make_policy("reorder_pont")
    with pytest.raises(UsageError, match="options"):
        make_policy("none", speed=3)
