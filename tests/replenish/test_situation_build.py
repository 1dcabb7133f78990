"""From tables to a situation: what is missing, overdue, fractional or unusable, and what it does."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from shelfwise.demand.panel import Panel
from shelfwise.forecast.scenarios import Scenarios
from shelfwise.replenish.ordering import planning_horizon
from shelfwise.replenish.plan import make_plan
from shelfwise.replenish.register import make_policy
from shelfwise.replenish.situation_build import build_situation
from shelfwise.tables import Dataset, Settings

KEYS = pl.DataFrame({"sku": ["a", "b", "c"], "location": ["main"] * 3})
PANEL = Panel.from_arrays(np.full((3, 20), 5.0), start=date(2024, 1, 1), keys=KEYS)
AS_OF = date(2024, 5, 20)


def scenarios(paths=None):
    paths = np.full((3, 4, 4), 5.0, np.float32) if paths is None else paths
    return Scenarios(KEYS, PANEL.bucket, AS_OF, paths)


def terms(**columns):
    return KEYS.with_columns(
        **{"lead_time": pl.lit(2), "unit_cost": pl.lit(3.0), "supplier": pl.lit("acme"), **columns}
    )


def costs(**columns):
    return KEYS.with_columns(**{"holding": pl.lit(0.2), "shortage": pl.lit(1.0), **columns})


def built(tables=None, *, settings=None, terms_frame=None, costs_frame=None, paths=None):
    shop = Dataset(settings or Settings(), tables or {})
    return build_situation(
        shop, PANEL, scenarios(paths),
        terms() if terms_frame is None else terms_frame, costs() if costs_frame is None else costs_frame,
    )  # fmt: skip


def stock(**columns):
    return KEYS.with_columns(on_hand=pl.Series([20.0, 4.0, 0.0]), **columns)


def test_reserved_units_are_not_free_and_backorders_count():
    situation, _ = built({"stock": stock(reserved=pl.Series([1.0, None, 2.0]), backorders=pl.lit(3.0))})
    assert situation.on_hand.tolist() == [19.0, 4.0, -2.0]
    assert situation.backorders.tolist() == [3.0] * 3
    assert situation.position.tolist() == [16.0, 1.0, -5.0]


def test_a_missing_stock_row_is_nothing_on_hand_and_is_told():
    situation, notes = built({"stock": stock().head(2)})
    assert situation.on_hand.tolist() == [20.0, 4.0, 0.0]
    assert notes.warnings["plan.warning.no_stock_row"].tolist() == [False, False, True]
    assert [problem.code for problem in notes.problems] == ["stock.row_missing"]


def test_no_stock_table_is_stated_once():
    situation, notes = built()
    assert situation.on_hand.tolist() == [0.0] * 3
    assert [problem.code for problem in notes.problems] == ["stock.absent"]
    assert not notes.warnings["plan.warning.no_stock_row"].any()


def test_receipts_are_dated_and_the_overdue_come_now():
    inbound = pl.DataFrame(
        {
            "sku": ["a", "a", "a", "a", "b", "zzz"],
            "location": ["main"] * 6,
            "quantity": [1.0, 2.0, 4.0, 8.0, 16.0, 32.0],
            "due": [date(2024, 5, 1), AS_OF, date(2024, 5, 28), date(2025, 1, 1), date(2024, 6, 3), AS_OF],
        }
    )
    situation, notes = built({"stock": stock(), "inbound": inbound})
    assert situation.receipts[0].tolist() == [3.0, 4.0, 0.0, 0.0]
    assert situation.receipts[1].tolist() == [0.0, 0.0, 16.0, 0.0]
    assert situation.receipts_later.tolist() == [8.0, 0.0, 0.0]
    assert situation.on_order.tolist() == [15.0, 16.0, 0.0]
    assert notes.overdue.tolist() == [1.0, 0.0, 0.0]
    plan = make_plan(situation, make_policy().decide(situation), notes)
    explanation = plan.explain("a")
    assert explanation.receipts[0] == (date(2024, 5, 1), 1.0, True)
    assert len(explanation.warnings) == 1


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ({"terms_frame": terms(lead_time=pl.Series([2, None, 2]))}, "lead_time"),
        ({"terms_frame": terms(lead_time=pl.Series([2, -1, 2]))}, "lead_time"),
        ({"costs_frame": costs(holding=pl.Series([0.2, None, 0.2]))}, "cost"),
        ({"costs_frame": costs(shortage=pl.Series([1.0, float("nan"), 1.0]))}, "cost"),
        ({"terms_frame": terms(multiple=pl.Series([1.0, 0.0, 1.0]))}, "lots"),
        (
            {"paths": np.array([1.0, np.nan, 1.0], np.float32)[:, None, None] * np.ones((3, 4, 4), "f4")},
            "forecast",
        ),
    ],
    ids=["no lead time", "negative lead time", "no holding", "no shortage", "zero multiple", "no forecast"],
)
def test_one_bad_series_is_blocked_and_the_others_go_on(frames, code):
    situation, notes = built({"stock": stock()}, **frames)
    assert notes.blocked.tolist() == ["", f"plan.blocked.{code}", ""]
    for name in ("order_up_to", "days_of_cover", "textbook"):
        plan = make_plan(situation, make_policy(name).decide(situation), notes)
        row = plan.table.row(1, named=True)
        assert (row["quantity"], row["status"]) == (0.0, "blocked")
        assert row["reason_code"] == f"plan.blocked.{code}"
        assert plan.table["quantity"][2] > 0
        assert plan.explain("b").step("on_hand").value == 4.0


def test_a_budget_needs_unit_costs():
    frame = terms(unit_cost=pl.Series([3.0, None, 3.0]))
    without, notes = built({"stock": stock()}, terms_frame=frame)
    assert notes.blocked.tolist() == [""] * 3
    plan = make_plan(without, make_policy().decide(without), notes)
    assert plan.table["value"][1] is None
    limited = Settings.from_mapping({"limits": {"budget": 10.0}})
    assert (
        built({"stock": stock()}, terms_frame=frame, settings=limited)[1].blocked[1]
        == "plan.blocked.unit_cost"
    )


def test_fractional_lead_times_are_rounded_up_and_told():
    situation, notes = built({"stock": stock()}, terms_frame=terms(lead_time=pl.Series([1.2, 2.0, 2.0])))
    assert situation.terms.lead_time_buckets.tolist() == [2, 2, 2]
    assert [(p.code, p.count) for p in notes.problems] == [("terms.rounded_up", 1)]


def test_unmet_demand_follows_the_settings():
    settings = Settings.from_mapping({"supply": {"unmet": "backorder"}})
    assert built({"stock": stock()}, settings=settings)[0].terms.unmet == "backorder"


def test_a_volume_limit_blocks_a_series_without_a_volume():
    settings = Settings.from_mapping({"limits": {"volume": 10.0}})
    items = pl.DataFrame({"sku": ["a", "b"], "volume": [1.0, None]})
    _, notes = built({"stock": stock(), "items": items}, settings=settings)
    assert notes.blocked.tolist() == ["", "plan.blocked.volume", "plan.blocked.volume"]


@pytest.mark.parametrize("shortage", [1.0, "margin"])
def test_profit_blocks_unknown_margins_and_counts_none_twice(shortage):
    settings = Settings.from_mapping({"objective": {"minimise": "profit"}, "costs": {"shortage": shortage}})
    frame = costs(margin=pl.Series([4.0, None, 2.0]), shortage=pl.Series([4.0, 3.0, 2.0]))
    situation, notes = built({"stock": stock()}, settings=settings, costs_frame=frame)
    assert notes.blocked.tolist() == ["", "plan.blocked.margin", ""]
    lost = make_policy("order_up_to", objective="profit").shortage(situation)[[0, 2]].tolist()
    assert lost == ([4.0, 2.0] if shortage == "margin" else [8.0, 4.0])


def test_a_spread_beyond_every_horizon_blocks_its_series_alone():
    frame = terms(lead_time_sd=pl.Series([0.0, 1400.0, 0.0]))
    assert planning_horizon(frame.with_columns(review_period=pl.lit(1))) == 3
    assert built({"stock": stock()}, terms_frame=frame)[1].blocked.tolist() == [
        "",
        "plan.blocked.horizon",
        "",
    ]
