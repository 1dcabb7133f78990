"""M5, three windows: `shelfwise forecast` beside mlforecast and statsforecast, same folder, same scorer.

Each window's folder holds what was known after ``d_LAST``; every pipeline reads it in a process of its own
and writes the same table, which `bench_m5` checks and scores. Seconds are of the clock, from reading the
folder to the file; `cpu_seconds` those of the processors, which other work on the machine blurs less.

Rows are appended, so that a model can be run again by itself; the newest row of a window and model counts.

    python -m benchmarks.bench_m5_peers [--last-day 1857 1885 1913] [--models gbm mlforecast ...]
                                        [--series N] [--work DIR] [--source DIR] [--results DIR]
    python -m benchmarks.bench_m5_peers --table [--results DIR]
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
from pathlib import Path

import polars as pl

from benchmarks.bench_demo import RESULTS, Measured, run_measured
from benchmarks.bench_m5 import QUANTILES, Outcome, fewer_series, forecast_with, judge
from benchmarks.m5_data import HORIZON_DAYS, dates_of, read_calendar
from benchmarks.m5_folder import write_m5_folder
from benchmarks.raw_data import raw_folder, run_command
from benchmarks.results_log import REPOSITORY, append_rows
from shelfwise.errors import EXIT_DONE, ShelfwiseError, UsageError

LAST_DAYS = (1857, 1885, 1913)
OURS = ("gbm", "seasonal_naive")
PEERS = {
    "mlforecast": ("benchmarks.peers_mlforecast", "tweedie"),
    "statsforecast_ets": ("benchmarks.peers_statsforecast", "ets"),
    "statsforecast_seasonal_es": ("benchmarks.peers_statsforecast", "seasonal_es"),
    "statsforecast_imapa": ("benchmarks.peers_statsforecast", "imapa"),
    "statsforecast_seasonal_naive": ("benchmarks.peers_statsforecast", "seasonal_naive"),
}
SCORES_FILE, COVERAGE_FILE = "m5_peers.csv", "m5_peers_coverage.csv"
# Our own seasonal naive repeats demand, likely stock-outs filled in; the reference repeats bare sales.
REFERENCE = "statsforecast_seasonal_naive"


def peer_forecast(peer: str, folder: Path, source: Path, last_day: int, file: Path) -> Measured:
    """Run a peer as of the day after `last_day`.

    Raises:
        ShelfwiseError: it failed; the message holds what it said last.
    """
    module, method = PEERS[peer]
    as_of = dates_of(read_calendar(source), last_day + 1, last_day + 1)[0]
    levels = ",".join(f"{level:g}" for level in QUANTILES)
    asked = ("--as-of", str(as_of), "--horizon", str(HORIZON_DAYS), "--quantiles", levels, "--method", method)
    path = os.pathsep.join(
        filter(None, [str(REPOSITORY), str(REPOSITORY / "src"), os.environ.get("PYTHONPATH")])
    )
    environment = {**os.environ, "PYTHONPATH": path, "OMP_WAIT_POLICY": "PASSIVE"}
    command = [sys.executable, "-m", module, str(folder), *asked, "-o", str(file)]
    measured = run_measured(command, environment)
    if measured.exit_code != EXIT_DONE:
        said = "\n".join(f"  {line}" for line in measured.told[-20:])
        raise ShelfwiseError(
            f"{peer} must end with exit code {EXIT_DONE} to be measured; it ended with "
            f"{measured.exit_code} and said:\n{said}"
        )
    return measured


def children_seconds() -> float:
    """Processor seconds of all processes run and waited for so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run_one(model: str, folder: Path, source: Path, last_day: int, *, official: bool) -> Outcome:
    """Forecast with one of `OURS` or `PEERS`, and let `bench_m5` judge the file."""
    file = folder.parent / f"forecast_{last_day}_{model}.parquet"
    begun = children_seconds()
    run = forecast_with if model in OURS else peer_forecast
    measured = run(model, folder, source, last_day, file)
    cpu_seconds = round(children_seconds() - begun, 1)
    outcome = judge(model, measured, file, folder, source, last_day, official=official)
    print(f"  {cpu_seconds} s of the processors", flush=True)
    return Outcome({**outcome.row, "cpu_seconds": cpu_seconds}, outcome.shares, outcome.faults)


