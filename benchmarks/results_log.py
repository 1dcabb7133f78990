"""Results that are committed: CSV rows that tell when, with what code and on what machine they were made."""

from __future__ import annotations

import csv
import io
import math
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from shelfwise.errors import UsageError

ORIGIN_COLUMNS = ("date", "commit", "cores", "python")
REPOSITORY = Path(__file__).resolve().parent.parent
Cell = str | int | float | bool


def current_commit(repository: Path = REPOSITORY) -> str:
    """The short hash of the commit checked out, with ``+`` if tracked files differ; ``none`` without one."""

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", str(repository), *arguments], capture_output=True, text=True, check=False
            )
        except OSError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    commit = git("rev-parse", "--short", "HEAD")
    if commit is None:
        return "none"
    return commit + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")


def origin() -> dict[str, Cell]:
    """Date (UTC), commit, cores this process may use, Python version."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": current_commit(),
        "cores": cores,
        "python": platform.python_version(),
    }


def append_rows(csv_path: Path, rows: Sequence[Mapping[str, Cell]]) -> None:
    """Append `rows` to `csv_path`, the origin's columns first; the file is made if it is not there.

    Raises:
        UsageError: no rows, a row with other columns than the first or than the file, an empty value, or a
            number that is not finite: what was not measured belongs in no row. Nothing is written then.
    """
    if not rows:
        raise UsageError(f"at least one row is needed to append to {csv_path.name}; got none")
    made_at = origin()
    columns = [*made_at, *rows[0]]
    if taken := set(ORIGIN_COLUMNS) & set(rows[0]):
        raise UsageError(f"{sorted(taken)} are filled in by the log; rename these columns of the rows")
    for number, row in enumerate(rows):
        if list(row) != columns[len(made_at) :]:
            raise UsageError(
                f"all rows must have the columns {columns[len(made_at) :]}; row {number} has {list(row)}"
            )
        for name, value in row.items():
            if str(value).strip() == "" or (isinstance(value, float) and not math.isfinite(value)):
                raise UsageError(
                    f"a result must be a finite number or a text; {name} of row {number} is {value!r}"
                )
    before = csv_path.read_text(encoding="utf-8") if csv_path.exists() else ""
    if before:
        header = next(csv.reader(io.StringIO(before)))
        if header != columns:
            raise UsageError(
                f"{csv_path.name} has the columns {header}; rows with {columns} need another file"
            )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if not before:
        writer.writerow(columns)
    writer.writerows([*made_at.values(), *row.values()] for row in rows)
    joint = "" if not before or before.endswith("\n") else "\n"
    csv_path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = csv_path.with_name(csv_path.name + ".part")
    unfinished.write_text(before + joint + text.getvalue(), encoding="utf-8")
    unfinished.replace(csv_path)


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def referee_problems(csv_path: Path) -> list[str]:
    """What is wrong with a committed results file, one sentence each; an empty list if nothing is.

    A column counts as numeric if any of its cells is a finite number; none of its cells may then be empty,
    NaN or infinite.
    """
    try:
        table = list(csv.reader(io.StringIO(csv_path.read_text(encoding="utf-8")), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        return [f"cannot be parsed: {error}"]
    if len(table) < 2:
        return ["has no rows"]
    header, rows = table[0], table[1:]
    found = [f"lacks the column {name}" for name in ORIGIN_COLUMNS if name not in header]
    found += [
        f"has the column {name!r} {header.count(name)} times"
        for name in sorted(set(header))
        if header.count(name) > 1
    ]
    for line, row in enumerate(rows, start=2):
        if row == header:
            found.append(f"line {line} is the header again")
        elif len(row) != len(header):
            found.append(f"line {line} has {len(row)} cells, the header {len(header)}")
    whole = [
        (line, row) for line, row in enumerate(rows, start=2) if row != header and len(row) == len(header)
    ]
    for column, name in enumerate(header):
        numbers = [(line, row[column], _number(row[column])) for line, row in whole]
        # A hash such as 12e4567 reads as a number, so the origin's own columns need only be filled in.
        if name in ORIGIN_COLUMNS:
            found += [f"line {line}: {name} is empty" for line, cell, _ in numbers if not cell]
        elif any(number is not None and math.isfinite(number) for _, _, number in numbers):
            found += [
                f"line {line}: {name} is {cell!r}, not a finite number"
                for line, cell, number in numbers
                if not cell.strip() or (number is not None and not math.isfinite(number))
            ]
        elif numbers and all(number is not None for _, _, number in numbers):
            found.append(f"{name} has no finite number at all")
    return found
