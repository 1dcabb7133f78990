"""Compile what a first run compiles in a second process, on a tiny shop, while the real one is made and learnt.

Numba keeps compiled kernels on disk, where the first process finds those that the second has finished. Nothing else
passes between them, so results are the same with and without it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from shelfwise.demo.loop import run_demo

FEWEST_SKUS, FEWEST_DAYS = 12, 150


@contextmanager
def compiling_ahead() -> Iterator[None]:
    """Have a second process compile during the block; at its end that process is stopped.

    Example:
        >>> with compiling_ahead():
        ...     2 + 2
        4
    """
    with TemporaryDirectory() as folder:
        second = _second_process(folder)
        try:
            yield
        finally:
            if second is not None:
                second.kill()
                second.wait()


def _second_process(folder: str) -> subprocess.Popen[bytes] | None:
    """The process that compiles; none where it may not be started and the first one compiles for itself."""
    quiet = subprocess.DEVNULL
    # One thread is enough for a tiny shop, and leaves the others to the real one.
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "shelfwise.demo.compile_ahead", folder]
    try:
        return subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, env=alone)
    except OSError:
        return None


if __name__ == "__main__":
    run_demo(Path(sys.argv[1]), n_skus=FEWEST_SKUS, days=FEWEST_DAYS)
