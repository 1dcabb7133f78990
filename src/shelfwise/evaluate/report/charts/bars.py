"""Policies in money: one bar each, stacked of holding, shortage and order cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from shelfwise.evaluate.report.charts.svg import Scale, chart, element
from shelfwise.evaluate.report.wording import Wording, shorten

WIDTH, ROW, BAR, TOP = 720.0, 56.0, 24.0, 30.0
ROOM_FOR_TOTAL = 170.0
KINDS = ("holding", "shortage", "order")


@dataclass(frozen=True)
class PolicyBar:
    """One policy: the words it goes by and its three costs, money."""

    label: str
    costs: tuple[float, float, float]

    @property
    def total(self) -> float:
        return sum(self.costs)


def policy_bars(
    policies: Sequence[PolicyBar], foresight: float, words: Wording, ident: str, title: str, summary: str
) -> Markup:
    """The bars, with a dashed line at the cost that perfect foresight would have had."""
    high = max([foresight, *(policy.total for policy in policies)], default=0.0)
    x = Scale(0.0, high or 1.0, 0.0, WIDTH - ROOM_FOR_TOTAL)
    height = TOP + ROW * len(policies) + 6
    parts: list[Markup] = []
    for row, policy in enumerate(policies):
        y, left = TOP + row * ROW, 0.0
        parts.append(element("text", {"class_": "label", "x": 0, "y": y + 16}, shorten(policy.label, 48)))
        for kind, cost in zip(KINDS, policy.costs, strict=True):
            width = x(max(cost, 0.0))
            parts.append(
                element("rect", {"class_": kind, "x": left, "y": y + 23, "width": width, "height": BAR})
            )
            left += width
        parts.append(
            element(
                "text",
                {"class_": "value", "x": left + 7, "y": y + 23 + BAR * 0.72},
                words.money(policy.total),
            )
        )
    parts.append(_foresight(x(foresight), foresight, len(policies), words))
    return chart(ident, title, summary, (WIDTH, height), parts)


def _foresight(x: float, cost: float, n_rows: int, words: Wording) -> Markup:
    """A dashed line across each bar, broken where the policies' names stand."""
    near_end = x > WIDTH * 0.55
    text = {"x": x - 5 if near_end else x + 5, "y": TOP - 10, "text_anchor": "end" if near_end else "start"}
    strokes = [f"M{x:.1f} {TOP - 20:.1f}v12"] if n_rows else []
    strokes += [f"M{x:.1f} {TOP + row * ROW + 19:.1f}v{BAR + 8:.1f}" for row in range(n_rows)]
    return element(
        "g",
        {"class_": "foresight"},
        element("path", {"d": "".join(strokes)}),
        element("text", text, words.say("chart.foresight", cost=words.money(cost))),
    )
