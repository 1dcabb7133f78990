"""A series or model that is beyond help never stops the others: they are planned, and it is listed."""

from __future__ import annotations

import csv
import io

import polars as pl

from contract.shops import AS_OF, plain_shop
from shelfwise.forecast.moving_average import MovingAverage
from shelfwise.forecast.naive import SeasonalNaive

FAST = ("--model", "moving_average")


def test_a_series_without_a_cost_under_a_budget_is_listed_and_the_rest_planned(shelfwise, written, tmp_path):
    shop = plain_shop().with_table("items", {"sku": ["17", "TEA-1", "茶-2"], "unit_cost": [2.0, 3.0, 1.0]})
    folder = written(shop.with_settings("[limits]\nbudget = 100000.0\n"))
    told = shelfwise("plan", folder, "--as-of", AS_OF, *FAST, "-o", tmp_path / "plan.csv")
    assert told.code == 4
    assert "0017@main" in told.err
    plan = pl.read_csv(tmp_path / "plan.csv", schema_overrides={"sku": pl.String})
    assert plan.filter(pl.col("sku") == "0017")["status"].to_list() == ["blocked"]
    assert (plan.filter(pl.col("sku") != "0017")["quantity"] > 0).all()


def test_terms_that_only_together_are_impossible_block_their_series_alone(shelfwise, written, tmp_path):
    """Every row is possible by itself; for one item they add up to a minimum above the maximum."""
    terms = {"sku": ["*", "TEA-1"], "moq": [40, None], "max_quantity": [None, 30]}
    folder = written(plain_shop().with_table("terms", terms))
    told = shelfwise("plan", folder, "--as-of", AS_OF, *FAST, "-o", tmp_path / "plan.csv")
    assert told.code == 4
    assert "TEA-1@main" in told.err
    plan = pl.read_csv(tmp_path / "plan.csv", schema_overrides={"sku": pl.String})
    assert plan.height == 4
    assert plan.filter(pl.col("sku") == "TEA-1").select("quantity", "status").rows() == [(0.0, "blocked")]


def test_a_replay_leaves_out_what_cannot_be_decided_and_lists_it(shelfwise, written):
    terms = {"sku": ["*", "TEA-1"], "moq": [40, None], "max_quantity": [None, 30]}
    folder = written(plain_shop().with_table("terms", terms))
    told = shelfwise("backtest", folder, "--from", "2024-12-16", "--to", AS_OF, *FAST, "-o", "-")
    assert told.code == 4
    assert "TEA-1@main: Cannot be decided" in told.err
    assert "3 series over" in told.err


def test_nothing_that_can_be_decided_is_a_list_of_reasons(shelfwise, written):
    folder = written(plain_shop().with_settings("[limits]\nbudget = 100000.0\n"))
    told = shelfwise("plan", folder, "--as-of", AS_OF, *FAST, "-o", "-")
    assert told.code == 4
    rows = list(csv.DictReader(io.StringIO(told.out.decode())))
    assert {(row["status"], float(row["quantity"])) for row in rows} == {("blocked", 0.0)}
    replayed = shelfwise("backtest", folder, "--from", "2024-12-16", "--to", AS_OF, *FAST, "-o", "-")
    assert replayed.code == 4
    assert "0 series over" in replayed.err
    assert all(float(row["cost"]) == 0 for row in csv.DictReader(io.StringIO(replayed.out.decode())))


def test_a_model_that_fails_costs_no_order(shelfwise, plain, monkeypatch):
    def broken(self, panel):
        raise ValueError("no such luck")

    monkeypatch.setattr(SeasonalNaive, "fit", broken)
    told = shelfwise("plan", plain, "--as-of", AS_OF, "--model", "seasonal_naive", "-o", "-")
    assert "no such luck" in told.err
    assert MovingAverage.name in told.out.decode()
    assert told.code == 0


def test_a_model_that_fails_while_drawing_costs_no_order_either(shelfwise, plain, monkeypatch):
    def broken(self, rows, horizon, n_samples, root):
        raise FloatingPointError("no such luck")

    monkeypatch.setattr(SeasonalNaive, "_sample_rows", broken)
    told = shelfwise("plan", plain, "--as-of", AS_OF, "--model", "seasonal_naive", "-o", "-")
    assert told.code == 4
    assert "4 series failed" in told.err
    assert "no such luck" in told.err
    assert len(told.out.splitlines()) == 5


def test_a_model_that_fails_costs_no_replay(shelfwise, plain, monkeypatch):
    def broken(self, panel):
        raise ValueError("no such luck")

    monkeypatch.setattr(SeasonalNaive, "fit", broken)
    told = shelfwise(
        "backtest", plain, "--from", "2024-12-16", "--to", AS_OF, "--model", "seasonal_naive", "-o", "-"
    )
    assert told.code == 0, told.err
    assert "no such luck" in told.err
