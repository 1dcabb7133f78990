"""The rounding rule: up, in whole multiples, within the supplier's bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.errors import UsageError
from shelfwise.simulate import Costs, Levels, StockState, SupplyTerms, round_lots, simulate


@pytest.mark.parametrize(
    ("quantity", "moq", "multiple", "most", "order"),
    [
        (0, 12, 6, math.inf, 0),
        (-3, 12, 6, math.inf, 0),
        (1, 0, 6, math.inf, 6),
        (6, 0, 6, math.inf, 6),
        (6.01, 0, 6, math.inf, 12),
        (1, 7, 6, math.inf, 12),
        (100, 0, 6, 50, 48),
        (100, 48, 6, 50, 48),
        (100, 49, 6, 50, 0),
        (100, 0, 6, 5, 0),
        (0.4, 0, 1, math.inf, 1),
        (1e-12, 5, 1, math.inf, 0),
        (math.inf, 0, 6, 50, 48),
    ],
)
def test_known_orders(quantity: float, moq: float, multiple: float, most: float, order: float):
    assert round_lots(quantity, moq, multiple, most) == order


@given(st.integers(1, 100_000), st.sampled_from([0.1, 0.3, 0.7, 1.1, 1 / 3]))
def test_float_dust_never_adds_a_lot(lots: int, multiple: float):
    added_up = lots * multiple
    for quantity in (added_up, np.nextafter(added_up, np.inf), np.nextafter(added_up, 0)):
        assert round(float(round_lots(quantity, multiple=multiple)) / multiple, 6) == lots
    assert round(float(round_lots(1e9, multiple=multiple, max_quantity=added_up)) / multiple, 6) == lots


def test_classic_dust():
    assert round_lots(3 * 0.1, multiple=0.1) == pytest.approx(0.3)
    assert round_lots(0.1 + 0.2, moq=0.3, multiple=0.1, max_quantity=0.3) == pytest.approx(0.3)


@given(
    st.floats(0, 1e6), st.floats(0, 1e4), st.integers(1, 500), st.one_of(st.just(math.inf), st.floats(0, 1e6))
)
def test_every_order_is_acceptable_and_not_lower_for_a_bigger_wish(
    quantity: float, moq: float, multiple: int, most: float
):
    order, bigger = round_lots([quantity, quantity * 1.5 + 1], moq, multiple, most)
    assert order % multiple == 0
    assert order == 0 or moq * (1 - 1e-8) <= order <= most * (1 + 1e-8)
    assert bigger >= order
    if quantity > 1e-6 and order and order < most - multiple:
        assert order >= quantity * (1 - 1e-8)


def test_nonsense_is_refused():
    with pytest.raises(UsageError, match=r"multiple must be a number above 0; got 0\.0 at series 1"):
        round_lots([1, 1], multiple=[1, 0])
    with pytest.raises(UsageError, match="quantity must be a number; got nan at series 0"):
        round_lots(math.nan)
    with pytest.raises(UsageError, match="moq"):
        round_lots(1, moq=math.nan)
    with pytest.raises(UsageError, match="max_quantity"):
        round_lots(1, max_quantity=math.nan)


def test_the_simulator_rounds_by_the_same_rule():
    wishes = np.linspace(0, 60, 50)
    terms = SupplyTerms.same(50, lead_time_buckets=0, moq=10, multiple=4, max_quantity=41)
    costs = Costs.same(50, holding=1, shortage=1)
    run = simulate(np.zeros((50, 1)), terms, costs, StockState.empty(50), Levels.base_stock(wishes))
    assert run.ordered[:, 0].tolist() == round_lots(wishes, 10, 4, 41).tolist()
