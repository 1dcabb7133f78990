"""Progress as a plain callable, so that long work needs to know nothing of who watches."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called with a stage's name, steps done and steps in all."""

    def __call__(self, stage: str, done: int, total: int) -> None: ...


def silent(stage: str, done: int, total: int) -> None:
    """Nobody is watching."""
