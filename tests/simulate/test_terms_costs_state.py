"""Terms, costs and state: values spread over series, bad ones refused by name, value and series."""

from __future__ import annotations

import math

import numpy as np
import pytest

from shelfwise.errors import UsageError
from shelfwise.simulate import Costs, Levels, StockState, SupplyTerms

THREE = np.array([1, 2, 3])


def test_scalars_are_spread_over_all_series():
    terms = SupplyTerms.same(3, lead_time_buckets=2, moq=[0, 6, 12], unmet=0.25)
    assert terms.lead_time_buckets.tolist() == [2, 2, 2]
    assert terms.lead_time_buckets.dtype == np.int32
    assert terms.review_period_buckets.tolist() == [1, 1, 1]
    assert terms.moq.tolist() == [0, 6, 12]
    assert terms.lost_share.tolist() == [0.25] * 3
    assert terms.max_quantity.tolist() == [math.inf] * 3


@pytest.mark.parametrize(("unmet", "share"), [("lost", 1.0), ("backorder", 0.0)])
def test_unmet_by_name(unmet: str, share: float):
    assert SupplyTerms(THREE, unmet=unmet).lost_share.tolist() == [share] * 3


@pytest.mark.parametrize("rows", [[2, 0], np.array([True, False, True]), slice(0, 2)])
def test_take_keeps_each_series_together(rows):
    index = np.arange(3)[rows]
    whole = SupplyTerms(THREE, THREE + 1, THREE * 2.0, THREE * 1.0, THREE * 9.0, THREE / 10, THREE - 1)
    terms = whole.take(rows)
    assert terms.lead_time_buckets.tolist() == THREE[index].tolist()
    assert terms.review_period_buckets.tolist() == (THREE + 1)[index].tolist()
    assert terms.moq.tolist() == (THREE * 2.0)[index].tolist()
    assert terms.multiple.tolist() == (THREE * 1.0)[index].tolist()
    assert terms.max_quantity.tolist() == (THREE * 9.0)[index].tolist()
    assert terms.lost_share.tolist() == (THREE / 10)[index].tolist()
    assert terms.first_review.tolist() == (THREE - 1)[index].tolist()
    costs = Costs(THREE, THREE * 2, THREE * 3, THREE * 4).take(rows)
    assert costs.holding.tolist() == THREE[index].tolist()
    assert costs.unit.tolist() == (THREE * 4)[index].tolist()
    state = StockState(THREE, THREE * 2, THREE[:, None] * np.array([1, 0])).take(rows)
    assert state.position.tolist() == [0.0] * len(index)


@pytest.mark.parametrize(
    ("field", "values", "message"),
    [
        ("lead_time_buckets", [1, -1, 2], "lead_time_buckets .* at least 0; got -1.0 at series 1"),
        ("lead_time_buckets", [1, 2, 1.5], "lead_time_buckets must be a whole number .* got 1.5 at series 2"),
        ("review_period_buckets", [1, 0, 0], "at least 1; got 0.0 at series 1 .and 1 more"),
        ("first_review", [-1, 0, 0], "first_review .* series 0"),
        ("moq", [0, 0, math.nan], "moq .* got nan at series 2"),
        ("multiple", [1, 0, 1], "multiple must be a number above 0; got 0.0 at series 1"),
        ("max_quantity", [1, 1, -5], "max_quantity .* got -5.0 at series 2"),
        ("unmet", [0, 1, 1.5], "unmet .* from 0 to 1; got 1.5 at series 2"),
        ("unmet", "maybe", "'lost', 'backorder' or a share from 0 to 1; got 'maybe'"),
        ("moq", [0, 0], "moq must be one value, or one for each of 3 series"),
    ],
)
def test_bad_terms_are_refused_with_rule_value_and_series(field: str, values: object, message: str):
    with pytest.raises(UsageError, match=message):
        SupplyTerms(**({"lead_time_buckets": THREE} | {field: values}))


def test_a_lone_lead_time_does_not_say_how_many_series():
    with pytest.raises(UsageError, match=r"lead_time_buckets .* Use \.same"):
        SupplyTerms(2)


@pytest.mark.parametrize("name", ["holding", "shortage", "order", "unit"])
def test_bad_costs_are_refused(name: str):
    given = {"holding": [1.0, 1.0], "shortage": [1.0, 1.0], name: [1.0, -0.5]}
    with pytest.raises(UsageError, match=f"{name} cost must be .* got -0.5 at series 1"):
        Costs(**given)


def test_bad_state_is_refused():
    with pytest.raises(UsageError, match=r"on_hand .* got -1.0 at series 1"):
        StockState([0.0, -1.0])
    with pytest.raises(UsageError, match=r"pipeline .* got nan at series 1, bucket 2"):
        StockState([0.0, 0.0], pipeline=[[0, 0, 0], [0, 0, math.nan]])
    with pytest.raises(UsageError, match=r"one row a series, shape \(2, D\); got shape \(3, 1\)"):
        StockState([0.0, 0.0], pipeline=[[1], [1], [1]])


def test_empty_state_has_nothing():
    state = StockState.empty(2)
    assert state.position.tolist() == [0.0, 0.0]
    assert state.pipeline.shape == (2, 0)


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ({}, "need order_up_to, or reorder_point with fixed_lot"),
        ({"reorder_point": [1.0]}, "fixed_lot must be above 0 where there is no order_up_to"),
        ({"order_up_to": [1.0], "fixed_lot": [2.0]}, "fixed_lot needs a reorder_point; got 2.0 at series 0"),
        ({"order_up_to": [[1.0, math.nan]]}, "order_up_to .* got nan at series 0, bucket 1"),
        ({"order_up_to": [1.0], "reorder_point": [math.nan]}, "reorder_point .* got nan"),
        ({"reorder_point": [math.inf], "fixed_lot": [2.0]}, "reorder_point .* got inf"),
        ({"order_up_to": [1.0], "cap": [-1.0]}, "cap must be at least 0"),
        ({"order_up_to": [1.0, 2.0], "cap": [1.0]}, r"cap must have shape \(2,\)"),
        ({"order_up_to": [[1.0, 2.0]], "reorder_point": [[1.0, 2.0, 3.0]]}, "same N and T"),
        ({"order_up_to": [1.0, 2.0], "reorder_point": [1.0]}, "same N and T"),
    ],
)
def test_bad_levels_are_refused(levels: dict, message: str):
    with pytest.raises(UsageError, match=message):
        Levels(**levels)


def test_levels_read_the_column_of_the_bucket():
    levels = Levels.base_stock([[10.0, 20.0], [5.0, 0.0]], cap=[15.0, 15.0])
    assert levels.raw_order(0, [4.0, 4.0]).tolist() == [6.0, 1.0]
    assert levels.raw_order(1, [[4.0, 8.0], [4.0, 8.0]]).tolist() == [[15.0, 12.0], [0.0, 0.0]]
    with pytest.raises(UsageError, match="position must have 2 rows"):
        levels.raw_order(0, [1.0])
