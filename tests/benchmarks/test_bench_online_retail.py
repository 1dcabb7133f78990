from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from benchmarks.bench_online_retail import (
    active_skus,
    end_of_whole_weeks,
    forecast_scores,
    keep_cancellations,
    reconciled_lines,
    weekly_demand,
)
from benchmarks.online_retail_folder import write_online_retail_folder
from benchmarks.online_retail_lines import read_lines
from benchmarks.results_log import referee_problems

from benchmarks import bench_online_retail
from shelfwise.errors import ShelfwiseError, UsageError
from shelfwise.tables import read_folder

MONDAY = date(2011, 10, 10)
NOON = datetime(2011, 10, 10, 12)
Write = Callable[[list[Any], list[Any]], Path]
Line = Callable[..., Any]


def later(days: float) -> datetime:
    return NOON + timedelta(days=days)


@pytest.mark.parametrize(
    ("last_day", "end"),
    [(4, MONDAY), (5, MONDAY), (6, MONDAY + timedelta(weeks=1)), (7, MONDAY + timedelta(weeks=1))],
)
def test_a_week_is_whole_with_its_sunday(write_retail: Write, line: Line, last_day: int, end: date) -> None:
    source = write_retail([line("1", "10002", 3, NOON)], [line("2", "10002", 3, later(last_day))])
    assert end_of_whole_weeks(read_lines(source)) == end


def test_demand_is_net_by_week_and_knows_later_cancellations(write_retail: Write, line: Line) -> None:
    source = write_retail(
        [
            line("1", "10002", 3, NOON, customer=1),
            line("2", "10002", 5, later(6), customer=2),
            line("3", "10002", 4, later(7), customer=3),
            line("4", "10002", 9, later(7), customer=4),
            line("C5", "10002", -1, later(8), customer=9),
            line("6", "22423", 2, later(8), customer=1),
            line("C7", "22423", -7, later(9), customer=1),
            line("C8", "10002", -9, later(30), customer=4),
        ],
        [],
    )
    found = weekly_demand(read_lines(source), MONDAY + timedelta(weeks=2)).sort("sku", "week")
    second = MONDAY + timedelta(weeks=1)
    assert found.rows() == [("10002", MONDAY, 8.0), ("10002", second, 3.0), ("22423", second, -5.0)]


def test_active_is_what_sold_in_the_thirteen_weeks_before(
    write_retail: Write, line: Line, tmp_path: Path
) -> None:
    source = write_retail(
        [
            line("1", "10001", 3, later(-92)),
            line("2", "10002", 3, later(-91)),
            line("3", "10003", 3, later(-1)),
            line("4", "10004", 3, later(0)),
            line("C5", "10001", -1, later(-3), customer=7),
            line("6", "10005", 3, later(-9), customer=7),
            line("C7", "10005", -3, later(-8), customer=7),
        ],
        [],
    )
    folder = write_online_retail_folder(source, tmp_path / "out", as_of=MONDAY)
    assert active_skus(folder, MONDAY)["sku"].to_list() == ["10002", "10003"]


def made_forecast(means: dict[str, list[float]]) -> pl.DataFrame:
    """Quantiles are half, once and twice the mean."""
    return pl.DataFrame(
        [
            {
                "sku": sku,
                "location": "main",
                "date": MONDAY + timedelta(weeks=week),
                "mean": mean,
                "q0.1": mean / 2,
                "q0.5": mean,
                "q0.9": mean * 2,
            }
            for sku, row in means.items()
            for week, mean in enumerate(row)
        ]
    )


def test_scores_are_those_of_the_active_items_with_no_week_below_zero() -> None:
    table = made_forecast({"a": [4.0, 2.0], "b": [1.0, 1.0], "asleep": [9.0, 9.0]})
    second = MONDAY + timedelta(weeks=1)
    demand = pl.DataFrame(
        [("a", MONDAY, 6.0), ("a", second, -3.0), ("b", second, 2.0), ("new", MONDAY, 50.0)],
        schema=["sku", "week", "net"],
        orient="row",
    )
    scores = forecast_scores(table, pl.DataFrame({"sku": ["a", "b"]}), demand)
    # Actuals 6, 0, 0, 2 against means 4, 2, 1, 1.
    assert scores["wape"] == scores["wape_of_median"] == pytest.approx((2 + 2 + 1 + 1) / 8)
    assert scores["bias"] == pytest.approx((8 - 8) / 8)
    tenth = 0.1 * (6 - 2) + 0.9 * 1 + 0.9 * 0.5 + 0.1 * (2 - 0.5)
    half = 0.5 * (2 + 2 + 1 + 1)
    ninth = 0.1 * (8 - 6) + 0.1 * 4 + 0.1 * 2 + 0.1 * (2 - 2)
    assert scores["pinball"] == pytest.approx((tenth + half + ninth) / 12)
    assert (scores["below_q0.9"], scores["at_or_below_q0.9"]) == (0.75, 1.0)
    with pytest.raises(ShelfwiseError, match="1 are not, the first is new"):
        forecast_scores(table, pl.DataFrame({"sku": ["a", "new"]}), demand)


