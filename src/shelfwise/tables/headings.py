"""The header of a table: which column is which, and whether what is needed is there in a usable type."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from shelfwise.errors import Problem
from shelfwise.tables.aliases import closest_names, match_columns
from shelfwise.tables.rulebook import problem
from shelfwise.tables.schema import FLOAT_KINDS, ColumnSchema, TableSchema
from shelfwise.tables.sources import MAX_COLUMNS, RawTable

_DATE_NAME = re.compile(r"^(?:\d{4}-\d{1,2}-\d{1,2}|\d{4}/\d{1,2}/\d{1,2}|\d{8}|d_\d+|w_?\d+)$")
_MANY = 8


@dataclass(frozen=True, slots=True)
class Headings:
    """The header, understood.

    Args:
        columns: final name of each column by position.
        renamed: the file's name → canonical name, where they differ.
        problems: what makes the table unusable.
    """

    columns: tuple[str, ...]
    renamed: dict[str, str]
    problems: tuple[Problem, ...]


def check_headings(raw: RawTable, schema: TableSchema) -> Headings:
    """Map the file's names to the schema's, and collect everything wrong with the header."""
    names = tuple(name or f"unnamed_{position + 1}" for position, name in enumerate(raw.names))
    line = None if raw.delimiter is None else 1
    if len(names) > MAX_COLUMNS:
        found = problem("columns.too_many", file=raw.file, line=line, value=f"{len(names)} columns")
        return Headings(names, {}, (found,))
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        duplicates = (
            problem("columns.duplicate", file=raw.file, line=line, column=name, value=name) for name in twice
        )
        return Headings(names, {}, tuple(duplicates))
    match = match_columns(names, schema)
    problems = [
        problem("columns.rivals", file=raw.file, line=line, column=column, value=", ".join(rivals))
        for column, rivals in match.rivals.items()
    ]
    settled = set(match.canonical) | set(match.rivals)
    groups = [(name,) for name in schema.needed] + list(schema.one_of)
    problems += [
        _missing(group, names, schema, raw.file, line) for group in groups if not settled.intersection(group)
    ]
    problems += _wrong_types(raw, match.canonical, schema)
    return Headings(match.canonical, match.renamed, tuple(problems))


def _missing(
    group: tuple[str, ...], names: tuple[str, ...], schema: TableSchema, file: str, line: int | None
) -> Problem:
    near = [name for column in group for name in closest_names(column, names, schema)]
    fix = None
    if sum(bool(_DATE_NAME.match(name)) for name in names) >= _MANY:
        fix = "The table has one column per date: turn it into one row per item and date"
    elif near:
        fix = f"Did you mean {near[0]!r}? Rename it to `{group[0]}`"
    rule = (
        f"one of the columns {' or '.join(f'`{name}`' for name in group)} is needed"
        if len(group) > 1
        else None
    )
    shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    return problem("columns.missing", file=file, line=line, column=group[0], value=shown, rule=rule, fix=fix)


def _wrong_types(raw: RawTable, columns: tuple[str, ...], schema: TableSchema) -> Iterator[Problem]:
    for position, name in enumerate(columns):
        dtype = raw.frame.dtypes[position]
        known = schema[name] if name in schema else ColumnSchema(name, "text")
        if known.kind in ("sku", "id") and dtype.is_float():
            yield problem("sku.not_text", file=raw.file, column=name, value=str(dtype))
        elif name in schema and not _fits(known, dtype):
            yield problem("columns.type", file=raw.file, column=name, value=str(dtype))


def _fits(column: ColumnSchema, dtype: pl.DataType) -> bool:
    """Whether cells of this type can be read as the column's kind."""
    textual = dtype in (pl.String, pl.Categorical, pl.Enum, pl.Null)
    if column.kind in ("sku", "id"):
        return textual or dtype.is_integer()
    if column.kind in FLOAT_KINDS:
        return textual or dtype.is_numeric() or dtype == pl.Boolean
    if column.kind == "text":
        return not dtype.is_nested() and dtype not in (pl.Object, pl.Binary)
    return textual or dtype.is_integer() or dtype == pl.Date or dtype == pl.Datetime
