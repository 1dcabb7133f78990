"""Options several commands share, and the texts users type turned into what the planner takes."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shelfwise.errors import DataRejected, UsageError

if TYPE_CHECKING:
    from shelfwise.forecast.request import ModelRequest

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
ModelFile = Annotated[
    Path | None,
    typer.Option(
        "--model-file", metavar="FILE", help="Use the model saved there, fit none.", show_default=False
    ),
]
NoTune = Annotated[
    bool,
    typer.Option("--no-tune", help="Do not tune the default policy's few factors on the shop's own past."),
]
BudgetSeconds = Annotated[
    float | None,
    typer.Option(
        "--budget-seconds",
        metavar="SECONDS",
        help="With --model auto: models predicted to take longer do not compete.",
        show_default=False,
    ),
]
ChooseBy = Annotated[
    str | None,
    typer.Option(
        "--choose-by",
        metavar="pinball|wape|cost",
        help="With --model auto: what the models are ranked by.",
        show_default=False,
    ),
]
Calibrate = Annotated[
    bool,
    typer.Option("--calibrate", help="Correct the forecast by how earlier ones fared, where that helps."),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="A setting that goes before shelfwise.toml, like demand.stockouts=mask; may be repeated.",
        show_default=False,
    ),
]
Lang = Annotated[
    str | None, typer.Option("--lang", metavar="en|zh", help="Language of texts.", show_default=False)
]
Errors = Annotated[
    Path | None,
    typer.Option("--errors", metavar="FILE", help="Where to list all bad rows, as CSV.", show_default=False),
]


def model_request(
    model: str | None, budget_seconds: float | None, choose_by: str | None, calibrate: bool
) -> ModelRequest | None:
    """The model options as the planner takes them; None where none was given.

    Raises:
        UsageError: a budget that is not above 0, or an unknown measure.
    """
    from shelfwise.forecast.auto.judge import CHOICES
    from shelfwise.forecast.request import ModelRequest

    if budget_seconds is not None and not budget_seconds > 0:
        raise UsageError(f"--budget-seconds takes a number above 0; got {budget_seconds:g}")
    chosen = next((known for known in CHOICES if known == choose_by), None)
    if choose_by is not None and chosen is None:
        raise UsageError(f"--choose-by takes one of {', '.join(CHOICES)}; got {choose_by!r}")
    request = ModelRequest(model, budget_seconds, chosen, calibrate or None)
    return None if request == ModelRequest() else request


def parse_settings(pairs: list[str] | None) -> dict[str, dict[str, Any]] | None:
    """Settings from ``section.key=value`` texts; None if there are none. A later one of a key wins.

    Values are read as in the file; one that is not TOML, such as a bare word, is text.

    Raises:
        UsageError: anything else.

    Example:
        >>> parse_settings(["demand.stockouts=mask", "supply.lead_time=3", "demand.spikes=false"])
        {'demand': {'stockouts': 'mask', 'spikes': False}, 'supply': {'lead_time': 3}}
    """
    asked: dict[str, dict[str, Any]] = {}
    for pair in pairs or ():
        key, equals, text = pair.partition("=")
        section, dot, name = key.strip().partition(".")
        if not (equals and dot and section and name):
            raise UsageError(f"--set takes SECTION.KEY=VALUE, like demand.stockouts=mask; got {pair!r}")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text.strip()
        asked.setdefault(section, {})[name] = value
    if not asked:
        return None
    # Loaded late: most calls set nothing.
    from shelfwise.tables.settings import Settings

    try:
        Settings.from_mapping(asked)
    except DataRejected as error:
        told = "; ".join(f"{p.rule}, got {p.value!r}. {p.fix}" for p in error.problems)
        raise UsageError(f"--set: {told}") from None
    return asked


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
