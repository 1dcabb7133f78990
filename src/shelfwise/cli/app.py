"""The Typer application and the one place where an error becomes a message and an exit code."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Sequence
from typing import ParamSpec

import typer

from shelfwise.cli.commands.backtest import backtest
from shelfwise.cli.commands.check import check
from shelfwise.cli.commands.demo import demo
from shelfwise.cli.commands.explain import explain
from shelfwise.cli.commands.forecast import forecast
from shelfwise.cli.commands.plan import plan
from shelfwise.cli.rejection import show_rejection
from shelfwise.errors import EXIT_FAILED, EXIT_INTERRUPTED, DataRejected, ShelfwiseError

P = ParamSpec("P")
TRACEBACK_VARIABLE = "SHELFWISE_TRACEBACK"

EXAMPLES = """Examples:

  shelfwise demo

  shelfwise check my-shop

  shelfwise plan my-shop --as-of 2026-06-01 -o orders.csv

  shelfwise forecast my-shop --as-of 2026-06-01 --horizon 8 --quantiles 0.1,0.5,0.9 -o forecast.csv

  shelfwise backtest my-shop --from 2026-03-02 --to 2026-06-01 -o policies.csv

  shelfwise explain my-shop 0017@shanghai --as-of 2026-06-01

From a shop's own records to orders that are worth placing. A data folder holds sales.csv and, as far as
you have them, stock, inbound, items, terms and more; shelfwise.toml holds settings.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 data rejected, 4 done but some series failed, 130 interrupted.
"""

app = typer.Typer(help=EXAMPLES, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)


def handled(command: Callable[P, int]) -> Callable[P, None]:
    """The command, with every failure told on standard error and turned into an exit code."""

    @functools.wraps(command)
    def run_command(*args: P.args, **kwargs: P.kwargs) -> None:
        raise typer.Exit(_exit_code(lambda: command(*args, **kwargs)))

    return run_command


def _exit_code(work: Callable[[], int]) -> int:
    try:
        return work()
    except KeyboardInterrupt:
        print("interrupted; nothing half-written is left", file=sys.stderr)
        return EXIT_INTERRUPTED
    except DataRejected as error:
        show_rejection(error)
        return error.exit_code
    except ShelfwiseError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read our output has gone; Python must not complain about it while closing down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except MemoryError:
        print(
            "error: not enough memory. Split the data by location, or give this machine more.",
            file=sys.stderr,
        )
        return EXIT_FAILED
    except Exception as error:
        if os.environ.get(TRACEBACK_VARIABLE):
            raise
        print(
            f"error: {type(error).__name__}: {error}. This is a fault of shelfwise, not of your data. "
            f"Set {TRACEBACK_VARIABLE}=1 to see where it happened, and report it.",
            file=sys.stderr,
        )
        return EXIT_FAILED


for _command in (check, forecast, plan, backtest, explain, demo):
    app.command()(handled(_command))


def _show_version(wanted: bool) -> None:
    if wanted:
        from shelfwise import __version__

        typer.echo(f"shelfwise {__version__}")
        raise typer.Exit


@app.callback(help=EXAMPLES)
def program_options(
    # Eager, or the missing command would be complained of first.
    version: bool = typer.Option(
        False, "--version", help="Show the version and exit.", is_eager=True, callback=_show_version
    ),
) -> None:
    """Options of the program itself."""


def run(argv: Sequence[str]) -> int:
    """Run one command and return its exit code; wrong usage is told by Typer and gives 2."""
    try:
        app(args=list(argv), prog_name="shelfwise")
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0
