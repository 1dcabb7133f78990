"""`Chosen`: a model that was chosen among models, or corrected, can tell why, and be made again as it was chosen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from shelfwise.forecast.base import Forecaster


@runtime_checkable
class Chosen(Protocol):
    """What such a model can do once it is fitted."""

    def told(self) -> tuple[str, ...]:
        """What was chosen and why, in sentences that can be said again in any language."""

    def settled(self) -> Forecaster:
        """A new, unfitted model of the same choice."""


def choice_notes(model: Forecaster) -> tuple[str, ...]:
    """Which models were chosen and why, where there was a choice."""
    return model.told() if isinstance(model, Chosen) else ()


def maker_again(model: Forecaster, make: Callable[[], Forecaster]) -> Callable[[], Forecaster]:
    """What makes a fitted model again: as it was chosen where there was a choice, else as it was made."""
    return model.settled if isinstance(model, Chosen) else make
