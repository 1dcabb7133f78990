"""Bad data are refused: exit 3, the place, the value, the rule and the way out, and nothing is written."""

from __future__ import annotations

import gzip
import io
import resource
import zipfile
from collections.abc import Callable
from datetime import timedelta

import polars as pl
import pytest

from contract.shops import AS_OF, plain_shop
from shelfwise.demo import dirty_faults, write_dirty_folder

GOOD = "sku,date,quantity\nA,2024-12-02,3\nA,2024-12-09,4\n"


@pytest.fixture
def refused(shelfwise, tmp_path) -> Callable[..., str]:
    """Plans a folder of these files into a file that is there already; what was said of its refusal."""

    def ask(files: dict[str, str | bytes], *fragments: str, code: int = 3) -> str:
        folder = tmp_path / "shop"
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        results = tmp_path / "results"
        results.mkdir()
        (results / "plan.csv").write_bytes(b"the plan of yesterday")
        told = shelfwise(
            "plan", folder, "--as-of", AS_OF, "--model", "moving_average", "-o", results / "plan.csv"
        )
        assert told.code == code, told.err
        for fragment in fragments:
            assert fragment in told.err
        assert told.out == b""
        assert (results / "plan.csv").read_bytes() == b"the plan of yesterday"
        assert [path.name for path in results.iterdir()] == ["plan.csv"]
        return told.err

    return ask


SALES = {
    "empty": ("", ["sales.csv", "Export it again", "file.empty"]),
    "blank lines only": ("\n \n\n", ["sales.csv", "file.empty"]),
    "header only": ("sku,date,quantity\n", ["sales.csv:1", "no rows"]),
    "column missing": ("sku,date\nA,2024-12-02\n", ["sales.csv", "`quantity` is needed", "Add it"]),
    "columns twice": (
        "sku,date,quantity,quantity\nA,2024-12-02,3,4\n",
        ["sales.csv", "quantity", "columns.duplicate"],
    ),
    "two names for one column": (
        "sku,date,qty,units\nA,2024-12-02,3,4\n",
        ["sales.csv", "qty, units", "Rename"],
    ),
    "not a number": (GOOD + "A,2024-12-10,nan\n", ["sales.csv:4:quantity", "'nan'"]),
    "infinite": (GOOD + "A,2024-12-10,inf\n", ["sales.csv:4:quantity", "'inf'"]),
    "minus infinite": (GOOD + "A,2024-12-10,-Infinity\n", ["sales.csv:4:quantity", "'-Infinity'"]),
    "beyond all bounds": (GOOD + "A,2024-12-10,1e308\n", ["sales.csv:4:quantity", "'1e308'"]),
    "a word for a number": (GOOD + "A,2024-12-10,many\n", ["sales.csv:4:quantity", "'many'"]),
    "ten thousands in words": (GOOD + "A,2024-12-10,1.2万\n", ["sales.csv:4:quantity", "1.2万"]),
    "no quantity": (GOOD + "A,2024-12-10,\n", ["sales.csv:4:quantity", "filled in"]),
    "no sku": (GOOD + ",2024-12-10,3\n", ["sales.csv:4:sku", "filled in"]),
    "a sku after a spreadsheet": (
        GOOD + "6.93217E+12,2024-12-10,3\n",
        ["sales.csv:4:sku", "6.93217E+12", "spreadsheet", "as text"],
    ),
    "three formats of dates": (
        "sku,date,quantity\nA,2024-12-02,3\nA,13/11/2024,4\nA,14.11.2024,5\n",
        ["sales.csv:3:date", "one date format", "2024-12-02", "13/11/2024", "14.11.2024", "YYYY-MM-DD"],
    ),
    "day or month first": (
        "sku,date,quantity\nA,03/04/2024,3\nA,05/06/2024,4\n",
        ["sales.csv:2:date", "ambiguous"],
    ),
    "a day that is none": (GOOD + "A,2024-02-30,3\n", ["sales.csv:4:date", "2024-02-30", "day that exists"]),
    "a year far off": (GOOD + "A,20260-01-01,3\n", ["sales.csv:4:date", "20260-01-01"]),
    "a spreadsheet's day number": (GOOD + "A,45627,3\n", ["sales.csv:4:date", "45627", "spreadsheet"]),
    "a row too long": (GOOD + "A,2024-12-10,3,9\n", ["sales.csv:4", "4 fields instead of 3"]),
    "an unclosed quote": (GOOD + '"A,2024-12-10,3\n', ["sales.csv:4", "Close it"]),
    "a row of nothing": (GOOD + "A,2024-12-10,\0\n", ["sales.csv:4"]),
    "not known yet": ("sku,date,quantity\nA,2025-06-02,3\n", ["sales.csv", "as_of", "2025-01-06"]),
    "cancelled, all of it": (
        "sku,date,quantity,status\nA,2024-12-02,3,cancelled\n",
        ["sales.csv", "sales.empty"],
    ),
}


