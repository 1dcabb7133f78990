"""The error tree. Every error states the rule, the value, where, and the way out.

ShelfwiseError            exit 1   a handled failure
├── UsageError            exit 2   the call itself is wrong
├── DataRejected          exit 3   the data break the contract; carries every problem found
├── MissingExtra          exit 1   an optional package is not installed; names the pip line
└── OutputNotWritable     exit 1   a result could not be written; nothing half-written is left
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_REJECTED = 3
EXIT_PARTIAL = 4
EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the user's data: where it is, what it is, and what to do about it.

    `code` is stable (for instance ``date.unparsable``) and is what texts in other languages hang on.
    `line` counts from 1 with the header as line 1; None where a problem is not tied to a line.
    """

    code: str
    rule: str
    fix: str
    severity: Literal["error", "warning"] = "error"
    file: str | None = None
    line: int | None = None
    column: str | None = None
    value: str | None = None
    count: int = 1

    @property
    def place(self) -> str:
        """``sales.csv:12:quantity``, as far as it is known."""
        parts = [self.file, None if self.line is None else str(self.line), self.column]
        return ":".join(part for part in parts if part)

    def __str__(self) -> str:
        value = "" if self.value is None else f" (found {self.value!r})"
        times = f" [{self.count} times]" if self.count > 1 else ""
        where = f"{self.place}: " if self.place else ""
        return f"{where}{self.rule}{value}{times}. {self.fix} [{self.code}]"


class ShelfwiseError(Exception):
    """Base of all errors raised on purpose; `exit_code` is what the command line returns."""

    exit_code = EXIT_FAILED


class UsageError(ShelfwiseError):
    """The call is wrong: an unknown name, an impossible combination of arguments."""

    exit_code = EXIT_USAGE


class DataRejected(ShelfwiseError):
    """The data break the contract. `problems` holds all of them; the message shows the first ten."""

    exit_code = EXIT_REJECTED

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        shown = "\n".join(f"  {problem}" for problem in self.problems[:10])
        more = len(self.problems) - 10
        tail = f"\n  ... and {more} more" if more > 0 else ""
        super().__init__(f"data rejected, {len(self.problems)} problem(s):\n{shown}{tail}")


class MissingExtra(ShelfwiseError):
    """An optional dependency is missing; the message gives the pip line."""

    def __init__(self, package: str, extra: str) -> None:
        self.package, self.extra = package, extra
        super().__init__(f"{package} is not installed. Run: pip install 'shelfwise[{extra}]'")


class OutputNotWritable(ShelfwiseError):
    """A result file could not be written; an existing file of that name is left as it was."""
