"""A plan: contract columns, reasons in two languages, dates, statuses, and an explanation that adds up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from checks.situations import make_situation
from shelfwise.errors import UsageError
from shelfwise.messages import codes
from shelfwise.replenish.explanation import STEPS
from shelfwise.replenish.limits import share_limits
from shelfwise.replenish.plan import CONTRACT_COLUMNS, make_plan
from shelfwise.replenish.reasons import STATUSES
from shelfwise.replenish.register import POLICIES, make_policy


def planned(situation, name="order_up_to", **limits):
    policy = make_policy(name)
    decision = policy.decide(situation)
    if limits:
        decision = share_limits(policy, situation, decision, **limits)
    return make_plan(situation, decision, policy=name)


def steady(level=10.0, **changes):
    options = {"lead_time": 2, "unit_cost": 2.0, "history": np.full((1, 60), level)} | changes
    return make_situation(np.full((1, 8, 12), level), **options)


def test_the_contract_columns_come_first_and_every_series_has_a_line():
    plan = planned(steady(on_hand=500.0))
    assert tuple(plan.table.columns[:9]) == CONTRACT_COLUMNS
    assert plan.table.height == 1
    assert plan.orders.height == 0
    assert plan.table["quantity"].to_list() == [0.0]


def test_dates_follow_the_lead_time_and_the_expected_path():
    row = planned(steady(on_hand=45.0)).table.row(0, named=True)
    as_of = row["order_date"]
    assert (row["arrival_date"] - as_of).days == 14
    assert (row["next_review_date"] - as_of).days == 7
    assert (row["stockout_date"] - as_of).days == 28
    assert (row["order_by_date"] - as_of).days == 14


def test_an_order_by_date_never_lies_in_the_past():
    plan = planned(steady(on_hand=5.0))
    row = plan.table.row(0, named=True)
    assert row["order_by_date"] == row["order_date"]
    steps = [step.code for step in plan.explain("s000").steps]
    assert "too_late" in steps
    assert "order_by_date" not in steps


def test_value_is_quantity_times_unit_cost():
    plan = planned(steady(on_hand=15.0))
    assert plan.table.select("quantity", "unit_cost", "value").row(0) == (10.0, 2.0, 20.0)
    assert plan.value == 20.0


@pytest.mark.parametrize(
    ("changes", "reason", "status"),
    [
        ({"on_hand": 25.0}, "order_saves", "order_now"),
        ({"on_hand": 25.0, "moq": 7.0}, "order_moq", "order_now"),
        ({"on_hand": 25.0, "max_quantity": 3.0}, "order_max", "order_now"),
        ({"on_hand": 35.0}, "covered", "ok"),
        ({"on_hand": 500.0}, "covered", "surplus"),
        ({"on_hand": 25.0, "moq": 900.0}, "not_worth_moq", "ok"),
        ({"on_hand": 25.0, "multiple": 900.0}, "not_worth_lot", "ok"),
        ({"on_hand": 25.0, "order_cost": 900.0}, "not_worth_order", "ok"),
        ({"on_hand": 25.0, "max_quantity": 0.0}, "not_orderable", "ok"),
        ({"on_hand": 25.0, "max_quantity": 5.0, "moq": 7.0}, "max_below_lot", "ok"),
        ({"on_hand": 5.0}, "order_saves", "at_risk"),
        ({"on_hand": 0.0}, "order_saves", "stocked_out"),
        ({"on_hand": 0.0, "backorders": 12.0}, "order_saves", "stocked_out"),
        ({"level": 0.0, "on_hand": 5.0}, "no_demand", "dead"),
        ({"on_hand": 35.0, "history": np.full((1, 4), 10.0)}, "covered", "new"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_reason_and_status(changes, reason, status):
    row = planned(steady(**changes)).table.row(0, named=True)
    assert row["reason_code"] == f"plan.reason.{reason}"
    assert row["status"] == status
    assert row["status"] in STATUSES
    assert "{" not in row["reason"]


def test_a_shared_limit_is_told():
    two = make_situation(
        np.full((2, 8, 6), 10.0),
        lead_time=2,
        on_hand=20.0,
        unit_cost=[1.0, 50.0],
        history=np.full((2, 60), 10.0),
    )
    plan = planned(two, budget=100.0)
    assert plan.table["reason_code"].to_list() == ["plan.reason.order_saves", "plan.reason.order_limited"]
    assert plan.shadow_prices["budget"] > 0
    assert plan.table["after_max"].to_list() == [10.0, 10.0]
    empty = planned(two, budget=0.0)
    assert set(empty.table["reason_code"]) == {"plan.reason.limit_used_up"}


@pytest.mark.parametrize("name", POLICIES)
def test_every_policy_can_be_explained_in_both_languages(name):
    situation = steady(on_hand=12.0, receipts=np.eye(1, 12, 1) * 6)
    plan = planned(situation, name)
    for lang in ("en", "zh"):
        explanation = plan.explain("s000", lang=lang)
        assert "{" not in str(explanation)
        assert explanation.reason == plan.to_frame(lang)["reason"][0]
        assert explanation.to_dict()["steps"]
        assert "<table>" in explanation._repr_html_()
    assert plan.to_frame("zh")["reason"][0] != plan.to_frame("en")["reason"][0]


def test_the_steps_add_up():
    situation = steady(on_hand=12.0, backorders=3.0, receipts=np.eye(1, 12, 1) * 6, multiple=4.0)
    explanation = planned(situation).explain("s000")
    value = {step.code: step.value for step in explanation.steps}
    assert value["counted_position"] == 12 - 3 + 6
    assert value["target"] - value["counted_position"] == value["raw"]
    assert value["target"] == pytest.approx(value["demand_protection"] + value["safety_stock"])
    assert value["quantity"] % 4 == 0
    assert [step.code for step in explanation.steps] == [code for code in STEPS if code in value]
    assert explanation.step("on_hand").value == 12
    with pytest.raises(KeyError):
        explanation.step("nonsense")


def test_finding_a_series():
    plan = planned(make_situation(np.full((2, 4, 4), 5.0), lead_time=1))
    with pytest.raises(UsageError, match="Did you mean 's000'"):
        plan.explain("s0000")
    with pytest.raises(UsageError, match="main"):
        plan.explain("s000", "north")
    shared = replace(plan, table=plan.table.with_columns(sku=pl.lit("a"), location=pl.Series(["n", "s"])))
    with pytest.raises(UsageError, match="n, s"):
        shared.explain("a")
    assert shared.explain("a", "s").location == "s"


def test_html_is_escaped():
    plan = planned(steady(on_hand=0.0))
    plan = replace(plan, table=plan.table.with_columns(sku=pl.lit("<script>")))
    assert "<script>" not in plan._repr_html_()
    assert "<script>" not in plan.explain("<script>")._repr_html_()


def test_months_and_long_lead_times_have_dates():
    row = planned(make_situation(np.full((1, 2, 61), 1.0), lead_time=60)).table.row(0, named=True)
    assert isinstance(row["arrival_date"], date)
    assert (row["arrival_date"] - row["order_date"]).days == 420


def test_an_empty_plan():
    situation = steady().take(np.array([], dtype=np.intp))
    plan = planned(situation)
    assert plan.table.height == 0
    assert tuple(plan.table.columns[:9]) == CONTRACT_COLUMNS


def test_both_languages_hold_the_same_codes():
    ours = [{code for code in codes(lang) if code.startswith("plan.")} for lang in ("en", "zh")]
    assert ours[0] == ours[1]
    for step in STEPS:
        assert {f"plan.step.{step}.label", f"plan.step.{step}.text"} <= ours[0]


def test_an_item_not_worth_stocking_is_not_called_covered():
    plan = planned(steady(on_hand=5.0, holding=2.0, shortage=0.0))
    assert plan.table["reason_code"][0] == "plan.reason.not_worth_stocking"
    assert "Kept against" not in plan.explain("s000").step("safety_stock").text


def test_an_order_lasts_from_its_arrival_without_what_is_owed():
    situation = steady(backorders=30.0, unmet="backorder", order_cost=20.0, shortage=5.0)
    row = planned(situation).table.row(0, named=True)
    assert row["order_cover_buckets"] == pytest.approx((row["quantity"] - 30 - 20) / 10)


def test_an_item_that_is_yet_to_be_launched_is_new():
    situation = steady(level=0.0)
    panel = replace(situation.panel, launched=np.array([situation.panel.n_buckets], dtype=np.int32))
    assert planned(replace(situation, panel=panel)).table["status"][0] == "new"


def test_a_target_below_mean_demand_is_not_put_down_to_cheap_shortages():
    """Sales lost over a lead time of six weeks need no stock, dear as a lost sale is."""
    plan = planned(steady(lead_time=6, holding=1.0, shortage=5.0))
    step = plan.explain("s000").step("safety_stock")
    assert step.value < -40
    assert "costs little" not in step.text
    assert "lost before the order arrives needs no stock" in step.text
    assert "到货前失去的销售不需要库存" in plan.explain("s000", lang="zh").step("safety_stock").text
