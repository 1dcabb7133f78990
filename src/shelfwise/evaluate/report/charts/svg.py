"""The few parts every chart is made of: escaped elements, scales, round axis steps, paths, thinning."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup, escape

from shelfwise.evaluate.report.wording import clean

MOST_POINTS = 400
Doubles = npt.NDArray[np.float64]


def element(tag: str, attributes: Mapping[str, object] | None = None, *children: object) -> Markup:
    """An SVG element; attribute values and text children are escaped, markup children kept.

    Example:
        >>> str(element("text", {"x": 1.25, "text_anchor": "end"}, "a<b"))
        '<text x="1.2" text-anchor="end">a&lt;b</text>'
    """
    parts = [
        f' {name.rstrip("_").replace("_", "-")}="{escape(_plain(value))}"'
        for name, value in (attributes or {}).items()
    ]
    inside = "".join(str(escape(clean(child))) for child in children)
    return Markup(f"<{tag}{''.join(parts)}>{inside}</{tag}>")


def chart(ident: str, title: str, summary: str, size: tuple[float, float], parts: Iterable[Markup]) -> Markup:
    """The root element; a screen reader hears the title and the summary."""
    width, height = size
    return element(
        "svg",
        {
            "class_": "chart",
            "viewBox": f"0 0 {width:g} {height:g}",
            "role": "img",
            "aria_labelledby": f"{ident}-t {ident}-d",
            "preserveAspectRatio": "xMidYMid meet",
        },
        element("title", {"id": f"{ident}-t"}, title),
        element("desc", {"id": f"{ident}-d"}, summary),
        *parts,
    )


@dataclass(frozen=True)
class Scale:
    """Straight from values to pixels.

    Example:
        >>> Scale(0, 10, 100, 0)(2.5)
        75.0
    """

    low: float
    high: float
    first: float
    last: float

    def __call__(self, value: float) -> float:
        span = self.high - self.low
        return self.first if span == 0 else self.first + (value - self.low) / span * (self.last - self.first)


def round_steps(high: float, about: int = 4) -> list[float]:
    """From 0 in steps of 1, 2 or 5 times a power of ten, the last one at or above `high`.

    Example:
        >>> round_steps(37.0), round_steps(0.0)
        ([0.0, 10.0, 20.0, 30.0, 40.0], [0.0, 1.0])
    """
    if not high > 0 or not math.isfinite(high):
        return [0.0, 1.0]
    rough = high / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= rough * 0.999999)
    return [float(f"{step * count:.12g}") for count in range(math.ceil(high / step - 1e-9) + 1)]


def line(xs: Sequence[float] | Doubles, ys: Sequence[float] | Doubles) -> str:
    """Path data through the points; a gap (NaN) lifts the pen."""
    out, pen = [], "M"
    for x, y in zip(xs, ys, strict=True):
        if not math.isfinite(y):
            pen = "M"
            continue
        out.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L"
    return "".join(out)


def band(xs: Sequence[float] | Doubles, upper: Doubles, lower: Doubles) -> str:
    """Path data of the closed area between two lines."""
    return line([*xs, *reversed(list(xs))], [*upper, *reversed(list(lower))]) + "Z"


def thin(values: npt.NDArray[Any], most: int = MOST_POINTS) -> Doubles:
    """At most `most` values, each the mean of as many neighbours; NaN does not count.

    Example:
        >>> thin(np.arange(6.0), most=3).tolist()
        [0.5, 2.5, 4.5]
    """
    values = np.asarray(values, dtype=np.float64)
    step = math.ceil(len(values) / most) if len(values) else 1
    if step == 1:
        return values
    padded = np.full(math.ceil(len(values) / step) * step, np.nan)
    padded[: len(values)] = values
    groups = padded.reshape(-1, step)
    known = np.isfinite(groups)
    total = np.where(known, groups, 0.0).sum(axis=1)
    return np.where(known.any(axis=1), total / np.maximum(known.sum(axis=1), 1), np.nan)


def grid(
    steps: Sequence[float], y: Scale, x: tuple[float, float], label: Callable[[float], str]
) -> list[Markup]:
    """Horizontal lines with their values on the left."""
    parts = []
    for step in steps:
        height = y(step)
        parts.append(element("line", {"class_": "grid", "x1": x[0], "x2": x[1], "y1": height, "y2": height}))
        parts.append(
            element(
                "text", {"class_": "tick", "x": x[0] - 6, "y": height + 4, "text_anchor": "end"}, label(step)
            )
        )
    return parts


def _plain(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(clean(value))
