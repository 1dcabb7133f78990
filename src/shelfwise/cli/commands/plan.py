"""`shelfwise plan`: what to order today, how many, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from shelfwise.cli.options import (
    AsOf,
    BudgetSeconds,
    Calibrate,
    ChooseBy,
    Errors,
    Folder,
    Lang,
    Model,
    ModelFile,
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


def plan(
    folder: Folder,
    as_of: AsOf,
    output: Output,
    policy: Annotated[
        str, typer.Option("--policy", metavar="NAME", help="Replenishment policy.")
    ] = "order_up_to",
    model: Model = None,
    budget_seconds: BudgetSeconds = None,
    choose_by: ChooseBy = None,
    calibrate: Calibrate = False,
    no_tune: NoTune = False,
    settings: Set = None,
    seed: Seed = 0,
    lang: Lang = None,
    errors: Errors = None,
    model_file: ModelFile = None,
) -> int:
    """Orders to place at --as-of: a row a series, quantity 0 included, each with its reason.

    Example:  shelfwise plan my-shop --as-of 2026-06-01 -o orders.csv
    """
    from shelfwise import planner
    from shelfwise.messages import pick_language

    errors_file.set(errors)
    day = parse_date(as_of, "--as-of")
    prepare_output(output)
    with progress_bars() as progress:
        result = planner.plan(
            folder,
            settings=parse_settings(settings),
            as_of=day,
            policy=policy,
            model=model_request(model, budget_seconds, choose_by, calibrate),
            tuned=not no_tune,
            seed=seed,
            lang=pick_language(lang),
            progress=progress,
            model_file=model_file,
        )
    write_frame(result.to_frame(pick_language(lang)), output)
    tell_notes(result.notes, lang)
    return tell_failures(result.failures, lang)
