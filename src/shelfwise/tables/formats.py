"""What a file is before it is parsed: its content, and the delimiter of a CSV.

A file is judged by its first bytes, never by unpacking it, so an archive bomb cannot go off here.
"""

from __future__ import annotations

import csv
import io

from shelfwise.tables.aliases import fold_name
from shelfwise.tables.schema import TableSchema

DELIMITERS = (",", ";", "\t", "|")
HEAD_BYTES = 1 << 16
_SNIFFED_ROWS = 200

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "file.gzip"),
    (b"PAR1", "file.parquet"),
    (b"%PDF", "file.pdf"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "file.xlsx"),
    (b"\x28\xb5\x2f\xfd", "file.packed"),
    (b"BZh", "file.packed"),
    (b"\xfd7zXZ\x00", "file.packed"),
    (b"7z\xbc\xaf\x27\x1c", "file.packed"),
    (b"Rar!", "file.packed"),
    (b"SQLite format 3\x00", "file.binary"),
)
_HTML_STARTS = (b"<!doctype", b"<html", b"<head", b"<body", b"<?xml", b"<table", b"<script")


def foreign_content(head: bytes) -> str | None:
    """The rulebook's code for what the bytes are if they are not text; None if they may be.

    Example:
        >>> foreign_content(b"PK\\x03\\x04...[Content_Types].xml")
        'file.xlsx'
    """
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "file.xlsx" if b"[Content_Types].xml" in head or b"xl/" in head else "file.zip"
    for magic, code in _MAGIC:
        if head.startswith(magic):
            return code
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:200].lower()
    if start.startswith(_HTML_STARTS):
        return "file.html"
    if start.startswith((b'{"', b"[{", b"[[", b"{\n", b"{\r")):
        return "file.json"
    return None


def sniff_delimiter(head: str, schema: TableSchema) -> str:
    """The delimiter of a CSV from its first rows: the one under which the header names known columns.

    A delimiter has to split the header; among those that do, the one whose header has the most known
    names wins, then the one under which most rows are as wide as the header. ``sep=;`` on the first line,
    which Excel writes, decides at once. A table of one column has no delimiter and gets a comma.

    Example:
        >>> from shelfwise.tables.schema import SCHEMAS
        >>> sniff_delimiter("sku;date;quantity\\nA;2024-04-08;1,5\\n", SCHEMAS["sales"])
        ';'
    """
    declared = declared_delimiter(head)
    if declared:
        return declared
    scores = {
        delimiter: score for delimiter in DELIMITERS if (score := _score(head, delimiter, schema)) is not None
    }
    return max(scores, key=lambda delimiter: scores[delimiter], default=",")


def declared_delimiter(head: str) -> str | None:
    """The delimiter that a ``sep=`` line on top declares."""
    first = head.split("\n", 1)[0].strip("\r").lower()
    if first.startswith("sep=") and len(first) == 5 and first[4] in DELIMITERS:
        return first[4]
    return None


def _score(head: str, delimiter: str, schema: TableSchema) -> tuple[int, float, int] | None:
    rows = _rows(head, delimiter)
    if not rows or len(rows[0]) < 2:
        return None
    known = known_names(schema)
    hits = sum(fold_name(name) in known for name in rows[0])
    width = len(rows[0])
    same = sum(len(row) == width for row in rows) / len(rows)
    return hits, same, width


def _rows(head: str, delimiter: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if row:
                rows.append(row)
            if len(rows) > _SNIFFED_ROWS:
                break
    except csv.Error:
        pass
    # The last row may be cut in the middle by the end of the head.
    return rows[:-1] if len(rows) > 2 else rows


def known_names(schema: TableSchema) -> frozenset[str]:
    """Folded names and aliases of all columns of the table."""
    return frozenset(fold_name(name) for column in schema.columns for name in (column.name, *column.aliases))
