"""What a command says when it is done: notes and failed series, on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from shelfwise.errors import EXIT_DONE, EXIT_PARTIAL
from shelfwise.messages import pick_language, retold

SHOWN = 10


def tell_notes(notes: Iterable[str], lang: str | None = None) -> None:
    """One line a note, in the language asked for or the user's own."""
    for note in notes:
        print(f"note: {retold(note, pick_language(lang))}", file=sys.stderr)


def tell_failures(failures: Sequence[tuple[str, str, str]], lang: str | None = None) -> int:
    """List failed series and return the exit code: 4 if there are any, else 0."""
    if not failures:
        return EXIT_DONE
    print(f"{len(failures)} series failed; all others are done:", file=sys.stderr)
    for sku, location, reason in failures[:SHOWN]:
        print(f"  {sku}@{location}: {retold(reason, pick_language(lang))}", file=sys.stderr)
    if len(failures) > SHOWN:
        print(f"  ... and {len(failures) - SHOWN} more", file=sys.stderr)
    return EXIT_PARTIAL