def mean_of_windows(rows: pl.DataFrame) -> pl.DataFrame:
    """A row a model, best first: mean scores of the newest row of each window, and beside the reference.

    Args:
        rows: m5_peers.csv.

    Returns:
        `model`, `windows` (how many), `wrmsse_1_9`, `below_reference` (share, NaN unless the reference has
        the same windows), `pinball_12`, `seconds`, `cpu_seconds`, `peak_gib` (the largest).
    """
    newest = rows.unique(["window", "model"], keep="last", maintain_order=True)
    windows = newest.group_by("model").agg(of=pl.col("window").sort())
    means = newest.group_by("model", maintain_order=True).agg(
        pl.len().alias("windows"),
        pl.col("wrmsse_1_9", "pinball_12", "seconds", "cpu_seconds").mean(),
        pl.col("peak_gib").max(),
    )
    reference = means.filter(model=REFERENCE)["wrmsse_1_9"]
    reference_windows = windows.filter(model=REFERENCE)["of"]
    score = reference.item() if len(reference) else float("nan")
    comparable = windows.filter(pl.col("of").is_in(reference_windows.implode()))["model"].to_list()
    share = pl.when(pl.col("model").is_in(comparable)).then(1.0 - pl.col("wrmsse_1_9") / score)
    columns = ["model", "windows", "wrmsse_1_9", "below_reference", "pinball_12", "seconds", "cpu_seconds"]
    means = means.with_columns(below_reference=share.otherwise(float("nan")))
    return means.select(*columns, "peak_gib").sort("wrmsse_1_9")


def print_table(results: Path) -> None:
    """The newest rows window by window, then their means."""
    path = results / SCORES_FILE
    if not path.exists():
        raise UsageError(f"{path} must be there to be shown; run the benchmark without --table first")
    rows = pl.read_csv(path)
    newest = rows.unique(["window", "model"], keep="last", maintain_order=True).sort("window", "wrmsse_1_9")
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=160, tbl_hide_dataframe_shape=True):
        print(
            newest.select(
                "window", "model", "commit", "wrmsse_1_9", "pinball_12", "seconds", "cpu_seconds", "peak_gib"
            )
        )
        print(mean_of_windows(rows))


def main() -> None:
    """Run every window and model, appending each row as soon as it is there; then show the table."""
    parser = argparse.ArgumentParser(description="M5: shelfwise, mlforecast and statsforecast side by side")
    parser.add_argument("--last-day", type=int, nargs="+", default=list(LAST_DAYS))
    parser.add_argument("--models", nargs="+", default=[*OURS, *PEERS], choices=[*OURS, *PEERS])
    parser.add_argument(
        "--series", type=int, help="as many series instead of all; appended only if --results"
    )
    parser.add_argument("--work", type=Path, help="folder to keep data folders and forecasts in")
    parser.add_argument("--source", type=Path)
    parser.add_argument("--results", type=Path, help=f"folder of {SCORES_FILE} and {COVERAGE_FILE}")
    parser.add_argument("--table", action="store_true", help="show the rows there are; run nothing")
    options = parser.parse_args()
    results = options.results or (RESULTS if options.series is None else None)
    if options.table:
        print_table(results or RESULTS)
        return
    source = raw_folder("m5", options.source)
    faulty = []
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        if options.series is not None:
            source = fewer_series(source, work / "raw", options.series)
        for last_day in options.last_day:
            folder = write_m5_folder(source, work / f"d_{last_day}", last_day=last_day)
            for model in options.models:
                outcome = run_one(model, folder, source, last_day, official=options.series is None)
                if results is not None:
                    append_rows(results / SCORES_FILE, [outcome.row])
                    append_rows(results / COVERAGE_FILE, outcome.shares)
                if outcome.faults.total:
                    faulty.append(f"{model} as of d_{last_day + 1}: {outcome.faults}")
    if results is not None:
        print_table(results)
    if faulty:
        raise ShelfwiseError(
            "a forecast must have no negative value and no crossing quantiles; " + "; ".join(faulty)
        )


if __name__ == "__main__":
    run_command(main)
