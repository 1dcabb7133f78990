"""Where the raw data are: the folder named by ``SHELFWISE_DATA``, never a path in the code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from shelfwise.errors import ShelfwiseError, UsageError

DATA_VARIABLE = "SHELFWISE_DATA"


def raw_folder(name: str, given: Path | None = None) -> Path:
    """The folder with the raw files `name` (``vn2``, ``m5``, ``online_retail``), or the one `given`.

    Raises:
        UsageError: the variable is not set, or the folder is not there.
    """
    if given is None:
        root = os.environ.get(DATA_VARIABLE)
        if not root:
            raise UsageError(
                f"{DATA_VARIABLE} must name the folder that holds the raw data ({name}/ and others); it is "
                "not set. Set it, or pass --source"
            )
        given = Path(root) / name
    if not given.is_dir():
        raise UsageError(f"the raw data of {name} must be in a folder; {given} is none")
    return given


def raw_file(folder: Path, name: str) -> Path:
    """One raw file of `folder`.

    Raises:
        UsageError: it is not there; the message lists what is.
    """
    path = folder / name
    if not path.is_file():
        there = ", ".join(sorted(entry.name for entry in folder.iterdir())) or "nothing"
        raise UsageError(f"the raw file {name!r} must be in {folder}; there is {there}")
    return path


def run_command(command: Callable[[], None]) -> None:
    """Run a module's command; a known failure becomes its text and its exit code, not a traceback."""
    try:
        command()
    except ShelfwiseError as error:
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_code) from error
