"""read_folder: which files are tables, and that everything wrong comes out in one go."""

from datetime import date

import polars as pl
import pytest

from shelfwise.errors import DataRejected, UsageError
from shelfwise.tables import TablesRejected, read_folder

SALES = "sku,date,quantity\n0017,2024-01-01,3\n0017,2024-01-08,1\nB,2024-01-08,2\n"


def folder(tmp_path, **files):
    for name, text in {"sales": SALES, **files}.items():
        if text is not None:
            (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    return tmp_path


def problems_of(path):
    with pytest.raises(DataRejected) as caught:
        read_folder(path)
    return {problem.code: problem for problem in caught.value.problems}


def warnings_of(path):
    return {note.code: note for note in read_folder(path).notes}


def test_sales_alone_are_enough(tmp_path):
    data = read_folder(folder(tmp_path))
    assert data.table("sales").select("sku", "date", "quantity", "location").rows() == [
        ("0017", date(2024, 1, 1), 3.0, "main"),
        ("0017", date(2024, 1, 8), 1.0, "main"),
        ("B", date(2024, 1, 8), 2.0, "main"),
    ]
    assert not data.has("stock")
    assert data.source == str(tmp_path)
    assert data.facts[0].file == "sales.csv"
    assert data.facts[0].rows == 3


def test_parquet_and_csv_give_the_same_tables(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    folder(one)
    read_folder(one).table("sales").drop("location").write_parquet(two / "sales.parquet")
    assert read_folder(two).table("sales").equals(read_folder(one).table("sales"))


def test_both_kinds_of_one_table_are_an_error(tmp_path):
    pl.DataFrame({"sku": ["a"]}).write_parquet(folder(tmp_path) / "sales.parquet")
    found = problems_of(tmp_path)
    assert set(found) == {"folder.two_files"}


def test_missing_sales_list_what_is_there(tmp_path):
    folder(tmp_path, sales=None, sale=SALES, items="sku\na\n")
    found = problems_of(tmp_path)
    assert found["folder.no_sales"].value == "items.csv, sale.csv"
    assert "sales" in found["folder.near_miss"].fix


@pytest.mark.parametrize("name", ["Stock.csv", "stocks.csv", "stock.CSV", "stock.xlsx", "stock.csv.gz"])
def test_near_misses_are_warned_of(tmp_path, name):
    (folder(tmp_path) / name).write_bytes(b"x")
    note = warnings_of(tmp_path)["folder.near_miss"]
    assert (note.file, note.severity) == (name, "warning")
    assert "stock.csv" in note.fix


@pytest.mark.parametrize("name", ["readme.md", "notes.txt", "orders_2019.csv", ".hidden", "report.xlsx"])
def test_other_files_are_ignored(tmp_path, name):
    (folder(tmp_path) / name).write_bytes(b"x")
    assert not warnings_of(tmp_path)


def test_what_is_no_folder_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="no such folder"):
        read_folder(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="not a folder"):
        read_folder(folder(tmp_path) / "sales.csv")


def test_a_table_name_that_is_a_folder_is_rejected(tmp_path):
    (folder(tmp_path) / "stock.csv").mkdir()
    assert any(problem.file == "stock.csv" for problem in problems_of(tmp_path).values())


def test_all_problems_of_all_files_come_at_once_with_the_rows_at_fault(tmp_path):
    folder(
        tmp_path,
        sales="sku,date,quantity\na,2024-01-01,x\nb,2024-13-01,1\n",
        stock="sku\na\n",
        inbound="sku,quantity,due\na,-3,2024-01-01\n",
    )
    (tmp_path / "shelfwise.toml").write_text("[supply]\nlead_time = -1\n", encoding="utf-8")
    with pytest.raises(TablesRejected) as caught:
        read_folder(tmp_path)
    files = {problem.file for problem in caught.value.problems}
    assert files == {"sales.csv", "stock.csv", "inbound.csv", "shelfwise.toml"}
    assert caught.value.exit_code == 3
    assert set(caught.value.rejects["file"]) >= {"sales.csv", "inbound.csv"}
    lines = caught.value.rejects.filter(pl.col("file") == "sales.csv")["line"].to_list()
    assert sorted(lines) == [2, 3]


def test_a_broken_table_does_not_bury_its_fault_under_what_follows_from_it(tmp_path):
    folder(tmp_path, sales="sku,date,quantity\na,2024-01-01,x\nb,2024-01-01,1\n", stock="sku,on_hand\na,1\n")
    assert set(problems_of(tmp_path)) == {"number.unparsable"}


def test_nothing_but_cancelled_lines_is_no_history(tmp_path):
    folder(tmp_path, sales="sku,date,quantity,status\na,2024-01-01,1,cancelled\n")
    assert "sales.empty" in problems_of(tmp_path)


def test_timestamps_become_days_of_the_shops_zone(tmp_path):
    folder(tmp_path, sales="sku,timestamp,quantity\na,2024-01-01T20:00:00+00:00,1\n")
    (tmp_path / "shelfwise.toml").write_text('[series]\ntimezone = "Asia/Shanghai"\n', encoding="utf-8")
    assert read_folder(tmp_path).table("sales")["date"].to_list() == [date(2024, 1, 2)]


def test_reading_twice_gives_the_same(tmp_path):
    folder(tmp_path, stock="sku,on_hand\n0017,4\n")
    first, second = read_folder(tmp_path), read_folder(tmp_path)
    assert first.notes == second.notes
    assert all(first.table(name).equals(second.table(name)) for name in first.tables)
