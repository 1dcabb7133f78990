"""Places that supply each other: their demand, what they can send, and what a plan says of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.situations import make_situation
from shelfwise import planner
from shelfwise.errors import DataRejected
from shelfwise.replenish.internal_orders import decide_inside
from shelfwise.replenish.internal_supply import InternalSupply
from shelfwise.replenish.limits import SharedLimits
from shelfwise.replenish.order_up_to import ScenarioOrderUpTo
from shelfwise.replenish.rationing import free_upstream, ration
from shelfwise.replenish.register import make_policy
from shelfwise.replenish.two_echelon import TwoEchelon
from shelfwise.simulate.network import (
    NetworkCosts,
    NetworkState,
    NetworkTerms,
    SupplyNetwork,
    simulate_network,
)


def links(*suppliers):
    places = [f"p{number}" for number in range(len(suppliers))]
    return InternalSupply.of(
        pl.DataFrame({"sku": ["a"] * len(places), "location": places, "supplier": suppliers})
    )


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_no_unit_is_promised_twice(data):
    """Whatever the tree, the terms and the policy: what leaves a place is there, in whole lots, and was asked for."""
    rng = np.random.default_rng(data.draw(st.integers(0, 9999)))
    n_series = data.draw(st.integers(2, 6))
    suppliers = ["acme", *(f"p{rng.integers(0, k)}" for k in range(1, n_series))]
    supply = links(*suppliers)
    situation = make_situation(
        rng.poisson(4, (n_series, 20, 6)) * rng.integers(0, 2, (n_series, 1, 1)),
        lead_time=data.draw(st.integers(0, 3)), review=data.draw(st.integers(1, 2)),
        on_hand=rng.integers(-3, 30, n_series), backorders=rng.integers(0, 3, n_series),
        receipts=rng.integers(0, 6, (n_series, 6)) * rng.integers(0, 2, (n_series, 6)),
        moq=data.draw(st.sampled_from([0.0, 8.0])), multiple=rng.choice([1.0, 3.0, 5.0], n_series),
        unmet=data.draw(st.sampled_from(["lost", "backorder"])), order_cost=data.draw(st.sampled_from([0.0, 3.0])),
    )  # fmt: skip
    policy = make_policy(data.draw(st.sampled_from(["order_up_to", "days_of_cover"])))
    _, decision = decide_inside(policy, situation, supply, SharedLimits())
    free, inside = free_upstream(situation, decision.quantity), supply.inside
    for row in range(n_series):
        assert decision.quantity[supply.dependents(row)].sum() <= free[row] + 1e-9
    assert (decision.quantity[inside] <= decision.figures["requested"][inside] + 1e-9).all()
    lots = decision.quantity / situation.terms.multiple
    assert np.allclose(lots, np.rint(lots))
    assert ((decision.quantity == 0) | (decision.quantity >= situation.terms.moq - 1e-9)).all()


def test_enough_is_sent_as_ordered():
    situation = make_situation(np.full((3, 5, 3), 4.0), lead_time=1, on_hand=[100.0, 0.0, 2.0])
    supply = links("acme", "p0", "p0")
    _, decision = decide_inside(ScenarioOrderUpTo(), situation, supply, SharedLimits())
    alone = ScenarioOrderUpTo().decide(situation)
    assert decision.quantity[1:].tolist() == alone.quantity[1:].tolist()


def test_scarce_stock_goes_where_it_is_worth_most():
    """Two alike but for their shortage cost, and too little for both."""
    paths = np.random.default_rng(0).poisson(5, (3, 200, 2))
    paths[0] = 0
    situation = make_situation(paths, lead_time=1, on_hand=[12.0, 0.0, 0.0], shortage=[1.0, 1.0, 20.0])
    sent = ration(situation, situation, links("acme", "p0", "p0"), np.array([0.0, 10.0, 12.0]))
    assert sent.sum() == 12.0
    assert sent[2] > sent[1]


def test_a_place_keeps_what_its_own_customers_are_worth():
    paths = np.random.default_rng(1).poisson(6, (2, 100, 2))
    situation = make_situation(paths, lead_time=1, on_hand=[8.0, 0.0], shortage=[50.0, 1.0], holding=0.1)
    sent = ration(situation, situation, links("acme", "p0"), np.array([0.0, 9.0]))
    assert sent[1] <= 2.0
    nobody = replace(situation, costs=replace(situation.costs, shortage=np.array([0.0, 1.0])))
    assert ration(nobody, nobody, links("acme", "p0"), np.array([0.0, 9.0]))[1] == 8.0


def test_a_warehouse_orders_what_its_shops_will():
    """Three shops of 4 a week and nobody else: the warehouse has to carry 12 a week over its lead time and review."""
    paths = np.full((4, 5, 5), 4.0)
    paths[0] = 0.0
    situation = make_situation(paths, lead_time=[3, 1, 1, 1], on_hand=[0.0, 8.0, 8.0, 8.0])
    after, decision = decide_inside(
        ScenarioOrderUpTo(), situation, links("acme", "p0", "p0", "p0"), SharedLimits()
    )
    # Each shop asks for nothing now, having what it needs, and for what it sold at each of the next three weeks.
    assert decision.figures["dependents_demand"][0] == 3 * 4 * 3
    assert decision.quantity.tolist() == [36.0, 0.0, 0.0, 0.0]
    assert after.terms.lost_share.tolist() == [0.0, 1.0, 1.0, 1.0]
    shops = [-1, 0, 1, 2]
    assert links("acme", "p0", "p1", "p2").level.tolist() == [3, 2, 1, 0]
    assert links("acme", "p0", "p1", "p2").upstream.tolist() == shops


def test_who_gets_less_than_his_minimum_leaves_it_to_the_others():
    """Twelve among three who take ten at least: one is served, and none where there are but nine."""
    paths = np.random.default_rng(4).poisson([[[0]], [[8]], [[6]], [[4]]], (4, 100, 3))
    situation = make_situation(paths, lead_time=1, on_hand=[12.0, 0, 0, 0], moq=10.0)
    wanted = np.array([0.0, 15.0, 12.0, 10.0])
    supply = links("acme", "p0", "p0", "p0")
    assert ration(situation, situation, supply, wanted).tolist() == [0.0, 12.0, 0.0, 0.0]
    nine = replace(situation, on_hand=np.array([9.0, 0.0, 0.0, 0.0]))
    assert ration(nine, nine, supply, wanted).sum() == 0.0


def test_what_a_place_gets_at_once_it_sends_on():
    """Nothing anywhere, but no time from the supplier to the depot to the shop: the order goes through both."""
    paths = np.full((3, 5, 4), 4.0)
    paths[:2] = 0.0
    situation = make_situation(paths, lead_time=[0, 0, 1], on_hand=0.0, unit_cost=1.0)
    supply = links("acme", "p0", "p1")
    _, decision = decide_inside(ScenarioOrderUpTo(), situation, supply, SharedLimits())
    assert decision.quantity.tolist() == [4.0, 4.0, 4.0]
    assert decision.figures["upstream_free"][1:].tolist() == [4.0, 4.0]
    _, poor = decide_inside(ScenarioOrderUpTo(), situation, supply, SharedLimits(budget=3.0))
    assert poor.quantity.tolist() == [3.0, 3.0, 3.0]
    unsure = replace(situation, lead_time_sd=np.array([0.5, 0.0, 0.0]))
    assert decide_inside(ScenarioOrderUpTo(), unsure, supply, SharedLimits())[1].quantity[1:].sum() == 0.0


@pytest.mark.parametrize("unmet", ["lost", "backorder"])
@pytest.mark.parametrize("review", [1, 3, 4])
def test_a_warehouse_serves_its_shops_at_long_reviews_too(review, unmet):
    """The last order a delivery can serve is placed at a review, and asks for all that the shop needs until the next."""
    paths = np.random.default_rng(6).poisson([[[0]], [[10]], [[6]]], (3, 200, 2 + 2 * review))
    situation = make_situation(
        paths, lead_time=[2, 1, 1], review=review, holding=0.05, shortage=5.0, unmet=unmet
    )
    _, decision = decide_inside(ScenarioOrderUpTo(), situation, links("acme", "p0", "p0"), SharedLimits())
    assert decision.quantity[0] >= 0.9 * decision.figures["dependents_demand"][0]


def test_what_expires_in_the_shops_is_no_reason_to_order_less():
    """Shops full of goods of which most will be wasted ask again soon, and the warehouse has to have it by then."""
    paths = np.random.default_rng(7).poisson([[[0]], [[10]], [[4]]], (3, 200, 6))
    history = np.repeat([[0.0], [10.0], [4.0]], 20, axis=1)
    situation = make_situation(
        paths, lead_time=[2, 1, 1], review=2, on_hand=[40.0, 40.0, 40.0], holding=0.05, shortage=5.0,
        unit_cost=2.0, history=history, shelf_life=3,
    )  # fmt: skip
    _, decision = decide_inside(ScenarioOrderUpTo(), situation, links("acme", "p0", "p0"), SharedLimits())
    assert decision.figures["expected_waste_stock"][1:].sum() > 30
    assert decision.quantity[0] >= 20
    # Nothing is wasted of goods that keep, and then the full shops do mean less.
    keeps = replace(situation, shelf_life=None)
    _, lasting = decide_inside(ScenarioOrderUpTo(), keeps, links("acme", "p0", "p0"), SharedLimits())
    assert lasting.quantity[0] == 0.0


def test_a_budget_is_spent_outside_alone():
    paths = np.random.default_rng(3).poisson(5, (2, 80, 3))
    situation = make_situation(paths, lead_time=1, on_hand=[30.0, 0.0], unit_cost=4.0)
    supply = links("acme", "p0")
    _, free = decide_inside(ScenarioOrderUpTo(), situation, supply, SharedLimits())
    _, none = decide_inside(ScenarioOrderUpTo(), situation, supply, SharedLimits(budget=0.0))
    assert none.quantity[0] == 0.0
    assert none.quantity[1] == free.quantity[1] > 0


def test_a_circle_is_refused():
    with pytest.raises(DataRejected, match="circle") as refused:
        links("p1", "p0")
    assert refused.value.problems[0].code == "terms.supply_circle"
    assert links("acme", "bolt") is None
    assert links("p0", "acme") is None


def shop(hub_stock, *, hub_row=True):
    weeks = pl.date_range(date(2024, 1, 1), date(2024, 12, 23), "1w", eager=True)
    sales = pl.concat(
        pl.DataFrame({"sku": "tea", "location": place, "date": weeks, "quantity": [4.0, 6.0, 5.0, 5.0] * 13})
        for place in ("north", "south")
    )
    stock = pl.DataFrame(
        {"sku": "tea", "location": ["hub", "north", "south"], "on_hand": [hub_stock, 5.0, 0.0]}
    )
    terms = pl.DataFrame(
        {"sku": ["tea"] * 3, "location": ["hub", "north", "south"], "supplier": ["acme", "hub", "hub"],
         "lead_time": [3, 1, 1], "unit_cost": [2.0] * 3}
    )  # fmt: skip
    return sales, {
        "stock": stock if hub_row else stock.filter(pl.col("location") != "hub"),
        "terms": terms,
        "locations": pl.DataFrame({"location": ["hub", "north", "south"]}),
    }


def planned(sales, tables, **more):
    made = planner.plan(sales, as_of="2024-12-30", model="moving_average", tuned=False, **tables, **more)
    return made, {row["location"]: row for row in made.table.to_dicts()}


def test_the_plan_says_who_supplies_whom():
    plan, rows = planned(*shop(7.0))
    assert rows["north"]["quantity"] + rows["south"]["quantity"] == 7.0
    assert rows["south"]["reason_code"] == "plan.reason.order_rationed"
    assert rows["south"]["upstream_free"] == 7.0
    assert rows["hub"]["quantity"] > 20
    assert plan.value == rows["hub"]["value"] == 2.0 * rows["hub"]["quantity"]
    assert rows["hub"]["dependents_demand"] == pytest.approx(rows["hub"]["demand_protection"], rel=0.01)
    for place in rows:
        for lang in ("en", "zh"):
            assert "{" not in str(plan.explain("tea", place, lang))


@pytest.mark.parametrize("hub_row", [True, False])
def test_an_empty_warehouse_sends_nothing_and_orders(hub_row):
    """Also where no table but terms and locations knows that the warehouse has the item."""
    plan, rows = planned(*shop(0.0, hub_row=hub_row))
    assert (rows["north"]["quantity"], rows["south"]["quantity"]) == (0.0, 0.0)
    assert rows["south"]["reason_code"] == "plan.reason.upstream_empty"
    assert rows["hub"]["quantity"] > 30
    told = plan.explain("tea", "south")
    assert "requested" in [step.code for step in told.steps]
    assert "after_limits" not in [step.code for step in told.steps]
    # Nobody buys at the hub, so there is no forecast of customers to tell.
    hub = plan.explain("tea", "hub")
    assert hub.forecast is None
    assert "model" not in [step.code for step in hub.steps]


def test_without_places_that_supply_the_plan_has_no_such_columns():
    sales, tables = shop(7.0)
    outside = tables | {"terms": tables["terms"].with_columns(supplier=pl.lit("acme"))}
    plain, _ = planned(sales, outside)
    assert "requested" not in plain.table.columns


def test_rules_of_thumb_are_rationed_too():
    plan, rows = planned(*shop(7.0), policy="days_of_cover")
    assert [note.code for note in plan.notes if hasattr(note, "code")] == ["plan.unseen.dependents"]
    assert rows["north"]["quantity"] + rows["south"]["quantity"] <= 7.0


@pytest.mark.parametrize(
    ("unmet", "upper_lead", "upper_holding"), [("lost", 3, 0.5), ("backorder", 3, 0.5), ("lost", 1, 0.2)]
)
def test_the_whole_costs_little_more_than_levels_tuned_by_simulation(unmet, upper_lead, upper_holding):
    """A warehouse and three shops in the simulator, against `TwoEchelon`, whose level is searched for this very network.

    Its shops are judged by the full shortage cost of 9; that cost upstream as well would order far too much there.
    """
    n_paths, rate = 8, np.array([2.0, 4.0, 8.0])
    terms = NetworkTerms(SupplyNetwork.warehouse_and_shops(3), [upper_lead, 1, 1, 1], unmet=unmet)
    costs = NetworkCosts(holding=[upper_holding, 1.0, 1.0, 1.0], shortage=[0.0, 9.0, 9.0, 9.0])
    rng = np.random.default_rng(3)
    demand = rng.poisson(rate[:, None, None], (1, 3, n_paths, 110)).astype(np.float32)
    tuned = TwoEchelon.tuned(rng.poisson(rate[:, None, None], (1, 3, 6, 200)), terms, costs)
    start = NetworkState(np.array([[tuned.levels[0], 0.0, 0.0, 0.0]]))
    keys = pl.DataFrame(
        {
            "sku": np.repeat([f"path{path}" for path in range(n_paths)], 4),
            "location": ["hub", "a", "b", "c"] * n_paths,
        }
    )
    supply = InternalSupply.of(keys.with_columns(supplier=pl.Series(["acme", "hub", "hub", "hub"] * n_paths)))
    paths = np.zeros((4, 200, upper_lead + 2))
    paths[1:] = rng.poisson(rate[:, None, None], (3, *paths.shape[1:]))
    at_start = make_situation(
        np.tile(paths, (n_paths, 1, 1)), lead_time=np.tile([upper_lead, 1, 1, 1], n_paths), unmet=unmet,
        holding=np.tile([upper_holding, 1.0, 1.0, 1.0], n_paths), shortage=9.0,
    )  # fmt: skip

    def decide(view):
        receipts = np.zeros(at_start.receipts.shape)
        receipts[:, : view.due.shape[3]] = view.due.reshape(len(keys), -1)
        now = replace(
            at_start,
            on_hand=view.on_hand.sum(axis=3).ravel(),
            backorders=view.backorders.ravel(),
            receipts=receipts,
        )
        assert view.owed.sum() == 0
        _, decision = decide_inside(ScenarioOrderUpTo(), now, supply, SharedLimits())
        return decision.quantity.reshape(1, n_paths, 4)

    everywhere = np.concatenate([np.zeros((1, 1, n_paths, 110), np.float32), demand], axis=1)
    ours = simulate_network(everywhere, terms, costs, start, decide, warm_up_buckets=30).cost.mean()
    assert ours <= tuned.run(demand, start, warm_up_buckets=30).cost.mean() * 1.08
