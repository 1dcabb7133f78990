"""What a file is: its content, its encoding, its delimiter, its rows."""

from __future__ import annotations

import codecs
import csv
import io
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.errors import Problem
from shelfwise.tables.encoding import first_invalid_utf8, to_utf8
from shelfwise.tables.formats import foreign_content, sniff_delimiter
from shelfwise.tables.records import damaged_rows, find_records, keep_rows, unify_line_ends
from shelfwise.tables.schema import SCHEMAS

SALES = SCHEMAS["sales"]

CONTENT = [
    (b"\x1f\x8b\x08", "file.gzip"),
    (b"PK\x03\x04....[Content_Types].xml", "file.xlsx"),
    (b"PK\x03\x04....sales.csv", "file.zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "file.xlsx"),
    (b"%PDF-1.7", "file.pdf"),
    (b"PAR1", "file.parquet"),
    (b"\n <!DOCTYPE html><html>", "file.html"),
    (b"\xef\xbb\xbf<html>", "file.html"),
    (b'{"error": "login"}', "file.json"),
    (b"\x28\xb5\x2f\xfd", "file.packed"),
    (b"SQLite format 3\x00", "file.binary"),
    (b"sku,date\n", None),
    (b"", None),
]


@pytest.mark.parametrize(("head", "code"), CONTENT)
def test_content_is_recognised_by_its_first_bytes(head: bytes, code: str | None) -> None:
    assert foreign_content(head) == code


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_the_one_that_splits_the_header(delimiter: str) -> None:
    rows = ["sku,date,quantity", "A,2024-04-08,1", "B,2024-04-08,2"]
    assert sniff_delimiter("\n".join(rows).replace(",", delimiter), SALES) == delimiter


def test_decimal_commas_do_not_pass_for_a_delimiter() -> None:
    assert sniff_delimiter("sku;date;quantity;price\nA;2024-04-08;1;1,5\nB;2024-04-08;1;2,5\n", SALES) == ";"


def test_commas_in_quoted_text_do_not_pass_for_a_delimiter() -> None:
    assert sniff_delimiter('sku|date|"a,b,c,d"\nA|2024-04-08|"x,y"\n', SALES) == "|"


def test_excel_may_declare_the_delimiter() -> None:
    assert sniff_delimiter("sep=|\nsku|date\n", SALES) == "|"


def test_one_column_has_no_delimiter() -> None:
    assert sniff_delimiter("location\nLondon; UK\n", SCHEMAS["locations"]) == ","


CHINESE = "商品编码,日期,数量,备注\nA1,2024-04-08,3,红色连衣裙\n"
JAPANESE = "商品コード,日付,数量\nテスト,2024-04-08,3\n"
WESTERN = "sku,date,quantity,name\nA,2024-04-08,3,Café crème\nB,2024-04-08,1,Müller größe\n"
ENCODED = [
    ("plain", b"sku,date\nA,2024-04-08\n", "utf-8", "sku,date\nA,2024-04-08\n"),
    ("utf-8", CHINESE.encode(), "utf-8", CHINESE),
    ("bom", codecs.BOM_UTF8 + CHINESE.encode(), "utf-8-sig", CHINESE),
    ("utf-16-le", codecs.BOM_UTF16_LE + CHINESE.encode("utf-16-le"), "utf-16-le", CHINESE),
    ("utf-16-be", codecs.BOM_UTF16_BE + CHINESE.encode("utf-16-be"), "utf-16-be", CHINESE),
    ("utf-16 unmarked", WESTERN.encode("utf-16-le"), "utf-16-le", WESTERN),
    ("gb18030", CHINESE.encode("gb18030"), "gb18030", CHINESE),
    ("gbk text only", ("sku,date,note\nA,2024-04-08,红色连衣裙\n").encode("gbk"), "gb18030", None),
    ("shift_jis", JAPANESE.encode("shift_jis"), "cp932", JAPANESE),
    ("shift_jis text only", "sku,note\nA,テスト商品です\nB,青い靴\n".encode("shift_jis"), "cp932", None),
    ("cp1252", WESTERN.encode("cp1252"), "cp1252", WESTERN),
    ("cp1252 symbols", "sku,name\nA,12 € – “new”\n".encode("cp1252"), "cp1252", "sku,name\nA,12 € – “new”\n"),
]


@pytest.mark.parametrize(
    ("data", "encoding", "text"), [case[1:] for case in ENCODED], ids=[c[0] for c in ENCODED]
)
def test_encoding_is_found(data: bytes, encoding: str, text: str | None) -> None:
    found = to_utf8(data, SALES)
    assert not isinstance(found, Problem)
    assert found.encoding == encoding
    assert found.data.decode() == (data.decode(encoding) if text is None else text)


@pytest.mark.parametrize("word", ["峠", "ﾃｽﾄ"])
def test_what_fits_two_encodings_is_not_guessed(word: str) -> None:
    data = f"sku,note\nA,{word}\n".encode("cp932")
    found = to_utf8(data, SALES)
    assert isinstance(found, Problem)
    assert found.code == "encoding.ambiguous"
    assert "cp932" in (found.value or "")
    named = to_utf8(data, SALES, encoding="cp932")
    assert not isinstance(named, Problem)
    assert named.data.decode() == f"sku,note\nA,{word}\n"


@pytest.mark.parametrize("encoding", ["utf-8", "klingon"])
def test_a_named_encoding_that_does_not_fit_is_a_problem(encoding: str) -> None:
    found = to_utf8(CHINESE.encode("gb18030"), SALES, encoding=encoding)
    assert isinstance(found, Problem)
    assert found.code == "encoding.mismatch"


def test_broken_bytes_in_utf8_become_nul_one_for_one() -> None:
    data = "sku,name\nA,红色连衣裙\n".encode() + b"B,x\xff\xfey\n"
    found = to_utf8(data, SALES)
    assert not isinstance(found, Problem)
    assert found.data == data.replace(b"\xff\xfe", b"\0\0")


def test_first_invalid_byte_is_found_across_chunks() -> None:
    text = "é".encode() * (3 << 20)
    assert first_invalid_utf8(text) is None
    assert first_invalid_utf8(text[:-1] + b"\xff") == len(text) - 2
    assert first_invalid_utf8(b"a" + text + b"\xff") == len(text) + 1


def test_proving_utf8_takes_little_memory() -> None:
    data = b"A,2024-04-08,1\n" * (2 << 20)
    tracemalloc.start()
    first_invalid_utf8(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(data) / 2


BROKEN_QUOTES = [
    (b'a,b\n1,"x\n2,y\n', 2, True),
    (b'a,b\n1,2\n3,"x', 3, True),
    (b'a,b\n1,"x\n2,"y"\n', 2, False),
    (b'a,b\n1,5" pipe\n2,6" pipe\n', 2, False),
    (b'a,b\n1,"x"y\n', 2, False),
]


@pytest.mark.parametrize(("data", "line", "unclosed"), BROKEN_QUOTES)
def test_broken_quotes_are_named_by_line(data: bytes, line: int, unclosed: bool) -> None:
    broken = find_records(data, ",", quoted=True).broken
    assert broken is not None
    assert (broken.line, broken.unclosed) == (line, unclosed)


@pytest.mark.parametrize(
    ("data", "unified"),
    [
        (b"a,b\r1,2\r", b"a,b\n1,2\n"),
        (b"a,b\r\n1,2\r\n", b"a,b\r\n1,2\r\n"),
        (b'a,b\r"x\ry",2\n', b'a,b\n"x\ry",2\n'),
        (b"a,b\n1,2\r3,4\r\n", b"a,b\n1,2\n3,4\r\n"),
    ],
)
def test_lone_returns_end_rows(data: bytes, unified: bytes) -> None:
    assert unify_line_ends(data, quoted=b'"' in data) == unified


CELL = st.text(alphabet='ab,"\n é', max_size=4)
TABLE = st.lists(st.lists(CELL, min_size=1, max_size=4), min_size=1, max_size=12)


@given(TABLE, st.integers(7, 64))
@settings(max_examples=60, deadline=None)
def test_rows_agree_with_the_csv_module(rows: list[list[str]], chunk: int) -> None:
    """Oracle: Python's own CSV reader, with chunks so small that every boundary is crossed."""
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    data = stream.getvalue().encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shelfwise.tables.records._CHUNK_BYTES", chunk)
        records = find_records(data, ",", quoted=True)
    assert records.broken is None
    assert records.widths.tolist() == [len(row) for row in rows]
    newlines = [sum(cell.count("\n") for cell in row) + 1 for row in rows]
    assert records.lines.tolist() == [1, *(1 + np.cumsum(newlines)[:-1])]
    parts = [data[start:end] for start, end in zip(records.starts, records.ends, strict=True)]
    assert [next(csv.reader(io.StringIO(part.decode(), newline=""))) for part in parts] == rows


def test_unwanted_rows_are_cut_out() -> None:
    data = b"a,b\n1,2\nx\0,2\n3,4,5\n6,7"
    records = find_records(data, ",", quoted=False)
    assert damaged_rows(data, records).tolist() == [2]
    keep = np.array([True, True, False, False, True])
    assert keep_rows(data, records, keep) == b"a,b\n1,2\n6,7\n"
