"""Online Retail II: raw invoices to a checked folder, forecasts, and a replay of policies in money.

The last whole week begins on 2011-11-28. The 8 weeks up to its end are held back: the forecasts see a folder
written as of the first of them, and are judged on

- demand: the net quantity of each SKU and week. A cancelled sale and its cancellation are both left out,
  whenever the cancellation came; a return whose sale is not found counts in its own week, which is not let
  below zero.
- active series: SKUs that sold something in the 13 weeks before the first week held back. What they miss of
  the shop's demand - items launched since, or sold again after a long pause - is reported.

The replay covers the last 12 weeks with the terms `online_retail_folder` assumes. It takes one folder for
all its weeks, so cancellations stay in that as negative lines: the product finds their sales itself, week by
week, while the adapter would have removed both before anyone could have known.

    python -m benchmarks.bench_online_retail [--models gbm ...] [--work DIR] [--source DIR] [--results DIR]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.bench_demo import RESULTS, Measured, run_shelfwise
from benchmarks.folder_files import write_table
from benchmarks.online_retail_folder import REPORT_NAME, write_online_retail_folder
from benchmarks.online_retail_lines import read_lines, sort_out
from benchmarks.raw_data import raw_folder, run_command
from benchmarks.results_log import Cell, append_rows
from shelfwise.errors import ShelfwiseError, UsageError
from shelfwise.evaluate.metrics import bias, mean_pinball, wape

HELD_BACK_WEEKS = 8
REPLAY_WEEKS = 12
ACTIVE_WEEKS = 13
QUANTILES = (0.1, 0.5, 0.9)
MODELS = ("gbm", "seasonal_naive", "moving_average")
PAIRED = ("cancelled_sale", "cancellation")
POLICY_COLUMNS = (
    "cost",
    "holding_cost",
    "shortage_cost",
    "order_cost",
    "perfect_foresight_cost",
    "cost_vs_reference",
    "cost_vs_reference_low",
    "cost_vs_reference_high",
    "fill_rate",
    "cycle_service",
    "turns",
    "mean_stock",
    "purchase_value",
)
Row = dict[str, Cell]


def result(kind: str, subject: str, metric: str, value: Any) -> Row:
    """One figure: of what kind, about what, and which."""
    return {"kind": kind, "subject": subject, "metric": metric, "value": round(float(value), 4)}


def end_of_whole_weeks(lines: pl.DataFrame) -> date:
    """The Monday after the last week of which the last day (Sunday) is in the lines' span."""
    last: Any = lines["timestamp"].dt.date().max()
    after: date = last + timedelta(days=1)
    return after - timedelta(days=after.weekday())


def weekly_demand(lines: pl.DataFrame, end: date) -> pl.DataFrame:
    """`sku`, `week` (its Monday), `net`: net units of the lines that are kept, of weeks before `end`."""
    kept = sort_out(lines).filter(pl.col("reason").is_null())
    week = pl.col("timestamp").dt.date().dt.truncate("1w").alias("week")
    weekly = kept.group_by("sku", week).agg(net=pl.col("quantity").sum().cast(pl.Float64))
    return weekly.filter(pl.col("week") < end)


def active_skus(folder: Path, as_of: date) -> pl.DataFrame:
    """`sku`, sorted: those with a sale in the 13 weeks before `as_of`, as the folder of that day has it."""
    recent = pl.col("timestamp").dt.date() >= as_of - timedelta(weeks=ACTIVE_WEEKS)
    sales = pl.read_parquet(folder / "sales.parquet").filter(recent & (pl.col("quantity") > 0))
    return sales.select("sku").unique().sort("sku")


