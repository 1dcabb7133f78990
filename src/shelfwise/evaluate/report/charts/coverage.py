"""How honest the forecast's range is: the share of actuals under each quantile, expected against observed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from shelfwise.evaluate.report.charts.svg import Scale, chart, element
from shelfwise.evaluate.report.wording import Wording

SIZE = (480.0, 380.0)
LEFT, RIGHT, TOP, BOTTOM = 56.0, 20.0, 34.0, 52.0
TOLERANCE = 0.03
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Coverage:
    """A quantile level, and the shares of actuals below it and at or below it.

    Units are whole numbers, so a quantile sits on a step: a level that lies between the two shares (or
    within 0.03 of them, for chance) is met.

    Example:
        >>> Coverage(0.5, 0.42, 0.55).met, Coverage(0.9, 0.70, 0.75).met
        (True, False)
    """

    level: float
    below: float
    at_or_below: float

    @property
    def met(self) -> bool:
        return self.below - TOLERANCE <= self.level <= self.at_or_below + TOLERANCE


def coverage_chart(
    points: Sequence[Coverage], words: Wording, ident: str, title: str, summary: str
) -> Markup:
    """A bar from one share to the other for each level, against the diagonal of a perfect forecast."""
    x = Scale(0.0, 1.0, LEFT, SIZE[0] - RIGHT)
    y = Scale(0.0, 1.0, SIZE[1] - BOTTOM, TOP)
    parts: list[Markup] = []
    for tick in TICKS:
        parts += [
            element("line", {"class_": "grid", "x1": x(0), "x2": x(1), "y1": y(tick), "y2": y(tick)}),
            element(
                "text",
                {"class_": "tick", "x": LEFT - 7, "y": y(tick) + 4, "text_anchor": "end"},
                f"{tick:.0%}",
            ),
            element(
                "text",
                {"class_": "tick", "x": x(tick), "y": y(0) + 19, "text_anchor": "middle"},
                f"{tick:.0%}",
            ),
        ]
    parts.append(element("path", {"class_": "band80", "d": _diagonal_band(x, y)}))
    parts.append(element("line", {"class_": "diagonal", "x1": x(0), "y1": y(0), "x2": x(1), "y2": y(1)}))
    parts.append(
        element(
            "text",
            {"class_": "tick", "x": x(0.5), "y": SIZE[1] - 8, "text_anchor": "middle"},
            words.say("chart.coverage_x"),
        )
    )
    parts.append(element("text", {"class_": "tick", "x": x(0), "y": 16}, words.say("chart.coverage_y")))
    for point in points:
        centre, high, low = x(point.level), y(point.at_or_below), y(point.below)
        parts.append(
            element(
                "rect",
                {
                    "class_": "met" if point.met else "unmet",
                    "x": centre - 6,
                    "y": high,
                    "width": 12,
                    "height": max(low - high, 3.0),
                    "rx": 2,
                },
            )
        )
    return chart(ident, title, summary, SIZE, parts)


def _diagonal_band(x: Scale, y: Scale) -> str:
    """The stretch around the diagonal in which a difference may be chance."""
    t = TOLERANCE
    corners = ((0, 0), (0, t), (1 - t, 1), (1, 1), (1, 1 - t), (t, 0))
    return "M" + "L".join(f"{x(a):.1f} {y(b):.1f}" for a, b in corners) + "Z"
