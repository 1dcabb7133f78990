"""`shelfwise backtest`: policies replayed on the shop's own history, in money."""

from __future__ import annotations

from typing import Annotated

import typer

from shelfwise.cli.options import (
    BudgetSeconds,
    Calibrate,
    ChooseBy,
    Errors,
    Folder,
    Lang,
    Model,
    NoTune,
    Output,
    Seed,
    Set,
    model_request,
    parse_date,
    parse_settings,
)
from shelfwise.cli.progress import progress_bars
from shelfwise.cli.rejection import errors_file
from shelfwise.cli.telling import tell_failures, tell_notes
from shelfwise.tables.output import prepare_output, write_frame


def backtest(
    folder: Folder,
    start: Annotated[
        str, typer.Option("--from", metavar="DATE", help="First day that is replayed.", show_default=False)
    ],
    end: Annotated[
        str,
        typer.Option(
            "--to", metavar="DATE", help="First day that is not replayed any more.", show_default=False
        ),
    ],
    output: Output,
    policy: Annotated[
        list[str] | None,
        typer.Option("--policy", metavar="NAME", help="A policy; may be repeated.", show_default=False),
    ] = None,
    model: Model = None,
    budget_seconds: BudgetSeconds = None,
    choose_by: ChooseBy = None,
    calibrate: Calibrate = False,
    no_tune: NoTune = False,
    settings: Set = None,
    seed: Seed = 0,
    lang: Lang = None,
    errors: Errors = None,
) -> int:
    """Replay policies between two dates: cost and its parts, service, stock, and the cost of perfect foresight.

    Example:  shelfwise backtest my-shop --from 2026-03-02 --to 2026-06-01 --policy order_up_to -o policies.csv
    """
    from shelfwise import planner

    errors_file.set(errors)
    first, last = parse_date(start, "--from"), parse_date(end, "--to")
    prepare_output(output)
    with progress_bars() as progress:
        board = planner.backtest(
            folder,
            settings=parse_settings(settings),
            start=first,
            end=last,
            policies=policy or None,
            model=model_request(model, budget_seconds, choose_by, calibrate),
            tuned=not no_tune,
            seed=seed,
            progress=progress,
        )
    write_frame(board.table, output)
    tell_notes(board.notes, lang)
    return tell_failures(board.failures, lang)
