"""Goods that expire: the order against a twin, against the exact optimum, and what a plan says of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.situations import make_situation
from oracles.ageing_twin import expiring_costs
from shelfwise import planner
from shelfwise.forecast.scenarios import Scenarios
from shelfwise.replenish.aged_projection import AgedProjection
from shelfwise.replenish.exact import Perishable, perishable_cost, perishable_optimum
from shelfwise.replenish.exact.discrete import rounded_gamma_pmf
from shelfwise.replenish.limits import share_limits
from shelfwise.replenish.order_up_to import ScenarioOrderUpTo
from shelfwise.replenish.plan import make_plan
from shelfwise.replenish.shelf_life import shelf_life_horizon, shelf_lives
from shelfwise.tables import Dataset, Settings, resolve_terms

LEVELS = 400
DEMAND = rounded_gamma_pmf(4.0, 0.5)


def perishable_situation(rng, *, lead, review, life, unmet="lost", size=5, n_samples=5, **more):
    """Two series with stock of known ages; paths reach until an order of today has expired."""
    paths = rng.poisson(size, (2, n_samples, lead + max(review, life)))
    ages = rng.integers(0, size + 1, (2, life)).astype(float)
    receipts = np.zeros((2, paths.shape[2]))
    receipts[:, : lead + 1] = rng.integers(0, size + 1, (2, lead + 1)) * rng.integers(0, 2, (2, lead + 1))
    situation = make_situation(
        paths, lead_time=lead, review=review, on_hand=ages.sum(axis=1), receipts=receipts, unmet=unmet, **more
    )
    return replace(situation, shelf_life=np.full(2, life, np.int32), ages=ages)


def twin(situation, row, quantity):
    """(cost, short, older waste, own waste) of the twin, mean over the paths."""
    terms, costs = situation.terms, situation.costs
    runs = [
        expiring_costs(
            path.astype(float), situation.receipts[row], situation.ages[row],
            0.0, int(terms.lead_time_buckets[row]), int(terms.review_period_buckets[row]),
            int(situation.shelf_life[row]), quantity,
            costs.holding[row], costs.shortage[row], costs.unit[row], float(terms.lost_share[row]),
        )
        for path in situation.scenarios.paths[row]
    ]  # fmt: skip
    return np.mean(runs, axis=0)


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_what_an_order_costs_is_what_a_twin_counts(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 9999)))
    life, review = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 3))
    unmet = data.draw(st.sampled_from(["lost", "backorder", 0.5]))
    # Where goods keep shorter than a review, what is owed after they expired is told in units alone.
    if life < review:
        unmet = "lost"
    situation = perishable_situation(
        rng,
        lead=data.draw(st.integers(0, 3)),
        review=review,
        life=life,
        unmet=unmet,
        shortage=4.0,
        unit_cost=3.0,
    )
    projection = ScenarioOrderUpTo().project(situation)
    assert isinstance(projection, AgedProjection)
    for quantity in (0.0, 3.0, 11.0):
        outcome = projection.assess(np.full(2, quantity))
        older, own = projection.waste(np.full(2, quantity))
        for row in range(2):
            cost, short, older_wasted, own_wasted = twin(situation, row, quantity)
            assert outcome.lost[row] == pytest.approx(short)
            assert older[row] == pytest.approx(older_wasted)
            assert own[row] == pytest.approx(own_wasted)
            assert outcome.cost[row] == pytest.approx(cost)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_no_other_order_costs_less(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 9999)))
    life = data.draw(st.integers(1, 4))
    review = data.draw(st.integers(1, min(life, 3)))
    situation = perishable_situation(
        rng, lead=data.draw(st.integers(0, 3)), review=review, life=life, shortage=4.0,
        unmet=data.draw(st.sampled_from(["lost", "backorder", 0.5])),
        unit_cost=data.draw(st.sampled_from([0.0, 1.0, 9.0])), multiple=data.draw(st.sampled_from([1.0, 4.0])),
    )  # fmt: skip
    projection = ScenarioOrderUpTo().project(situation)
    projection = replace(
        projection, aged=replace(projection.aged, inner=replace(projection.aged.inner, weight=np.ones(2)))
    )
    _, quantity = projection.choose()
    for row in range(2):
        step = situation.terms.multiple[row]
        costs = [twin(situation, row, lots * step)[0] for lots in range(40)]
        assert twin(situation, row, quantity[row])[0] == pytest.approx(min(costs), abs=1e-9)


@pytest.mark.parametrize(("life", "lead"), [(2, 1), (2, 2), (3, 1), (3, 2)])
def test_the_default_order_is_within_a_thousandth_of_the_optimum(life, lead):
    """De Moor, Gijsbrechts and Boute (2022), scenario A, oldest first: no parameter is tuned.

    Purchase is paid for what is sold in any case, so a lost sale saves it and a wasted unit costs it on top.
    """
    model = Perishable(DEMAND, life, lead, 1.0, 5.0, 7.0, 3.0, "fifo", 10)
    quantiles = np.searchsorted(np.cumsum(DEMAND), (np.arange(LEVELS) + 0.5) / LEVELS)
    rng = np.random.default_rng(0)
    paths = np.stack([rng.permutation(quantiles) for _ in range(lead + life)], axis=1)

    def decide(states):
        receipts = np.zeros((len(states), paths.shape[1]))
        receipts[:, 1:lead] = states[:, life:]
        situation = make_situation(
            np.broadcast_to(paths, (len(states), *paths.shape)), lead_time=lead, receipts=receipts,
            on_hand=states[:, :life].sum(axis=1), holding=1.0, shortage=5.0 - 3.0, unit_cost=7.0 + 3.0,
            max_quantity=10,
        )  # fmt: skip
        keeps = replace(situation, shelf_life=np.full(len(states), life), ages=states[:, :life].astype(float))
        return ScenarioOrderUpTo().decide(keeps).quantity

    optimum = perishable_cost(model, perishable_optimum(model))
    assert perishable_cost(model, decide) <= optimum * 1.001


@pytest.mark.parametrize("order_cost", [0.0, 4.0])
def test_a_life_that_never_ends_changes_nothing(order_cost):
    rng = np.random.default_rng(4)
    situation = make_situation(
        rng.poisson(4, (6, 40, 5)), lead_time=2, review=2, on_hand=rng.integers(0, 20, 6), unit_cost=3.0,
        order_cost=order_cost, multiple=[1, 1, 1, 6, 6, 6],
    )  # fmt: skip
    plain = ScenarioOrderUpTo().decide(situation)
    for lives in (np.zeros(6, np.int32), np.array([0, 2000, 0, 2000, 0, 2000], np.int32)):
        kept = ScenarioOrderUpTo().decide(replace(situation, shelf_life=lives))
        assert kept.quantity.tolist() == plain.quantity.tolist()
        for name, values in plain.figures.items():
            assert np.allclose(kept.figures[name], values, equal_nan=True), name


def test_a_costlier_unit_or_a_shorter_life_never_orders_more():
    rng = np.random.default_rng(6)
    paths = rng.poisson(4, (1, 60, 12))
    by_life = []
    for life in (1, 2, 3, 5, 9):
        by_cost = []
        for unit_cost in (0.0, 2.0, 20.0):
            situation = make_situation(
                paths, lead_time=1, review=1, multiple=8, unit_cost=unit_cost, shortage=3.0
            )
            by_cost.append(
                ScenarioOrderUpTo().decide(replace(situation, shelf_life=np.array([life]))).quantity[0]
            )
        assert by_cost == sorted(by_cost, reverse=True)
        by_life.append(by_cost[1])
    assert by_life == sorted(by_life)


def test_an_order_cost_buys_no_more_than_keeps():
    paths = np.random.default_rng(1).poisson(5, (1, 100, 14))
    situation = make_situation(paths, lead_time=1, holding=0.01, order_cost=50.0, unit_cost=4.0, shortage=9.0)
    endless = ScenarioOrderUpTo().decide(situation).quantity[0]
    short = ScenarioOrderUpTo().decide(replace(situation, shelf_life=np.array([3]))).quantity[0]
    assert endless > 60
    assert 8 <= short <= 24


@pytest.mark.parametrize(
    ("objective", "kind"), [("service", "fill_rate"), ("service", "cycle"), ("profit", "fill_rate")]
)
def test_every_objective_knows_the_shelf_life(objective, kind):
    """With a level out of reach the order stops where more would serve nobody."""
    paths = np.random.default_rng(3).poisson(6, (1, 50, 8))
    situation = replace(
        make_situation(paths, lead_time=1, review=4, unit_cost=2.0, margin=3.0), shelf_life=np.array([2])
    )
    policy = ScenarioOrderUpTo(objective, service_level=0.999, kind=kind)
    quantity = policy.decide(situation).quantity[0]
    assert 0 < quantity <= paths[0, :, 1:3].sum(axis=1).max()


def test_stock_of_unknown_age_is_as_old_as_its_sales_say():
    """20 on hand at 5 a week came in over four weeks: with three weeks of life the oldest are gone first."""
    paths = np.full((1, 4, 6), 5.0)
    situation = make_situation(paths, lead_time=2, on_hand=20.0, unit_cost=1.0, history=np.full((1, 20), 5.0))
    fresh = replace(situation, shelf_life=np.array([6]))
    assert ScenarioOrderUpTo().decide(fresh).figures["stock_at_arrival"][0] == pytest.approx(10.0)
    old = ScenarioOrderUpTo().decide(replace(situation, shelf_life=np.array([3])))
    # Two ages of ten: five of the older sell, five expire; then five of the younger sell and five expire.
    assert old.figures["stock_at_arrival"][0] == 0.0
    assert old.figures["expected_waste_stock"][0] == 10.0


def test_what_will_expire_covers_nothing_and_runs_out_earlier():
    """20 on hand at 5 a week and three weeks of life: ten expire, so two weeks are covered and not four."""
    situation = make_situation(
        np.full((1, 4, 6), 5.0), lead_time=1, on_hand=20.0, unit_cost=1.0, history=np.full((1, 20), 5.0)
    )
    kept = make_plan(situation, ScenarioOrderUpTo().decide(situation)).table.row(0, named=True)
    old = replace(situation, shelf_life=np.array([3], np.int32))
    plan = make_plan(old, ScenarioOrderUpTo().decide(old))
    row = plan.table.row(0, named=True)
    assert (kept["cover_buckets"], row["cover_buckets"]) == (4.0, 2.0)
    assert (row["stockout_date"] - old.as_of).days == 14
    assert (kept["stockout_date"] - old.as_of).days == 28
    assert (row["counted_position"], row["target"], row["raw"]) == (10.0, 10.0, 0.0)
    assert "what will expire" in plan.explain("s000").step("counted_position").text


def test_a_budget_values_what_will_expire():
    rng = np.random.default_rng(2)
    situation = make_situation(rng.poisson(5, (3, 80, 6)), lead_time=1, unit_cost=2.0, shortage=4.0)
    situation = replace(situation, shelf_life=np.array([0, 1, 4]))
    policy = ScenarioOrderUpTo()
    whole = policy.decide(situation)
    cut = share_limits(policy, situation, whole, budget=float(whole.quantity.sum()))
    assert cut.quantity.sum() * 2.0 <= whole.quantity.sum() + 1e-9
    assert cut.quantity.sum() > 0
    assert (
        cut.figures["expected_waste_order"][1:] <= whole.figures["expected_waste_order"][1:] + 1e-12
    ).all()


def test_lives_are_whole_buckets_and_only_short_ones_lengthen_the_forecast():
    items = pl.DataFrame({"sku": ["a", "b", "c", "d"], "shelf_life": [0.5, 3.9, None, 40.0]})
    shop = Dataset(Settings(), {"items": items})
    keys = pl.DataFrame({"sku": ["d", "c", "b", "a", "zzz"], "location": ["main"] * 5})
    assert shelf_lives(shop, keys).tolist() == [40, 0, 3, 1, 0]
    assert shelf_life_horizon(shop, resolve_terms(shop, keys)) == 2 + 3
    assert shelf_lives(Dataset(Settings(), {"items": items.drop("shelf_life")}), keys) is None


SALES = {
    "sku": ["a"] * 40 + ["b"] * 40,
    "date": [date(2024, 1, 1 + 7 * (w % 4)).replace(month=1 + w // 4) for w in range(40)] * 2,
    "quantity": [3.0, 6.0, 4.0, 5.0] * 20,
}


def shop_plan(items, **more):
    return planner.plan(
        pl.DataFrame(SALES),
        as_of="2024-11-04",
        model="moving_average",
        tuned=False,
        items=pl.DataFrame(items),
        **more,
    )


def test_the_plan_says_what_will_expire():
    items = {"sku": ["a", "b"], "shelf_life": [1.0, None], "unit_cost": [2.0, 2.0]}
    plan = shop_plan(items, settings={"costs": {"shortage": 9.0}, "supply": {"multiple": 12}})
    row, other = plan.table.filter(pl.col("sku") == "a").row(0, named=True), plan.table.row(1, named=True)
    assert (row["shelf_life"], other["shelf_life"]) == (1.0, None)
    assert row["warnings"].split(";").count("plan.warning.short_shelf_life") == 1
    assert other["expected_waste_order"] is None
    told = plan.explain("a")
    assert "sold for 1 weeks" in told.step("shelf_life").text
    for lang in ("en", "zh"):
        assert "{" not in str(plan.explain("a", lang=lang))


def test_the_reason_is_that_it_expires():
    items = {"sku": ["a", "b"], "shelf_life": [2.0, None], "unit_cost": [30.0, 30.0]}
    plan = shop_plan(
        items, settings={"costs": {"holding": 0.01, "shortage": 9.0}, "supply": {"lead_time": 1}}
    )
    a, b = plan.table.to_dicts()
    assert a["reason_code"] == "plan.reason.order_shelf_life"
    assert 0 < a["quantity"] < b["quantity"]
    items["shelf_life"] = [1.0, None]
    packs = shop_plan(items, settings={"costs": {"holding": 0.01}, "supply": {"lead_time": 1, "multiple": 4}})
    assert packs.table["reason_code"][0] == "plan.reason.not_worth_expiring"


def test_a_rule_that_knows_no_shelf_life_says_so():
    items = {"sku": ["a", "b"], "shelf_life": [2.0, None]}
    said = [str(note) for note in shop_plan(items, policy="textbook").notes]
    assert any("1 series have a shelf life, which textbook does not know of" in note for note in said)
    assert not any("have a shelf life" in str(note) for note in shop_plan(items).notes)


def test_without_shelf_life_the_plan_has_no_such_columns():
    plain = shop_plan({"sku": ["a", "b"], "unit_cost": [2.0, 2.0]})
    empty = shop_plan({"sku": ["a", "b"], "unit_cost": [2.0, 2.0], "shelf_life": [None, None]})
    assert "shelf_life" not in plain.table.columns
    assert plain.table.equals(empty.table)


def test_beyond_its_horizon_a_scenario_goes_on_until_the_item_ends():
    """Ten a bucket, kept for five: an order's life reaches three buckets past the two the paths cover."""
    situation = make_situation(np.full((1, 3, 2), 10.0), lead_time=1, unit_cost=1.0)
    endless = replace(situation, shelf_life=np.array([5]))
    wasted = ScenarioOrderUpTo().project(endless).waste(np.array([60.0]))[1]
    assert wasted.tolist() == [10.0]
    panel = replace(situation.panel, ends=np.array([situation.panel.n_buckets + 3], np.int32))
    ending = replace(
        endless,
        panel=panel,
        scenarios=Scenarios(panel.keys, panel.bucket, panel.as_of, situation.scenarios.paths),
    )
    assert ScenarioOrderUpTo().project(ending).waste(np.array([60.0]))[1].tolist() == [40.0]
