"""`shelfwise demo`: the whole loop on a built-in shop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shelfwise.cli.options import Lang, Seed
from shelfwise.cli.progress import progress_bars
from shelfwise.errors import EXIT_DONE


def demo(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Folder the demo writes into.")
    ] = Path("shelfwise-demo"),
    seed: Seed = 7,
    lang: Lang = None,
) -> int:
    """Make a shop of 200 items, then check, forecast, plan and backtest it, and write a report.

    Example:  shelfwise demo
    """
    from shelfwise.demo.compile_ahead import compiling_ahead
    from shelfwise.demo.loop import run_demo
    from shelfwise.messages import pick_language

    with compiling_ahead(), progress_bars() as progress:
        told = run_demo(output, seed=seed, lang=pick_language(lang), progress=progress)
    typer.echo("\n".join(told), err=True)
    return EXIT_DONE
