"""What `shelfwise demo` takes, seconds and memory, and what each policy of its replay costs.

Measured from outside, as a user would see it: the command in a process of its own. `cold` is the first run
after an installation, when every kernel is still to be compiled; `warm` any later one.

    python -m benchmarks.bench_demo [--start cold] [--start warm] [--results DIR]

`run_shelfwise` here is what the other benchmarks run the command with.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

import shelfwise
from benchmarks.raw_data import run_command
from benchmarks.results_log import REPOSITORY, Cell, append_rows
from shelfwise.errors import EXIT_DONE, EXIT_PARTIAL, ShelfwiseError

RESULTS = REPOSITORY / "benchmarks" / "results"
STARTS = ("cold", "warm")
SHELFWISE = (sys.executable, "-c", "from shelfwise.cli import main; main()")
# A child counts its parent's memory until it becomes another program, so a small process stands between.
METER = """
import json, resource, subprocess, sys, time
begun = time.perf_counter()
code = subprocess.run(sys.argv[2:]).returncode
seconds = time.perf_counter() - begun
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
unit = 1 if sys.platform == "darwin" else 1024
with open(sys.argv[1], "w") as file:
    json.dump({"code": code, "seconds": seconds, "peak": peak * unit}, file)
"""
POLICY_COLUMNS = (
    "cost",
    "holding_cost",
    "shortage_cost",
    "order_cost",
    "perfect_foresight_cost",
    "cost_vs_reference",
    "fill_rate",
    "stockouts",
)


@dataclass(frozen=True)
class Measured:
    """One run of a command.

    Attributes:
        exit_code: 0, or 4 if some series failed.
        seconds: wall clock, from its start to its end.
        peak_gib: most memory it held at once (resident), in GiB.
        told: what it said on standard output and standard error, line by line.
    """

    exit_code: int
    seconds: float
    peak_gib: float
    told: tuple[str, ...]


def run_measured(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Measured:
    """Run a command in a process of its own and measure it, whatever its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        reading = Path(folder) / "reading.json"
        done = subprocess.run(
            [sys.executable, "-I", "-c", METER, str(reading), *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env=None if environment is None else dict(environment),
            check=False,
        )
        if not reading.exists():
            raise ShelfwiseError(f"{command[0]} could not be run and measured:\n{done.stdout}")
        found = json.loads(reading.read_text(encoding="utf-8"))
    return Measured(found["code"], found["seconds"], found["peak"] / 2**30, tuple(done.stdout.splitlines()))


def run_shelfwise(*arguments: str | Path, variables: Mapping[str, str] | None = None) -> Measured:
    """Run `shelfwise` with these arguments, the code imported here, with `variables` in its environment.

    Raises:
        ShelfwiseError: it ended with another exit code than 0 or 4; the message holds what it said last.
    """
    source = str(Path(shelfwise.__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path, "OMP_WAIT_POLICY": "PASSIVE", **(variables or {})}
    measured = run_measured([*SHELFWISE, *map(str, arguments)], environment)
    if measured.exit_code not in (EXIT_DONE, EXIT_PARTIAL):
        said = "\n".join(f"  {line}" for line in measured.told[-20:])
        raise ShelfwiseError(
            f"shelfwise {arguments[0]} must end with exit code {EXIT_DONE} or {EXIT_PARTIAL} to be measured; "
            f"it ended with {measured.exit_code} and said:\n{said}"
        )
    return measured


def demo_rows(start: str, policies: pl.DataFrame, measured: Measured) -> list[dict[str, Cell]]:
    """A row a policy: what it costs on the demo shop, beside what the whole demo took."""
    return [
        {
            "start": start,
            "policy": policy["policy"],
            **{name: round(policy[name], 4) for name in POLICY_COLUMNS},
            "seconds": round(measured.seconds, 1),
            "peak_gib": round(measured.peak_gib, 3),
        }
        for policy in policies.iter_rows(named=True)
    ]


def measure_demo(start: str, work: Path) -> list[dict[str, Cell]]:
    """Run the demo into `work`; a cold start gets a cache for compiled kernels that is still empty."""
    cache = work / "kernels"
    cache.mkdir()
    variables = {"NUMBA_CACHE_DIR": str(cache)} if start == "cold" else {}
    measured = run_shelfwise("demo", "-o", work / "demo", variables=variables)
    return demo_rows(start, pl.read_csv(work / "demo" / "policies.csv"), measured)


def main() -> None:
    """Measure each start, print it, append it."""
    parser = argparse.ArgumentParser(description="seconds, memory and policies' costs of shelfwise demo")
    parser.add_argument("--start", action="append", choices=STARTS, help="default: both, cold first")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of demo.csv")
    options = parser.parse_args()
    rows = []
    for start in options.start or STARTS:
        with tempfile.TemporaryDirectory() as work:
            made = measure_demo(start, Path(work))
        print(f"{start}: {made[0]['seconds']} s, at most {made[0]['peak_gib']} GiB", flush=True)
        for row in made:
            print(f"  {row['policy']:15s} {row['cost']:12,.0f}  fill rate {row['fill_rate']:.1%}", flush=True)
        print(f"  {'with foresight':15s} {made[0]['perfect_foresight_cost']:12,.0f}", flush=True)
        rows += made
    append_rows(options.results / "demo.csv", rows)


if __name__ == "__main__":
    run_command(main)
