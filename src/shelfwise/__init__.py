"""Shelfwise: from an online shop's own records to orders that are worth placing.

The five verbs and the demo take a data folder, or Polars or pandas frames::

    import shelfwise
    plan = shelfwise.plan("my-shop", as_of="2026-06-01")
    plan.explain("0017")

Everything heavy loads when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shelfwise.errors import DataRejected, ShelfwiseError, UsageError
    from shelfwise.planner import backtest, check, explain, forecast, plan

try:
    __version__ = version("shelfwise")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0.0.0"

__all__ = [
    "DataRejected",
    "ShelfwiseError",
    "UsageError",
    "backtest",
    "check",
    "explain",
    "forecast",
    "plan",
]
_ERRORS = ("DataRejected", "ShelfwiseError", "UsageError")


def __getattr__(name: str) -> Any:
    if name == "forecast":
        # The verb shares its name with the room; the room can be called, see shelfwise.forecast.
        return import_module("shelfwise.forecast")
    if name in __all__:
        return getattr(import_module("shelfwise.errors" if name in _ERRORS else "shelfwise.planner"), name)
    raise AttributeError(f"module 'shelfwise' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
