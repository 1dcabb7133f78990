"""The frame that charts over time share: a plot area, a date axis, a scale from 0 upwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from markupsafe import Markup

from shelfwise.evaluate.report.charts.svg import Scale, element, grid, round_steps
from shelfwise.evaluate.report.wording import Wording

LEFT, RIGHT, TOP, BOTTOM = 46.0, 12.0, 26.0, 30.0


@dataclass(frozen=True)
class TimeFrame:
    """A plot of `dates` buckets, one slot each, with values from 0 to `high`."""

    dates: list[date]
    high: float
    width: float
    height: float
    n_ticks: int = 5

    @property
    def steps(self) -> list[float]:
        return round_steps(self.high)

    @property
    def y(self) -> Scale:
        return Scale(0.0, self.steps[-1], self.height - BOTTOM, TOP)

    @property
    def slot(self) -> float:
        """Width of a bucket."""
        return (self.width - LEFT - RIGHT) / max(len(self.dates), 1)

    def start(self, index: float) -> float:
        """Left edge of a bucket."""
        return LEFT + index * self.slot

    def middle(self, index: float) -> float:
        return self.start(index + 0.5)

    def axes(self, words: Wording) -> list[Markup]:
        """Grid, values and dates."""
        parts = grid(self.steps, self.y, (LEFT, self.width - RIGHT), lambda step: words.count(step))
        step = max(1, round(len(self.dates) / self.n_ticks))
        base = self.height - BOTTOM
        for index in range(step // 2, len(self.dates), step):
            label = words.tick(self.dates[index])
            parts.append(
                element(
                    "text",
                    {"class_": "tick", "x": self.middle(index), "y": base + 19, "text_anchor": "middle"},
                    label,
                )
            )
        return parts

    def upright(self, index: float, label: str, kind: str) -> Markup:
        """A vertical line at the left edge of a bucket, with a word on top."""
        x = self.start(index)
        near_end = x > self.width * 0.62
        return element(
            "g",
            {"class_": kind},
            element("line", {"x1": x, "x2": x, "y1": TOP - 8, "y2": self.height - BOTTOM}),
            element(
                "text",
                {
                    "x": x - 5 if near_end else x + 5,
                    "y": TOP - 10,
                    "text_anchor": "end" if near_end else "start",
                },
                label,
            ),
        )
