"""The error file: every bad cell with its place, the rule and the way out, safe to open in a spreadsheet."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl

from shelfwise.errors import OutputNotWritable

REJECT_COLUMNS: dict[str, type[pl.DataType]] = {
    "file": pl.String,
    "line": pl.Int64,
    "column": pl.String,
    "value": pl.String,
    "code": pl.String,
    "rule": pl.String,
    "fix": pl.String,
}
_FORMULA_STARTS = r"^[=+\-@\t\r']"


def no_rejects() -> pl.DataFrame:
    """A table of rejects without rows."""
    return pl.DataFrame(schema=REJECT_COLUMNS)


def guard_text(text: pl.Expr) -> pl.Expr:
    """Text that no spreadsheet runs: a ``'`` before ``= + - @``, TAB, CR and before ``'`` itself.

    Reading a table takes exactly one such mark off again, so nothing is lost on the way back.

    Example:
        >>> import polars as pl
        >>> pl.Series(["=1+1", "A1"]).to_frame("a").select(guard_text(pl.col("a")))["a"].to_list()
        ["'=1+1", 'A1']
    """
    return pl.when(~text.str.contains(_FORMULA_STARTS)).then(text).otherwise(pl.lit("'") + text)


def write_rejects(rejects: pl.DataFrame, path: Path) -> None:
    """Write rejects as CSV (UTF-8); text cells are guarded, numbers are not.

    Raises:
        OutputNotWritable: the file cannot be written; a file of that name is left as it was.
    """
    safe = rejects.with_columns(
        guard_text(pl.col(name)).alias(name) for name, kind in rejects.schema.items() if kind == pl.String
    )
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(safe.write_csv().encode("utf-8"))
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise OutputNotWritable(
            f"cannot write {path.name}: {error.strerror}. Choose a folder that can be written to."
        ) from error
