"""Joint replenishment: the printed plan, a fine search over base periods, the heuristic above the optimum."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.errors import UsageError
from shelfwise.replenish.exact import eoq, joint_replenishment, joint_replenishment_silver

SILVER = (10.0, [1.87, 5.27, 7.94, 8.19, 8.87], 0.2, [1736, 656, 558, 170, 142])
ITEM = st.tuples(st.floats(0.0, 20.0), st.floats(0.1, 3.0), st.floats(1.0, 500.0))


def test_the_printed_plan():
    best = joint_replenishment(*SILVER)
    assert best.base_period == pytest.approx(0.245558, abs=5e-7)
    assert best.multiples.tolist() == [1, 1, 2, 3, 3]
    assert best.cost == pytest.approx(218.2516, abs=5e-5)
    assert joint_replenishment_silver(*SILVER).cost == pytest.approx(218.6863, abs=5e-5)


def cost_at(period, shared, k, h, rate):
    """The least cost for a base period, over multiples up to 60."""
    m = np.arange(1, 61)[:, None]
    return shared / period + (k / (m * period) + 0.5 * h * rate * m * period).min(axis=0).sum()


@settings(max_examples=60, deadline=None)
@given(shared=st.floats(0.5, 50.0), items=st.lists(ITEM, min_size=1, max_size=5))
def test_no_base_period_costs_less(shared, items):
    k, h, rate = np.array(items).T
    best = joint_replenishment(shared, k, h, rate)
    own = (shared + (k / best.multiples).sum()) / best.base_period
    own += 0.5 * (h * rate * best.multiples).sum() * best.base_period
    assert best.cost == pytest.approx(own, rel=1e-9)
    periods = np.geomspace(best.base_period / 30, best.base_period * 5, 600)
    assert best.cost <= min(cost_at(period, shared, k, h, rate) for period in periods) * (1 + 1e-9)
    assert best.cost <= joint_replenishment_silver(shared, k, h, rate).cost * (1 + 1e-12)


def test_a_lone_item_is_an_eoq():
    best = joint_replenishment(6.0, [2.0], [0.5], [100.0])
    assert best.cost == pytest.approx(eoq(8.0, 0.5, 100.0).cost.item(), rel=1e-12)


def test_what_is_wrong_is_named():
    with pytest.raises(UsageError, match="use eoq"):
        joint_replenishment(0.0, [1.0], [1.0], [1.0])
    with pytest.raises(UsageError, match="demand_rates must be above 0"):
        joint_replenishment(1.0, [1.0, 1.0], [1.0, 1.0], [1.0, 0.0])
    with pytest.raises(UsageError, match=r"\(N,\)"):
        joint_replenishment(1.0, 1.0, 1.0, 1.0)
