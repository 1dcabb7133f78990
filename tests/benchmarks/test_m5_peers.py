"""The peers read what the shop knew, and their quantiles are what they claim to be."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from benchmarks.bench_demo import Measured
from benchmarks.bench_m5 import QUANTILE_COLUMNS, QUANTILES, count_faults
from benchmarks.bench_m5_peers import REFERENCE, mean_of_windows
from benchmarks.m5_data import dates_of, read_calendar, read_sales
from benchmarks.m5_folder import write_m5_folder
from benchmarks.m5_score import seasonal_naive
from benchmarks.peers_folder import read_peer_data, write_peer_forecast
from benchmarks.peers_residuals import held_out_quantiles, past_noise
from benchmarks.results_log import referee_problems

from benchmarks import bench_m5_peers, peers_statsforecast
from shelfwise.errors import ShelfwiseError, UsageError

AS_OF, LAST_DAY, FIRST_DAY = date(2016, 4, 25), 1913, 1495
pytest.importorskip("statsforecast")


def test_peers_see_every_series_from_its_beginning(m5_source: Path, tmp_path: Path) -> None:
    folder = write_m5_folder(m5_source, tmp_path / "folder", last_day=LAST_DAY)
    data = read_peer_data(folder, AS_OF, 28)
    sales = read_sales(m5_source, last_day=LAST_DAY)
    # One of the twelve is launched later, so the folder does not know it.
    assert len(data.keys) == 11
    assert (data.n_days, data.horizon) == (LAST_DAY - FIRST_DAY + 1, 28)
    raw_row = {(item, store): row for row, (item, _, _, store, _) in enumerate(sales.keys.iter_rows())}
    calendar = read_calendar(m5_source)
    dates = dates_of(calendar, FIRST_DAY, LAST_DAY + 28)
    changes = pl.read_parquet(folder / "prices.parquet")
    for row, key in enumerate(data.keys.iter_rows()):
        start = data.begin[row]
        assert np.array_equal(data.units[row, start:], sales.values[raw_row[key], start:])
        assert not sales.values[raw_row[key], :start].any()
        own = changes.filter(sku=key[0], location=key[1]).sort("date")
        for column in (start, data.n_days, data.n_days + 27):
            held = own.filter(pl.col("date") <= dates[column])["price"]
            assert data.price[row, column] == pytest.approx(held[-1])
        state = {"C": "CA", "T": "TX", "W": "WI"}[key[1][0]]
        snap = calendar.filter(pl.col("date").is_in(dates))[f"snap_{state}"].to_list()
        assert data.snap[row].tolist() == snap
    assert [dates[column] for column in np.flatnonzero(data.event)] == dates_of(calendar, 1900, 1900)
    assert data.static.max().row(0) == (2, 3, 2, 1, 2)


def test_every_third_series_keeps_what_is_its_own(m5_source: Path, tmp_path: Path) -> None:
    folder = write_m5_folder(m5_source, tmp_path / "folder", last_day=LAST_DAY)
    data = read_peer_data(folder, AS_OF, 28)
    third = data.every(3)
    assert third.keys.rows() == [data.keys.row(row) for row in (0, 3, 6, 9)]
    assert third.static.rows() == [data.static.row(row) for row in (0, 3, 6, 9)]
    assert np.array_equal(third.units[2], data.units[6])
    assert np.array_equal(third.price[2], data.price[6])
    assert (third.begin[2], third.horizon) == (data.begin[6], 28)


def test_peers_refuse_a_folder_that_knows_the_window(m5_source: Path, tmp_path: Path) -> None:
    folder = write_m5_folder(m5_source, tmp_path / "folder", last_day=LAST_DAY)
    with pytest.raises(UsageError, match="none from it on"):
        read_peer_data(folder, AS_OF - timedelta(days=1), 28)


def test_what_a_peer_writes_is_the_commands_table(m5_source: Path, tmp_path: Path) -> None:
    folder = write_m5_folder(m5_source, tmp_path / "folder", last_day=LAST_DAY)
    data = read_peer_data(folder, AS_OF, 28)
    mean = np.arange(11 * 28, dtype=float).reshape(11, 28)
    spread = mean[:, :, None] + np.arange(len(QUANTILES))
    write_peer_forecast(data, mean, spread, list(QUANTILES), tmp_path / "out.parquet")
    table = pl.read_parquet(tmp_path / "out.parquet")
    assert table.columns == ["sku", "location", "date", "mean", *QUANTILE_COLUMNS]
    assert count_faults(table, data.keys, LAST_DAY + 1, m5_source).total == 0
    key = data.keys.row(7)
    mine = table.filter(sku=key[0], location=key[1]).sort("date")
    assert mine["date"].to_list() == [AS_OF + timedelta(days=step) for step in range(28)]
    assert mine["mean"].to_list() == mean[7].tolist()
    assert mine["q0.5"].to_list() == spread[7, :, 4].tolist()


def test_held_out_errors_give_calibrated_quantiles() -> None:
    rng = np.random.default_rng(3)
    level = rng.gamma(1.0, 4.0, (3000, 1)) * np.ones(28)
    shape = np.where(np.arange(3000) % 2, 0.5, 20.0)[:, None]

    def demand() -> np.ndarray:
        return rng.poisson(level * rng.gamma(shape, 1.0 / shape, level.shape)).astype(float)

    history, held, coming = np.hstack([demand(), demand()]), demand(), demand()
    begin = np.zeros(3000, dtype=int)
    noise = past_noise(history, begin)
    quantiles = held_out_quantiles(level, held, noise, level, noise, QUANTILES)
    assert (quantiles >= 0).all()
    assert (np.diff(quantiles, axis=2) >= 0).all()
    for wild in (0, 1):
        rows = np.arange(3000) % 2 == wild
        for place, share in enumerate(QUANTILES):
            below = (coming[rows] < quantiles[rows, :, place]).mean()
            within = (coming[rows] <= quantiles[rows, :, place]).mean()
            assert below - 0.05 <= share <= within + 0.05


def test_a_row_without_held_out_days_still_gets_quantiles() -> None:
    rng = np.random.default_rng(4)
    held_mean = rng.gamma(2.0, 1.0, (60, 28))
    actual = rng.poisson(held_mean)
    held_mean[7] = np.nan
    noise = np.ones(60)
    out = held_out_quantiles(held_mean, actual, noise, np.full((60, 28), 2.0), noise, (0.1, 0.9))
    assert np.isfinite(out).all()
    assert np.array_equal(out[7], out[8])


def test_noise_counts_only_days_since_the_beginning() -> None:
    units = np.zeros((3, 100))
    units[0, 98:] = (4, 2)
    units[1, :40] = 50
    noise = past_noise(units, [98, 0, 100])
    assert noise[0] == pytest.approx(1 / 3)
    assert noise[1:].tolist() == [0, 0], "sales before the 56 days do not count"


def score_row(window: str, model: str, score: float) -> dict[str, object]:
    return {
        "window": window,
        "model": model,
        "wrmsse_1_9": score,
        "pinball_12": score / 2,
        "seconds": 10.0,
        "cpu_seconds": 20.0,
        "peak_gib": score,
    }


def test_the_table_takes_the_newest_rows_and_compares_the_same_windows() -> None:
    rows = pl.DataFrame(
        [
            score_row("d_1", REFERENCE, 0.8),
            score_row("d_2", REFERENCE, 0.6),
            score_row("d_1", "gbm", 9.0),
            score_row("d_2", "gbm", 0.3),
            score_row("d_1", "gbm", 0.5),
            score_row("d_1", "late", 0.1),
        ]
    )
    table = {row["model"]: row for row in mean_of_windows(rows).iter_rows(named=True)}
    assert table["gbm"]["windows"] == 2
    assert table["gbm"]["wrmsse_1_9"] == pytest.approx(0.4)
    assert table["gbm"]["below_reference"] == pytest.approx(1 - 0.4 / 0.7)
    assert table["gbm"]["peak_gib"] == 0.5
    assert table[REFERENCE]["below_reference"] == pytest.approx(0.0)
    assert math.isnan(table["late"]["below_reference"]), "a window less cannot be compared"


@pytest.mark.parametrize("peer", ["statsforecast_ets", "statsforecast_imapa", "mlforecast"])
def test_a_peer_runs_and_is_scored(
    peer: str, monkeypatch: pytest.MonkeyPatch, m5_source: Path, tmp_path: Path
) -> None:
    if peer == "mlforecast":
        pytest.importorskip("mlforecast")
    monkeypatch.setattr(bench_m5_peers, "RESULTS", tmp_path / "committed")
    results = tmp_path / "results"
    arguments = ["--last-day", LAST_DAY, "--models", peer, "--series", 12, "--results", results]
    monkeypatch.setattr(sys, "argv", ["bench", "--source", str(m5_source), *map(str, arguments)])
    bench_m5_peers.main()
    row = pl.read_csv(results / "m5_peers.csv").row(0, named=True)
    assert (row["window"], row["model"], row["series"], row["rows"]) == ("d_1914", peer, 11, 11 * 28)
    assert row["cpu_seconds"] > 0
    # Poisson around 1.5 a day: a forecast of the level scores far below the spread of its own changes.
    assert 0.3 < row["wrmsse_12"] < 1.0
    shares = pl.read_csv(results / "m5_peers_coverage.csv")
    assert shares["quantile"].to_list() == list(QUANTILES)
    assert [referee_problems(path) for path in sorted(results.iterdir())] == [[], []]
    assert not (tmp_path / "committed").exists()


def test_the_reference_is_the_bare_last_week(m5_source: Path, tmp_path: Path) -> None:
    folder = write_m5_folder(m5_source, tmp_path / "folder", last_day=LAST_DAY)
    data = read_peer_data(folder, AS_OF, 28)
    mean, quantiles = peers_statsforecast.forecast(data, "seasonal_naive", [0.25, 0.5, 0.75])
    assert np.array_equal(mean, seasonal_naive(data.units))
    assert np.array_equal(quantiles[:, :, 1], mean)
    assert (np.diff(quantiles, axis=2) >= 0).all()


def test_a_short_series_gets_the_mean_of_its_history_and_ordered_quantiles(
    m5_source: Path, tmp_path: Path
) -> None:
    data = read_peer_data(write_m5_folder(m5_source, tmp_path / "folder", last_day=LAST_DAY), AS_OF, 28)
    begin = data.begin.copy()
    begin[4] = data.n_days - 40
    short = replace(data, begin=begin)
    mean, quantiles = peers_statsforecast.forecast(short, "imapa", list(QUANTILES))
    assert mean[4] == pytest.approx(data.units[4, -40:].mean(), rel=1e-5)
    assert (np.diff(quantiles, axis=2) >= 0).all()
    assert quantiles[4, 0, 8] - quantiles[4, 0, 7] > 0, "the widest interval ends above the next"
    backwards = peers_statsforecast.forecast(short, "imapa", list(QUANTILES[::-1]))[1]
    assert np.array_equal(backwards[:, :, ::-1], quantiles)


def test_a_peer_that_fails_says_what_it_said(
    monkeypatch: pytest.MonkeyPatch, m5_source: Path, tmp_path: Path
) -> None:
    def fail(*_: object) -> Measured:
        return Measured(1, 0.1, 0.1, ("no such column",))

    monkeypatch.setattr(bench_m5_peers, "run_measured", fail)
    with pytest.raises(ShelfwiseError, match=r"mlforecast must end with exit code 0[^$]*no such column"):
        bench_m5_peers.peer_forecast("mlforecast", tmp_path, m5_source, LAST_DAY, tmp_path / "out.parquet")
