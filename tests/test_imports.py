"""Rooms import one way only, and `import shelfwise` stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import shelfwise

ROOT = Path(shelfwise.__file__).parent

# What every room stands on; these may use each other and nothing else of ours.
FLOOR = {"errors", "buckets", "progress", "messages"}
# Room -> the rooms below it. Whoever may import a room may import what that room may import.
BELOW: dict[str, set[str]] = {
    "tables": set(),
    "demand": {"tables"},
    "forecast": {"demand"},
    "simulate": set(),
    "replenish": {"simulate"},
    "evaluate": {"tables", "demand", "forecast", "simulate", "replenish"},
    "preparation": {"tables", "demand", "forecast", "simulate", "replenish", "evaluate"},
    "planner": {"preparation"},
    "demo": set(),
    "cli": {"planner", "demo"},
}
# What one room hands to the next: these may be named wherever they are consumed.
NOUNS: dict[str, set[str]] = {
    "replenish": {
        "shelfwise.tables.dataset",
        "shelfwise.tables.settings",
        "shelfwise.tables.price_breaks",
        "shelfwise.demand.panel",
        "shelfwise.forecast.scenarios",
        "shelfwise.forecast.parts",
    },
}
# The bodies of commands, wherever they live, are doors like `cli` itself.
DOORS = {"demo.loop": "cli", "demo.compile_ahead": "cli"}
# The room `forecast` bears the name of a verb: called, it hands on to the verb when that is needed.
CALLABLE_ROOM = ("forecast", "planner")


@dataclass(frozen=True)
class Arrow:
    """`module` imports `target`; both without the leading ``shelfwise.``."""

    module: str
    target: str

    def __str__(self) -> str:
        return f"{self.module} -> {self.target}"


def modules() -> dict[str, Path]:
    named = {}
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        named[".".join(part for part in parts if part != "__init__")] = path
    return named


MODULES = modules()


def imported(node: ast.AST) -> Iterator[str]:
    """Names of ours that an import statement brings in, without the leading ``shelfwise.``."""
    if isinstance(node, ast.ImportFrom) and node.module == "shelfwise":
        yield from (alias.name for alias in node.names if not alias.name.startswith("__"))
    elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("shelfwise."):
        yield str(node.module).removeprefix("shelfwise.")
    elif isinstance(node, ast.Import):
        names = (alias.name for alias in node.names)
        yield from (name.removeprefix("shelfwise.") for name in names if name.startswith("shelfwise."))


def late_targets(node: ast.AST) -> Iterator[str]:
    """Modules of ours that are named in text to be loaded later: ``"shelfwise.forecast.naive:Naive"``."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        name = node.value.partition(":")[0]
        if name.startswith("shelfwise.") and name.removeprefix("shelfwise.") in MODULES:
            yield name.removeprefix("shelfwise.")


def arrows() -> list[Arrow]:
    found = []
    for module, path in MODULES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found += [Arrow(module, target) for target in (*imported(node), *late_targets(node))]
    return found


ARROWS = arrows()


def room(module: str) -> str:
    return DOORS.get(module, module.split(".")[0])


def reachable(name: str) -> set[str]:
    """The rooms a room may import, its own and the floor included."""
    found = {name} | FLOOR
    for below in BELOW.get(name, set()):
        found |= reachable(below)
    return found


def allowed(arrow: Arrow) -> bool:
    here, there = room(arrow.module), room(arrow.target)
    if here in FLOOR:
        return there in FLOOR
    return there in reachable(here) or f"shelfwise.{arrow.target}" in NOUNS.get(here, set())


def test_every_room_has_its_place():
    rooms = {room(module) for module in MODULES if module} - FLOOR
    assert rooms <= set(BELOW), "give the new room its place in BELOW"


def test_the_table_itself_points_one_way():
    for name in BELOW:
        assert name not in set().union(*(reachable(below) for below in BELOW[name]), set()) - FLOOR


@pytest.mark.parametrize("name", sorted({*BELOW, *FLOOR}))
def test_a_room_imports_only_what_is_below_it(name):
    wrong = [
        str(arrow)
        for arrow in ARROWS
        if arrow.module and room(arrow.module) == name and not allowed(arrow)
        if (arrow.module, arrow.target) != CALLABLE_ROOM
    ]
    assert not wrong


def test_the_package_itself_names_only_errors_the_planner_and_the_callable_room():
    assert {room(arrow.target) for arrow in ARROWS if not arrow.module} <= {"errors", "planner", "forecast"}


def test_the_walk_sees_what_it_should():
    seen = {(room(arrow.module), room(arrow.target)) for arrow in ARROWS}
    # An ordinary import, one inside a function, one under TYPE_CHECKING, one named in text.
    assert {("planner", "preparation"), ("cli", "planner"), ("demand", "tables")} <= seen
    assert any(arrow.module == "forecast.register" and arrow.target == "forecast.naive" for arrow in ARROWS)


@pytest.mark.parametrize(
    ("module", "target"),
    [
        ("tables.cells", "demand.panel"),
        ("demand.build", "forecast.base"),
        ("forecast.base", "replenish.plan"),
        ("simulate.run", "demand.panel"),
        ("replenish.plan", "evaluate.backtest"),
        ("replenish.plan", "forecast.register"),
        ("evaluate.backtest", "planner"),
        ("planner", "cli.output"),
        ("demo.shop", "cli.output"),
        ("errors", "tables.schema"),
    ],
)
def test_arrows_that_point_back_are_refused(module, target):
    assert not allowed(Arrow(module, target))


HEAVY = ("polars", "numpy", "numba", "lightgbm", "scipy", "pandas", "pydantic", "typer")


def test_importing_the_package_is_quick_and_loads_nothing_heavy():
    code = (
        "import sys, time; began = time.perf_counter(); import shelfwise; "
        "print(time.perf_counter() - began); print(*sys.modules)"
    )
    fastest = float("inf")
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent
        )
        took, loaded = done.stdout.splitlines()
        fastest = min(fastest, float(took))
        assert not set(HEAVY) & set(loaded.split())
    assert fastest < 0.3


def test_asking_for_help_loads_no_engine():
    code = "import sys; from shelfwise.cli import main; main(['--help']); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT.parent
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not {"numba", "lightgbm", "scipy", "pandas", "shelfwise.planner"} & loaded
