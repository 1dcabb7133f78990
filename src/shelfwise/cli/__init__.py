"""The command line: one file a command, errors turned into exit codes here and nowhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (see `shelfwise.errors`); also the console script."""
    # Threads that spin while they wait starve each other where cores are shared.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from shelfwise.cli.app import run

    code = run(list(sys.argv[1:] if argv is None else argv))
    if argv is None:
        sys.exit(code)
    return code
