"""Two suppliers: printed optima and gaps, random policies, the longer express lead time, simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.errors import UsageError
from shelfwise.replenish.exact import DualSourcing, dual_sourcing_cost, dual_sourcing_optimum
from shelfwise.replenish.exact.discrete import uniform_pmf
from shelfwise.replenish.exact.dual_sourcing_policies import (
    best_capped_dual_index,
    best_dual_index,
    best_single_index,
    best_tailored_base_surge,
    capped_dual_index,
    dual_index,
    single_index,
    tailored_base_surge_cost,
)

# Regular lead time, express cost: optimum; gaps of capped dual, dual, single index, tailored base-surge (%).
CELLS = [
    (2, 105.0, 216.7698, 0.00, 0.11, 0.56, 0.06),
    (2, 110.0, 219.7333, 0.03, 0.18, 1.03, 0.99),
    (3, 110.0, 220.3411, 0.06, 0.36, 2.11, 0.71),
    (4, 105.0, 216.8930, 0.00, 0.36, 1.43, 0.00),
]


def cell(lead, price, express_lead=0):
    return DualSourcing(uniform_pmf(0, 4), lead, 100.0, price, 5.0, 495.0, express_lead)


@pytest.mark.parametrize(("lead", "price", "optimum", "capped", "dual", "single", "surge"), CELLS)
def test_the_printed_cells(lead, price, optimum, capped, dual, single, surge):
    model = cell(lead, price)
    least = dual_sourcing_optimum(model).cost
    assert least == pytest.approx(optimum, abs=1e-4)
    for best, gap in (
        (best_capped_dual_index, capped),
        (best_dual_index, dual),
        (best_single_index, single),
        (best_tailored_base_surge, surge),
    ):
        assert 100.0 * (best(model).cost / least - 1.0) == pytest.approx(gap, abs=0.0101)


MODELS = st.builds(
    lambda weights, lead, extra, holding, backorder: DualSourcing(
        np.array(weights) / sum(weights), lead, 10.0, 10.0 + extra, holding, backorder
    ),
    st.lists(st.integers(1, 4), min_size=2, max_size=4),
    st.integers(1, 3),
    st.floats(0.0, 6.0),
    st.floats(0.2, 4.0),
    st.floats(0.5, 30.0),
)


@settings(max_examples=25, deadline=None)
@given(model=MODELS, level=st.integers(-2, 5), apart=st.integers(0, 6), cap=st.integers(1, 4))
def test_no_policy_beats_the_optimum(model, level, apart, cap):
    best = dual_sourcing_optimum(model)
    assert dual_sourcing_cost(model, best, start=_start(model, best)).cost == pytest.approx(
        best.cost, rel=1e-6
    )
    for rule in (
        single_index(level, level + apart),
        dual_index(level, level + apart),
        capped_dual_index(level, level + apart, cap),
    ):
        assert dual_sourcing_cost(model, rule).cost >= best.cost * (1 - 1e-7)


def _start(model, best):
    """A state the optimum knows whatever its box: no pipeline, and the lowest net stock there is."""
    return [max(best.lowest, 0), *[0] * (model.extra_lead_time_buckets - 1)]


def test_with_one_price_the_slow_supplier_is_not_needed():
    model = DualSourcing(uniform_pmf(0, 4), 3, 100.0, 100.0, 5.0, 495.0)
    # Express up to 4 every bucket: two units left on average.
    assert dual_sourcing_optimum(model).cost == pytest.approx(200.0 + 5.0 * 2.0, rel=1e-7)


def test_a_very_dear_express_supplier_is_never_used():
    model = DualSourcing(uniform_pmf(0, 2), 2, 0.0, 1e4, 1.0, 9.0)
    best = dual_sourcing_optimum(model)
    express, _ = best(np.array([[-2, 0], [0, 0], [1, 2]]))
    assert express.tolist() == [0, 0, 0]


def test_a_longer_express_lead_time_simulated():
    """Express after one bucket, regular after three, walked through in the house's order of events."""
    model = cell(3, 110.0, express_lead=1)
    best = dual_sourcing_optimum(model)
    buckets = 200_000
    orders: dict[tuple[int, int], tuple[int, int]] = {}
    on_hand, due, total = 8, [0, 0, 0], 0.0
    for asked in np.random.default_rng(8).integers(0, 5, buckets).tolist():
        state = (on_hand + due[0] + due[1], due[2])
        if state not in orders:
            express, regular = best(np.array([state]))
            orders[state] = int(express[0]), int(regular[0])
        express, regular = orders[state]
        due = [due[0], due[1] + express, due[2], regular]
        on_hand += due.pop(0) - asked
        total += 110.0 * express + 100.0 * regular + 5.0 * max(on_hand, 0) + 495.0 * max(-on_hand, 0)
    assert total / buckets == pytest.approx(best.cost, rel=0.01)


def test_base_surge_is_the_policy_it_says():
    """Its random walk against the chain of the same policy with stock cut off far above where it ever is."""
    model = DualSourcing(np.array([0.2, 0.2, 0.2, 0.2, 0.2]), 3, 100.0, 110.0, 5.0, 495.0)

    def rule(states):
        regular = np.where(states[:, 0] < 60, 1, 0)
        return np.maximum(4 - states[:, 0], 0), regular

    found = dual_sourcing_cost(model, rule).cost
    assert tailored_base_surge_cost(model, 4, 1) == pytest.approx(found, rel=1e-7)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: cell(2, 90.0), "not be the cheaper one"),
        (lambda: cell(2, 110.0, 2), "below regular_lead_time_buckets"),
        (lambda: DualSourcing(uniform_pmf(0, 4), 2, 1.0, 2.0, 0.0, 9.0), "holding_cost"),
        (lambda: tailored_base_surge_cost(cell(2, 110.0), 4, 2), "below mean demand 2"),
        (
            lambda: dual_sourcing_cost(cell(2, 110.0), lambda s: (s[:, 0] * 0, s[:, 0] * 0 + 3)),
            "grows beyond",
        ),
        (lambda: dual_sourcing_cost(cell(2, 110.0), lambda s: (s[:, 0] * 0, s[:, 0] * 0)), "grows beyond"),
        (lambda: dual_sourcing_cost(cell(2, 110.0), lambda s: (s[:, 0] * 0 - 1, s[:, 0] * 0)), "least -1"),
        (lambda: dual_sourcing_optimum(cell(2, 110.0))(np.array([[500, 0]])), "not solved for state"),
        (
            lambda: dual_sourcing_optimum(DualSourcing(uniform_pmf(0, 50), 9, 1.0, 2.0, 1.0, 9.0)),
            "larger units",
        ),
    ],
)
def test_what_is_wrong_is_named(call, text):
    with pytest.raises(UsageError, match=text):
        call()
