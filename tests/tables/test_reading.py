"""`read_table`, end to end: small files on disk and frames in memory."""

from __future__ import annotations

import csv
import os
import socket
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from shelfwise.errors import OutputNotWritable, UsageError
from shelfwise.tables.filesize import available_memory_bytes, max_file_bytes
from shelfwise.tables.reading import TableRead, read_table
from shelfwise.tables.rejects import no_rejects, write_rejects
from shelfwise.tables.schema import SCHEMAS

HEADER = "sku,date,quantity\n"
GOOD = "A,2024-04-08,3\n"


@pytest.fixture
def read(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Write bytes or text as NAME and read it as a table (default: sales)."""

    def _read(data: bytes | str, table: str = "sales", name: str | None = None, **options: str) -> TableRead:
        path = tmp_path / (name or f"{table}.csv")
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return read_table(path, SCHEMAS[table], **options)

    return _read


def found(read: TableRead) -> list[tuple[str, int | None, str | None]]:
    return [(problem.code, problem.line, problem.column) for problem in read.problems]


def test_a_good_file_is_typed_in_the_contracts_order(read) -> None:  # type: ignore[no-untyped-def]
    table = read("colour,quantity,date,sku,price\nred,3,2024-04-08,0017,\n,-1,2024-04-09,18,2.5\n")
    assert table.problems == ()
    assert table.frame.schema == pl.Schema(
        {"sku": pl.String, "date": pl.Date, "quantity": pl.Float64, "price": pl.Float64, "colour": pl.String}
    )
    assert table.frame.rows() == [
        ("0017", date(2024, 4, 8), 3.0, None, "red"),
        ("18", date(2024, 4, 9), -1.0, 2.5, None),
    ]
    assert (table.rows_read, table.encoding, table.delimiter, table.renamed) == (2, "utf-8", ",", {})
    assert table.rejects.is_empty()


FILES = [
    ("empty", b"", ("file.empty", None, None)),
    ("blank", b" \n\n\t\n", ("file.empty", None, None)),
    ("header only", HEADER.encode(), ("file.header_only", 1, None)),
    ("gzip", b"\x1f\x8b\x08\x00", ("file.gzip", None, None)),
    ("workbook", b"PK\x03\x04[Content_Types].xml", ("file.xlsx", None, None)),
    ("zip", b"PK\x03\x04sales", ("file.zip", None, None)),
    ("pdf", b"%PDF-1.4", ("file.pdf", None, None)),
    ("login page", b"<!doctype html>", ("file.html", None, None)),
    ("parquet bytes", b"PAR1....PAR1", ("file.parquet", None, None)),
    ("nul bytes", b"\x00\x01\x02\x03" * 50, ("file.binary", None, None)),
    (
        "unclosed quote",
        b'sku,date,quantity\nA,2024-04-08,1\n"B,2024-04-08,1\n',
        ("csv.unclosed_quote", 3, None),
    ),
    ("stray quote", b'sku,date,quantity\n"A"1,2024-04-08,1\n', ("csv.stray_quote", 2, None)),
    ("duplicate", b"sku,date,quantity,sku\nA,2024-04-08,1,A\n", ("columns.duplicate", 1, "sku")),
    ("rivals", "商品编码,商家编码,日期,数量\nA,B,2024-04-08,1\n".encode(), ("columns.rivals", 1, "sku")),
    ("missing", b"sku,date\nA,2024-04-08\n", ("columns.missing", 1, "quantity")),
    ("no date", b"sku,quantity\nA,1\n", ("columns.missing", 1, "date")),
    ("too wide", (",".join(f"c{i}" for i in range(3001)) + "\n").encode(), ("columns.too_many", 1, None)),
]


@pytest.mark.parametrize(("data", "problem"), [case[1:] for case in FILES], ids=[case[0] for case in FILES])
def test_unusable_files_are_named_and_nothing_is_kept(read, data, problem) -> None:  # type: ignore[no-untyped-def]
    table = read(data)
    assert found(table) == [problem]
    assert table.frame.is_empty()
    assert table.errors == table.problems
    assert table.rejects["code"].to_list() == [problem[0]]


def test_missing_column_comes_with_a_suggestion(read) -> None:  # type: ignore[no-untyped-def]
    assert "'quantiy'" in read("sku,date,quantiy\n" + GOOD).problems[0].fix


def test_a_wide_table_is_recognised(read) -> None:  # type: ignore[no-untyped-def]
    weeks = ",".join(f"2024-04-{day:02d}" for day in range(1, 13))
    table = read(f"Store,Product,{weeks}\n0,126{',1' * 12}\n")
    assert all("one row per item and date" in problem.fix for problem in table.problems)


def test_a_header_alone_is_fine_for_an_optional_table(read) -> None:  # type: ignore[no-untyped-def]
    table = read("sku,quantity,due\n", "inbound")
    assert [problem.severity for problem in table.problems] == ["warning"]
    assert table.frame.schema == pl.Schema({"sku": pl.String, "quantity": pl.Float64, "due": pl.Date})


LINES = [
    ("blank lines", HEADER + "\n" + GOOD + "\n\nB,bad,1\n", [("date.unparsable", 6, "date")]),
    ("blank lines on top", "\n\n" + HEADER + "B,bad,1\n", [("date.unparsable", 4, "date")]),
    ("delimiters only", HEADER + GOOD + ",,\n , ,\nB,bad,1", [("date.unparsable", 5, "date")]),
    ("quoted newline", HEADER + '"A\nx",2024-04-08,1\nB,bad,1\n', [("date.unparsable", 4, "date")]),
    ("crlf", (HEADER + GOOD + "B,bad,1\n").replace("\n", "\r\n"), [("date.unparsable", 3, "date")]),
    ("cr", (HEADER + GOOD + "B,bad,1\n").replace("\n", "\r"), [("date.unparsable", 3, "date")]),
    (
        "mixed ends",
        HEADER + GOOD.replace("\n", "\r\n") + "C,2024-04-08,1\rB,bad,1",
        [("date.unparsable", 4, "date")],
    ),
    ("ragged", HEADER + "A,2024-04-08\n" + GOOD + "A,2024-04-08,1,9\n", [("row.fields", 2, None)]),
    (
        "ragged and bad",
        HEADER + "A\n" + GOOD + "B,bad,1\n",
        [("row.fields", 2, None), ("date.unparsable", 4, "date")],
    ),
    ("nul", HEADER + GOOD + "B\0,2024-04-08,1\n", [("row.damaged", 3, None)]),
    ("sep line", "sep=,\n" + HEADER + GOOD + "B,bad,1\n", [("date.unparsable", 4, "date")]),
]


@pytest.mark.parametrize(("data", "problems"), [case[1:] for case in LINES], ids=[case[0] for case in LINES])
def test_lines_are_those_of_the_file(read, data, problems) -> None:  # type: ignore[no-untyped-def]
    table = read(data)
    assert found(table) == problems
    bad = (
        data.count("bad")
        + data.count("A,2024-04-08\n")
        + data.count(",9\n")
        + data.count("\0")
        + data.count("\nA\n")
    )
    assert table.rows_read == table.frame.height + bad


def test_ragged_rows_tell_both_numbers(read) -> None:  # type: ignore[no-untyped-def]
    problem = read(HEADER + GOOD + "A,2024-04-08,1,9\nA\n").problems[0]
    assert (problem.value, problem.count) == ("4 fields instead of 3", 2)


def test_broken_bytes_reject_their_row_alone(read) -> None:  # type: ignore[no-untyped-def]
    data = "sku,date,quantity,name\nA,2024-04-08,1,红色连衣裙\n".encode() + b"B,2024-04-08,1,\xff\n"
    table = read(data)
    assert found(table) == [("row.damaged", 3, None)]
    assert table.problems[0].value == f"byte {len(data) - 2}"
    assert table.frame["name"].to_list() == ["红色连衣裙"]


def test_unquoted_inch_marks_are_kept(read) -> None:  # type: ignore[no-untyped-def]
    table = read('sku\tdate\tquantity\tname\nA\t2024-04-08\t1\t5" pipe\nB\t2024-04-08\t1\t6" pipe\n')
    assert table.problems == ()
    assert table.frame["name"].to_list() == ['5" pipe', '6" pipe']


def test_all_faults_are_collected_one_problem_a_kind(read) -> None:  # type: ignore[no-untyped-def]
    rows = [f"S{row},2024-04-08,{'x' if row % 2 else row}\n" for row in range(40)]
    table = read(HEADER + "".join(rows) + ",13/13/2024,1\n")
    assert [(p.code, p.line, p.column, p.value, p.count) for p in table.problems] == [
        ("number.unparsable", 3, "quantity", "x", 20),
        ("value.missing", 42, "sku", None, 1),
        ("date.invalid", 42, "date", "13/13/2024", 1),
    ]
    assert table.rejects.height == 22
    assert table.rejects["line"].is_sorted()
    assert set(table.rejects["file"]) == {"sales.csv"}
    assert [problem.line for problem in table.first_rejects()] == list(range(3, 22, 2))
    assert table.frame.height == 20


def test_mixed_dates_name_each_format_with_a_line(read) -> None:  # type: ignore[no-untyped-def]
    table = read(HEADER + GOOD + GOOD + "B,08.04.2024,1\n")
    assert table.problems[0].value == "YYYY-MM-DD (line 2: 2024-04-08), DD.MM.YYYY (line 4: 08.04.2024)"


VALUES = [
    ("stock", "sku,on_hand\nA,-1\n", "number.out_of_bounds", "backorders"),
    ("inbound", "sku,quantity,due\nA,-1,2024-04-08\n", "number.out_of_bounds", "at least 0"),
    ("availability", "sku,date,in_stock\nA,2024-04-08,1.5\n", "number.out_of_bounds", "between 0 and 1"),
    ("terms", "sku,lead_time\n*,1501\n", "number.out_of_bounds", "between 0 and 1500"),
    ("terms", "sku,lead_time\n*,-1\n", "number.out_of_bounds", "between 0 and 1500"),
    ("terms", "sku,multiple\n*,0\n", "number.out_of_bounds", "above 0"),
    ("prices", "sku,date,price\nA,2024-04-08,-1\n", "number.out_of_bounds", "at least 0"),
    ("promotions", "sku,start,end,discount\n*,2024-04-08,2024-04-09,20\n", "number.out_of_bounds", "20 %"),
    ("locations", "location,size\n',3\n", "value.missing", "`location`"),
    ("behaviour", "customer,sku,timestamp,action\nC,A,,view\n", "value.missing", "`timestamp`"),
]


@pytest.mark.parametrize(("table", "data", "code", "words"), VALUES)
def test_values_out_of_bounds_say_what_to_do(read, table, data, code, words) -> None:  # type: ignore[no-untyped-def]
    problem = read(data, table).problems[0]
    assert problem.code == code
    assert words in f"{problem.rule} {problem.fix}"


def test_returns_are_allowed_in_sales(read) -> None:  # type: ignore[no-untyped-def]
    assert read(HEADER + "A,2024-04-08,-2\n").frame["quantity"].to_list() == [-2.0]


def test_decimal_comma_is_decided_for_the_whole_file(read) -> None:  # type: ignore[no-untyped-def]
    table = read("sku;date;quantity;price\nA;2024-04-08;1.000;2,5\n")
    assert table.frame.select("quantity", "price").rows() == [(1000.0, 2.5)]


def test_timestamps_give_the_business_day(read) -> None:  # type: ignore[no-untyped-def]
    data = "sku,timestamp,quantity\nA,2025-10-07 23:50:26 +0000,1\nB,2025-10-07T10:00:00Z,1\n"
    table = read(data, timezone="Asia/Shanghai")
    assert table.frame["date"].to_list() == [date(2025, 10, 8), date(2025, 10, 7)]
    assert table.frame["timestamp"].dtype == pl.Datetime("us", "Asia/Shanghai")
    assert table.frame.columns == ["sku", "date", "timestamp", "quantity"]


def test_date_wins_over_timestamp_and_is_filled_from_it(read) -> None:  # type: ignore[no-untyped-def]
    data = (
        "sku,date,timestamp,quantity\nA,2024-01-01,2024-04-08 10:00:00,1\nB,,2024-04-08 10:00:00,1\nC,,,1\n"
    )
    table = read(data)
    assert table.frame["date"].to_list() == [date(2024, 1, 1), date(2024, 4, 8)]
    assert found(table) == [("value.missing", 4, "date")]


def test_behaviour_gets_a_date_too(read) -> None:  # type: ignore[no-untyped-def]
    table = read("user_id,item_id,ts,event\nC1,A,2024-04-08 10:00:00,view\n", "behaviour")
    assert table.frame["date"].to_list() == [date(2024, 4, 8)]


def test_unknown_time_zone_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="Mars/Olympus"):
        read_table(pl.DataFrame(), SCHEMAS["sales"], timezone="Mars/Olympus")


def test_item_attributes_are_kept_as_text(read) -> None:  # type: ignore[no-untyped-def]
    table = read("sku,category_1,category_2,Weight kg\n0017,Home,,007\n", "items")
    assert table.frame.row(0, named=True) == {
        "sku": "0017",
        "category_1": "Home",
        "category_2": None,
        "Weight kg": "007",
    }


def test_replacement_characters_are_counted(read) -> None:  # type: ignore[no-untyped-def]
    table = read("sku,name\nA,caf\ufffd\nB,????\nC,why?\n", "items")
    assert [(p.code, p.severity, p.count, p.line) for p in table.problems] == [
        ("text.damaged", "warning", 2, 2)
    ]


def test_formulas_and_script_are_only_data(read) -> None:  # type: ignore[no-untyped-def]
    names = ["=HYPERLINK(1)", "+cmd", "@SUM(A1)", "<script>", "-1"]
    table = read("sku,name\n" + "".join(f"S{i},{name}\n" for i, name in enumerate(names)), "items")
    assert table.frame["name"].to_list() == names


def sales_frame(**columns: object) -> pl.DataFrame:
    return pl.DataFrame({"sku": ["A"], "date": [date(2024, 4, 8)], "quantity": [1]} | columns)


def test_a_typed_frame_passes_the_same_checks() -> None:
    frame = pl.DataFrame(
        {
            "item_id": [17, 18, 19, 20, 21],
            "date": [date(2024, 4, 8)] * 4 + [date(1980, 1, 1)],
            "quantity": [1.0, float("nan"), float("inf"), 1e13, 1.0],
            "price": [None, 1.0, 1.0, 1.0, 1.0],
        }
    )
    table = read_table(frame, SCHEMAS["sales"])
    assert table.frame.rows() == [("17", date(2024, 4, 8), 1.0, None)]
    assert found(table) == [
        ("value.missing", 3, "quantity"),
        ("number.not_finite", 4, "quantity"),
        ("number.too_large", 5, "quantity"),
        ("date.out_of_range", 6, "date"),
    ]
    assert (table.encoding, table.delimiter, table.renamed) == (None, None, {"item_id": "sku"})


def test_missing_optional_floats_become_null() -> None:
    assert read_table(sales_frame(price=[float("nan")]), SCHEMAS["sales"]).frame["price"].to_list() == [None]


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"sku": [1.0]}, "sku.not_text"),
        ({"location": [1.5]}, "sku.not_text"),
        ({"sku": [True]}, "columns.type"),
        ({"quantity": [date(2024, 1, 1)]}, "columns.type"),
        ({"date": [45000.0]}, "columns.type"),
        ({"quantity": [[1]]}, "columns.type"),
    ],
)
def test_types_that_cannot_be_right_are_rejected(columns: dict[str, object], code: str) -> None:
    table = read_table(sales_frame(**columns), SCHEMAS["sales"])
    assert [problem.code for problem in table.problems] == [code]
    assert table.frame.is_empty()
    assert table.rejects["column"].to_list() == list(columns)


def test_frames_may_bring_text_categories_integers_and_decimals() -> None:
    frame = pl.DataFrame(
        {
            "sku": pl.Series(["0017"], dtype=pl.Categorical),
            "date": [20240408],
            "quantity": ["3"],
            "price": [Decimal("2.50")],
            "extra": [7],
            "nested": [[1, 2]],
        }
    )
    table = read_table(frame, SCHEMAS["sales"])
    assert table.problems == ()
    assert table.frame.row(0, named=True) == {
        "sku": "0017",
        "date": date(2024, 4, 8),
        "quantity": 3.0,
        "price": 2.5,
        "extra": "7",
    }


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_frame_timestamps_follow_the_shops_clock(zone: str | None) -> None:
    moments = pl.Series([datetime(2025, 10, 7, 23, 50)]).dt.cast_time_unit("ns").dt.replace_time_zone(zone)
    table = read_table(
        sales_frame(timestamp=moments).drop("date"), SCHEMAS["sales"], timezone="Asia/Shanghai"
    )
    assert table.frame["date"].to_list() == [date(2025, 10, 7 if zone is None else 8)]
    assert table.frame["timestamp"].dtype == pl.Datetime("us", "Asia/Shanghai")


def test_csv_parquet_and_frame_agree(read, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    table = read("sku,ds,y,price,note\n0017,2024-04-08,3,2.5,x\n18,2024-04-09,-1,,\n")
    table.frame.write_parquet(tmp_path / "sales.parquet")
    again = read_table(tmp_path / "sales.parquet", SCHEMAS["sales"])
    assert again.frame.equals(table.frame)
    assert read_table(table.frame, SCHEMAS["sales"]).frame.equals(table.frame)


@pytest.mark.parametrize("cut", [6, 40, -20])
def test_damaged_parquet_is_a_problem(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "sales.parquet"
    sales_frame().write_parquet(path)
    path.write_bytes(path.read_bytes()[:cut])
    assert [p.code for p in read_table(path, SCHEMAS["sales"]).problems] == ["file.corrupt_parquet"]


def test_text_named_parquet_is_a_problem(read) -> None:  # type: ignore[no-untyped-def]
    assert [p.code for p in read("sku,date\n", name="sales.parquet").problems] == ["file.not_parquet"]


def test_small_parquet_that_unpacks_huge_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "sales.parquet"
    pl.select(pl.repeat("A", 200_000).alias("sku"), pl.repeat(1, 200_000).alias("quantity")).write_parquet(
        path
    )
    monkeypatch.setenv("SHELFWISE_MAX_FILE_BYTES", "100000")
    assert path.stat().st_size < 100_000
    assert [p.code for p in read_table(path, SCHEMAS["sales"]).problems] == ["file.too_large"]


def test_too_large_a_file_is_refused_before_reading(read, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("SHELFWISE_MAX_FILE_BYTES", "20")
    problem = read(HEADER + GOOD).problems[0]
    assert problem.code == "file.too_large"
    assert problem.value == "33 bytes, and at most 20 can be read"
    assert "Split it by month" in problem.fix


@pytest.mark.parametrize("value", ["0", "-1", "2GB", "１２"])
def test_a_senseless_limit_is_a_usage_error(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELFWISE_MAX_FILE_BYTES", value)
    with pytest.raises(UsageError, match="SHELFWISE_MAX_FILE_BYTES"):
        max_file_bytes()


def test_the_limit_is_a_share_of_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHELFWISE_MAX_FILE_BYTES", raising=False)
    assert 0 < max_file_bytes() < available_memory_bytes()


def test_missing_file_folder_and_unknown_type_are_problems(tmp_path: Path) -> None:
    folder = tmp_path / "sales.csv"
    folder.mkdir()
    cases = {
        tmp_path / "no.csv": "file.missing",
        folder: "file.unreadable",
        tmp_path / "a.xlsx": "file.unknown_type",
    }
    for path, code in cases.items():
        assert [p.code for p in read_table(path, SCHEMAS["sales"]).problems] == [code]


def test_socket_and_refused_access_are_problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "s.csv"
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(tmp_path)
        listener.bind("s.csv")
        assert [p.code for p in read_table(path, SCHEMAS["sales"]).problems] == ["file.unreadable"]
    path.unlink()
    path.write_text(HEADER + GOOD)

    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    problem = read_table(path, SCHEMAS["sales"]).problems[0]
    assert (problem.code, problem.value) == ("file.unreadable", "Permission denied")


def test_a_file_that_vanishes_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(HEADER + GOOD)
    stat = Path.stat

    def vanish(self: Path, **options: bool) -> os.stat_result:
        status = stat(self, **options)
        os.unlink(self)
        return status

    monkeypatch.setattr(Path, "stat", vanish)
    assert [p.code for p in read_table(path, SCHEMAS["sales"]).problems] == ["file.missing"]


def test_error_file_is_safe_in_a_spreadsheet(read, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    cells = ["=1+1", "+cmd|x", "@SUM(A1)", "-2-3", "\t=x", "'=x", "plain,text"]
    rows = "".join(f'S,2024-04-08,"{cell}"\n' for cell in cells)
    table = read(HEADER + rows)
    target = tmp_path / "errors.csv"
    write_rejects(table.rejects, target)
    with target.open(encoding="utf-8", newline="") as stream:
        written = list(csv.DictReader(stream))
    assert [row["value"] for row in written] == [*("'" + cell for cell in cells[:6]), "plain,text"]
    assert [row["line"] for row in written] == [str(line) for line in range(2, 9)]
    assert list(written[0]) == ["file", "line", "column", "value", "code", "rule", "fix"]


def test_error_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "errors.csv"
    target.mkdir()
    with pytest.raises(OutputNotWritable, match=r"errors\.csv"):
        write_rejects(no_rejects(), target)
    assert list(tmp_path.iterdir()) == [target]
