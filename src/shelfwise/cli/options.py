"""Options several commands share, and the texts users type turned into what the planner takes."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from shelfwise.errors import UsageError

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The data folder.", show_default=False)]
AsOf = Annotated[
    str,
    typer.Option(
        "--as-of", metavar="DATE", help="First day that is not known yet, YYYY-MM-DD.", show_default=False
    ),
]
Output = Annotated[
    str,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help=".csv, .parquet or .json; - for standard output.",
        show_default=False,
    ),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Same seed, same bytes.")]
Model = Annotated[
    str | None,
    typer.Option("--model", metavar="NAME", help="auto, or a model's name.", show_default=False),
]
Lang = Annotated[
    str | None, typer.Option("--lang", metavar="en|zh", help="Language of texts.", show_default=False)
]
Errors = Annotated[
    Path | None,
    typer.Option("--errors", metavar="FILE", help="Where to list all bad rows, as CSV.", show_default=False),
]


def parse_date(text: str, option: str) -> date:
    """An ISO date.

    Raises:
        UsageError: anything else.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option} takes a date as YYYY-MM-DD; got {text!r}") from None


def parse_quantiles(text: str | None) -> tuple[float, ...]:
    """Levels from a comma-separated list, each strictly between 0 and 1, sorted, none twice.

    Raises:
        UsageError: anything else.

    Example:
        >>> parse_quantiles("0.9, 0.1")
        (0.1, 0.9)
    """
    if text is None:
        return ()
    levels = []
    for part in text.split(","):
        try:
            level = float(part)
        except ValueError:
            raise UsageError(f"--quantiles takes numbers like 0.1,0.5,0.9; got {part.strip()!r}") from None
        if not 0.0 < level < 1.0:
            raise UsageError(f"--quantiles lie strictly between 0 and 1; got {part.strip()!r}")
        levels.append(level)
    if len(set(levels)) < len(levels):
        raise UsageError(f"--quantiles names a level twice: {text!r}")
    return tuple(sorted(levels))
