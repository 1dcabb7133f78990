"""Writing a data folder: the contract's tables and nothing left over from an earlier run."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import polars as pl

from shelfwise.tables.schema import SCHEMAS

SETTINGS_NAME = "shelfwise.toml"


def empty_folder(out: Path) -> Path:
    """Make `out`, without any table or settings of an earlier run.

    A stock table left from a longer history would tell a shorter one its future. Files that are not
    the contract's are not touched.
    """
    out.mkdir(parents=True, exist_ok=True)
    for name in SCHEMAS:
        for ending in ("csv", "parquet"):
            (out / f"{name}.{ending}").unlink(missing_ok=True)
    (out / SETTINGS_NAME).unlink(missing_ok=True)
    return out


def write_table(frame: pl.DataFrame, out: Path, name: str, ending: Literal["csv", "parquet"] = "csv") -> Path:
    """Write one of the contract's tables; large ones are better off as Parquet."""
    path = out / f"{name}.{ending}"
    if ending == "csv":
        frame.write_csv(path)
    else:
        frame.write_parquet(path, compression="zstd", statistics=True)
    return path
