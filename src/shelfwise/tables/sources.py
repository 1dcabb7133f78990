"""A file or a frame as raw columns: CSV cells as text, Parquet and frames as they are typed."""

from __future__ import annotations

import csv
import io
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shelfwise.errors import Problem
from shelfwise.tables.encoding import DecodedText, to_utf8
from shelfwise.tables.filesize import max_file_bytes
from shelfwise.tables.formats import HEAD_BYTES, declared_delimiter, foreign_content, sniff_delimiter
from shelfwise.tables.parsing import EDGE_CHARACTERS, no_bad_rows
from shelfwise.tables.records import Records, damaged_rows, find_records, keep_rows, unify_line_ends
from shelfwise.tables.rulebook import problem
from shelfwise.tables.schema import TableSchema

MAX_COLUMNS = 3000
CSV_ENDINGS = (".csv", ".tsv", ".txt")
PARQUET_ENDINGS = (".parquet", ".pq")
_CELL_BYTES = 8
_MAX_SHOWN = 120


@dataclass(frozen=True, slots=True)
class RawTable:
    """Columns before any checking.

    Args:
        frame: columns ``0``, ``1``, …, by position.
        names: the file's own column names, by position.
        file: what to call the source in messages.
        lines: line of each row in the file, shape (rows,); None where row i is on line i + 2.
        bad: rows that could not even be split into cells: ``line``, ``code``, ``value``.
        maybe_damaged: whether the text holds signs of damage (U+FFFD, ``???``).
    """

    frame: pl.DataFrame
    names: tuple[str, ...]
    file: str
    lines: NDArray[np.int32] | None = None
    bad: pl.DataFrame = field(default_factory=lambda: no_bad_lines())
    encoding: str | None = None
    delimiter: str | None = None
    maybe_damaged: bool = False

    def line_numbers(self, rows: pl.Series) -> pl.Series:
        """The line in the file of each row number."""
        if self.lines is None:
            return (rows.cast(pl.Int64) + 2).alias("line")
        return pl.Series("line", self.lines[rows.to_numpy()], dtype=pl.Int64)


def no_bad_lines() -> pl.DataFrame:
    return no_bad_rows().rename({"row": "line"}).cast({"line": pl.Int64})


def load(path: Path, schema: TableSchema, encoding: str | None) -> RawTable | Problem:
    """Read a file into raw columns, or say what prevents it: a file system error becomes a `Problem`."""
    file = path.name
    ending = path.suffix.lower()
    if ending not in CSV_ENDINGS + PARQUET_ENDINGS:
        return problem("file.unknown_type", file=file, value=path.suffix)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return problem("file.unreadable", file=file, value="not a plain file")
        limit = max_file_bytes()
        if status.st_size > limit:
            return problem("file.too_large", file=file, value=_too_large(status.st_size, limit))
        if status.st_size == 0:
            return problem("file.empty", file=file)
        if ending in PARQUET_ENDINGS:
            return _load_parquet(path, limit)
        return _load_csv(path.read_bytes(), file, schema, encoding)
    except FileNotFoundError:
        return problem("file.missing", file=file, value=str(path))
    except OSError as error:
        return problem("file.unreadable", file=file, value=error.strerror or type(error).__name__)


def from_frame(frame: pl.DataFrame, file: str) -> RawTable:
    """A frame that is already in memory."""
    return RawTable(_positional(frame), tuple(frame.columns), file)