def test_lines_that_do_not_add_up_are_no_result(write_retail: Write, line: Line, tmp_path: Path) -> None:
    source = write_retail(
        [line("1", "10002", 3, NOON), line("2", "POST", 1, NOON)], [line("3", "10002", 4, NOON)]
    )
    folder = write_online_retail_folder(source, tmp_path / "out")
    counted = {(row["subject"], row["metric"]): row["value"] for row in reconciled_lines(folder)}
    assert counted["raw", "lines"] == 3
    assert counted["not_a_product", "lines"] == 1
    assert (counted["kept", "lines"], counted["kept", "units"]) == (2, 7)
    sales = pl.read_parquet(folder / "sales.parquet")
    sales[:1].write_parquet(folder / "sales.parquet")
    with pytest.raises(ShelfwiseError, match="2 lines kept, 1 written"):
        reconciled_lines(folder)


def test_a_replay_has_cancelled_sales_until_they_are_cancelled(
    write_retail: Write, line: Line, tmp_path: Path
) -> None:
    source = write_retail(
        [
            line("1", "10002", 3, NOON, customer=1),
            line("2", "10002", 8, later(1), customer=2),
            line("C3", "10002", -8, later(20), customer=2),
            line("4", "99999", 5, later(1), customer=2),
            line("C5", "99999", -5, later(2), customer=2),
            line("6", "POST", 1, NOON),
        ],
        [],
    )
    folder = write_online_retail_folder(source, tmp_path / "out")
    assert pl.read_parquet(folder / "sales.parquet")["quantity"].to_list() == [3]
    before = pl.read_parquet_schema(folder / "sales.parquet")
    assert keep_cancellations(read_lines(source), folder) == 2
    assert pl.read_parquet_schema(folder / "sales.parquet") == before
    shop = read_folder(folder)
    assert shop.table("sales")["quantity"].to_list() == [3.0, 8.0, -8.0]
    assert shop.until(later(10).date()).table("sales")["quantity"].to_list() == [3.0, 8.0]


def invoices(line: Line, weeks: int) -> list[Any]:
    """Five items that sell most weeks, to customers who never return anything."""
    rng = np.random.default_rng(3)
    return [
        line(
            f"{week:03d}{item}",
            f"1000{item}",
            int(rng.poisson(4 * item) + 1),
            later(7 * week + item),
            customer=week,
        )
        for week in range(weeks)
        for item in range(1, 6)
        if rng.random() < 0.9
    ]


def test_the_whole_run_on_made_up_invoices(
    write_retail: Write, line: Line, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = write_retail(invoices(line, 40), [])
    options = ["--source", source, "--models", "moving_average", "--results", tmp_path / "results"]
    monkeypatch.setattr(sys, "argv", ["bench_online_retail", *map(str, options)])
    bench_online_retail.main()
    path = tmp_path / "results" / "online_retail.csv"
    assert referee_problems(path) == []
    rows = pl.read_csv(path)
    assert rows.select("kind", "subject", "metric").is_unique().all()
    value = {(kind, subject, metric): value for *_, kind, subject, metric, value in rows.iter_rows()}
    assert value["truth", "active", "skus"] == 5
    assert 0 < value["forecast", "moving_average", "wape"] < 1
    assert value["check", "folder", "exit_code"] == 0
    policies = {subject for kind, subject, metric in value if (kind, metric) == ("backtest", "cost")}
    assert policies == {"order_up_to", "textbook", "reorder_point", "days_of_cover"}
    for policy in policies:
        parts = sum(value["backtest", policy, f"{part}_cost"] for part in ("holding", "shortage", "order"))
        assert value["backtest", policy, "cost"] == pytest.approx(parts, abs=1e-3)
        assert value["backtest", policy, "cost"] >= value["backtest", policy, "perfect_foresight_cost"]


def test_too_short_a_history_is_refused(
    write_retail: Write, line: Line, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = write_retail(invoices(line, 20), [])
    monkeypatch.setattr(
        sys, "argv", ["bench_online_retail", "--source", str(source), "--results", str(tmp_path)]
    )
    with pytest.raises(UsageError, match="25 whole weeks"):
        bench_online_retail.main()


@pytest.mark.real_data
def test_the_last_whole_week_of_the_real_invoices(real_folder: Callable[[str], Path]) -> None:
    lines = read_lines(real_folder("online_retail"))
    end = end_of_whole_weeks(lines)
    assert end == date(2011, 12, 5)
    demand = weekly_demand(lines, end)
    assert demand["week"].max() == date(2011, 11, 28)
    assert demand["week"].dt.weekday().unique().to_list() == [1]
