"""`read_table`: a file or a frame in; a checked and typed table out, with everything that was wrong."""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import polars as pl

from shelfwise.errors import Problem, UsageError
from shelfwise.tables.cells import parse_columns
from shelfwise.tables.headings import check_headings
from shelfwise.tables.rejects import no_rejects
from shelfwise.tables.rulebook import problem
from shelfwise.tables.schema import TEXT_KINDS, TableSchema
from shelfwise.tables.sources import from_frame, load


@dataclass(frozen=True, slots=True)
class TableRead:
    """What came of reading one table.

    Args:
        frame: the good rows, in file order: known columns first, in the contract's order and type, then every
            other column as text. Rows with an error are not in it; after an error of the whole file or of a
            whole column it has no rows.
        problems: one `Problem` for every kind of error in every column, with the first line and value and how
            often it occurs; then the warnings.
        rejects: every single bad cell: ``file, line, column, value, code, rule, fix``, in line order.
        rows_read: rows found in the source, blank lines not counted, rejected rows counted.
        encoding: how the text was encoded; None for Parquet and frames.
        delimiter: what stands between the fields; None for Parquet and frames.
        renamed: the file's column name → canonical name, where an alias was used.
    """

    frame: pl.DataFrame
    problems: tuple[Problem, ...] = ()
    rejects: pl.DataFrame = field(default_factory=no_rejects)
    rows_read: int = 0
    encoding: str | None = None
    delimiter: str | None = None
    renamed: dict[str, str] = field(default_factory=dict)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that make the table unusable as it stands."""
        return tuple(found for found in self.problems if found.severity == "error")

    def first_rejects(self, count: int = 10) -> tuple[Problem, ...]:
        """The first bad cells, one `Problem` each, for showing on a screen."""
        return tuple(
            Problem(
                code=row["code"],
                rule=row["rule"],
                fix=row["fix"],
                file=row["file"],
                line=row["line"],
                column=row["column"],
                value=row["value"],
            )
            for row in self.rejects.head(count).iter_rows(named=True)
        )


def read_table(
    source: Path | pl.DataFrame, schema: TableSchema, *, timezone: str = "UTC", encoding: str | None = None
) -> TableRead:
    """Read, check and type one table; collect what is wrong instead of stopping at the first fault.

    Args:
        source: a ``.csv`` (also ``.tsv``, ``.txt``) or ``.parquet`` file, or a frame, which goes through the
            same checks.
        schema: what the table must look like.
        timezone: the shop's time zone; a ``timestamp`` is carried there and its day becomes ``date``. A
            timestamp without an offset is the shop's already.
        encoding: the text's encoding, where the user knows it; found out otherwise.

    Raises:
        UsageError: `timezone` is unknown.

    Example:
        >>> import polars as pl
        >>> from shelfwise.tables.schema import SCHEMAS
        >>> rows = pl.DataFrame({"商品编码": ["0017", "18"], "日期": ["2024-04-08", "08/04"], "数量": [3, 4]})
        >>> read = read_table(rows, SCHEMAS["sales"])
        >>> read.frame.rows()
        [('0017', datetime.date(2024, 4, 8), 3.0)]
        >>> print(read.problems[0])
        sales:3:date: `date` must be a date (found '08/04'). Write YYYY-MM-DD [date.unparsable]
    """
    _check_timezone(timezone)
    raw = (
        from_frame(source, schema.name)
        if isinstance(source, pl.DataFrame)
        else load(source, schema, encoding)
    )
    if isinstance(raw, Problem):
        return TableRead(empty_frame(schema), (raw,), _one_reject(raw))
    headings = check_headings(raw, schema)
    facts = {"encoding": raw.encoding, "delimiter": raw.delimiter}
    rows_read = raw.frame.height + raw.bad.height
    if headings.problems:
        rejects = pl.concat([_one_reject(found) for found in headings.problems])
        return TableRead(
            empty_frame(schema), headings.problems, rejects, rows_read, **facts, renamed=headings.renamed
        )
    cells = parse_columns(raw, headings.columns, schema, timezone)
    problems, rejects = cells.problems, cells.rejects
    if rows_read - cells.blank_rows == 0:
        severity: Literal["warning", "error"] = "warning" if schema.may_be_empty else "error"
        nothing = problem("file.header_only", file=raw.file, line=1, severity=severity)
        problems = (nothing, *problems)
        rejects = rejects if schema.may_be_empty else _one_reject(nothing)
    return TableRead(
        cells.frame,
        problems,
        rejects,
        rows_read - cells.blank_rows,
        **facts,
        renamed=headings.renamed,
    )


def empty_frame(schema: TableSchema) -> pl.DataFrame:
    """A table without rows: its needed columns, typed."""
    kinds = {column.name: pl.String if column.kind in TEXT_KINDS else pl.Float64 for column in schema.columns}
    moments = {column.name: pl.Date for column in schema.columns if column.kind in ("date", "timestamp")}
    named = (*schema.needed, *(group[0] for group in schema.one_of))
    return pl.DataFrame(schema={name: {**kinds, **moments}[name] for name in named})


def _check_timezone(timezone: str) -> None:
    try:
        zoneinfo.ZoneInfo(timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(f"timezone must be an IANA name such as Asia/Shanghai; got {timezone!r}") from error


def _one_reject(found: Problem) -> pl.DataFrame:
    return pl.DataFrame(
        [[found.file, found.line, found.column, found.value, found.code, found.rule, found.fix]],
        schema=no_rejects().schema,
        orient="row",
    )