def _positional(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.rename({name: str(position) for position, name in enumerate(frame.columns)})


def _too_large(size: int, limit: int) -> str:
    return f"{size:,} bytes, and at most {limit:,} can be read"


def _load_parquet(path: Path, limit: int) -> RawTable | Problem:
    with path.open("rb") as stream:
        if stream.read(4) != b"PAR1":
            return problem("file.not_parquet", file=path.name)
    try:
        lazy = pl.scan_parquet(path, glob=False)
        width = len(lazy.collect_schema())
        cells = int(lazy.select(pl.len()).collect().item()) * width
        # A few kilobytes of Parquet can unpack to any size, so the rows are counted before they are read.
        if cells * _CELL_BYTES > limit:
            return problem("file.too_large", file=path.name, value=_too_large(cells * _CELL_BYTES, limit))
        return from_frame(lazy.collect(), path.name)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        return problem(
            "file.corrupt_parquet", file=path.name, value=str(error).split("\n", 1)[0][:_MAX_SHOWN]
        )


def _load_csv(data: bytes, file: str, schema: TableSchema, encoding: str | None) -> RawTable | Problem:
    foreign = foreign_content(data[:HEAD_BYTES])
    if foreign is not None:
        return problem(foreign, file=file)
    decoded = to_utf8(data, schema, encoding=encoding, file=file)
    if isinstance(decoded, Problem):
        return decoded
    text = decoded.data
    if not text[:HEAD_BYTES].strip() and not text.strip():
        return problem("file.empty", file=file)
    if text[:HEAD_BYTES].count(0) > 0.1 * len(text[:HEAD_BYTES]):
        return problem("file.binary", file=file)
    head = text[:HEAD_BYTES].decode("utf-8", "ignore")
    delimiter = sniff_delimiter(head.replace("\r\n", "\n").replace("\r", "\n"), schema)
    quoted = b'"' in text
    text = unify_line_ends(text, quoted=quoted)
    records = find_records(text, delimiter, quoted=quoted)
    if records.broken is not None:
        unquoted = _without_quoting(text, delimiter)
        if unquoted is None:
            code = "csv.unclosed_quote" if records.broken.unclosed else "csv.stray_quote"
            return problem(code, file=file, line=records.broken.line)
        records, quoted = unquoted, False
    return _cut_columns(DecodedText(text, decoded.encoding), records, delimiter, file, quoted=quoted)


def _without_quoting(text: bytes, delimiter: str) -> Records | None:
    """The rows if quotes mean nothing: only where no field begins with one and all rows are equally wide."""
    opening = re.compile(rb"(?:^|[\r\n" + re.escape(delimiter.encode()) + rb']) *"')
    if opening.search(text):
        return None
    plain = unify_line_ends(text, quoted=False)
    records = find_records(plain, delimiter, quoted=False)
    return records if len(plain) == len(text) and len(set(records.widths.tolist())) == 1 else None


def _cut_columns(
    decoded: DecodedText, records: Records, delimiter: str, file: str, *, quoted: bool
) -> RawTable | Problem:
    text = decoded.data
    blank = _blank_rows(text, records)
    first = int(np.flatnonzero(~blank)[0]) if not blank.all() else 0
    if declared_delimiter(_row_text(text, records, first)):
        blank[first] = True
        first = int(np.flatnonzero(~blank)[0]) if not blank.all() else first
    try:
        names = _header_names(_row_text(text, records, first), delimiter, quoted=quoted)
    except csv.Error as error:
        return problem("csv.unreadable", file=file, line=int(records.lines[first]), value=str(error))
    if len(names) > MAX_COLUMNS:
        return problem("columns.too_many", file=file, line=1, value=f"{len(names)} columns")
    damaged = damaged_rows(text, records)
    damaged = damaged[~blank[damaged]]
    if first in damaged:
        return problem("file.binary", file=file, line=int(records.lines[first]))
    broken = (records.widths != len(names)) & ~blank
    broken[damaged] = False
    keep = ~blank & ~broken
    keep[damaged] = False
    bad = pl.concat([_damaged_lines(text, records, damaged), _ragged_lines(records, broken, len(names))])
    data = keep_rows(text, records, keep)
    try:
        frame = _split_cells(data, len(names), delimiter, quoted=quoted, empty=int(keep.sum()) < 2)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        return problem("csv.unreadable", file=file, value=str(error).split("\n", 1)[0][:_MAX_SHOWN])
    lines = records.lines[keep][1:]
    regular = bool((lines == np.arange(2, len(lines) + 2)).all())
    return RawTable(
        frame,
        names,
        file,
        lines=None if regular else lines,
        bad=bad,
        encoding=decoded.encoding,
        delimiter=delimiter,
        maybe_damaged=b"\xef\xbf\xbd" in text or b"???" in text,
    )


def _header_names(header: str, delimiter: str, *, quoted: bool) -> tuple[str, ...]:
    cells = header.split(delimiter)
    if quoted:
        cells = next(csv.reader(io.StringIO(header, newline=""), delimiter=delimiter), [])
    return tuple(name.strip(EDGE_CHARACTERS).removeprefix("'") for name in cells)


def _row_text(text: bytes, records: Records, row: int) -> str:
    return text[int(records.starts[row]) : int(records.ends[row])].decode("utf-8", "replace").rstrip("\r")


def _blank_rows(text: bytes, records: Records) -> NDArray[np.bool_]:
    """Rows of white space only; a row of delimiters only has cells and is judged later."""
    lengths = records.ends - records.starts
    blank = lengths == 0
    for row in np.flatnonzero((records.widths == 1) & (lengths > 0) & (lengths <= 64)):
        if not text[int(records.starts[row]) : int(records.ends[row])].strip():
            blank[row] = True
        elif records.widths[0] == 1:
            # A table of one column: only its empty lines matter, and these have been found.
            break
    return np.asarray(blank, dtype=np.bool_)


def _damaged_lines(text: bytes, records: Records, damaged: NDArray[np.int64]) -> pl.DataFrame:
    values = [f"byte {text.index(0, int(records.starts[row])):,}" for row in damaged]
    return _bad_lines(records.lines[damaged], "row.damaged", values)


def _ragged_lines(records: Records, broken: NDArray[np.bool_], expected: int) -> pl.DataFrame:
    found = records.widths[broken].tolist()
    values = [f"{width} fields instead of {expected}" for width in found]
    return _bad_lines(records.lines[broken], "row.fields", values)


def _bad_lines(lines: NDArray[np.int32], code: str, values: list[str]) -> pl.DataFrame:
    return pl.DataFrame(
        {"line": pl.Series(lines.astype(np.int64)), "code": [code] * len(values), "value": values},
        schema=no_bad_lines().schema,
    )


def _split_cells(data: bytes, width: int, delimiter: str, *, quoted: bool, empty: bool) -> pl.DataFrame:
    schema = {str(position): pl.String for position in range(width)}
    if empty:
        return pl.DataFrame(schema=schema)
    return pl.read_csv(
        data,
        has_header=False,
        skip_rows=1,
        schema=schema,
        separator=delimiter,
        quote_char='"' if quoted else None,
        infer_schema=False,
    )