@pytest.mark.parametrize("case", SALES)
def test_sales_that_cannot_be_used(refused, case):
    content, fragments = SALES[case]
    said = refused({"sales.csv": content}, "data rejected", "nothing was written", *fragments)
    assert "None" not in said


def workbook() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return buffer.getvalue()


FOREIGN = {
    "an Excel workbook": (workbook(), "Excel workbook"),
    "a PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "PDF"),
    "a login page": (b"<!DOCTYPE html>\n<html><body>Please sign in</body></html>", "web page"),
    "JSON": (b'[{"sku": "A", "quantity": 3}]', "JSON"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "Excel workbook"),
    "Parquet": (b"PAR1" + bytes(64) + b"PAR1", "Parquet"),
    "binary": (bytes(range(256)) * 8, "sales.csv"),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_another_kind_of_file_under_the_name_of_a_table(refused, kind):
    content, what = FOREIGN[kind]
    refused({"sales.csv": content}, "sales.csv", what)


def test_a_gzip_bomb_is_not_unpacked(refused):
    """Four gigabytes of zeros in four megabytes: gzip files may simply be joined."""
    member = gzip.compress(bytes(64 << 20))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused({"sales.csv": member * 64}, "sales.csv", "gzip", "Unpack it first")
    grown_kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kilobytes < 300_000


def test_a_parquet_that_unpacks_to_more_than_memory_is_not_read(refused, monkeypatch):
    monkeypatch.setenv("SHELFWISE_MAX_FILE_BYTES", "100000")
    buffer = io.BytesIO()
    pl.DataFrame({"sku": ["A"] * 500_000, "quantity": [1.0] * 500_000}).write_parquet(buffer)
    assert len(buffer.getvalue()) < 100_000
    refused({"sales.parquet": buffer.getvalue()}, "sales.parquet", "memory", "SHELFWISE_MAX_FILE_BYTES")


def test_a_parquet_cut_short(refused):
    buffer = io.BytesIO()
    pl.DataFrame({"sku": ["A"] * 500, "quantity": [1.0] * 500}).write_parquet(buffer)
    refused({"sales.parquet": buffer.getvalue()[:-40]}, "sales.parquet", "must be whole")


def test_a_file_too_large_for_memory(refused, monkeypatch):
    monkeypatch.setenv("SHELFWISE_MAX_FILE_BYTES", "40")
    refused({"sales.csv": GOOD + "A,2024-12-16,3\n"}, "sales.csv", "at most 40", "SHELFWISE_MAX_FILE_BYTES")


def test_a_limit_that_is_no_number(refused, monkeypatch):
    monkeypatch.setenv("SHELFWISE_MAX_FILE_BYTES", "4 GB")
    refused({"sales.csv": GOOD}, "SHELFWISE_MAX_FILE_BYTES", "4 GB", code=2)


OTHERS = {
    "stock below zero": ({"stock.csv": "sku,on_hand\nA,-3\n"}, ["stock.csv:2:on_hand", "'-3'", "backorders"]),
    "reserved below zero": (
        {"stock.csv": "sku,on_hand,reserved\nA,3,-1\n"},
        ["stock.csv:2:reserved", "'-1'"],
    ),
    "inbound below zero": (
        {"inbound.csv": "sku,quantity,due\nA,-3,2025-01-13\n"},
        ["inbound.csv:2:quantity", "'-3'"],
    ),
    "stock of an unknown sku": (
        {"stock.csv": "sku,on_hand\nA,3\nZZZ,4\n"},
        ["stock.csv", "'ZZZ'", "sales or items", "leading zeros"],
    ),
    "stock twice": ({"stock.csv": "sku,on_hand\nA,3\nA,4\n"}, ["stock.csv", "one row for each"]),
    "a minimum above the maximum": (
        {"terms.csv": "sku,moq,max_quantity\nA,50,20\n"},
        ["terms.csv", "moq must not exceed max_quantity", "50"],
    ),
    "no multiple fits": ({"terms.csv": "sku,moq,multiple,max_quantity\nA,10,12,11\n"}, ["terms.csv", "12"]),
    "a negative lead time": ({"terms.csv": "sku,lead_time\nA,-1\n"}, ["terms.csv:2:lead_time", "'-1'"]),
    "a review period of zero": (
        {"terms.csv": "sku,review_period\nA,0\n"},
        ["terms.csv:2:review_period", "'0'"],
    ),
    "a multiple of zero": ({"terms.csv": "sku,multiple\nA,0\n"}, ["terms.csv:2:multiple", "pack size"]),
    "a promotion that ends first": (
        {"promotions.csv": "sku,start,end\nA,2025-01-20,2025-01-13\n"},
        ["promotions.csv", "end must not be before start"],
    ),
    "a negative price": ({"prices.csv": "sku,date,price\nA,2025-01-01,-2\n"}, ["prices.csv:2:price", "'-2'"]),
    "availability above one": (
        {"availability.csv": "sku,date,in_stock\nA,2024-12-02,7\n"},
        ["availability.csv:2:in_stock", "'7'"],
    ),
    "an unknown key": (
        {"shelfwise.toml": "[supply]\nleadtime = 3\n"},
        ["shelfwise.toml:2:supply.leadtime", "Did you mean lead_time?"],
    ),
    "an unknown section": (
        {"shelfwise.toml": "[supplies]\nmoq = 3\n"},
        ["shelfwise.toml", "supplies", "Did you mean supply?"],
    ),
    "broken TOML": ({"shelfwise.toml": "[supply\nlead_time = 3\n"}, ["shelfwise.toml:1", "valid TOML"]),
    "a setting out of bounds": (
        {"shelfwise.toml": "[supply]\nlead_time = -3\n"},
        ["shelfwise.toml:2:supply.lead_time", "'-3'", "Write for instance"],
    ),
    "a setting that is not finite": (
        {"shelfwise.toml": "[costs]\nholding = nan\n"},
        ["shelfwise.toml:2:costs.holding"],
    ),
    "CSV and Parquet of one table": ({"sales.parquet": b"PAR1"}, ["sales.csv", "either CSV or Parquet"]),
}


@pytest.mark.parametrize("case", OTHERS)
def test_tables_and_settings_that_cannot_be_used(refused, case):
    files, fragments = OTHERS[case]
    refused({"sales.csv": GOOD, **files}, "data rejected", *fragments)


def test_a_folder_without_sales(refused):
    refused({"stock.csv": "sku,on_hand\nA,3\n"}, "sales.csv", "Add it")


def test_every_fault_of_every_file_is_told_at_once(refused):
    said = refused(
        {
            "sales.csv": GOOD + "A,2024-12-10,nan\nB,yesterday,3\n",
            "stock.csv": "sku,on_hand\nA,-3\n",
            "shelfwise.toml": "[supply]\nlead_tme = 3\n",
        }
    )
    for place in ("sales.csv:4:quantity", "sales.csv:5:date", "stock.csv:2:on_hand", "shelfwise.toml:2"):
        assert place in said


def test_a_negative_quantity_in_sales_is_a_return(shelfwise, written):
    sales = plain_shop().tables["sales"]
    back = sales.filter(pl.col("date") < AS_OF).tail(3).with_columns(quantity=-pl.col("quantity"))
    asked = ("--as-of", AS_OF, "--horizon", 1, "--model", "moving_average", "-o", "-")
    before = shelfwise("forecast", written(plain_shop()), *asked)
    after = shelfwise("forecast", written(plain_shop().with_table("sales", pl.concat([sales, back]))), *asked)
    assert after.code == 0
    means = [pl.read_csv(told.out)["mean"].sum() for told in (before, after)]
    assert 0 < means[1] < means[0]


def test_rows_not_known_yet_are_left_out_and_said(shelfwise, plain):
    told = shelfwise("plan", plain, "--as-of", AS_OF, "--model", "moving_average", "-o", "-")
    assert "rows dated on or after as_of" in told.err


def test_the_list_of_bad_rows_is_written_where_it_is_wanted(shelfwise, tmp_path):
    folder = tmp_path / "dirty"
    write_dirty_folder(folder)
    told = shelfwise("check", folder, "--errors", tmp_path / "errors.csv")
    assert told.code == 3
    listed = pl.read_csv(tmp_path / "errors.csv", infer_schema=False)
    faults = {(str(fault.line), fault.column) for fault in dirty_faults() if fault.column != "order_id"}
    assert {(line, column) for line, column in listed.select("line", "column").rows()} == faults


def test_the_dirty_demo_folder_is_refused_with_its_faults(refused, tmp_path):
    folder = tmp_path / "dirty"
    write_dirty_folder(folder)
    said = refused({path.name: path.read_bytes() for path in folder.iterdir()})
    # One problem for every kind of fault in a column, at its first line.
    first = {}
    for fault in dirty_faults():
        first.setdefault(fault.column, fault)
    for column in ("date", "quantity", "sku", "price"):
        assert f"sales.csv:{first[column].line}:{column}" in said


@pytest.mark.parametrize("command", ["check", "forecast", "plan", "backtest", "explain"])
def test_every_command_refuses_the_same_folder(shelfwise, tmp_path, command):
    folder = tmp_path / "dirty"
    write_dirty_folder(folder)
    asked = {
        "check": (),
        "forecast": ("--as-of", AS_OF, "--horizon", 1, "-o", tmp_path / "out.csv"),
        "plan": ("--as-of", AS_OF, "-o", tmp_path / "out.csv"),
        "backtest": ("--from", AS_OF - timedelta(weeks=4), "--to", AS_OF, "-o", tmp_path / "out.csv"),
        "explain": ("0017", "--as-of", AS_OF),
    }[command]
    head = (command, folder, *asked[:1]) if command == "explain" else (command, folder)
    told = shelfwise(*head, *(asked[1:] if command == "explain" else asked))
    assert told.code == 3
    assert told.out == b""
    assert not (tmp_path / "out.csv").exists()
