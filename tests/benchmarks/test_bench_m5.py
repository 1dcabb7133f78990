from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from benchmarks.bench_demo import Measured
from benchmarks.bench_m5 import QUANTILE_COLUMNS, QUANTILES, Faults, count_faults, fewer_series
from benchmarks.m5_data import read_sales
from benchmarks.m5_levels import scoring_basis
from benchmarks.m5_score import scaled_pinball_level12, seasonal_naive, wrmsse
from benchmarks.results_log import referee_problems

from benchmarks import bench_m5
from shelfwise.errors import ShelfwiseError, UsageError

AS_OF = date(2016, 4, 25)
Run = Callable[..., None]


@pytest.fixture
def run_bench(monkeypatch: pytest.MonkeyPatch, m5_source: Path, tmp_path: Path) -> Run:
    """The benchmark as a command, on made-up raw files of 12 series; committed results out of its reach."""
    monkeypatch.setattr(bench_m5, "RESULTS", tmp_path / "committed")

    def run(*arguments: str | Path, source: Path = m5_source) -> None:
        monkeypatch.setattr(sys, "argv", ["bench_m5", "--source", str(source), *map(str, arguments)])
        bench_m5.main()

    return run


def plain_forecast(keys: list[tuple[str, str]]) -> pl.DataFrame:
    """A faultless forecast: every quantile is its own level, on each of the 28 days."""
    days = pl.DataFrame({"date": [AS_OF + timedelta(days=step) for step in range(28)]})
    rows = pl.DataFrame(keys, schema=["sku", "location"], orient="row").join(days, how="cross")
    values = [pl.lit(level).alias(name) for level, name in zip(QUANTILES, QUANTILE_COLUMNS, strict=True)]
    return rows.with_columns(pl.lit(0.5).alias("mean"), *values)


def spoil(table: pl.DataFrame, row: int, **values: float | None) -> pl.DataFrame:
    """The table with other values in one row."""
    here = pl.int_range(pl.len()) == row
    return table.with_columns(
        pl.when(here).then(pl.lit(value, pl.Float64)).otherwise(name).alias(name)
        for name, value in values.items()
    )


def test_faults_are_counted_one_by_one(m5_source: Path) -> None:
    keys = [("FOODS_1_001", "CA_1"), ("FOODS_1_001", "CA_2")]
    good = plain_forecast(keys)
    series = pl.DataFrame(keys, schema=["sku", "location"], orient="row")

    def found(table: pl.DataFrame) -> Faults:
        return count_faults(table, series, 1914, m5_source)

    assert found(good) == Faults(0, 0, 0, 0)
    assert found(good[1:]) == Faults(1, 0, 0, 0)
    assert found(pl.concat([good, good[:2]])) == Faults(2, 0, 0, 0), "rows that stand there twice"
    assert found(pl.concat([good, plain_forecast([("X", "CA_1")])])) == Faults(28, 0, 0, 0)
    late = good.with_columns(pl.col("date") + timedelta(days=1))
    assert found(late) == Faults(4, 0, 0, 0), "two first days missing, two days too late"
    assert found(spoil(good, 3, mean=None)) == Faults(0, 1, 0, 0)
    assert found(spoil(good, 3, **{"q0.995": float("inf")})) == Faults(0, 1, 0, 0)
    assert found(spoil(good, 3, mean=-0.1)) == Faults(0, 0, 1, 0)
    assert found(spoil(good, 3, **{"q0.25": 0.6})) == Faults(0, 0, 0, 1)
    assert found(spoil(good, 3, **{"q0.25": 0.5})).total == 0, "equal quantiles do not cross"


def test_fewer_series_are_spread_over_the_file(m5_source: Path, tmp_path: Path) -> None:
    out = fewer_series(m5_source, tmp_path / "few", 3)
    all_keys, keys = read_sales(m5_source).keys, read_sales(out).keys
    assert keys.rows() == [all_keys.row(row) for row in (0, 6, 11)]
    prices = pl.read_parquet(out / "sell_prices.parquet")
    assert set(prices.select("item_id", "store_id").unique().rows()) == set(
        keys.select("item_id", "store_id").rows()
    )
    with pytest.raises(UsageError, match="1 to 12, as many as there are; got 13"):
        fewer_series(m5_source, tmp_path / "more", 13)


