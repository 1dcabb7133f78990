"""What service costs: the cost-service front as a line, the policies that were replayed as dots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from shelfwise.evaluate.report.charts.svg import Doubles, Scale, chart, element, grid, line, round_steps
from shelfwise.evaluate.report.wording import Wording

SIZE = (760.0, 380.0)
LEFT, RIGHT, TOP, BOTTOM = 104.0, 24.0, 34.0, 52.0
LOWEST_SHOWN = 0.5
NEAR = 16.0


@dataclass(frozen=True)
class PolicyPoint:
    """A policy's fill rate (share of 1) and what its stock and orders cost in the replay (money)."""

    label: str
    fill_rate: float
    cost: float
    chosen: bool = False


def front_chart(
    fill_rate: Doubles,
    cost: Doubles,
    points: Sequence[PolicyPoint],
    words: Wording,
    ident: str,
    title: str,
    summary: str,
) -> Markup:
    """Fill rate to the right, cost of stock and orders upwards; below the line nothing was reached.

    Args:
        fill_rate, cost: (F,) the front, by rising fill rate; below one half it is not shown.
        points: the policies replayed.
    """
    shown = fill_rate >= min(LOWEST_SHOWN, *(point.fill_rate for point in points), 1.0)
    rates, money = fill_rate[shown], cost[shown]
    every = np.concatenate([rates, [point.fill_rate for point in points]])
    low = min(np.floor(float(every.min(initial=1.0)) * 20.0) / 20.0, 0.95)
    high = np.ceil(float(every.max(initial=low + 0.05)) * 20.0) / 20.0
    x = Scale(low, max(high, low + 0.05), LEFT, SIZE[0] - RIGHT)
    # The last steps to full service cost many times the rest; the policies and what is near them set the height.
    top = max([point.cost for point in points], default=float(money.max(initial=1.0))) * 1.1
    steps = round_steps(top)
    y = Scale(0.0, steps[-1], SIZE[1] - BOTTOM, TOP)
    parts = grid(steps, y, (LEFT, SIZE[0] - RIGHT), words.money)
    for tick in np.linspace(x.low, x.high, 6):
        parts.append(
            element(
                "text",
                {"class_": "tick", "x": x(tick), "y": y(0) + 19, "text_anchor": "middle"},
                words.percent(float(tick)),
            )
        )
    parts.append(
        element(
            "text",
            {"class_": "tick", "x": (LEFT + SIZE[0] - RIGHT) / 2, "y": SIZE[1] - 8, "text_anchor": "middle"},
            words.say("worth.front_x"),
        )
    )
    parts.append(element("text", {"class_": "tick", "x": LEFT, "y": 16}, words.say("worth.front_y")))
    within = np.where(money <= steps[-1], money, np.nan)
    parts.append(
        element(
            "path", {"class_": "forecast", "d": line([x(rate) for rate in rates], [y(m) for m in within])}
        )
    )
    parts += _dots(points, x, y)
    return chart(ident, title, summary, SIZE, parts)


def _dots(points: Sequence[PolicyPoint], x: Scale, y: Scale) -> list[Markup]:
    """A dot and a name for each policy; names that would meet are moved apart."""
    parts: list[Markup] = []
    taken: list[tuple[float, float]] = []
    for point in sorted(points, key=lambda p: p.cost):
        across, up = x(point.fill_rate), y(point.cost)
        parts.append(
            element(
                "circle",
                {"class_": "met" if point.chosen else "unmet", "cx": across, "cy": up, "r": 6},
            )
        )
        height = up + 4
        while any(abs(height - other) < NEAR and abs(across - place) < 220 for place, other in taken):
            height -= NEAR
        taken.append((across, height))
        left_half = across < (x.first + x.last) / 2
        parts.append(
            element(
                "text",
                {
                    "class_": "label" if point.chosen else "tick",
                    "x": across + (11 if left_half else -11),
                    "y": height,
                    "text_anchor": "start" if left_half else "end",
                },
                point.label,
            )
        )
    return parts