def reconciled_lines(folder: Path) -> list[Row]:
    """What became of every raw line.

    Raises:
        ShelfwiseError: the counts do not add up to the raw lines, or the folder has other lines than counted.
    """
    report = json.loads((folder / REPORT_NAME).read_text(encoding="utf-8"))
    left_out = report["left_out"]
    counted = (
        report["after_as_of"] + report["kept"]["lines"] + sum(entry["lines"] for entry in left_out.values())
    )
    written = (
        pl.scan_parquet(folder / "sales.parquet").select(pl.len(), pl.col("quantity").sum()).collect().row(0)
    )
    if counted != report["raw_lines"] or written != (report["kept"]["lines"], report["kept"]["units"]):
        raise ShelfwiseError(
            f"every raw line must be counted once: {report['raw_lines']} raw, {counted} counted; "
            f"{report['kept']['lines']} lines kept, {written[0]} written"
        )
    rows = [
        result("lines", subject, "lines", count)
        for subject, count in (("raw", report["raw_lines"]), ("after_as_of", report["after_as_of"]))
    ]
    for subject, entry in (*left_out.items(), ("kept", report["kept"])):
        rows += [result("lines", subject, metric, entry[metric]) for metric in ("lines", "units")]
    return rows


def keep_cancellations(lines: pl.DataFrame, folder: Path) -> int:
    """Write `sales` of the folder anew, cancelled sales and their cancellations in it; returns how many.

    Those of items that were never sold otherwise stay out: the folder's other tables do not know them.
    """
    wanted = sort_out(lines).filter(
        pl.col("reason").is_null().any().over("sku")
        & (pl.col("reason").is_null() | pl.col("reason").is_in(PAIRED))
    )
    columns = pl.read_parquet_schema(folder / "sales.parquet")
    sales = wanted.with_columns(channel="country").select(list(columns))
    write_table(sales.sort("timestamp", "order_id", "line_id"), folder, "sales", "parquet")
    return int(wanted["reason"].is_not_null().sum())


def taken(kind: str, subject: str, measured: Measured) -> list[Row]:
    """Exit code, seconds and memory of a command; what it said is printed."""
    print("\n".join(f"  {line}" for line in measured.told), flush=True)
    return [
        result(kind, subject, "exit_code", measured.exit_code),
        result(kind, subject, "seconds", measured.seconds),
        result(kind, subject, "peak_gib", measured.peak_gib),
    ]


def forecast_scores(table: pl.DataFrame, skus: pl.DataFrame, demand: pl.DataFrame) -> dict[str, float]:
    """WAPE and bias of the mean, WAPE of the median, mean pinball loss in units, coverage of each quantile.

    Args:
        table: a forecast.
        skus: `sku`, what is scored; each must be in the table.
        demand: `sku`, `week`, `net`; a week without a row sold nothing.

    Raises:
        ShelfwiseError: an item that is scored has no forecast.
    """
    named = [f"q{level:g}" for level in QUANTILES]
    scored = skus.join(table, on="sku", how="left", maintain_order="left")
    if scored["mean"].null_count():
        missing = scored.filter(pl.col("mean").is_null())["sku"]
        raise ShelfwiseError(
            f"every active item must be forecast; {len(missing)} are not, the first is {missing[0]}"
        )
    paired = scored.join(
        demand, left_on=["sku", "date"], right_on=["sku", "week"], how="left", maintain_order="left"
    )
    actual = paired["net"].fill_null(0.0).clip(lower_bound=0.0).to_numpy()
    mean, quantiles = paired["mean"].to_numpy(), paired.select(named).to_numpy()
    scores = {
        "wape": wape(actual, mean),
        "bias": bias(actual, mean),
        "wape_of_median": wape(actual, quantiles[:, QUANTILES.index(0.5)]),
        "pinball": mean_pinball(actual, quantiles, QUANTILES),
    }
    for column, name in enumerate(named):
        scores[f"below_{name}"] = float(np.mean(actual < quantiles[:, column]))
        scores[f"at_or_below_{name}"] = float(np.mean(actual <= quantiles[:, column]))
    return scores


