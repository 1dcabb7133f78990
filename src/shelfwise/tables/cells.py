"""The cells of a table: every column parsed by its kind, bad rows set aside, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from shelfwise.errors import Problem
from shelfwise.tables.clock_times import FIRST_YEAR, LAST_YEAR, local_moment
from shelfwise.tables.dates import parse_moments
from shelfwise.tables.numbers import bounds_code, bounds_text, decimal_style, parse_number, prepared
from shelfwise.tables.parsing import (
    Finding,
    Parsed,
    clean_series,
    distinct_texts,
    no_bad_rows,
    parse_identifier,
    parse_text,
)
from shelfwise.tables.rejects import no_rejects
from shelfwise.tables.rulebook import RULES, problem
from shelfwise.tables.schema import FLOAT_KINDS, ColumnSchema, TableSchema
from shelfwise.tables.sources import RawTable

_DAMAGE = r"\u{fffd}|\?\?\?"


@dataclass(frozen=True, slots=True)
class Cells:
    """Good rows, and what was wrong with the others."""

    frame: pl.DataFrame
    problems: tuple[Problem, ...]
    rejects: pl.DataFrame
    blank_rows: int


def parse_columns(raw: RawTable, names: tuple[str, ...], schema: TableSchema, timezone: str) -> Cells:
    """Parse every column, drop blank rows, and split good rows from bad ones.

    Args:
        raw: the columns as they came.
        names: their final names, by position.
        schema: what the known ones must be.
        timezone: the shop's time zone.
    """
    source = {name: raw.frame[str(position)] for position, name in enumerate(names)}
    parsed = _parse_all(source, schema, timezone, raw.delimiter)
    _derive_dates(parsed, schema)
    bad = _all_bad(parsed, schema)
    blank = _blank_rows(bad, source, schema)
    bad = bad.filter(~pl.col("row").is_in(blank.implode())) if len(blank) else bad
    warnings = [(name, found) for name, column in parsed.items() for found in column.warnings]
    warnings += _damage(source, parsed, schema) if raw.maybe_damaged else []
    order = [name for name in schema.names if name in parsed]
    order += [name for name in parsed if name not in order]
    frame = pl.DataFrame([parsed[name].values.alias(name) for name in order])
    unwanted = pl.concat([bad["row"], blank]).unique()
    if len(unwanted):
        frame = frame.filter(~pl.int_range(pl.len(), dtype=pl.UInt32).is_in(unwanted.implode()))
    rejects = _rejects(raw, bad, schema)
    problems = [*_summaries(rejects, raw, parsed), *(_warning(raw, name, found) for name, found in warnings)]
    return Cells(frame, tuple(problems), rejects, len(blank))


def _parse_all(
    source: dict[str, pl.Series], schema: TableSchema, timezone: str, delimiter: str | None
) -> dict[str, Parsed]:
    parsed: dict[str, Parsed] = {}
    texts: dict[str, pl.Series] = {}
    for name, cells in source.items():
        known = schema[name] if name in schema else ColumnSchema(name, "text")
        typed = _typed(cells, known, timezone)
        if typed is not None:
            parsed[name] = typed
        elif name in schema or not cells.dtype.is_nested():
            texts[name] = cells.cast(pl.String)
    numbers = {
        name: texts.pop(name) for name in list(texts) if name in schema and schema[name].kind in FLOAT_KINDS
    }
    frames = {
        name: prepared(distinct_texts(cells), share=schema[name].kind == "share")
        for name, cells in numbers.items()
    }
    style = decimal_style(frames.values(), delimiter)
    for name, cells in numbers.items():
        parsed[name] = parse_number(cells, frames[name], schema[name], style)
    for name, cells in texts.items():
        known = schema[name] if name in schema else ColumnSchema(name, "text")
        if known.kind in ("sku", "id"):
            parsed[name] = parse_identifier(cells, needed=known.needed)
        elif known.kind == "date":
            parsed[name] = parse_moments(cells, needed=known.needed, timezone=timezone, want="date")
        elif known.kind == "timestamp":
            parsed[name] = parse_moments(cells, needed=known.needed, timezone=timezone, want="timestamp")
        else:
            parsed[name] = parse_text(cells, needed=known.needed)
    return parsed


def _typed(cells: pl.Series, column: ColumnSchema, timezone: str) -> Parsed | None:
    """A column that came with a type of its own, checked not by way of text; None if it needs that way."""
    if column.kind in FLOAT_KINDS and (cells.dtype.is_numeric() or cells.dtype == pl.Boolean):
        return _typed_number(cells, column)
    if column.kind in ("date", "timestamp") and cells.dtype.is_temporal():
        return _typed_moment(cells, column, timezone)
    return None


def _typed_number(cells: pl.Series, column: ColumnSchema) -> Parsed:
    value = pl.col("value")
    frame = cells.cast(pl.Float64).alias("value").to_frame()
    missing = pl.lit("value.missing" if column.needed else None, dtype=pl.String)
    code = (
        pl.when(value.is_null() | value.is_nan())
        .then(missing)
        .when(value.is_infinite())
        .then(pl.lit("number.not_finite"))
        .otherwise(bounds_code(value, column))
    )
    return _checked(frame, code, pl.when(value.is_finite()).then(value), cells)


def _typed_moment(cells: pl.Series, column: ColumnSchema, timezone: str) -> Parsed:
    value = pl.col("value")
    frame = cells.alias("value").to_frame()
    if isinstance(cells.dtype, pl.Datetime) and cells.dtype.time_zone is not None:
        moment = value.dt.cast_time_unit("us").dt.convert_time_zone(timezone)
        day = moment.dt.date()
    else:
        moment = local_moment(value.cast(pl.Datetime("us")), timezone)
        day = value.cast(pl.Date)
    missing = pl.lit("value.missing" if column.needed else None, dtype=pl.String)
    code = (
        pl.when(value.is_null())
        .then(missing)
        .when(~day.dt.year().is_between(FIRST_YEAR, LAST_YEAR))
        .then(pl.lit("date.out_of_range"))
        .otherwise(pl.lit(None, dtype=pl.String))
    )
    return _checked(frame, code, day if column.kind == "date" else moment, cells)


def _checked(frame: pl.DataFrame, code: pl.Expr, value: pl.Expr, cells: pl.Series) -> Parsed:
    checked = frame.select(value.alias("value"), code.alias("code"))
    wrong = checked["code"].is_not_null()
    if not wrong.any():
        return Parsed(checked["value"], no_bad_rows())
    bad = (
        checked.with_columns(cells.cast(pl.String).alias("text"))
        .with_row_index("row")
        .filter(wrong)
        .select("row", "code", pl.col("text").alias("value"))
    )
    return Parsed(checked["value"], bad)


def _derive_dates(parsed: dict[str, Parsed], schema: TableSchema) -> None:
    """Give a table with a timestamp its business day; where both are there, the date as written wins."""
    if "timestamp" not in parsed or "timestamp" not in schema:
        return
    day = parsed["timestamp"].values.dt.date()
    given = parsed.get("date") if "date" in schema else None
    if given is None:
        parsed["date"] = Parsed(day, no_bad_rows())
        return
    filled = pl.select(pl.coalesce(given.values, day)).to_series()
    parsed["date"] = Parsed(filled, given.bad, given.warnings, given.details)


def _all_bad(parsed: dict[str, Parsed], schema: TableSchema) -> pl.DataFrame:
    """Bad cells of all columns: ``row, column, code, value``, by row, then by column."""
    pieces = [
        column.bad.with_columns(pl.lit(name).alias("column"), pl.lit(position).alias("position"))
        for position, (name, column) in enumerate(parsed.items())
    ]
    for group in schema.one_of:
        pieces.append(_group_missing([name for name in group if name in parsed], parsed, len(parsed)))
    return pl.concat(pieces).sort("row", "position").select("row", "column", "code", "value")


def _group_missing(names: list[str], parsed: dict[str, Parsed], position: int) -> pl.DataFrame:
    """Rows in which none of the columns is filled in and none is bad for another reason."""
    empty = (
        pl.DataFrame([parsed[name].values.is_null().alias(name) for name in names])
        .select(pl.all_horizontal(pl.all()))
        .to_series()
    )
    known_bad = pl.concat([parsed[name].bad["row"] for name in names])
    rows = empty.arg_true().cast(pl.UInt32).alias("row").to_frame()
    return rows.filter(~pl.col("row").is_in(known_bad.implode())).select(
        "row",
        pl.lit("value.missing").alias("code"),
        pl.lit(None, dtype=pl.String).alias("value"),
        pl.lit(names[0]).alias("column"),
        pl.lit(position).alias("position"),
    )


def _blank_rows(bad: pl.DataFrame, source: dict[str, pl.Series], schema: TableSchema) -> pl.Series:
    """Rows of which no cell holds anything, which spreadsheets leave at the end of a table."""
    missing = bad.filter((pl.col("code") == "value.missing") & (pl.col("column") == schema.needed[0]))["row"]
    rows = missing.unique(maintain_order=True)
    for cells in source.values():
        if rows.is_empty():
            break
        here = cells.gather(rows)
        if not here.dtype.is_nested():
            here = clean_series(here.cast(pl.String))
        rows = rows.filter(here.is_null())
    return rows


def _damage(
    source: dict[str, pl.Series], parsed: dict[str, Parsed], schema: TableSchema
) -> list[tuple[str, Finding]]:
    """A warning for each text column in which characters were lost before the file came here."""
    found: list[tuple[str, Finding]] = []
    for name in source:
        if name not in parsed or (name in schema and schema[name].kind not in ("sku", "id", "text")):
            continue
        rows = parsed[name].values.str.contains(_DAMAGE).arg_true()
        if len(rows):
            first = int(rows[0])
            found.append((name, Finding("text.damaged", parsed[name].values[first], first, len(rows))))
    return found


def _rejects(raw: RawTable, bad: pl.DataFrame, schema: TableSchema) -> pl.DataFrame:
    """The table of rejects: unreadable rows and bad cells, in line order."""
    whole_rows = raw.bad.select("line", pl.lit(None, dtype=pl.String).alias("column"), "code", "value")
    cells = bad.with_columns(raw.line_numbers(bad["row"])).select("line", "column", "code", "value")
    both = pl.concat([whole_rows, cells])
    if both.is_empty():
        return no_rejects()
    kinds = both.select("code", "column").unique(maintain_order=True)
    texts = [_texts(code, column, schema) for code, column in kinds.iter_rows()]
    kinds = kinds.with_columns(
        pl.Series("rule", [rule for rule, _ in texts], dtype=pl.String),
        pl.Series("fix", [fix for _, fix in texts], dtype=pl.String),
    )
    return (
        both.join(kinds, on=["code", "column"], how="left", nulls_equal=True, maintain_order="left")
        .sort("line", maintain_order=True)
        .select(pl.lit(raw.file).alias("file"), "line", "column", "value", "code", "rule", "fix")
    )


def _texts(code: str, column: str | None, schema: TableSchema) -> tuple[str, str]:
    rule, fix = (text.format(column=column or "") for text in RULES[code])
    if code == "number.out_of_bounds" and column is not None:
        known = schema[column]
        rule = f"`{column}` must be {bounds_text(known)}"
        fix = known.bound_fix or fix
    return rule, fix


def _summaries(rejects: pl.DataFrame, raw: RawTable, parsed: dict[str, Parsed]) -> Iterator[Problem]:
    """One problem for every code and column, in the order of their first lines."""
    groups = rejects.group_by("code", "column", maintain_order=True).agg(
        pl.col("line", "value", "rule", "fix").first(), pl.len().alias("count")
    )
    for row in groups.iter_rows(named=True):
        detail = parsed[row["column"]].details.get(row["code"]) if row["column"] else None
        yield Problem(
            code=row["code"],
            rule=row["rule"],
            fix=row["fix"],
            file=raw.file,
            line=row["line"],
            column=row["column"],
            value=row["value"] if detail is None else _examples(raw, detail),
            count=row["count"],
        )


def _examples(raw: RawTable, finding: Finding) -> str:
    """``YYYY-MM-DD (line 2: 2024-04-08), DD/MM/YYYY (line 9: 13/04/2024)``."""
    lines = raw.line_numbers(pl.Series([row for _, row, _ in finding.examples], dtype=pl.UInt32))
    return ", ".join(
        f"{what} (line {line}: {text})" for (what, _, text), line in zip(finding.examples, lines, strict=True)
    )


def _warning(raw: RawTable, column: str, finding: Finding) -> Problem:
    line = (
        None if finding.row is None else int(raw.line_numbers(pl.Series([finding.row], dtype=pl.UInt32))[0])
    )
    return problem(
        finding.code,
        file=raw.file,
        line=line,
        column=column,
        value=finding.value,
        count=finding.count,
        severity="warning",
    )
