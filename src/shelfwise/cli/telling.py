"""What a command says when it is done: notes and failed series, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from shelfwise.errors import EXIT_DONE, EXIT_PARTIAL

SHOWN = 10


def tell_notes(notes: Iterable[str]) -> None:
    """One line a note."""
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


def tell_failures(failures: Sequence[tuple[str, str, str]]) -> int:
    """List failed series and return the exit code: 4 if there are any, else 0."""
    if not failures:
        return EXIT_DONE
    print(f"{len(failures)} series failed; all others are done:", file=sys.stderr)
    for sku, location, reason in failures[:SHOWN]:
        print(f"  {sku}@{location}: {reason}", file=sys.stderr)
    if len(failures) > SHOWN:
        print(f"  ... and {len(failures) - SHOWN} more", file=sys.stderr)
    return EXIT_PARTIAL
