from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from benchmarks.vn2_folder import read_history, write_vn2_folder

from shelfwise.errors import ShelfwiseError, UsageError
from shelfwise.tables.settings import Settings

SALES = "Week 0 - 2024-04-08 - Sales.csv"
FLAGS = "Week 0 - In Stock.csv"


def edit(path: Path, change: pl.Expr) -> None:
    pl.read_csv(path).with_columns(change).write_csv(path)


def test_every_cell_of_the_wide_files_arrives(vn2_source: Path, tmp_path: Path) -> None:
    out = write_vn2_folder(vn2_source, tmp_path / "out")
    sales = pl.read_parquet(out / "sales.parquet")
    flags = pl.read_parquet(out / "availability.parquet")
    for name, table, column in ((SALES, sales, "quantity"), (FLAGS, flags, "in_stock")):
        raw = pl.read_csv(vn2_source / name)
        cells = {(row["Product"], row["Store"]): row for row in raw.iter_rows(named=True)}
        assert table.height == 4 * 157
        for sku, location, day, value in table.select("sku", "location", "date", column).iter_rows():
            assert value == int(cells[int(sku), int(location)][day.isoformat()])


def test_keys_are_text_and_attributes_are_named_by_the_contract(vn2_source: Path, tmp_path: Path) -> None:
    out = write_vn2_folder(vn2_source, tmp_path / "out")
    sales = pl.read_parquet(out / "sales.parquet")
    assert sales.schema["sku"] == pl.String
    assert set(sales["sku"]) == {"126", "0", "31"}
    items = pl.read_csv(out / "items.csv", infer_schema=False)
    assert items.row(by_predicate=pl.col("sku") == "126") == ("126", "11", "30", "3012", "301202")
    places = pl.read_csv(out / "locations.csv", infer_schema=False)
    assert places.rows() == [("0", "1", "13"), ("7", "4", "9")]


def test_what_is_in_transit_is_due_at_the_start_of_weeks_one_and_two(
    vn2_source: Path, tmp_path: Path
) -> None:
    out = write_vn2_folder(vn2_source, tmp_path / "out")
    stock = pl.read_csv(out / "stock.csv", schema_overrides={"sku": pl.String, "location": pl.String})
    assert stock["on_hand"].to_list() == [3, 0, 12, 1]
    inbound = pl.read_csv(out / "inbound.csv", try_parse_dates=True, schema_overrides={"sku": pl.String})
    assert sorted(inbound.select("sku", "quantity", "due").rows()) == [
        ("0", 2, date(2024, 4, 15)),
        ("126", 5, date(2024, 4, 22)),
        ("126", 7, date(2024, 4, 22)),
    ]
    settings = Settings.load(out)
    assert (settings.supply.lead_time, settings.supply.review_period, settings.supply.unmet) == (2, 1, "lost")
    assert (settings.costs.holding, settings.costs.shortage, settings.costs.order) == (0.2, 1.0, 0.0)


def test_a_shorter_history_knows_neither_later_weeks_nor_the_stock(vn2_source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_vn2_folder(vn2_source, out)
    write_vn2_folder(vn2_source, out, weeks=109)
    assert pl.read_parquet(out / "sales.parquet")["date"].max() == date(2023, 5, 8)
    assert not (out / "stock.csv").exists()
    assert not (out / "inbound.csv").exists()
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    for name in (SALES, FLAGS):
        later = pl.read_csv(vn2_source / name).columns[2 + 109 :]
        edit(vn2_source / name, pl.lit("not to be read").alias(later[0]))
    write_vn2_folder(vn2_source, out, weeks=109)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_files_that_do_not_fit_are_refused(vn2_source: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"weeks must be 1 to 157.*got 158"):
        write_vn2_folder(vn2_source, tmp_path / "out", weeks=158)
    edit(vn2_source / SALES, (pl.col("2021-04-19") + 0.5).alias("2021-04-19"))
    with pytest.raises(ShelfwiseError, match=r"whole units.*line 2, 2021-04-19"):
        read_history(vn2_source)
    edit(vn2_source / FLAGS, (pl.col("Product") + 1).alias("Product"))
    with pytest.raises(ShelfwiseError, match="same series in the same order"):
        read_history(vn2_source)
    (vn2_source / FLAGS).unlink()
    with pytest.raises(UsageError, match="In Stock"):
        read_history(vn2_source)


def test_an_item_with_two_hierarchies_is_refused(vn2_source: Path, tmp_path: Path) -> None:
    edit(vn2_source / "Week 0 - Master.csv", pl.int_range(pl.len()).alias("Division"))
    with pytest.raises(ShelfwiseError, match="'126' has several"):
        write_vn2_folder(vn2_source, tmp_path / "out")


@pytest.mark.real_data
def test_the_real_files_have_the_shape_they_are_said_to_have(
    real_folder: Callable[[str], Path], tmp_path: Path
) -> None:
    source = real_folder("vn2")
    history = read_history(source)
    assert history.sold.shape == (599, 157)
    assert (history.weeks[0], history.as_of) == (date(2021, 4, 12), date(2024, 4, 15))
    assert not history.sold[~history.in_stock].any()
    assert np.isclose((~history.in_stock).mean(), 0.1118, atol=1e-4)
    out = write_vn2_folder(source, tmp_path / "out")
    assert pl.read_csv(out / "stock.csv")["on_hand"].sum() == 2225
    inbound = pl.read_csv(out / "inbound.csv", try_parse_dates=True)
    assert inbound.group_by("due").agg(pl.col("quantity").sum()).rows() == [(date(2024, 4, 22), 1699)]
