"""`shelfwise explain`: how one series' order came about, step by step."""

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
    Seed,
    Set,
    model_request,
    parse_date,
    parse_settings,
)
from shelfwise.cli.rejection import errors_file
from shelfwise.cli.telling import tell_failures, tell_notes


def explain(
    folder: Folder,
    series: Annotated[str, typer.Argument(metavar="SKU[@LOCATION]", help="The series.", show_default=False)],
    as_of: AsOf,
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
    """How the order of one series came about; also when nothing is ordered.

    Example:  shelfwise explain my-shop 0017@shanghai --as-of 2026-06-01
    """
    from shelfwise import planner
    from shelfwise.messages import pick_language

    errors_file.set(errors)
    language = pick_language(lang)
    made = planner.plan(
        folder,
        settings=parse_settings(settings),
        as_of=parse_date(as_of, "--as-of"),
        policy=policy,
        model=model_request(model, budget_seconds, choose_by, calibrate),
        tuned=not no_tune,
        seed=seed,
        lang=language,
        model_file=model_file,
    )
    told = planner.explain_planned(made, series, lang=language)
    typer.echo(str(told))
    tell_notes(made.notes, lang)
    failed = [failure for failure in made.failures if failure[:2] == (told.sku, told.location)]
    return tell_failures(failed, lang)
