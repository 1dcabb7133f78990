"""(s, S): printed pairs, brute force over all pairs, and an independent library."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.errors import UsageError
from shelfwise.replenish.exact import min_max
from shelfwise.replenish.exact.chain import Outcome, average_cost, explore
from shelfwise.replenish.exact.discrete import poisson_pmf, total_pmf


@pytest.mark.parametrize(
    ("mean", "low", "high", "cost"), [(10, 6, 40, 35.0216), (25, 19, 56, 54.2622), (64, 55, 74, 78.4023)]
)
def test_the_printed_pairs(mean, low, high, cost):
    best = min_max(poisson_pmf(mean), 64.0, 1.0, 9.0)
    assert (best.reorder_point.item(), best.order_up_to.item()) == (low, high)
    assert best.cost.item() == pytest.approx(cost, abs=5e-5)


def chain_cost(pmf, low, high, order, holding, backorder, lead):
    """The cost of a pair by its Markov chain of positions, costs of lead time and bucket charged at once."""
    lead_pmf = total_pmf(pmf, lead + 1)

    def expand(states):
        position = np.where(states[:, 0] <= low, high, states[:, 0])
        left = position[:, None] - np.arange(len(lead_pmf))
        cost = np.where(left > 0, holding * left, -backorder * left) @ lead_pmf
        row = np.repeat(np.arange(len(states)), len(pmf))
        ahead = (position[row] - np.tile(np.arange(len(pmf)), len(states)))[:, None]
        return Outcome(cost + order * (states[:, 0] <= low), row, ahead, np.tile(pmf, len(states)))

    return average_cost(explore([high], expand), 1e-9).cost


@settings(max_examples=20, deadline=None)
@given(
    weights=st.lists(st.integers(1, 5), min_size=2, max_size=4),
    order=st.floats(0.5, 10.0),
    backorder=st.floats(0.5, 8.0),
    lead=st.integers(0, 2),
)
def test_no_pair_costs_less(weights, order, backorder, lead):
    pmf = np.array(weights) / sum(weights)
    best = min_max(pmf, order, 1.0, backorder, lead)
    low, high = int(best.reorder_point.item()), int(best.order_up_to.item())
    own = chain_cost(pmf, low, high, order, 1.0, backorder, lead)
    assert best.cost.item() == pytest.approx(own, rel=1e-6)
    for s in range(low - 3, low + 4):
        for level in range(max(high - 3, s + 1), high + 4):
            other = chain_cost(pmf, s, level, order, 1.0, backorder, lead)
            assert other >= best.cost.item() * (1 - 1e-7), (s, level)


def test_items_of_unlike_size_are_solved_together():
    rows = [poisson_pmf(mean) for mean in (0.3, 10.0, 60.0)]
    width = max(map(len, rows))
    together = min_max(
        np.stack([np.pad(row, (0, width - len(row))) for row in rows]), [5.0, 64.0, 4000.0], 1.0, 9.0, 1
    )
    for i, (row, order) in enumerate(zip(rows, (5.0, 64.0, 4000.0), strict=True)):
        alone = min_max(row, order, 1.0, 9.0, 1)
        assert together.reorder_point[i] == alone.reorder_point.item()
        assert together.order_up_to[i] == alone.order_up_to.item()
        assert together.cost[i] == pytest.approx(alone.cost.item(), rel=1e-12)


def test_without_an_order_cost_it_is_the_newsvendor():
    best = min_max(poisson_pmf(6.0), 0.0, 1.0, 4.0)
    assert (best.reorder_point.item(), best.order_up_to.item()) == (7.0, 8.0)
    assert best.cost.item() == pytest.approx(3.570106946, abs=1e-8)


def test_it_agrees_with_stockpyl():
    theirs = pytest.importorskip("stockpyl.ss")
    low, high, cost = theirs.s_s_discrete_exact(1.0, 4.0, 5.0, True, 6)
    best = min_max(poisson_pmf(6.0), 5.0, 1.0, 4.0)
    assert best.cost.item() == pytest.approx(cost, rel=1e-6)
    assert (best.reorder_point.item(), best.order_up_to.item()) == (low, high)


def test_what_is_wrong_is_named():
    with pytest.raises(UsageError, match="no policy"):
        min_max([1.0], 5.0, 1.0, 4.0)
    with pytest.raises(UsageError, match="lead_time_buckets"):
        min_max(poisson_pmf(6.0), 5.0, 1.0, 4.0, -1)
    with pytest.raises(UsageError, match="2 items, costs of 3"):
        min_max([[0.5, 0.5], [0.2, 0.8]], [1.0, 2.0, 3.0], 1.0, 4.0)
