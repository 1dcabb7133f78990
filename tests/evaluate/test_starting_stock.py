"""The stock a replay starts from: an uninterrupted run of the same rule must go on from it unchanged."""

from __future__ import annotations

import numpy as np
import pytest

from shelfwise.demand.panel import Panel
from shelfwise.evaluate.starting_stock import moving_levels, warmed_up_stock
from shelfwise.simulate.costs import Costs
from shelfwise.simulate.levels import Levels
from shelfwise.simulate.run import simulate
from shelfwise.simulate.state import StockState
from shelfwise.simulate.terms import SupplyTerms

WINDOW = 8


def test_levels_see_nothing_of_their_own_bucket_or_later():
    panel = Panel.from_arrays([[2.0, 4.0, float("nan"), 90.0]])
    assert moving_levels(panel, 0, 4, window=2).tolist() == [[0.0, 2.0, 3.0, 4.0]]


def test_in_a_steady_shop_each_order_is_due_when_its_lead_time_is_over():
    panel = Panel.from_arrays(np.full((3, 30), 4.0))
    terms = SupplyTerms(np.array([0, 1, 3]))
    stock = warmed_up_stock(panel, 30, terms, WINDOW)
    # Up to L + 2 buckets of 4 units: one is left on the shelf, one due in each of the next L buckets.
    assert stock.on_hand.tolist() == [4.0, 4.0, 4.0]
    assert stock.pipeline.tolist() == [[0, 0, 0], [4, 0, 0], [4, 4, 4]]


@pytest.mark.parametrize("unmet", ["lost", "backorder"])
@pytest.mark.parametrize("period", [1, 2])
def test_a_run_goes_on_from_it_as_if_it_had_never_stopped(unmet, period):
    rng = np.random.default_rng(5)
    rows, first, more = 12, 60, 6
    demand = rng.poisson(4.0, (rows, first + more)).astype(np.float32) * rng.integers(1, 3, (rows, 1))
    panel = Panel.from_arrays(demand)
    terms = SupplyTerms(np.arange(rows) % 5, period, unmet=unmet)
    stock = warmed_up_stock(panel, first, terms, WINDOW)

    warm_up = 26
    begin = first - warm_up
    levels = moving_levels(panel, begin, first + more, WINDOW)
    levels *= (terms.lead_time_buckets + period + 1)[:, None]
    costs = Costs.same(rows, holding=1.0, shortage=1.0)
    whole = simulate(
        demand[:, begin:], terms, costs, StockState(np.ceil(levels[:, 0])), Levels.base_stock(levels),
        record="ledger",
    ).buckets  # fmt: skip
    rest = simulate(
        demand[:, first:], terms, costs, stock, Levels.base_stock(levels[:, warm_up:]), record="ledger"
    ).buckets
    for name in ("received", "on_hand_end", "backorders", "ordered"):
        np.testing.assert_allclose(
            getattr(rest, name)[:, 0], getattr(whole, name)[:, 0, warm_up:], atol=1e-4, err_msg=name
        )


def test_without_history_there_is_no_stock():
    stock = warmed_up_stock(Panel.from_arrays([[5.0, 5.0]]), 0, SupplyTerms.same(1, lead_time_buckets=2), 4)
    assert stock.on_hand.tolist() == [0.0]
    assert stock.position.tolist() == [0.0]
