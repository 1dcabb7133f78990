"""Outputs to the letter of the contract: columns, kinds of file, what goes where."""

from __future__ import annotations

import csv
import io
import json
from datetime import date

import polars as pl
import pytest

from contract.shops import AS_OF, SKUS, plain_shop

FAST = ("--model", "moving_average")
PLAN_COLUMNS = [
    "sku",
    "location",
    "supplier",
    "quantity",
    "order_date",
    "arrival_date",
    "unit_cost",
    "value",
    "reason",
]
BACKTEST_COLUMNS = {
    "cost",
    "holding_cost",
    "shortage_cost",
    "order_cost",
    "fill_rate",
    "cycle_service",
    "stockouts",
    "turns",
    "mean_stock",
    "wape",
    "bias",
    "pinball",
    "perfect_foresight_cost",
}


def rows_of(out: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(out.decode("utf-8"))))


def test_forecast_has_a_row_for_every_series_and_bucket(shelfwise, plain):
    told = shelfwise(
        "forecast", plain, "--as-of", AS_OF, "--horizon", 3, "--quantiles", "0.1,0.5,0.975", *FAST, "-o", "-"
    )
    rows = rows_of(told.out)
    assert told.code == 0
    assert list(rows[0]) == ["sku", "location", "date", "mean", "q0.1", "q0.5", "q0.975"]
    dates = ["2025-01-06", "2025-01-13", "2025-01-20"]
    assert [(row["sku"], row["date"]) for row in rows] == [(sku, day) for sku in SKUS for day in dates]
    assert all(0 <= float(r["q0.1"]) <= float(r["q0.5"]) <= float(r["q0.975"]) for r in rows)


def test_forecast_without_quantiles_ends_with_the_mean(shelfwise, plain):
    told = shelfwise("forecast", plain, "--as-of", AS_OF, "--horizon", 1, *FAST, "-o", "-")
    assert list(rows_of(told.out)[0]) == ["sku", "location", "date", "mean"]


def test_plan_begins_with_the_contracts_columns_and_looks_at_every_series(shelfwise, full):
    told = shelfwise("plan", full, "--as-of", AS_OF, *FAST, "-o", "-")
    rows = rows_of(told.out)
    assert told.code == 0
    assert list(rows[0])[: len(PLAN_COLUMNS)] == PLAN_COLUMNS
    assert [(row["sku"], row["location"]) for row in rows] == [(s, p) for s in SKUS for p in ("east", "west")]
    assert all(row["reason"] for row in rows)
    ordered = [row for row in rows if float(row["quantity"]) > 0]
    assert ordered
    for row in ordered:
        assert row["order_date"] == "2025-01-06"
        assert float(row["value"]) == pytest.approx(float(row["quantity"]) * float(row["unit_cost"]))
    tea = next(row for row in ordered if row["sku"] == "TEA-1")
    assert (tea["supplier"], tea["arrival_date"]) == ("leaf", "2025-01-27")
    assert float(tea["quantity"]) % 6 == 0


def test_backtest_has_a_row_for_every_policy(shelfwise, full):
    told = shelfwise(
        "backtest",
        full,
        "--from",
        "2024-12-09",
        "--to",
        AS_OF,
        "--policy",
        "order_up_to",
        "--policy",
        "days_of_cover",
        *FAST,
        "-o",
        "-",
    )
    rows = rows_of(told.out)
    assert told.code == 0
    assert {row["policy"] for row in rows} == {"order_up_to", "days_of_cover"}
    assert set(rows[0]) >= BACKTEST_COLUMNS
    for row in rows:
        parts = sum(float(row[name]) for name in ("holding_cost", "shortage_cost", "order_cost"))
        assert float(row["cost"]) == pytest.approx(parts)
        assert float(row["cost"]) >= float(row["perfect_foresight_cost"]) - 1e-6


