"""Texts for whole columns: one message template a code, filled for all its rows at once."""

from __future__ import annotations

import re
from datetime import date

import numpy as np
import polars as pl

from shelfwise.messages import say

_MARK = re.compile("\x00(.*?)\x00")


def fill(codes: pl.Series, values: pl.DataFrame, lang: str) -> pl.Series:
    """(N,) texts of the codes (N,), their placeholders filled from the columns of `values`.

    An empty code has an empty text.

    Example:
        >>> codes = pl.Series(["plan.reason.no_demand", ""])
        >>> fill(codes, pl.DataFrame({"quantity": ["1", "2"]}), "en").to_list()
        ['No demand is expected.', '']
    """
    frame = values.with_columns(__code=codes)
    # A column rather than a literal, so that a plan without rows stays without rows.
    text = pl.col("__code").str.head(0)
    for code in codes.unique().sort().to_list():
        if code:
            text = (
                pl.when(pl.col("__code") == code)
                .then(_expression(code, values.columns, lang))
                .otherwise(text)
            )
    return frame.select(text.alias("text"))["text"]


def _expression(code: str, columns: list[str], lang: str) -> pl.Expr:
    parts: list[pl.Expr] = []
    for number, part in enumerate(
        _MARK.split(say(code, lang, **{name: f"\x00{name}\x00" for name in columns}))
    ):
        if part:
            parts.append(pl.col(part).fill_null("-") if number % 2 else pl.lit(part))
    return pl.concat_str(parts) if parts else pl.lit("")


def number_texts(column: pl.Expr, digits: int = 1) -> pl.Expr:
    """Numbers as people read them: ``12``, ``3.5``; null stays null."""
    rounded = column.cast(pl.Float64).round(digits)
    # Adding zero turns -0.0 into 0.0.
    return (rounded + 0.0).cast(pl.String).str.replace(r"\.0$", "")


def number_text(value: float, digits: int = 1) -> str:
    """One number as people read it.

    Example:
        >>> number_text(12.0), number_text(3.4567), number_text(-0.01)
        ('12', '3.5', '0')
    """
    if not np.isfinite(value):
        return "-"
    text = f"{round(value, digits) + 0.0:.{digits}f}".rstrip("0").rstrip(".") if digits else f"{value:.0f}"
    return "0" if text in ("-0", "") else text


def text_of(value: float | str | date | None, digits: int = 1) -> str:
    """A value of any kind as text; ``-`` for none."""
    if value is None:
        return "-"
    return number_text(float(value), digits) if isinstance(value, (int, float)) else str(value)
