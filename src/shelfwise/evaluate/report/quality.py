"""Section 4, how good the forecast is: against the simple rules, and whether its range is honest."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from markupsafe import Markup

from shelfwise.evaluate.report.charts.coverage import Coverage, coverage_chart
from shelfwise.evaluate.report.data import ReportData
from shelfwise.evaluate.report.wording import Wording, shorten

# A bias below one in a hundred is nothing a merchant would notice.
NO_BIAS = 0.01


@dataclass(frozen=True)
class ModelRow:
    """A model's line: its errors and what its bias means in words."""

    label: str
    wape: float | None
    bias: float | None
    pinball: float | None
    leaning: str


@dataclass(frozen=True)
class QualityView:
    """The rows and the sentence about them, the coverage chart and the sentence about it."""

    rows: tuple[ModelRow, ...]
    sentence: str
    coverage: Markup | None
    coverage_sentence: str
    choice: tuple[ChoiceRow, ...]


@dataclass(frozen=True)
class ChoiceRow:
    """A model of a class of demand: its held-out loss, its share in the forecast, and why."""

    kind: str
    series: int
    model: str
    score: float | None
    weight: float
    why: str


def quality_view(data: ReportData, words: Wording) -> QualityView | None:
    """The section's contents; None without scores, coverage and choice of models."""
    rows = _rows(data, words)
    points = _points(data)
    choice = () if data.choice is None else tuple(ChoiceRow(*row) for row in data.choice.table.iter_rows())
    if not rows and not points and not choice:
        return None
    met = sum(point.met for point in points)
    verdict = words.say("quality.coverage_verdict", met=met, count=len(points)) if points else ""
    return QualityView(
        rows=rows,
        sentence=_sentence(rows, words),
        coverage=coverage_chart(points, words, "coverage", words.say("quality.coverage_title"), verdict)
        if points
        else None,
        coverage_sentence=verdict,
        choice=tuple(replace(row, model=model_name(row.model, words)) for row in choice),
    )


def model_name(model: str, words: Wording) -> str:
    """The words a model goes by, or its own name."""
    return words.say_or(f"model.{model}", shorten(model))


def _rows(data: ReportData, words: Wording) -> tuple[ModelRow, ...]:
    scores = data.forecast_scores
    if scores is None and data.scoreboard is not None:
        scores = data.scoreboard.forecasts
    if scores is None or scores.is_empty():
        return ()
    return tuple(
        ModelRow(model_name(str(model), words), wape, bias, pinball, _leaning(bias, words))
        for model, wape, bias, pinball in scores.select("model", "wape", "bias", "pinball").iter_rows()
    )


def _leaning(bias: float | None, words: Wording) -> str:
    if bias is None or not math.isfinite(bias):
        return words.say("quality.bias_unknown")
    if abs(bias) < NO_BIAS:
        return words.say("quality.bias_none")
    return words.say("quality.bias_high" if bias > 0 else "quality.bias_low", share=words.percent(abs(bias)))


def _sentence(rows: tuple[ModelRow, ...], words: Wording) -> str:
    """How far off the model in use is, for 100 units sold, beside the best of the simple rules."""
    known = [row for row in rows if row.wape is not None and math.isfinite(row.wape)]
    if not known or known[0] is not rows[0]:
        return ""
    ours = words.count(100 * (known[0].wape or 0.0), 0)
    if len(known) == 1:
        return words.say("quality.alone", ours=ours)
    rival = min(known[1:], key=lambda row: row.wape or 0.0)
    better = (known[0].wape or 0.0) < (rival.wape or 0.0)
    return words.say(
        "quality.better" if better else "quality.worse",
        ours=ours,
        rival=rival.label,
        theirs=words.count(100 * (rival.wape or 0.0), 0),
    )


def _points(data: ReportData) -> tuple[Coverage, ...]:
    coverage = data.coverage
    if coverage is None and data.scoreboard is not None:
        coverage = data.scoreboard.coverage
    if coverage is None or coverage.is_empty():
        return ()
    shares = coverage.select("level", "below", "at_or_below").drop_nulls().drop_nans().sort("level")
    return tuple(Coverage(*(float(share) for share in row)) for row in shares.iter_rows())
