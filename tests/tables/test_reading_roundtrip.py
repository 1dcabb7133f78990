"""Properties: what is written comes back, whatever the encoding, the delimiter and the order of rows."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from shelfwise.tables.parsing import EDGE_CHARACTERS
from shelfwise.tables.reading import TableRead, read_table
from shelfwise.tables.rejects import guard_text
from shelfwise.tables.schema import SCHEMAS

DESTROYED = re.compile(r"[+-]?\d+(\.\d*[eE][+-]?|[eE]\+)\d+")
# One header per encoding, as its users write it, so that the encoding can be told.
HEADERS = {
    "utf-8": ("sku", "date", "quantity"),
    "utf-8-sig": ("sku", "date", "quantity"),
    "utf-16": ("sku", "date", "quantity"),
    "gb18030": ("商品编码", "日期", "数量"),
    "shift_jis": ("商品コード", "日付", "数量"),
    "cp1252": ("référence", "date", "quantité"),
}
ALPHABETS = {
    "utf-8": st.characters(exclude_categories=["Cs", "Cc"]),
    "utf-8-sig": st.characters(exclude_categories=["Cs", "Cc"]),
    "utf-16": st.characters(exclude_categories=["Cs", "Cc"]),
    "gb18030": st.sampled_from("红色连衣裙大号-_. /'\"=,;|\tA0e\u3000\n"),
    "shift_jis": st.sampled_from("赤い靴テストカー-_. '\"=,;|\tA0e\u3000\n"),
    "cp1252": st.sampled_from("éüßñÀŒ€-_. '\"=,;|\tA0e\u00a0\n"),
}
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def expected(text: str) -> str:
    """A slow plain twin of the cleaning of identifiers."""
    trimmed = text.strip(EDGE_CHARACTERS)
    if trimmed.startswith("'"):
        trimmed = trimmed[1:]
    elif len(trimmed) > 2 and trimmed.startswith('="') and trimmed.endswith('"') and "\n" not in trimmed:
        trimmed = trimmed[2:-1]
    return unicodedata.normalize("NFC", trimmed.strip(EDGE_CHARACTERS))


def written(skus: list[str], encoding: str, delimiter: str, line_end: str) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=line_end)
    writer.writerow(HEADERS[encoding])
    writer.writerows([sku, "2024-04-08", position] for position, sku in enumerate(skus))
    return stream.getvalue().encode(encoding)


def read_bytes(folder: Path, data: bytes) -> TableRead:
    path = folder / "sales.csv"
    path.write_bytes(data)
    return read_table(path, SCHEMAS["sales"])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", HEADERS)
@given(data=st.data(), line_end=st.sampled_from(["\n", "\r\n"]))
@QUICK
def test_skus_come_back_exactly(
    tmp_path: Path, encoding: str, delimiter: str, data: st.DataObject, line_end: str
) -> None:
    skus = data.draw(st.lists(st.text(ALPHABETS[encoding], min_size=1, max_size=8), min_size=1, max_size=8))
    wanted = [expected(sku) for sku in skus]
    assume(all(wanted) and not any(DESTROYED.fullmatch(sku) for sku in wanted))
    table = read_bytes(tmp_path, written(skus, encoding, delimiter, line_end))
    assert table.errors == ()
    assert table.frame["sku"].to_list() == wanted
    assert table.frame["quantity"].to_list() == list(range(len(skus)))
    assert table.delimiter == delimiter


@given(st.lists(st.text(ALPHABETS["utf-8"], min_size=1, max_size=6), min_size=1, max_size=8))
@QUICK
def test_our_own_guard_comes_off_again(tmp_path: Path, texts: list[str]) -> None:
    clean = [text for text in (expected(text) for text in texts) if text and not text.startswith('="')]
    clean = [text for text in clean if expected(text) == text or text.startswith("'")]
    assume(clean and not any(DESTROYED.fullmatch(text) for text in clean))
    guarded = pl.DataFrame({"sku": clean}).select(guard_text(pl.col("sku")))["sku"].to_list()
    table = read_bytes(tmp_path, written(guarded, "utf-8", ",", "\n"))
    assert table.frame["sku"].to_list() == clean


ROWS = st.tuples(
    st.sampled_from(["A", "0017", "17", "", "6.9E+12", "红"]),
    st.sampled_from(["2024-04-08", "2024-04-09", "bad", "", "2024-13-01", "1970-01-01"]),
    st.sampled_from(["1", "-2", "1.5", "", "x", "1e308", "0"]),
)


@given(rows=st.lists(ROWS, min_size=1, max_size=15), seed=st.randoms())
@QUICK
def test_order_of_rows_changes_nothing(tmp_path: Path, rows: list[tuple[str, str, str]], seed) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(rows)
    seed.shuffle(shuffled)
    header = "sku,date,quantity\n"
    first, second = (
        read_bytes(tmp_path, (header + "".join(",".join(row) + "\n" for row in order)).encode())
        for order in (rows, shuffled)
    )
    assert sorted(first.frame.rows()) == sorted(second.frame.rows())
    kinds = [sorted((p.code, p.column or "", p.count) for p in read.problems) for read in (first, second)]
    assert kinds[0] == kinds[1]
    cells = ["column", "value", "code"]
    assert first.rejects[cells].sort(cells).equals(second.rejects[cells].sort(cells))


@given(rows=st.lists(ROWS, min_size=1, max_size=15))
@QUICK
def test_every_row_is_either_kept_or_explained(tmp_path: Path, rows: list[tuple[str, str, str]]) -> None:
    data = "sku,date,quantity\n" + "".join(",".join(row) + "\n" for row in rows)
    table = read_bytes(tmp_path, data.encode())
    blank = rows.count(("", "", ""))
    assert table.rows_read == len(rows) - blank
    assert table.frame.height + table.rejects.drop_nulls("column")["line"].n_unique() == table.rows_read


@given(st.binary(max_size=200))
@QUICK
def test_no_bytes_raise(tmp_path: Path, data: bytes) -> None:
    table = read_bytes(tmp_path, data)
    assert table.frame.is_empty()
    assert table.errors


@given(st.binary(max_size=60), st.integers(0, 80))
@QUICK
def test_no_patched_file_raises(tmp_path: Path, patch: bytes, place: int) -> None:
    good = 'sku,date,quantity,name\n0017,2024-04-08,1,红色\n18,2024-04-09,2,"a\nb"\n'.encode()
    read_bytes(tmp_path, good[:place] + patch + good[place:])