def test_rows_are_the_scores_of_what_the_command_wrote(
    run_bench: Run, m5_source: Path, tmp_path: Path
) -> None:
    models = ["seasonal_naive", "moving_average"]
    work, results = tmp_path / "work", tmp_path / "results"
    run_bench("--series", 12, "--models", *models, "--work", work, "--results", results)
    rows = pl.read_csv(results / "m5.csv")
    assert rows["model"].to_list() == models
    assert rows["window"].to_list() == ["d_1914"] * 2
    # One of the twelve is launched later, so the shop cannot forecast it.
    assert rows.select("series", "rows").rows() == [(11, 11 * 28)] * 2
    assert rows.select("crossings", "negatives", "nonfinite").sum().row(0) == (0, 0, 0)
    assert rows["seconds"].min() > 0
    assert 0.05 < rows["peak_gib"].min() < 4
    actual = read_sales(m5_source, first_day=1914, last_day=1941).values
    basis = scoring_basis(m5_source)
    shares = pl.read_csv(results / "m5_coverage.csv")
    for row in rows.iter_rows(named=True):
        table = pl.read_parquet(work / f"forecast_1913_{row['model']}.parquet")
        assert table["date"].min() == AS_OF
        mean, quantiles = np.zeros((12, 28)), np.zeros((12, 28, len(QUANTILES)))
        for place, (item, _, _, store, _) in enumerate(basis.keys.iter_rows()):
            mine = table.filter(sku=item, location=store).sort("date")
            if len(mine):
                mean[place], quantiles[place] = mine["mean"], mine.select(QUANTILE_COLUMNS).to_numpy()
        by_level = wrmsse(mean, actual, basis)
        assert [row[f"wrmsse_{level}"] for level in by_level] == pytest.approx(
            list(by_level.values()), abs=1e-4
        )
        assert row["wrmsse_1_9"] == pytest.approx(
            np.mean([by_level[level] for level in range(1, 10)]), abs=1e-4
        )
        pinball = scaled_pinball_level12(quantiles, QUANTILES, actual, basis)
        assert row["pinball_12"] == pytest.approx(pinball.mean, abs=1e-4)
        own = shares.filter(model=row["model"])
        assert own["quantile"].to_list() == list(QUANTILES)
        below = [(actual < quantiles[:, :, column]).mean() for column in range(len(QUANTILES))]
        within = [(actual <= quantiles[:, :, column]).mean() for column in range(len(QUANTILES))]
        assert own["below"].to_list() == pytest.approx(below, abs=1e-4)
        assert own["at_or_below"].to_list() == pytest.approx(within, abs=1e-4)
    assert [referee_problems(path) for path in results.iterdir()] == [[], []]


def forecast_instead(table: pl.DataFrame) -> Callable[..., Measured]:
    def write(model: str, folder: Path, source: Path, last_day: int, file: Path) -> Measured:
        table.write_parquet(file)
        return Measured(0, 1.0, 0.1, ())

    return write


def known_keys(source: Path) -> list[tuple[str, str]]:
    """Series a shop of d_1913 knows of."""
    keys = read_sales(source).keys.select("item_id", "store_id").rows()
    return [key for key in keys if key != ("HOBBIES_1_001", "CA_1")]


def test_a_few_series_are_not_appended_unless_told_where(
    run_bench: Run, monkeypatch: pytest.MonkeyPatch, m5_source: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr(bench_m5, "forecast_with", forecast_instead(plain_forecast(known_keys(m5_source))))
    run_bench("--series", 12, "--models", "gbm")
    assert not (tmp_path / "committed").exists()


def test_a_faulty_forecast_is_recorded_and_fails_the_run(
    run_bench: Run, monkeypatch: pytest.MonkeyPatch, m5_source: Path, tmp_path: Path
) -> None:
    crossing = spoil(plain_forecast(known_keys(m5_source)), 5, **{"q0.5": 0.9})
    monkeypatch.setattr(bench_m5, "forecast_with", forecast_instead(crossing))
    with pytest.raises(ShelfwiseError, match=r"gbm as of d_1914.*crossings=1"):
        run_bench("--series", 12, "--models", "gbm", "--results", tmp_path / "results")
    # 0.9 at q0.5 lies above q0.75 and q0.835, but only the neighbour counts.
    assert pl.read_csv(tmp_path / "results" / "m5.csv")["crossings"].to_list() == [1]


def test_a_forecast_with_gaps_is_not_scored(
    run_bench: Run, monkeypatch: pytest.MonkeyPatch, m5_source: Path, tmp_path: Path
) -> None:
    gaps = plain_forecast(known_keys(m5_source))[:-1]
    monkeypatch.setattr(bench_m5, "forecast_with", forecast_instead(gaps))
    with pytest.raises(ShelfwiseError, match=r"cannot be scored.*missing_rows=1"):
        run_bench("--series", 12, "--models", "gbm", "--results", tmp_path / "results")
    assert not (tmp_path / "results").exists()


@pytest.mark.real_data
def test_the_command_and_the_scorer_agree_on_the_seasonal_naive(
    run_bench: Run, real_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    arguments = ("--series", 300, "--models", "seasonal_naive", "--results", tmp_path / "results")
    run_bench(*arguments, "--work", tmp_path / "work", source=real_folder("m5"))
    row = pl.read_csv(tmp_path / "results" / "m5.csv").row(0, named=True)
    assert row["rows"] == 300 * 28
    few = tmp_path / "work" / "raw"
    plain = seasonal_naive(read_sales(few, last_day=1913).values)
    actual = read_sales(few, first_day=1914, last_day=1941).values
    for level, score in wrmsse(plain, actual, scoring_basis(few)).items():
        assert row[f"wrmsse_{level}"] == pytest.approx(score, abs=1e-3)
