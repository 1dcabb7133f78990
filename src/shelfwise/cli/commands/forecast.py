"""`shelfwise forecast`: demand of every series over the horizon, with quantiles."""

from __future__ import annotations

from pathlib import Path
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
    Output,
    Seed,
    Set,
    model_request,
    parse_date,
    parse_quantiles,
    parse_settings,
)
from shelfwise.cli.progress import progress_bars
from shelfwise.cli.rejection import errors_file
from shelfwise.cli.telling import tell_failures, tell_notes
from shelfwise.tables.output import prepare_output, write_frame


def forecast(
    folder: Folder,
    as_of: AsOf,
    horizon: Annotated[int, typer.Option("--horizon", help="Buckets to forecast.", show_default=False)],
    output: Output,
    quantiles: Annotated[
        str | None,
        typer.Option("--quantiles", metavar="0.1,0.5,0.9", help="Levels wanted.", show_default=False),
    ] = None,
    model: Model = None,
    budget_seconds: BudgetSeconds = None,
    choose_by: ChooseBy = None,
    calibrate: Calibrate = False,
    settings: Set = None,
    seed: Seed = 0,
    lang: Lang = None,
    errors: Errors = None,
    model_file: ModelFile = None,
    save_model: Annotated[
        Path | None,
        typer.Option(
            "--save-model", metavar="FILE", help="Where to save the fitted model.", show_default=False
        ),
    ] = None,
) -> int:
    """Forecast every series from --as-of on.

    Example:  shelfwise forecast my-shop --as-of 2026-06-01 --horizon 8 --quantiles 0.1,0.5,0.9 -o forecast.csv
    """
    from shelfwise import planner

    errors_file.set(errors)
    day, levels = parse_date(as_of, "--as-of"), parse_quantiles(quantiles)
    prepare_output(output)
    with progress_bars() as progress:
        result = planner.forecast(
            folder,
            settings=parse_settings(settings),
            as_of=day,
            horizon=horizon,
            quantiles=levels,
            model=model_request(model, budget_seconds, choose_by, calibrate),
            seed=seed,
            progress=progress,
            model_file=model_file,
            save_model=save_model,
        )
    write_frame(result.table, output)
    tell_notes(result.notes, lang)
    return tell_failures(result.failures, lang)
