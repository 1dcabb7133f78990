"""Text to identifiers and free text, exactly; and the shape in which every kind of cell is parsed.

A column is parsed once per distinct value and then spread over its rows: a file of millions of rows holds
few thousand different SKUs and dates. Nothing here loops over rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

# White space of every script, zero-width characters and text-direction marks: what the eye does not see.
EDGE_CHARACTERS = (
    " \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
    "\u2009\u200a\u2028\u2029\u202f\u205f\u3000\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2066\u2067\u2068\u2069\ufeff"
)
NO_VALUE = ("NULL", "null", "NA", "N/A", "n/a", "#N/A", "None", "none", "\\N", "-", "--")
_DESTROYED_ID = r"^[+-]?[0-9]+(?:\.[0-9]*[eE][+-]?|[eE]\+)[0-9]+$"
_INVISIBLE = r"[\u{200b}-\u{200f}\u{2060}\u{feff}]"
_FORMULA_GUARD = r'^="(.*)"$'


@dataclass(frozen=True, slots=True)
class Finding:
    """A remark on a whole column: the code, where it was first seen, how often, and an example.

    `examples` are (what, row, text) triples, for a remark that has to show several rows.
    """

    code: str
    value: str | None = None
    row: int | None = None
    count: int = 1
    examples: tuple[tuple[str, int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Parsed:
    """One column, parsed.

    Args:
        values: typed values, null where the cell is empty or bad; as long as the table.
        bad: bad cells as ``row`` (UInt32), ``code`` and ``value`` (String).
        warnings: remarks that reject nothing.
        details: for some codes in `bad`, what the summary should show instead of the first value.
    """

    values: pl.Series
    bad: pl.DataFrame
    warnings: tuple[Finding, ...] = ()
    details: Mapping[str, Finding] = field(default_factory=dict)


def clean_text(text: pl.Expr) -> pl.Expr:
    """Text in NFC without invisible edges and one guard against spreadsheets; null if nothing is left.

    A guard is a leading ``'`` or the form ``="0017"``.

    Example:
        >>> import polars as pl
        >>> cells = pl.DataFrame({"sku": ["'0017\\t", "  ", '="09"']})
        >>> cells.select(clean_text(pl.col("sku")))["sku"].to_list()
        ['0017', None, '09']
    """
    trimmed = text.str.strip_chars(EDGE_CHARACTERS)
    unguarded = (
        pl.when(trimmed.str.starts_with("'"))
        .then(trimmed.str.slice(1))
        .when(trimmed.str.starts_with('="') & trimmed.str.ends_with('"') & (trimmed.str.len_bytes() > 2))
        .then(trimmed.str.replace(_FORMULA_GUARD, "$1"))
        .otherwise(trimmed)
    )
    clean = unguarded.str.strip_chars(EDGE_CHARACTERS).str.normalize("NFC")
    return pl.when(clean != "").then(clean)


def clean_series(texts: pl.Series) -> pl.Series:
    """`clean_text` of a whole column."""
    return texts.to_frame("text").select(clean_text(pl.col("text")))["text"]


def distinct_texts(texts: pl.Series) -> pl.DataFrame:
    """The distinct cells of a column: ``raw``, cleaned ``text``, ``first`` row and ``count``."""
    return (
        texts.to_frame("raw")
        .with_row_index("row")
        .group_by("raw")
        .agg(pl.col("row").min().alias("first"), pl.len().alias("count"))
        .sort("first")
        .with_columns(clean_text(pl.col("raw")).alias("text"))
    )


def spread(texts: pl.Series, outcome: pl.DataFrame) -> tuple[pl.Series, pl.DataFrame]:
    """Give every row its distinct text's ``parsed`` value; and list the rows whose text has a ``code``.

    `outcome` holds ``raw``, ``parsed`` and ``code`` (null where the text is good).
    """
    rows = texts.to_frame("raw")
    if outcome["parsed"].dtype == pl.String and outcome["parsed"].equals(outcome["raw"], null_equal=True):
        values = texts.alias("parsed")
    else:
        values = rows.join(
            outcome.select("raw", "parsed"), on="raw", how="left", nulls_equal=True, maintain_order="left"
        )["parsed"]
    return values, bad_rows(texts, outcome.filter(pl.col("code").is_not_null()).select("raw", "code"))


def bad_rows(texts: pl.Series, codes: pl.DataFrame) -> pl.DataFrame:
    """Rows of `texts` that hold one of the texts in `codes` (``raw``, ``code``), in row order."""
    if codes.is_empty():
        return no_bad_rows()
    return (
        texts.to_frame("raw")
        .with_row_index("row")
        .join(codes, on="raw", how="inner", nulls_equal=True)
        .sort("row")
        .select("row", "code", pl.col("raw").alias("value"))
    )


def no_bad_rows() -> pl.DataFrame:
    return pl.DataFrame(schema={"row": pl.UInt32, "code": pl.String, "value": pl.String})


def parse_identifier(texts: pl.Series, *, needed: bool) -> Parsed:
    """SKUs and other identifiers: exact text, however much like a number or a keyword it looks.

    Example:
        >>> import polars as pl
        >>> parsed = parse_identifier(pl.Series(["0017", "NA", "6.93217E+12"]), needed=True)
        >>> parsed.values.to_list(), parsed.bad["code"].to_list()
        (['0017', 'NA', None], ['sku.destroyed'])
    """
    distinct = distinct_texts(texts)
    destroyed = pl.col("text").str.contains(_DESTROYED_ID)
    missing = pl.lit("value.missing" if needed else None, dtype=pl.String)
    code = (
        pl.when(destroyed)
        .then(pl.lit("sku.destroyed"))
        .when(pl.col("text").is_null())
        .then(missing)
        .otherwise(pl.lit(None, dtype=pl.String))
    )
    outcome = distinct.with_columns(pl.when(~destroyed).then("text").alias("parsed"), code.alias("code"))
    values, bad = spread(texts, outcome)
    kept = outcome.filter(pl.col("code").is_null() & pl.col("parsed").is_not_null())
    return Parsed(values, bad, tuple(_suspicions(kept)))


def parse_text(texts: pl.Series, *, needed: bool) -> Parsed:
    """Free text: cleaned, and null where nothing is left."""
    values = clean_series(texts)
    empty = values.is_null() if needed else pl.Series([], dtype=pl.Boolean)
    if not empty.any():
        return Parsed(values, no_bad_rows())
    bad = (
        texts.to_frame("value")
        .with_row_index("row")
        .filter(empty)
        .select("row", pl.lit("value.missing").alias("code"), "value")
    )
    return Parsed(values, bad)


def _suspicions(kept: pl.DataFrame) -> list[Finding]:
    """Warnings on identifiers: pairs that look alike, and a column that went through floating point."""
    found: list[Finding] = []
    folded = pl.col("parsed").str.replace_all(_INVISIBLE, "").str.to_lowercase()
    groups = (
        kept.unique("parsed", keep="first", maintain_order=True)
        .with_columns(folded.str.strip_chars_start("0").alias("folded"))
        .group_by("folded", maintain_order=True)
        .agg("parsed", pl.col("first").min())
        .filter(pl.col("parsed").list.len() > 1)
    )
    if not groups.is_empty():
        shown = "; ".join(" / ".join(map(repr, names[:3])) for names in groups["parsed"].head(3))
        found.append(Finding("sku.look_alike", value=shown, row=int(groups["first"][0]), count=groups.height))
    if kept.height > 1 and kept["parsed"].str.contains(r"^[0-9]+\.0$").all():
        found.append(Finding("sku.float_like", value=kept["parsed"][0], row=int(kept["first"][0])))
    return found
