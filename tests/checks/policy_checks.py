"""What every policy promises, as plain functions; each takes a maker of policies and a situation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from shelfwise.forecast.scenarios import Scenarios


def check_lots_are_allowed(make, situation):
    """Whole multiples; 0 or at least the MOQ; never above the maximum; finite."""
    decision, terms = make().decide(situation), situation.terms
    assert np.isfinite(decision.quantity).all()
    assert np.isfinite(decision.raw).all()
    assert (decision.raw >= 0).all()
    assert (decision.quantity >= 0).all()
    lots = decision.quantity / terms.multiple
    assert np.allclose(lots, np.rint(lots))
    ordered = decision.quantity > 0
    assert (decision.quantity >= terms.moq - 1e-9)[ordered].all()
    assert (decision.quantity <= terms.max_quantity + 1e-9).all()


def check_figures_belong_to_the_series(make, situation):
    """Every figure has one value a series, and the last step is the quantity."""
    decision = make().decide(situation)
    for name, values in decision.figures.items():
        assert values.shape == (situation.n_series,), name
    assert (decision.figures["after_limits"] == decision.quantity).all()
    assert np.allclose(
        np.maximum(decision.figures["target"] - decision.figures["counted_position"], 0.0), decision.raw
    )


def check_more_stock_never_raises_an_order(make, situation, units=3.0):
    """More on hand, or more due in any bucket."""
    before = make().decide(situation).quantity
    assert (make().decide(replace(situation, on_hand=situation.on_hand + units)).quantity <= before).all()
    for column in range(situation.receipts.shape[1]):
        receipts = situation.receipts.copy()
        receipts[:, column] += units
        assert (make().decide(replace(situation, receipts=receipts)).quantity <= before).all()


def check_more_demand_never_lowers_an_order(make, situation, factor=2.0):
    """All scenarios scaled up; only for policies that decide on scenarios."""
    if not make().needs_scenarios:
        return
    old = situation.scenarios
    more = Scenarios(old.keys, old.bucket, old.start, old.paths * np.float32(factor))
    raised = make().decide(replace(situation, scenarios=more))
    assert (raised.raw >= make().decide(situation).raw).all()


def check_decision_is_repeatable(make, situation):
    """The same situation gives the same decision, from the same or another instance."""
    policy = make()
    first = policy.decide(situation)
    for other in (policy.decide(situation), make().decide(situation)):
        assert (first.quantity == other.quantity).all()
        for name, values in first.figures.items():
            assert np.array_equal(values, other.figures[name], equal_nan=True), name


def check_order_of_series_does_not_matter(make, situation):
    """A permutation of series permutes the orders."""
    turned = np.arange(situation.n_series)[::-1].copy()
    whole = make().decide(situation).quantity
    assert (make().decide(situation.take(turned)).quantity == whole[turned]).all()


def check_one_series_alone_decides_the_same(make, situation):
    """Neighbours do not matter, unless the policy is told to learn the season from the whole shop."""
    if getattr(make(), "seasonal", False):
        return
    whole = make().decide(situation).quantity
    for row in range(situation.n_series):
        assert make().decide(situation.take(np.array([row]))).quantity[0] == whole[row]


EVERYWHERE = (
    check_lots_are_allowed,
    check_figures_belong_to_the_series,
    check_decision_is_repeatable,
    check_order_of_series_does_not_matter,
    check_one_series_alone_decides_the_same,
)
# Who is owed at the start is served first, which can turn later receipts into sales: no promise there.
WITHOUT_DEBTS = (check_more_stock_never_raises_an_order, check_more_demand_never_lowers_an_order)
