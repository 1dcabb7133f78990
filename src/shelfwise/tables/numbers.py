"""Text to numbers. What is not certainly a number is rejected with its value, never read as 0.

Whether ``1,5`` is one and a half is decided once for a file, from all its numbers together: by values that
can be read in only one way, else by the delimiter (``;`` goes with decimal commas, ``,`` with points).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import polars as pl

from shelfwise.tables.parsing import NO_VALUE, Finding, Parsed, spread
from shelfwise.tables.schema import ColumnSchema

DecimalMark = Literal["point", "comma", "unknown"]
LARGEST = 1e12

_PLAIN = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$"
_WHOLE_COMMA = r"^[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+$"
_WHOLE_POINT = r"^[+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3})+$"
_ONE_COMMA = r"^[^,]*,[^,]*$"
_ONE_POINT = r"^[^.]*\.[^.]*$"
_COMMA_GROUPS_POINT = r"^[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3})+\.[0-9]*$"
_POINT_GROUPS_COMMA = r"^[+-]?[1-9][0-9]{0,2}(?:\.[0-9]{3})+,[0-9]*$"
_DECIMAL_COMMA = r"^[+-]?[0-9]*,[0-9]+$"
_SPACE_GROUPS = r"^[+-]?[0-9]{1,3}(?:[ '\u{2019}\u{00a0}\u{202f}][0-9]{3})+(?:[.,][0-9]*)?$"
_SPACES = r"[ '\u{2019}\u{00a0}\u{202f}]"
_FULL_WIDTH = r"[\u{ff10}-\u{ff19}]"
_TRUE = ("true", "yes", "y", "是", "有", "t")
_FALSE = ("false", "no", "n", "否", "无", "f")


@dataclass(frozen=True, slots=True)
class DecimalStyle:
    """How a file writes decimals: the mark, whether values prove it, and whether both marks occur."""

    mark: DecimalMark
    proved: bool
    mixed: bool


def prepared(distinct: pl.DataFrame, *, share: bool = False) -> pl.DataFrame:
    """Distinct texts with ``number``: the text without what is certainly not part of the number.

    Space-grouped thousands are joined, full-width digits made ordinary; for shares, words and per cent signs
    are taken off (``percent`` marks the latter).
    """
    text = pl.col("text")
    widened = pl.when(text.str.contains(_FULL_WIDTH)).then(text.str.normalize("NFKC")).otherwise(text)
    frame = distinct.with_columns(widened.alias("number"))
    number = pl.col("number")
    if share:
        word = number.str.to_lowercase()
        frame = frame.with_columns(
            pl.when(word.is_in(_TRUE))
            .then(pl.lit("1"))
            .when(word.is_in(_FALSE))
            .then(pl.lit("0"))
            .otherwise(number.str.strip_chars_end("%％").str.strip_chars_end())
            .alias("number"),
            number.str.contains(r"[%％]$").fill_null(False).alias("percent"),
        )
    return frame.with_columns(
        pl.when(number.str.contains(_SPACE_GROUPS))
        .then(number.str.replace_all(_SPACES, ""))
        .otherwise(number)
        .alias("number")
    )


def decimal_style(columns: Iterable[pl.DataFrame], delimiter: str | None) -> DecimalStyle:
    """The file's decimal mark, from all its prepared number columns.

    Values that can be read in one way only decide by their number; without any, the delimiter does.
    """
    points = commas = 0
    for frame in columns:
        counts = frame.select(
            (pl.col("count") * _surely_point().fill_null(False)).sum().alias("point"),
            (pl.col("count") * _surely_comma().fill_null(False)).sum().alias("comma"),
        ).row(0)
        points += int(counts[0] or 0)
        commas += int(counts[1] or 0)
    if points or commas:
        return DecimalStyle(
            "comma" if commas > points else "point", proved=True, mixed=bool(points and commas)
        )
    by_delimiter: dict[str | None, DecimalMark] = {";": "comma", ",": "point", None: "point"}
    return DecimalStyle(by_delimiter.get(delimiter, "unknown"), proved=False, mixed=False)


def parse_number(texts: pl.Series, frame: pl.DataFrame, column: ColumnSchema, style: DecimalStyle) -> Parsed:
    """A column of numbers.

    Args:
        texts: the raw cells.
        frame: their distinct values, from `prepared`.
        column: for bounds and whether empty cells are allowed.
        style: how the file writes decimals.

    Example:
        >>> from shelfwise.tables.parsing import distinct_texts
        >>> cells = pl.Series(["1.234,5", "7", "1.2万"])
        >>> frame = prepared(distinct_texts(cells))
        >>> parsed = parse_number(cells, frame, ColumnSchema("price", "number"), decimal_style([frame], ";"))
        >>> parsed.values.to_list(), parsed.bad["value"].to_list()
        ([1234.5, 7.0, None], ['1.2万'])
    """
    number = pl.col("number")
    maybe_comma = number.str.contains(_WHOLE_COMMA) & number.str.contains(_ONE_COMMA)
    maybe_point = number.str.contains(_WHOLE_POINT) & number.str.contains(_ONE_POINT)
    if style.mark == "comma":
        wrong = _surely_point()
        unsure = maybe_comma | maybe_point if style.mixed else maybe_point & pl.lit(not style.proved)
        groups = number.str.contains(_WHOLE_POINT) | number.str.contains(_POINT_GROUPS_COMMA)
        joined = pl.when(groups).then(number.str.replace_all(".", "", literal=True)).otherwise(number)
        plain = joined.str.replace(",", ".", literal=True)
    else:
        wrong = _surely_comma()
        unsure = maybe_comma & pl.lit(style.mixed or style.mark == "unknown")
        groups = number.str.contains(_WHOLE_COMMA) | number.str.contains(_COMMA_GROUPS_POINT)
        plain = pl.when(groups).then(number.str.replace_all(",", "", literal=True)).otherwise(number)
    frame = frame.with_columns(
        pl.when(plain.str.contains(_PLAIN)).then(plain.str.strip_chars_start("+")).alias("plain"),
        wrong.fill_null(False).alias("wrong"),
        unsure.fill_null(False).alias("unsure"),
    ).with_columns(pl.col("plain").cast(pl.Float64, strict=False).alias("parsed"))
    if "percent" in frame.columns:
        frame = frame.with_columns(
            pl.when("percent").then(pl.col("parsed") / 100).otherwise(pl.col("parsed")).alias("parsed")
        )
    empty = pl.col("text").is_null() | pl.col("text").is_in(NO_VALUE)
    missing = pl.lit("value.missing" if column.needed else None, dtype=pl.String)
    code = (
        pl.when(empty)
        .then(missing)
        .when("wrong")
        .then(pl.lit("number.mixed_styles"))
        .when("unsure")
        .then(pl.lit("number.ambiguous"))
        .when(pl.col("parsed").is_null())
        .then(pl.lit("number.unparsable"))
        .otherwise(bounds_code(pl.col("parsed"), column))
    )
    frame = frame.with_columns(code.alias("code")).with_columns(
        pl.when(pl.col("code").is_null()).then("parsed").alias("parsed")
    )
    values, bad = spread(texts, frame)
    return Parsed(values, bad, tuple(_full_width(frame)))


def bounds_code(value: pl.Expr, column: ColumnSchema) -> pl.Expr:
    """The code of the bound that a finite number breaks, else null."""
    outside = pl.lit(False)
    if column.minimum is not None:
        outside = outside | (value < column.minimum)
    if column.maximum is not None:
        outside = outside | (value > column.maximum)
    if column.above is not None:
        outside = outside | (value <= column.above)
    return (
        pl.when(value.abs() > LARGEST)
        .then(pl.lit("number.too_large"))
        .when(outside)
        .then(pl.lit("number.out_of_bounds"))
        .otherwise(pl.lit(None, dtype=pl.String))
    )


def bounds_text(column: ColumnSchema) -> str:
    """The bounds in words: ``between 0 and 1``, ``at least 0``.

    Example:
        >>> bounds_text(ColumnSchema("multiple", "number", above=0.0))
        'above 0'
    """
    if column.minimum is not None and column.maximum is not None:
        return f"between {column.minimum:g} and {column.maximum:g}"
    if column.minimum is not None:
        return f"at least {column.minimum:g}"
    if column.maximum is not None:
        return f"at most {column.maximum:g}"
    return f"above {column.above:g}"


def _surely_point() -> pl.Expr:
    """A number that only a decimal point (or thousands commas) explains."""
    number = pl.col("number")
    lone_point = number.str.contains(_PLAIN) & number.str.contains(".", literal=True)
    groups = number.str.contains(_WHOLE_COMMA) & ~number.str.contains(_ONE_COMMA)
    return (
        (lone_point & ~number.str.contains(_WHOLE_POINT)) | groups | number.str.contains(_COMMA_GROUPS_POINT)
    )


def _surely_comma() -> pl.Expr:
    """A number that only a decimal comma (or thousands points) explains."""
    number = pl.col("number")
    lone_comma = number.str.contains(_DECIMAL_COMMA) & ~number.str.contains(_WHOLE_COMMA)
    groups = number.str.contains(_WHOLE_POINT) & ~number.str.contains(_ONE_POINT)
    return lone_comma | groups | number.str.contains(_POINT_GROUPS_COMMA)


def _full_width(frame: pl.DataFrame) -> list[Finding]:
    wide = frame.filter(pl.col("text").str.contains(_FULL_WIDTH) & pl.col("code").is_null())
    if wide.is_empty():
        return []
    return [Finding("number.full_width", wide["text"][0], int(wide["first"][0]), int(wide["count"].sum()))]
