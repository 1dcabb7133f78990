"""Stock to come: what is expected to be left at the end of each bucket, without and with the order."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

import numpy as np
from markupsafe import Markup

from shelfwise.evaluate.report.charts.svg import MOST_POINTS, Doubles, band, chart, element, line, thin
from shelfwise.evaluate.report.charts.time_axis import TimeFrame
from shelfwise.evaluate.report.wording import Wording

SIZE = (440.0, 280.0)


@dataclass(frozen=True)
class StockAhead:
    """Expected stock of one series at the end of H buckets, until the next order could arrive; units.

    Attributes:
        dates: H bucket dates.
        without: (H,) if nothing is ordered; `with_order`: (H,), None where nothing is ordered.
        low, high: (H,) quantiles 0.1 and 0.9 of the line that is the plan's.
        arrival: bucket in which the order arrives.
        due: buckets in which something already on order arrives.
    """

    dates: list[date]
    without: Doubles
    with_order: Doubles | None
    low: Doubles
    high: Doubles
    arrival: int | None
    due: tuple[int, ...] = ()


def stock_chart(ahead: StockAhead, words: Wording, ident: str, title: str, summary: str) -> Markup:
    """The chart; long horizons are averaged in groups, at most 400 points."""
    step = math.ceil(len(ahead.dates) / MOST_POINTS)
    dates = ahead.dates[::step]
    lines = {"without": ahead.without}
    if ahead.with_order is not None:
        lines["with"] = ahead.with_order
    top = max(float(part.max(initial=0.0)) for part in (*lines.values(), ahead.high))
    frame = TimeFrame(dates, top, *SIZE, n_ticks=4)
    centres = [frame.middle(index) for index in range(len(dates))]
    height = np.vectorize(frame.y, otypes=[np.float64])
    parts = frame.axes(words)
    parts.append(
        element(
            "path",
            {"class_": "band80", "d": band(centres, height(thin(ahead.high)), height(thin(ahead.low)))},
        )
    )
    parts += [
        element("path", {"class_": f"stock-{kind}", "d": line(centres, height(thin(values)))})
        for kind, values in lines.items()
    ]
    for bucket in ahead.due:
        x = frame.middle(bucket // step)
        base = frame.y(0.0)
        parts.append(element("path", {"class_": "due", "d": f"M{x:.1f} {base:.1f}l-5 9h10Z"}))
    if ahead.arrival is not None:
        parts.append(frame.upright(ahead.arrival / step, words.say("chart.arrives"), "arrival"))
    return chart(ident, title, summary, SIZE, parts)