@pytest.mark.parametrize("command", ["forecast", "plan", "backtest"])
def test_the_three_kinds_of_file_say_the_same(shelfwise, plain, tmp_path, command):
    asked = {
        "forecast": ("--as-of", AS_OF, "--horizon", 2, "--quantiles", "0.5"),
        "plan": ("--as-of", AS_OF),
        "backtest": ("--from", "2024-12-23", "--to", AS_OF, "--policy", "textbook"),
    }[command]
    for ending in ("csv", "parquet", "json"):
        told = shelfwise(command, plain, *asked, *FAST, "-o", tmp_path / f"out.{ending}")
        assert (told.code, told.out) == (0, b"")
    as_text = {"schema_overrides": {"sku": pl.String}} if command != "backtest" else {}
    tables = [
        pl.read_csv(tmp_path / "out.csv", try_parse_dates=True, **as_text),
        pl.read_parquet(tmp_path / "out.parquet"),
        pl.DataFrame(json.loads((tmp_path / "out.json").read_text("utf-8")), infer_schema_length=None),
    ]
    assert tables[0].columns == tables[1].columns == tables[2].columns
    assert len({table.height for table in tables}) == 1
    for name, kind in tables[1].schema.items():
        if kind.is_numeric():
            for other in (tables[0], tables[2]):
                numbers = other[name].cast(pl.Float64, strict=False)
                assert numbers.to_list() == pytest.approx(
                    tables[1][name].cast(pl.Float64).to_list(), abs=1e-5, nan_ok=True
                )
        elif name in ("sku", "location", "policy", "date", "order_date"):
            assert tables[0][name].to_list() == tables[1][name].to_list()
            assert tables[2][name].to_list() == [
                cell.isoformat() if isinstance(cell, date) else cell for cell in tables[1][name].to_list()
            ]


def test_standard_output_holds_the_table_and_nothing_else(shelfwise, plain, tmp_path):
    asked = ("plan", plain, "--as-of", AS_OF, *FAST, "-o")
    told = shelfwise(*asked, "-")
    shelfwise(*asked, tmp_path / "plan.csv")
    assert told.out == (tmp_path / "plan.csv").read_bytes()
    assert "note: " in told.err


def test_ids_stay_text_beside_each_other(shelfwise, plain, tmp_path):
    for ending in ("csv", "json", "parquet"):
        shelfwise("plan", plain, "--as-of", AS_OF, *FAST, "-o", tmp_path / f"plan.{ending}")
    assert rows_of((tmp_path / "plan.csv").read_bytes())[0]["sku"] == "0017"
    assert json.loads((tmp_path / "plan.json").read_text("utf-8"))[0]["sku"] == "0017"
    plan = pl.read_parquet(tmp_path / "plan.parquet")
    assert plan["sku"].to_list() == list(SKUS)
    # Two items, not one: each has its own level of demand.
    assert plan["demand_protection"][0] != plan["demand_protection"][1]


def test_ids_that_look_like_something_else_stay_as_they_are(shelfwise, written):
    skus = ("0017", "06932169358293", "1E5", "2-1", "90.750", "NA", "NULL", "TRUE", "nan")
    folder = written(plain_shop(skus=skus))
    told = shelfwise("forecast", folder, "--as-of", AS_OF, "--horizon", 1, *FAST, "-o", "-")
    assert [row["sku"] for row in rows_of(told.out)] == list(skus)


def test_check_says_what_there_is(shelfwise, full):
    told = shelfwise("check", full)
    assert told.code == 0
    assert "8 series" in told.out.decode()


def test_explain_tells_the_steps_of_the_plan(shelfwise, full):
    plan = rows_of(shelfwise("plan", full, "--as-of", AS_OF, *FAST, "-o", "-").out)
    told = shelfwise("explain", full, "TEA-1@west", "--as-of", AS_OF, *FAST)
    row = next(row for row in plan if (row["sku"], row["location"]) == ("TEA-1", "west"))
    assert told.code == 0
    assert row["reason"] in told.out.decode()


def test_texts_a_spreadsheet_would_run_are_disarmed(shelfwise, written, tmp_path):
    folder = written(plain_shop(skus=("=1+1", "@b", "ok")))
    shelfwise("plan", folder, "--as-of", AS_OF, *FAST, "-o", tmp_path / "plan.csv")
    assert [row["sku"] for row in rows_of((tmp_path / "plan.csv").read_bytes())] == ["'=1+1", "'@b", "ok"]
