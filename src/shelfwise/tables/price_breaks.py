"""Quantity price breaks, written ``400:0.72;800:0.68``: from 400 units on, 0.72 a unit."""

from __future__ import annotations

import math


def parse_price_breaks(text: str | None) -> tuple[tuple[float, float], ...]:
    """The (from quantity, unit cost) steps of a `price_breaks` cell, ascending in quantity.

    Args:
        text: steps ``quantity:unit_cost`` joined by ``;``; None or blank means no breaks.

    Raises:
        ValueError: a step is not two numbers, a quantity is not above the one before it (or not above
            0), or a unit cost is negative. The message names the step.

    Example:
        >>> parse_price_breaks("400:0.72; 800:0.68")
        ((400.0, 0.72), (800.0, 0.68))
    """
    steps: list[tuple[float, float]] = []
    for part in (text or "").split(";"):
        if not part.strip():
            continue
        quantity_text, colon, cost_text = part.partition(":")
        try:
            quantity, cost = float(quantity_text), float(cost_text)
        except ValueError:
            raise ValueError(f"{part.strip()!r} is not quantity:unit_cost") from None
        if not colon or not math.isfinite(quantity) or not math.isfinite(cost) or cost < 0:
            raise ValueError(f"{part.strip()!r} needs a finite quantity and a unit cost of 0 or more")
        if quantity <= (steps[-1][0] if steps else 0):
            raise ValueError(f"the quantity of {part.strip()!r} is not above the one before it")
        steps.append((quantity, cost))
    return tuple(steps)