def run_forecasts(source: Path, work: Path, lines: pl.DataFrame, end: date, models: list[str]) -> list[Row]:
    """The 8 weeks before `end`, forecast from what was known before them."""
    as_of = end - timedelta(weeks=HELD_BACK_WEEKS)
    folder = write_online_retail_folder(source, work / "forecast", as_of=as_of)
    demand = weekly_demand(lines, end).filter(pl.col("week") >= as_of)
    skus = active_skus(folder, as_of)
    ours = demand.join(skus, on="sku", how="semi")
    rows = [
        result("truth", "all", "units", demand["net"].clip(lower_bound=0.0).sum()),
        result("truth", "all", "skus_sold", demand.filter(pl.col("net") > 0)["sku"].n_unique()),
        result("truth", "active", "units", ours["net"].clip(lower_bound=0.0).sum()),
        result("truth", "active", "skus", len(skus)),
        result("truth", "active", "weeks_below_zero", ours.filter(pl.col("net") < 0).height),
        result("truth", "active", "units_below_zero", ours.filter(pl.col("net") < 0)["net"].sum()),
    ]
    levels = ",".join(f"{level:g}" for level in QUANTILES)
    for model in models:
        print(f"forecast of {HELD_BACK_WEEKS} weeks from {as_of} with {model}", flush=True)
        file = work / f"forecast_{model}.parquet"
        asked = (
            "--as-of",
            str(as_of),
            "--horizon",
            str(HELD_BACK_WEEKS),
            "--quantiles",
            levels,
            "--model",
            model,
        )
        measured = run_shelfwise("forecast", folder, *asked, "-o", file)
        rows += taken("forecast", model, measured)
        scores = forecast_scores(pl.read_parquet(file), skus, demand)
        rows += [result("forecast", model, metric, value) for metric, value in scores.items()]
        print(f"  {', '.join(f'{metric} {value:.3f}' for metric, value in scores.items())}", flush=True)
    return rows


def run_replay(source: Path, work: Path, lines: pl.DataFrame, end: date) -> list[Row]:
    """Check the folder as of `end`, then replay the policies on the 12 weeks before it."""
    folder = write_online_retail_folder(source, work / "replay", as_of=end)
    rows = reconciled_lines(folder)
    for row in rows:
        print(f"{row['subject']:>20s}  {row['value']:>12,.0f} {row['metric']}")
    known = lines.filter(pl.col("timestamp").dt.date() < end)
    rows.append(
        result("lines", "cancelled_and_cancellation_replayed", "lines", keep_cancellations(known, folder))
    )
    print("check", flush=True)
    rows += taken("check", "folder", run_shelfwise("check", folder))
    begin = end - timedelta(weeks=REPLAY_WEEKS)
    print(f"backtest from {begin} to before {end}, terms assumed", flush=True)
    file = work / "policies.csv"
    measured = run_shelfwise("backtest", folder, "--from", str(begin), "--to", str(end), "-o", file)
    rows += taken("backtest", "command", measured)
    policies = pl.read_csv(file)
    for policy in policies.iter_rows(named=True):
        shown = ", ".join(f"{name} {policy[name]:,.0f}" for name in POLICY_COLUMNS[:5])
        print(f"  {policy['policy']}: {shown}, fill rate {policy['fill_rate']:.1%}")
        rows += [result("backtest", policy["policy"], metric, policy[metric]) for metric in POLICY_COLUMNS]
    return rows


def main() -> None:
    """Forecast, check, replay; then append all figures."""
    parser = argparse.ArgumentParser(
        description="Online Retail II: forecasts on 8 weeks held back, and a replay"
    )
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--work", type=Path, help="folder to keep data folders and outputs in")
    parser.add_argument("--source", type=Path)
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of online_retail.csv")
    options = parser.parse_args()
    source = raw_folder("online_retail", options.source)
    lines = read_lines(source)
    end = end_of_whole_weeks(lines)
    first: Any = lines["timestamp"].dt.date().min()
    if end - timedelta(weeks=REPLAY_WEEKS + ACTIVE_WEEKS) < first:
        raise UsageError(
            f"{REPLAY_WEEKS + ACTIVE_WEEKS} whole weeks of invoices are needed; they begin on {first}"
        )
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        rows = run_forecasts(source, work, lines, end, options.models) + run_replay(source, work, lines, end)
    append_rows(options.results / "online_retail.csv", rows)


if __name__ == "__main__":
    run_command(main)
