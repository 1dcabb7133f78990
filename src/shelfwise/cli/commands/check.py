"""`shelfwise check`: are these data usable?"""

from __future__ import annotations

import typer

from shelfwise.cli.options import Errors, Folder, Lang, Set, parse_settings
from shelfwise.cli.rejection import errors_file
from shelfwise.errors import EXIT_DONE


def check(folder: Folder, settings: Set = None, errors: Errors = None, lang: Lang = None) -> int:
    """Are these data usable? Says what is in them, and exits with 3 if they break the contract.

    Example:  shelfwise check my-shop --errors bad-rows.csv
    """
    from shelfwise import planner
    from shelfwise.messages import pick_language

    errors_file.set(errors)
    summary = planner.check(folder, settings=parse_settings(settings))
    typer.echo(summary.to_text(pick_language(lang)))
    return EXIT_DONE
