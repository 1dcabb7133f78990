from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from benchmarks.m5_data import read_sales
from benchmarks.m5_folder import write_m5_folder

from shelfwise.errors import UsageError
from shelfwise.tables import read_folder

FIRST = date(2015, 3, 3)


def day(number: int) -> date:
    return FIRST + timedelta(days=number - 1495)


def test_the_sum_of_every_series_and_day_arrives(m5_source: Path, tmp_path: Path) -> None:
    out = write_m5_folder(m5_source, tmp_path / "out")
    sales = pl.read_parquet(out / "sales.parquet")
    raw = read_sales(m5_source, last_day=1913)
    written = {(sku, place, when): quantity for sku, place, when, quantity in sales.iter_rows()}
    assert len(written) == sales.height
    for row, (item, _, _, store, _) in enumerate(raw.keys.iter_rows()):
        for column in range(raw.values.shape[1]):
            when = day(1495 + column)
            assert written.get((item, store, when), 0) == raw.values[row, column]


def test_the_first_row_of_a_series_is_its_start(m5_source: Path, tmp_path: Path) -> None:
    out = write_m5_folder(m5_source, tmp_path / "out")
    sales = pl.read_parquet(out / "sales.parquet")
    zeros = sales.filter(pl.col("quantity") == 0)
    items = ["FOODS_1_001", "FOODS_2_001", "HOBBIES_1_001"]
    on_sale_before = {(item, store) for store in ("CA_1", "CA_2", "TX_1", "WI_1") for item in items}
    launched_later = {("FOODS_2_001", "CA_1"), ("HOBBIES_1_001", "CA_1"), ("FOODS_1_001", "CA_2")}
    at_start = zeros.filter(pl.col("date") == FIRST).select("sku", "location").rows()
    assert set(at_start) == on_sale_before - launched_later, "priced before the first held day: begins there"
    first_rows = sales.group_by("sku", "location").agg(pl.col("date").min()).iter_rows()
    starts = {(sku, place): when for sku, place, when in first_rows}
    assert ("HOBBIES_1_001", "CA_1") not in starts, "first priced after the last day: not launched"
    assert zeros.filter(sku="FOODS_1_001", location="CA_2").rows() == [
        ("FOODS_1_001", "CA_2", date(2015, 9, 19), 0)
    ], "priced but never sold: one zero in the first priced week"
    raw = read_sales(m5_source, last_day=1913)
    first_sale = day(1495 + int(raw.values[1].nonzero()[0][0]))
    assert starts[("FOODS_2_001", "CA_1")] == first_sale, "launched within: begins with its first sale"


def test_only_price_changes_are_written_on_saturdays_and_ahead(m5_source: Path, tmp_path: Path) -> None:
    out = write_m5_folder(m5_source, tmp_path / "out")
    prices = pl.read_parquet(out / "prices.parquet").sort("date")
    assert prices["date"].dt.weekday().unique().to_list() == [6]
    rows = prices.filter(sku="FOODS_1_001", location="CA_1").select("date", "price").rows()
    change = date(2011, 1, 29) + timedelta(weeks=250)
    assert rows == [(date(2011, 1, 29), 2.0), (change, 2.5)]
    ahead = prices.filter(sku="HOBBIES_1_001", location="CA_1")
    assert ahead["date"].min() > day(1913), "a price known ahead of the launch"


def test_a_price_that_ended_before_the_first_day_is_left_out(m5_source: Path, tmp_path: Path) -> None:
    path = m5_source / "sell_prices.parquet"
    early = pl.col("wm_yr_wk") == 11101
    raised = pl.col("sell_price") + early.cast(pl.Float64)
    pl.read_parquet(path).with_columns(sell_price=raised).write_parquet(path)
    out = write_m5_folder(m5_source, tmp_path / "out")
    kept = pl.read_parquet(out / "prices.parquet").filter(sku="FOODS_1_001", location="CA_1").sort("date")
    assert kept["price"].to_list() == [2.0, 2.5]
    assert kept["date"][0] == date(2011, 2, 5)


def test_events_are_for_all_and_snap_days_for_a_states_stores(m5_source: Path, tmp_path: Path) -> None:
    out = write_m5_folder(m5_source, tmp_path / "out")
    events = pl.read_csv(out / "events.csv", try_parse_dates=True)
    assert events.filter(pl.col("location").is_null()).sort("name").rows() == [
        (day(1900), "Easter", None, "Cultural"),
        (day(1900), "OrthodoxEaster", None, "Religious"),
    ]
    snap = events.filter(pl.col("kind") == "SNAP")
    assert snap.filter(pl.col("date") == day(1500))["location"].to_list() == ["CA_1", "CA_2"]
    assert snap.filter(pl.col("date") == day(1501))["location"].to_list() == ["TX_1"]
    assert (events["date"].min(), events["date"].max()) == (day(1500), day(1962))


def test_later_sales_are_not_read(m5_source: Path, tmp_path: Path) -> None:
    out = write_m5_folder(m5_source, tmp_path / "out")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    path = m5_source / "sales_d1495_d1941.parquet"
    frame = pl.read_parquet(path)
    frame.with_columns(pl.lit("x").alias(f"d_{number}") for number in range(1914, 1942)).write_parquet(path)
    write_m5_folder(m5_source, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_the_folder_keeps_the_contract(m5_source: Path, tmp_path: Path) -> None:
    shop = read_folder(write_m5_folder(m5_source, tmp_path / "out", last_day=1885))
    assert shop.settings.series.bucket == "day"
    assert shop.table("sales")["date"].max() == day(1885)
    with pytest.raises(UsageError, match=r"d_1495 … d_1941.*d_1942"):
        write_m5_folder(m5_source, tmp_path / "out", last_day=1942)


@pytest.mark.real_data
def test_the_real_folder_is_complete(real_folder: Callable[[str], Path], tmp_path: Path) -> None:
    out = write_m5_folder(real_folder("m5"), tmp_path / "out")
    sales = pl.scan_parquet(out / "sales.parquet")
    raw = read_sales(real_folder("m5"), last_day=1913)
    assert sales.select(pl.col("quantity").sum()).collect().item() == raw.values.sum(dtype=int)
    assert sales.select("sku", "location").unique().collect().height == 30_490
    assert sales.select(pl.col("date").max()).collect().item() == date(2016, 4, 24)
    prices = pl.read_parquet(out / "prices.parquet")
    assert prices["date"].dt.weekday().unique().to_list() == [6]
    assert prices.select("sku", "location").unique().height == 30_490
