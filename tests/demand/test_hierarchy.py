"""Hierarchies: who adds up to whom, and demand of totals when some members are masked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from shelfwise.demand.hierarchy import Hierarchy
from shelfwise.demand.panel import Known, Panel
from shelfwise.errors import UsageError

NAN = float("nan")
LEVELS = ["total", "location", "sku", "category_1", ("category_1", "location")]


def shop(demand: object = None) -> Panel:
    keys = pl.DataFrame({"sku": ["0017", "0017", "b", "c"], "location": ["x", "y", "x", "y"]})
    values = np.arange(12.0).reshape(4, 3) if demand is None else demand
    panel = Panel.from_arrays(values, keys=keys)
    return replace(panel, static=pl.DataFrame({"category_1": ["food", "food", "toys", None], "weight": 1.5}))


def test_every_level_has_its_nodes_in_order():
    tree = Hierarchy.of(shop(), LEVELS)
    assert list(zip(*tree.nodes, strict=True)) == [
        ("total", "total"),
        ("location", "x"),
        ("location", "y"),
        ("sku", "0017"),
        ("sku", "b"),
        ("sku", "c"),
        ("category_1", ""),
        ("category_1", "food"),
        ("category_1", "toys"),
        ("category_1 x location", " x y"),
        ("category_1 x location", "food x x"),
        ("category_1 x location", "food x y"),
        ("category_1 x location", "toys x x"),
    ]
    assert tree.level_of.tolist() == [0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4]


def test_the_summing_matrix_adds_what_belongs_together():
    tree = Hierarchy.of(shop(), LEVELS)
    summing = tree.summing.toarray()
    assert summing.shape == (13 + 4, 4)
    assert summing[1].tolist() == [1, 0, 1, 0]
    assert summing[3].tolist() == [1, 1, 0, 0]
    assert summing[9].tolist() == [0, 0, 0, 1]
    assert np.array_equal(summing[13:], np.eye(4))
    for level in range(len(LEVELS)):
        assert (summing[:13][tree.level_of == level].sum(axis=0) == 1).all()


def test_sums_go_over_any_further_axes():
    tree = Hierarchy.of(shop(), ["total", "location"])
    paths = np.random.default_rng(0).poisson(5, (4, 6, 3))
    assert np.array_equal(tree.sums(paths)[0], paths.sum(axis=0))
    assert np.array_equal(tree.sums(paths)[2], paths[[1, 3]].sum(axis=0))


def test_a_numeric_attribute_makes_a_level_too():
    assert Hierarchy.of(shop(), ["weight"]).nodes.rows() == [("weight", "1.5")]


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ([], "at least one"),
        (["total", "total"], "named once"),
        ([("category_1", "location"), ("location", "category_1")], "named once"),
        (["brand"], "no attribute 'brand'"),
        ([("sku", "location")], "above the series"),
    ],
)
def test_levels_that_make_no_sense_are_refused(levels, said):
    with pytest.raises(UsageError, match=said):
        Hierarchy.of(shop(), levels)


def test_known_demand_is_simply_added():
    panel = shop()
    totals = Hierarchy.of(panel, LEVELS).aggregate(panel)
    assert totals.demand[0].tolist() == panel.demand.sum(axis=0).tolist()
    assert totals.demand[1].tolist() == (panel.demand[0] + panel.demand[2]).tolist()
    assert totals.keys.row(1) == ("x", "location")
    assert totals.as_of == panel.as_of


def test_a_masked_member_is_filled_up_by_its_usual_share():
    # Usual demand 6 and 2, so the first alone is three quarters of the total.
    panel = shop(np.array([[6.0, 6.0, 6.0, 6.0], [2.0, NAN, 2.0, 2.0], [0, 0, 0, 0], [0, 0, 0, 0]]))
    totals = Hierarchy.of(panel, ["total"]).aggregate(panel)
    assert totals.demand.tolist() == [[8.0, 8.0, 8.0, 8.0]]


def test_too_little_known_is_unknown():
    demand = np.array([[6.0, NAN, 6.0, NAN], [2.0, 2.0, 2.0, NAN], [0, 0, 0, NAN], [0, 0, 0, NAN]])
    tree = Hierarchy.of(shop(demand), ["total"])
    assert np.isnan(tree.aggregate(shop(demand)).demand[0]).tolist() == [False, True, False, True]
    loose = tree.aggregate(shop(demand), least_known_share=0.2)
    assert loose.demand[0, 1] == pytest.approx(8.0)
    assert np.isnan(loose.demand[0, 3])


def test_members_not_launched_or_ended_count_as_nothing_not_as_unknown():
    demand = np.array([[5.0, 5.0, 5.0], [NAN, 4.0, 4.0], [3.0, NAN, NAN], [1.0, 1.0, 1.0]])
    panel = shop(demand)
    launched, ends = np.array([0, 1, 0, 0], np.int32), np.array([9, 9, 1, 9], np.int32)
    panel = replace(panel, launched=launched, ends=ends)
    totals = Hierarchy.of(panel, ["total", "sku"]).aggregate(panel)
    assert totals.demand[0].tolist() == [9.0, 10.0, 10.0]
    assert totals.launched.tolist() == [0, 0, 0, 0]
    assert totals.ends.tolist() == [9, 9, 1, 9]
    assert np.isnan(totals.demand[2, 1:]).all()


def test_a_series_never_observed_does_not_stop_its_total():
    panel = shop(np.array([[5.0, 5.0], [NAN, NAN], [1.0, 1.0], [0.0, 0.0]]))
    assert Hierarchy.of(panel, ["total"]).aggregate(panel).demand.tolist() == [[6.0, 6.0]]


def test_members_that_sold_nothing_add_up_to_nothing():
    panel = shop(np.array([[0.0, 0.0], [NAN, 0.0], [0.0, NAN], [0.0, NAN]]))
    assert Hierarchy.of(panel, ["total"]).aggregate(panel).demand.tolist() == [[0.0, 0.0]]


def test_scaling_by_shares_is_right_on_average():
    rng = np.random.default_rng(1)
    level = rng.gamma(2.0, 5.0, (40, 1))
    whole = rng.poisson(level, (40, 300)).astype(np.float32)
    masked = np.where(rng.random(whole.shape) < 0.2, np.nan, whole)
    panel = Panel.from_arrays(masked)
    totals = Hierarchy.of(panel, ["total"]).aggregate(panel).demand[0]
    assert abs(np.nanmean(totals) / whole.sum(axis=0).mean() - 1) < 0.005
    assert np.nansum(masked, axis=0).mean() < 0.85 * whole.sum(axis=0).mean()


def test_prices_and_shares_on_sale_are_weighted_means_and_events_stay_one_group():
    panel = shop(np.array([[3.0, 3.0], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]))
    price = np.array([[8.0, 8.0, 8.0], [4.0, 4.0, 12.0], [1.0, NAN, 1.0], [2.0, 2.0, 2.0]], np.float32)
    event = np.array([[0.0, 1.0, 0.0]], np.float32)
    panel = replace(
        panel,
        horizon=1,
        on_sale=np.array([[1.0, 0.5], [1.0, 0.5], [1.0, 1.0], [1.0, 1.0]], np.float32),
        known={
            "price": Known(price, np.arange(4, dtype=np.int32)),
            "event:fair": Known(event, np.zeros(4, np.int32)),
        },
    )
    totals = Hierarchy.of(panel, ["total", "sku"]).aggregate(panel)
    assert np.allclose(totals.known["price"].rows()[0], [7.0, 7.0, 9.0], atol=1e-3)
    assert np.allclose(totals.known["price"].rows()[2], [1.0, NAN, 1.0], equal_nan=True)
    assert np.allclose(totals.on_sale[0], [1.0, 0.5], atol=1e-3)
    assert totals.known["event:fair"].values.shape == (1, 3)
    assert totals.known["event:fair"].rows().tolist() == [[0.0, 1.0, 0.0]] * totals.n_series


def test_history_in_many_pieces_is_the_same_as_in_one():
    demand = np.random.default_rng(0).poisson(3, (4, 200)).astype(np.float32)
    panel = replace(shop(demand), start=date(2020, 1, 6))
    assert np.array_equal(Hierarchy.of(panel, ["total"]).aggregate(panel).demand[0], demand.sum(axis=0))


def test_another_panel_is_refused():
    tree = Hierarchy.of(shop(), ["total"])
    with pytest.raises(UsageError, match="4 series"):
        tree.aggregate(shop().take(np.array([0, 1])))
    with pytest.raises(UsageError, match="between 0 and 1"):
        tree.aggregate(shop(), least_known_share=2.0)
    with pytest.raises(UsageError, match="row for each of 4"):
        tree.sums(np.zeros((3, 2)))
