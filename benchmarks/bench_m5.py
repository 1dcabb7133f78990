"""M5: `shelfwise forecast` of 28 days for all 30,490 item-store series, scored, timed and checked.

The folder holds what was known after ``d_LAST``; the command runs in a process of its own and writes a file;
only then are the 28 days after ``d_LAST`` read, as the truth. Scores rest on weights and scales from before
the window; the mean of levels 1 to 9 with the official ones, which have seen later days (see `m5_levels`),
stands beside it.

    python -m benchmarks.bench_m5 [--last-day 1857 1885 1913] [--models gbm seasonal_naive moving_average]
                                  [--series N] [--work DIR] [--source DIR] [--results DIR]

`--series` takes N series spread evenly over the file, for a quick look: such rows have weights of their own
and are appended only where `--results` says.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.bench_demo import RESULTS, Measured, run_shelfwise
from benchmarks.m5_data import (
    CALENDAR_FILE,
    HORIZON_DAYS,
    PRICES_FILE,
    SALES_FILE,
    dates_of,
    read_calendar,
    read_sales,
)
from benchmarks.m5_folder import LAST_DAY, write_m5_folder
from benchmarks.m5_levels import OFFICIAL_LEVELS, scoring_basis
from benchmarks.m5_score import (
    coverage,
    forecast_arrays,
    scaled_pinball_level12,
    unscaled_weight,
    wrmsse,
)
from benchmarks.raw_data import raw_file, raw_folder, run_command
from benchmarks.results_log import Cell, append_rows
from shelfwise.errors import EXIT_DONE, ShelfwiseError, UsageError

QUANTILES = (0.005, 0.025, 0.165, 0.25, 0.5, 0.75, 0.835, 0.975, 0.995)
QUANTILE_COLUMNS = tuple(f"q{level:g}" for level in QUANTILES)
MODELS = ("gbm", "seasonal_naive", "moving_average")
MOST_LEFT_OUT = 0.001


@dataclass(frozen=True)
class Faults:
    """What must not be in a forecast, counted.

    Attributes:
        missing_rows: rows that are wanted and not there, or there and not wanted.
        nonfinite, negatives: cells of the mean and the quantiles.
        crossings: neighbouring quantiles of a row of which the higher level has the lower value.
    """

    missing_rows: int
    nonfinite: int
    negatives: int
    crossings: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.missing_rows + self.nonfinite + self.negatives + self.crossings


def count_faults(table: pl.DataFrame, series: pl.DataFrame, as_of_day: int, source: Path) -> Faults:
    """Compare a forecast with what it must be: one row for each of `series` and each of 28 days.

    Args:
        series: `sku`, `location`, each once.
        as_of_day: number of the first day forecast.
    """
    days = dates_of(read_calendar(source), as_of_day, as_of_day + HORIZON_DAYS - 1)
    wanted = series.join(pl.DataFrame({"date": days}), how="cross")
    place = ["sku", "location", "date"]
    found = table.select(place).unique()
    strays = len(table) - len(found.join(wanted, on=place, how="semi"))
    values = table.select("mean", *QUANTILE_COLUMNS).cast(pl.Float64).fill_null(np.nan).to_numpy()
    return Faults(
        missing_rows=len(wanted.join(found, on=place, how="anti")) + strays,
        nonfinite=int((~np.isfinite(values)).sum()),
        negatives=int((values < 0).sum()),
        crossings=int((np.diff(values[:, 1:], axis=1) < 0).sum()),
    )


def fewer_series(source: Path, out: Path, count: int) -> Path:
    """Raw files with `count` of the series, spread evenly over the file; returns `out`.

    Raises:
        UsageError: there are not so many.
    """
    sales = pl.read_parquet(raw_file(source, SALES_FILE))
    if not 1 <= count <= len(sales):
        raise UsageError(f"--series must be 1 to {len(sales)}, as many as there are; got {count}")
    kept = sales[np.linspace(0, len(sales) - 1, count).round().astype(np.int64)]
    out.mkdir(parents=True, exist_ok=True)
    kept.write_parquet(out / SALES_FILE)
    prices = pl.read_parquet(raw_file(source, PRICES_FILE))
    prices.join(kept, on=["store_id", "item_id"], how="semi").write_parquet(out / PRICES_FILE)
    shutil.copyfile(raw_file(source, CALENDAR_FILE), out / CALENDAR_FILE)
    return out


def forecast_with(model: str, folder: Path, source: Path, last_day: int, file: Path) -> Measured:
    """Run the command as of the day after `last_day`."""
    as_of = dates_of(read_calendar(source), last_day + 1, last_day + 1)[0]
    levels = ",".join(f"{level:g}" for level in QUANTILES)
    asked = ("--as-of", str(as_of), "--horizon", str(HORIZON_DAYS), "--quantiles", levels, "--model", model)
    return run_shelfwise("forecast", folder, *asked, "-o", file)


def score_forecast(
    table: pl.DataFrame, source: Path, last_day: int, *, official: bool
) -> list[dict[str, Cell]]:
    """One row of scores, then one of coverage for each quantile.

    Args:
        official: score with the official weights and scales too.
    """
    basis = scoring_basis(source, last_day=last_day)
    actual = read_sales(source, first_day=last_day + 1, last_day=last_day + HORIZON_DAYS).values
    arrays = forecast_arrays(table, basis, source, ["mean", *QUANTILE_COLUMNS])
    mean, quantiles = arrays.values[:, :, 0], arrays.values[:, :, 1:]
    # A product-state pair that has sold on one day only has weight and no scale yet; levels 1 to 9 have all.
    by_level = wrmsse(mean, actual, basis, leave_out_unscaled=True)
    left_out = unscaled_weight(basis)
    if any(left_out[level] for level in OFFICIAL_LEVELS) or max(left_out.values()) > MOST_LEFT_OUT:
        raise ShelfwiseError(
            f"at most {MOST_LEFT_OUT:g} of a level's weight, and none of levels 1 to 9, may be without a "
            f"scale to be scored; as of d_{last_day + 1} it is {left_out}"
        )
    pinball = scaled_pinball_level12(quantiles, QUANTILES, actual, basis)
    scores: dict[str, Cell] = {
        "wrmsse_1_9": round(float(np.mean([by_level[level] for level in OFFICIAL_LEVELS])), 4),
        "wrmsse_1_12": round(float(np.mean(list(by_level.values()))), 4),
    }
    if official:
        theirs = wrmsse(mean, actual, scoring_basis(source, last_day=last_day, weights="official"))
        scores["wrmsse_1_9_official"] = round(float(np.mean(list(theirs.values()))), 4)
    scores |= {f"wrmsse_{level}": round(score, 4) for level, score in by_level.items()}
    scores["pinball_12"] = round(pinball.mean, 4)
    shares = coverage(quantiles, QUANTILES, actual)
    return [scores] + [
        {
            "quantile": level,
            "below": round(below, 4),
            "at_or_below": round(within, 4),
            "pinball_12": round(pinball.by_quantile[level], 4),
        }
        for level, (below, within) in shares.items()
    ]


@dataclass(frozen=True)
class Outcome:
    """Rows of one model on one window: `row` for m5.csv, `shares` for m5_coverage.csv."""

    row: dict[str, Cell]
    shares: list[dict[str, Cell]]
    faults: Faults


def run_model(model: str, folder: Path, source: Path, last_day: int, *, official: bool) -> Outcome:
    """Forecast with one model from the folder, check and score it, and print what came out.

    Raises:
        ShelfwiseError: the command failed, or its file cannot be scored: rows are missing or not finite.
    """
    file = folder.parent / f"forecast_{last_day}_{model}.parquet"
    measured = forecast_with(model, folder, source, last_day, file)
    return judge(model, measured, file, folder, source, last_day, official=official)


def judge(
    model: str, measured: Measured, file: Path, folder: Path, source: Path, last_day: int, *, official: bool
) -> Outcome:
    """Check and score the file a model has written, whoever made it, and print what came out.

    Raises:
        ShelfwiseError: the file cannot be scored: rows are missing or not finite.
    """
    table = pl.read_parquet(file)
    series = pl.read_parquet(folder / "sales.parquet").select("sku", "location").unique()
    faults = count_faults(table, series, last_day + 1, source)
    window = f"d_{last_day + 1} to d_{last_day + HORIZON_DAYS}"
    print(f"{window}, {model}: {len(table):,} rows for {len(series):,} series")
    if measured.exit_code != EXIT_DONE:
        print(f"  exit code {measured.exit_code}")
    print("\n".join(f"  said: {line}" for line in measured.told))
    print(
        f"  {measured.seconds:.1f} s, at most {measured.peak_gib:.2f} GiB\n"
        f"  rows missing or astray {faults.missing_rows}, cells not finite {faults.nonfinite}, "
        f"negative {faults.negatives}, crossing {faults.crossings}",
        flush=True,
    )
    if faults.missing_rows or faults.nonfinite:
        raise ShelfwiseError(f"the forecast of {model} as of d_{last_day + 1} cannot be scored: {faults}")
    scores, *shares = score_forecast(table, source, last_day, official=official)
    _print_scores(scores, shares)
    key: dict[str, Cell] = {"window": f"d_{last_day + 1}", "model": model}
    row = {
        **key,
        "series": len(series),
        "rows": len(table),
        **scores,
        "seconds": round(measured.seconds, 1),
        "peak_gib": round(measured.peak_gib, 3),
        "crossings": faults.crossings,
        "negatives": faults.negatives,
        "nonfinite": faults.nonfinite,
    }
    return Outcome(row, [key | share for share in shares], faults)


def _print_scores(scores: dict[str, Cell], shares: list[dict[str, Cell]]) -> None:
    print("  " + ", ".join(f"{name} {value}" for name, value in scores.items()))
    for share in shares:
        print("  " + ", ".join(f"{name} {value}" for name, value in share.items()))


def main() -> None:
    """Run every window and model, and append the rows of a run on all series."""
    parser = argparse.ArgumentParser(description="M5 scores, seconds and memory of shelfwise forecast")
    parser.add_argument("--last-day", type=int, nargs="+", default=[LAST_DAY])
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument(
        "--series", type=int, help="as many series instead of all; nothing is appended by default"
    )
    parser.add_argument("--work", type=Path, help="folder to keep data folder and forecasts in")
    parser.add_argument("--source", type=Path)
    parser.add_argument("--results", type=Path, help="folder of m5.csv and m5_coverage.csv")
    options = parser.parse_args()
    source = raw_folder("m5", options.source)
    results = options.results or (RESULTS if options.series is None else None)
    faulty = []
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        if options.series is not None:
            source = fewer_series(source, work / "raw", options.series)
        for last_day in options.last_day:
            folder = write_m5_folder(source, work / f"d_{last_day}", last_day=last_day)
            for model in options.models:
                outcome = run_model(model, folder, source, last_day, official=options.series is None)
                if results is not None:
                    append_rows(results / "m5.csv", [outcome.row])
                    append_rows(results / "m5_coverage.csv", outcome.shares)
                if outcome.faults.total:
                    faulty.append(f"{model} as of d_{last_day + 1}: {outcome.faults}")
    if faulty:
        raise ShelfwiseError(
            "a forecast must have no negative value and no crossing quantiles; " + "; ".join(faulty)
        )


if __name__ == "__main__":
    run_command(main)
