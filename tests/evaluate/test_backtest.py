"""A whole backtest of a tiny shop, with costs worked out by hand, and what it refuses or says."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

import shelfwise
from shelfwise.errors import UsageError
from shelfwise.evaluate.backtest import run_backtest
from shelfwise.evaluate.report.data import ReportData, ReportMeta
from shelfwise.evaluate.report.render import render_report
from shelfwise.forecast.moving_average import MovingAverage
from shelfwise.forecast.register import make_forecaster
from shelfwise.replenish.register import make_policy
from shelfwise.simulate.state import StockState
from shelfwise.tables.opening import open_dataset

MONDAY = date(2022, 1, 3)
START, END = date(2023, 1, 2), date(2023, 1, 30)


def weekly(series, first=MONDAY):
    rows = [
        (sku, first + timedelta(weeks=week), float(units))
        for sku, history in series.items()
        for week, units in enumerate(history)
        if units
    ]
    return pl.DataFrame(rows, schema=["sku", "date", "quantity"], orient="row")


def moving_average():
    return make_forecaster("moving_average")


def forbidden():
    raise AssertionError("no policy needs a forecast")


def steady(settings):
    return open_dataset(weekly({"s": [10] * 60}), settings, {})


def cover(buckets=2.5):
    return {"days_of_cover": make_policy("days_of_cover", cover_buckets=buckets)}


def test_cost_by_hand():
    # Up to 25; stock 4, lead time 1, demand 10. Left over 0, 11, 5, 5; six units lost in the first week,
    # which no order can serve; ordered 21, 4, 10, 10.
    dataset = steady({"supply": {"lead_time": 1}, "costs": {"holding": 1.0, "shortage": 5.0, "order": 3.0}})
    board = run_backtest(dataset, START, END, cover(), forbidden, starting_stock=StockState(np.array([4.0])))
    row = board.table.row(0, named=True)
    assert (row["holding_cost"], row["shortage_cost"], row["order_cost"]) == (21.0, 30.0, 12.0)
    assert row["cost"] == 63.0
    assert (row["lost_units"], row["units_ordered"], row["orders"], row["stockouts"]) == (6.0, 45.0, 4, 1)
    assert row["fill_rate"] == pytest.approx(34 / 40)
    assert row["mean_stock"] == pytest.approx(21 / 4)
    # Three orders of 10 at 3 each beat holding 10 a week for 10, and the six units are lost to anyone.
    assert row["perfect_foresight_cost"] == 30.0 + 3 * 3.0
    assert row["cost_vs_reference"] == 0.0
    assert board.series["cost"].to_list() == [63.0]


@pytest.mark.parametrize(("shortage", "profit"), [(5.0, 34 * 7.0 - 63.0), ("margin", 34 * 7.0 - 33.0)])
def test_profit_by_hand(shortage, profit):
    """34 of 40 are sold at a margin of 7; a lost margin that is the shortage cost is not taken off twice."""
    settings = {"supply": {"lead_time": 1}, "costs": {"holding": 1.0, "shortage": shortage, "order": 3.0}}
    items = pl.DataFrame({"sku": ["s"], "price": [9.0], "unit_cost": [2.0]})
    dataset = open_dataset(weekly({"s": [10] * 60}), settings, {"items": items})
    board = run_backtest(dataset, START, END, cover(), forbidden, starting_stock=StockState(np.array([4.0])))
    assert board.table["profit"].to_list() == [pytest.approx(profit)]
    unpriced = steady({"supply": {"lead_time": 1}})
    assert run_backtest(unpriced, START, END, cover(), forbidden).table["profit"].to_list() == [None]


def test_profit_is_of_the_series_with_a_margin():
    sales = weekly({"s": [10] * 60, "t": [10] * 60})
    items = pl.DataFrame({"sku": ["s"], "price": [9.0], "unit_cost": [2.0]})
    part = run_backtest(open_dataset(sales, {}, {"items": items}), START, END, cover(), forbidden)
    alone = run_backtest(
        open_dataset(sales.filter(pl.col("sku") == "s"), {}, {"items": items}), START, END, cover(), forbidden
    )
    assert part.table["profit"].to_list() == alone.table["profit"].to_list()
    assert any("profit is of 1 of 2 series" in note for note in part.notes)


def test_rules_alone_fit_no_model_and_the_report_bears_it():
    board = run_backtest(steady({}), START, END, cover(), forbidden)
    assert board.forecasts.is_empty()
    assert board.forecasts.columns == ["model", "wape", "bias", "pinball"]
    assert board.coverage.is_empty()
    assert board.coverage.columns == ["level", "below", "at_or_below"]
    assert board.table["wape"].to_list() == [None]
    data = ReportData(ReportMeta(END, "week"), scoreboard=board, replay_start=START, replay_end=END)
    assert "days" in render_report(data, "en")


def test_errors_belong_to_the_policies_that_used_the_forecast():
    policies = cover() | {"order_up_to": make_policy("order_up_to")}
    board = run_backtest(steady({}), START, END, policies, moving_average, n_samples=20)
    wape = dict(board.table.select("policy", "wape").rows())
    assert wape["days_of_cover"] is None
    assert wape["order_up_to"] == pytest.approx(0.0, abs=1e-6)
    assert board.forecasts["model"].to_list() == ["moving_average", "seasonal_naive"]


def test_a_window_past_the_last_sale_is_refused_and_the_furthest_one_is_not():
    dataset = steady({})  # the last week with sales begins on 2023-02-20
    furthest = date(2023, 2, 27)
    run_backtest(dataset, date(2023, 2, 20), furthest, cover(), forbidden)
    run_backtest(dataset, date(2023, 2, 20), furthest + timedelta(days=6), cover(), forbidden)
    with pytest.raises(UsageError) as refused:
        run_backtest(dataset, date(2023, 2, 20), furthest + timedelta(days=7), cover(), forbidden)
    assert "2023-02-20" in str(refused.value)
    assert "--to 2023-02-27" in str(refused.value)


def test_series_first_sold_within_the_window_are_counted_out_loud():
    late = weekly({"n1": [1] * 4, "n2": [1] * 2}, first=START + timedelta(weeks=1))
    dataset = open_dataset(pl.concat([weekly({"s": [10] * 60}), late]), {}, {})
    board = run_backtest(dataset, START, END, cover(), forbidden)
    assert board.series["sku"].to_list() == ["s"]
    assert any(note.startswith("2 series left out") for note in board.notes)
    earlier = run_backtest(dataset, START, START + timedelta(weeks=1), cover(), forbidden)
    assert not any("left out" in note for note in earlier.notes)


class HalfBlind(MovingAverage):
    """Has no paths for its first series."""

    def _sample_rows(self, *given):
        paths, expected = super()._sample_rows(*given)
        paths[0] = np.nan
        return paths, expected


def test_a_model_that_fails_in_the_window_is_replaced_and_the_series_is_listed():
    dataset = open_dataset(weekly({"a": [8, 12] * 30, "b": [3, 1] * 30}), {}, {})
    policies = {"order_up_to": make_policy("order_up_to")}
    board = run_backtest(dataset, START, END, policies, HalfBlind, n_samples=20)
    sound = run_backtest(dataset, START, END, policies, moving_average, n_samples=20)
    assert board.failures == (("a", "main", "moving_average gave no usable paths; used moving_average"),)
    assert board.table.equals(sound.table)


def random_shop(seed):
    rng = np.random.default_rng(seed)
    return weekly(
        {f"s{row}": rng.poisson(rng.uniform(0.5, 9.0), 60) + (np.arange(60) == 0) for row in range(6)}
    )


@pytest.mark.parametrize("limits", [{}, {"budget": 40.0}], ids=["free", "limited"])
@pytest.mark.parametrize("unmet", ["lost", "backorder"])
@pytest.mark.parametrize("seed", [0, 1])
def test_no_policy_beats_perfect_foresight(seed, unmet, limits):
    rng = np.random.default_rng(seed)
    settings = {
        "supply": {
            "lead_time": int(rng.integers(0, 4)), "lead_time_sd": float(rng.uniform(0.5, 3.0)),
            "review_period": int(rng.integers(1, 3)), "unmet": unmet,
        },
        "costs": {"holding": 0.2, "shortage": 2.0, "order": float(rng.integers(0, 5))},
        "limits": limits,
    }  # fmt: skip
    terms = pl.DataFrame({"sku": ["*"], "unit_cost": [2.0]})
    dataset = open_dataset(random_shop(seed), settings, {"terms": terms})
    stock = StockState(rng.integers(0, 9, 6), rng.integers(0, 6, 6), rng.integers(0, 7, (6, 4)))
    policies = {
        name: make_policy(name) for name in ("order_up_to", "textbook", "reorder_point", "days_of_cover")
    }
    board = run_backtest(
        dataset, date(2022, 12, 5), date(2023, 2, 13), policies, moving_average,
        n_samples=20, starting_stock=stock, seed=seed,
    )  # fmt: skip
    assert board.table["perfect_foresight_cost"].n_unique() == 1
    assert (board.table["cost"] >= board.table["perfect_foresight_cost"] - 1e-6).all()


PRICED = weekly({"a": [4, 6] * 30, "b": [2] * 60}).with_columns(price=pl.lit(10.0))
CUT = date(2023, 2, 23)  # a Thursday; its week began on the 20th
LATER = {
    "price": PRICED.with_columns(
        price=pl.when(pl.col("date") >= date(2023, 2, 20)).then(99.0).otherwise(10.0)
    ),
    "quantity": PRICED.with_columns(
        quantity=pl.when(pl.col("date") >= date(2023, 2, 20)).then(99.0).otherwise(pl.col("quantity"))
    ),
}


@pytest.mark.parametrize("change", LATER)
def test_nothing_of_the_week_that_as_of_cuts_is_seen(change):
    asked = {
        "model": "moving_average",
        "settings": {"costs": {"holding_rate": 0.3, "shortage": "margin"}},
        "items": pl.DataFrame({"sku": ["a", "b"], "unit_cost": [6.0, 6.0]}),
        "stock": pl.DataFrame({"sku": ["a", "b"], "on_hand": [1.0, 1.0]}),
    }
    plan = shelfwise.plan(PRICED, as_of=CUT, **asked)
    assert plan.table.equals(shelfwise.plan(LATER[change], as_of=CUT, **asked).table)
    assert plan.table.equals(shelfwise.plan(PRICED, as_of=date(2023, 2, 20), **asked).table)
    assert any("lies within the bucket that begins on 2023-02-20" in note for note in plan.notes)
    forecast, other = (
        shelfwise.forecast(sales, as_of=CUT, horizon=3, model="moving_average")
        for sales in (PRICED, LATER[change])
    )
    assert forecast.to_frame().equals(other.to_frame())
    assert any("lies within the bucket" in note for note in forecast.notes)


@pytest.mark.parametrize(("lead_time", "told"), [(3, False), (4, True), (9, True)])
def test_a_window_in_which_no_order_arrives_is_told(lead_time, told):
    """Four weeks are replayed: with a lead time of three an order of the first week serves the last."""
    board = run_backtest(steady({"supply": {"lead_time": lead_time}}), START, END, cover(), forbidden)
    assert any("1 of 1 series" in note and "no order can arrive" in note for note in board.notes) == told
