"""How rejected data are told: the first ten problems, and where all bad rows are listed."""

from __future__ import annotations

import sys
import tempfile
from contextvars import ContextVar
from pathlib import Path

from shelfwise.errors import DataRejected

SHOWN = 10
# Set by a command's --errors option before it reads anything.
errors_file: ContextVar[Path | None] = ContextVar("errors_file", default=None)


def show_rejection(error: DataRejected) -> None:
    """Tell a rejection on standard error; list every bad row in a CSV if there are more than are shown."""
    from shelfwise.messages import pick_language, problem_text

    lang = pick_language(None)
    print(f"data rejected: {len(error.problems)} problem(s)", file=sys.stderr)
    for problem in error.problems[:SHOWN]:
        print(f"  {problem_text(problem, lang)}", file=sys.stderr)
    if len(error.problems) > SHOWN:
        print(f"  ... and {len(error.problems) - SHOWN} more", file=sys.stderr)
    _list_bad_rows(error)
    print("nothing was written", file=sys.stderr)


def _list_bad_rows(error: DataRejected) -> None:
    from shelfwise.tables.rejects import write_rejects

    rejects = getattr(error, "rejects", None)
    target = errors_file.get()
    if rejects is None or rejects.is_empty() or (target is None and len(rejects) <= SHOWN):
        return
    path = target or Path(tempfile.mkdtemp(prefix="shelfwise-")) / "errors.csv"
    write_rejects(rejects, path)
    print(f"all {len(rejects)} bad rows, with the rule and the way out: {path}", file=sys.stderr)
