"""`read_folder`: a data folder in, a checked `Dataset` out, or every problem of every file at once."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from shelfwise.errors import DataRejected, Problem, UsageError
from shelfwise.tables.assembling import assemble
from shelfwise.tables.dataset import Dataset
from shelfwise.tables.reading import read_table
from shelfwise.tables.schema import SCHEMAS
from shelfwise.tables.settings import Settings
from shelfwise.tables.settings_problems import SETTINGS_FILE

SUFFIXES = (".csv", ".parquet")
# Endings by which people save a table that we do not read; with a table's name it is surely meant for us.
FOREIGN_SUFFIXES = (
    ".tsv",
    ".txt",
    ".xls",
    ".xlsx",
    ".json",
    ".jsonl",
    ".ods",
    ".feather",
    ".pq",
    ".gz",
    ".zip",
)


def read_folder(
    folder: Path, before: date | None = None, settings: Mapping[str, Any] | None = None
) -> Dataset:
    """Read and check the data folder of one shop.

    Args:
        folder: holds ``NAME.csv`` or ``NAME.parquet`` for each table and maybe ``shelfwise.toml``.
        before: the first day that is not known yet, if there is one; its rows are read and checked all the
            same, but do not decide which location a row without one belongs to.
        settings: what goes before the folder's own ``shelfwise.toml``, key by key.

    Raises:
        UsageError: no such folder, or not a folder.
        DataRejected: the data break the contract; `problems` holds everything found in any file, and
            `rejects` (a frame, when tables were read) the rows at fault.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> _ = (folder / "sales.csv").write_text("sku,date,quantity\\n0017,2024-01-01,3\\n")
        >>> read_folder(folder).table("sales").select("sku", "location").rows()
        [('0017', 'main')]
    """
    folder = Path(folder)
    names = _listed(folder)
    problems: list[Problem] = []
    try:
        chosen = Settings.load(folder, settings)
    except DataRejected as error:
        # The tables are still worth checking, so that one run shows everything.
        chosen, problems = Settings(), list(error.problems)
    paths = {}
    for table in SCHEMAS:
        found = [folder / f"{table}{suffix}" for suffix in SUFFIXES if f"{table}{suffix}" in names]
        if len(found) > 1:
            problems.append(_twice(table))
        elif found:
            paths[table] = found[0]
    problems += _near_misses(names)
    if not any(f"sales{suffix}" in names for suffix in SUFFIXES):
        problems.append(_no_sales_file(names))
    timezone = chosen.series.timezone
    reads = {table: read_table(path, SCHEMAS[table], timezone=timezone) for table, path in paths.items()}
    files = {table: path.name for table, path in paths.items()}
    return assemble(reads, files, chosen, str(folder), problems, before)


def _listed(folder: Path) -> list[str]:
    if not folder.exists():
        raise UsageError(f"no such folder: {folder}. Give a folder that holds at least sales.csv.")
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder. Give the folder that holds the tables, not one of them.")
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except OSError as error:
        raise UsageError(f"{folder} cannot be listed ({error.strerror}). Check who may read it.") from error


def _near_misses(names: list[str]) -> list[Problem]:
    """Files that were probably meant for a table but are called otherwise."""
    exact = {f"{table}{suffix}" for table in SCHEMAS for suffix in SUFFIXES}
    problems = []
    for name in (name for name in names if name not in exact):
        stem, suffix = name.split(".")[0].lower(), Path(name).suffix.lower()
        wanted = None
        if stem in SCHEMAS and suffix in (*SUFFIXES, *FOREIGN_SUFFIXES):
            wanted = stem
        elif suffix in SUFFIXES:
            wanted = next(iter(difflib.get_close_matches(stem, SCHEMAS, n=1, cutoff=0.8)), None)
        if wanted is not None:
            problems.append(
                Problem(
                    code="folder.near_miss",
                    rule="a table is read from NAME.csv or NAME.parquet, in just this spelling",
                    fix=f"If it holds the table {wanted}, save it as {wanted}.csv",
                    severity="warning",
                    file=name,
                    value=name,
                )
            )
    return problems


def _twice(table: str) -> Problem:
    return Problem(
        code="folder.two_files",
        rule="a table must be either CSV or Parquet",
        fix="Keep the file that is right and move the other one away",
        file=f"{table}.csv",
        value=f"{table}.csv, {table}.parquet",
    )


def _no_sales_file(names: list[str]) -> Problem:
    return Problem(
        code="folder.no_sales",
        rule="the folder must hold sales.csv or sales.parquet",
        fix="Add it with the columns sku, date, quantity",
        file="sales.csv",
        value=", ".join(names[:20]) or f"an empty folder, not even {SETTINGS_FILE}",
    )
