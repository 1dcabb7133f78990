"""What was sold and what may be: history as bars, stock-outs shaded, the forecast as a fan."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

import numpy as np
from markupsafe import Markup

from shelfwise.evaluate.report.charts.svg import MOST_POINTS, Doubles, band, chart, element, line, thin
from shelfwise.evaluate.report.charts.time_axis import BOTTOM, TOP, TimeFrame
from shelfwise.evaluate.report.wording import Wording

SIZE = (600.0, 280.0)
# A shelf that was empty for more than half of a bucket counts as a stock-out in the picture.
EMPTY_BELOW = 0.5


@dataclass(frozen=True)
class Fan:
    """History of T buckets and forecast of H, units a bucket.

    Attributes:
        dates: T + H bucket dates.
        sold, demand, on_sale: (T,) as in `Panel`.
        mean: (H,); `bands`: (H, 4), the quantiles 0.1, 0.25, 0.75, 0.9.
    """

    dates: list[date]
    sold: Doubles
    demand: Doubles
    on_sale: Doubles
    mean: Doubles
    bands: Doubles


def fan_chart(fan: Fan, words: Wording, ident: str, title: str, summary: str) -> Markup:
    """The chart; more buckets than fit are averaged in groups, at most 400 points in all."""
    step = math.ceil(len(fan.dates) / (MOST_POINTS - 2))
    sold, demand, on_sale = (_grouped(part, step) for part in (fan.sold, fan.demand, fan.on_sale))
    mean = _grouped(fan.mean, step)
    bands = np.column_stack([_grouped(fan.bands[:, column], step) for column in range(4)])
    dates = fan.dates[: len(fan.sold)][::step] + fan.dates[len(fan.sold) :][::step]
    past = len(sold)
    high = max((float(np.nanmax(part, initial=0.0)) for part in (sold, demand, mean, bands)), default=0.0)
    frame = TimeFrame(dates, high, *SIZE)
    parts = [*_empty_shelf(frame, on_sale), *frame.axes(words), *_bars(frame, sold, demand)]
    centres = [frame.middle(past + index) for index in range(len(mean))]
    height = np.vectorize(frame.y, otypes=[np.float64])
    if len(mean):
        parts += [
            element(
                "path", {"class_": "band80", "d": band(centres, height(bands[:, 3]), height(bands[:, 0]))}
            ),
            element(
                "path", {"class_": "band50", "d": band(centres, height(bands[:, 2]), height(bands[:, 1]))}
            ),
            element("path", {"class_": "forecast", "d": line(centres, height(mean))}),
        ]
    parts.append(frame.upright(past, words.say("chart.today"), "today"))
    return chart(ident, title, summary, SIZE, parts)


def _bars(frame: TimeFrame, sold: Doubles, demand: Doubles) -> list[Markup]:
    """Sales as solid bars, and on top what more would probably have been sold."""
    width = max(frame.slot * 0.8, 0.6)
    shapes: dict[str, list[str]] = {"sold": [], "missed": []}
    for index, (units, wanted) in enumerate(zip(sold, demand, strict=True)):
        left = frame.start(index) + (frame.slot - width) / 2
        solid = units if math.isfinite(units) and units > 0 else 0.0
        for kind, low, high in (("sold", 0.0, solid), ("missed", solid, wanted)):
            if math.isfinite(high) and high > low:
                top, base = frame.y(high), frame.y(low)
                shapes[kind].append(f"M{left:.1f} {base:.1f}V{top:.1f}h{width:.1f}V{base:.1f}Z")
    return [element("path", {"class_": kind, "d": "".join(path)}) for kind, path in shapes.items() if path]


def _empty_shelf(frame: TimeFrame, on_sale: Doubles) -> list[Markup]:
    """A shaded stretch for every run of buckets without stock."""
    empty = np.nan_to_num(on_sale, nan=1.0) < EMPTY_BELOW
    edges = np.flatnonzero(np.diff(np.concatenate([[False], empty, [False]]).astype(np.int8)))
    return [
        element(
            "rect",
            {
                "class_": "empty",
                "x": frame.start(first),
                "y": TOP,
                "width": frame.slot * (last - first),
                "height": SIZE[1] - BOTTOM - TOP,
            },
        )
        for first, last in edges.reshape(-1, 2)
    ]


def _grouped(values: Doubles, step: int) -> Doubles:
    return thin(values, max(1, math.ceil(len(values) / step))) if len(values) else np.zeros(0)
