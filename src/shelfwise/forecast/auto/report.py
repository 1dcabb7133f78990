"""What `auto` chose, and why: a table for every class and model, and a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from shelfwise.forecast.auto.choice import CLOSE, Choice
from shelfwise.forecast.auto.competition import Evidence, LeftOut
from shelfwise.forecast.auto.demand_classes import CLASS_NAMES
from shelfwise.forecast.auto.held_out import Metric
from shelfwise.messages import say

LITTLE_TRUST = 0.5
SCHEMA = {
    "class": pl.String,
    "series": pl.Int64,
    "model": pl.String,
    "score": pl.Float64,
    "weight": pl.Float64,
    "why": pl.String,
}


@dataclass(frozen=True)
class AutoReport:
    """What was chosen.

    Attributes:
        table: a row a class and model, `class, series, model, score, weight, why`, the best first. The
            score is the held-out loss over held-out demand (the lower, the better; the loss itself where nothing
            was demanded); null for models that did not compete and for classes nothing was held out of.
        sentence: the same in words.
    """

    table: pl.DataFrame
    sentence: str

    def __str__(self) -> str:
        return f"{self.sentence}\n{self.table}"


@dataclass(frozen=True)
class Contest:
    """Everything the report is written from.

    Attributes:
        by: what models were ranked by; series: (CLASSES,) series forecast today, by class.
        evidence, choices: of the competition; None and empty where none was held.
        left_out: who did not compete; only: the model used without a competition, and `why` there was none.
        notes: what befell the last fits.
    """

    by: Metric
    series: np.ndarray[tuple[int], np.dtype[np.int64]]
    evidence: Evidence | None
    choices: tuple[Choice, ...]
    left_out: Mapping[str, LeftOut]
    only: str = ""
    why: str = ""
    notes: tuple[str, ...] = ()


def write_report(contest: Contest, lang: str = "en") -> AutoReport:
    """The report of a contest in a language."""
    if contest.evidence is None:
        rows, text = _without(contest, lang)
    else:
        rows, text = _with(contest, contest.evidence, lang)
    every = say("auto.class.all", lang)
    for label, reason in contest.left_out.items():
        why = say(f"auto.left_out_why.{reason.code}", lang, **reason.values)
        rows.append((every, int(contest.series.sum()), label, None, 0.0, why))
    if contest.left_out:
        text += " " + say("auto.left_out", lang, models=", ".join(contest.left_out))
    for note in contest.notes:
        text += " " + say("auto.failed", lang, note=note)
    return AutoReport(pl.DataFrame(rows, schema=SCHEMA, orient="row"), text)


Row = tuple[str, int, str, float | None, float, str]


def _without(contest: Contest, lang: str) -> tuple[list[Row], str]:
    every, total = say("auto.class.all", lang), int(contest.series.sum())
    why = say(f"auto.no_contest_why.{contest.why}", lang)
    text = say("auto.no_contest", lang, why=why, series=total, model=contest.only)
    return [(every, total, contest.only, None, 1.0, say("auto.why.unopposed", lang))], text


def _with(contest: Contest, evidence: Evidence, lang: str) -> tuple[list[Row], str]:
    rows: list[Row] = []
    told = []
    for c, choice in enumerate(contest.choices):
        series = int(contest.series[c])
        if not series:
            continue
        kind = say(f"auto.class.{CLASS_NAMES[c]}", lang)
        scores = class_scores(evidence, contest.by, c)
        for m in np.lexsort((choice.losses, -choice.weights)):
            score = None if scores is None else float(scores[m])
            why = _why(contest.by, evidence, choice, int(m), lang)
            rows.append((kind, series, evidence.labels[m], score, float(choice.weights[m]), why))
        told.append(
            say("auto.choice", lang, kind=kind, series=series, models=_models(evidence, choice, lang))
        )
    text = say(
        "auto.sentence",
        lang,
        origins=len(evidence.rounds),
        horizon=evidence.horizon,
        models=len(evidence.labels),
    )
    return rows, " ".join([text, *told])


def class_scores(
    evidence: Evidence, by: Metric, c: int
) -> np.ndarray[tuple[int], np.dtype[np.float64]] | None:
    """(M,) held-out loss of a class over its demand; a bucket's loss where nothing was demanded."""
    if not evidence.cells[c]:
        return None
    losses = (
        np.diagonal(evidence.grams[:, c].sum(axis=0))
        if by == "pinball"
        else evidence.absolute[:, c].sum(axis=0)
    )
    demand = float(evidence.demand[c])
    return np.asarray(losses / (demand if demand > 0 else float(evidence.cells[c])))


def _models(evidence: Evidence, choice: Choice, lang: str) -> str:
    chosen = np.flatnonzero(choice.weights)
    if len(chosen) == 1:
        return say("auto.sole", lang, model=evidence.labels[chosen[0]])
    ordered = chosen[np.argsort(-choice.weights[chosen], kind="stable")]
    parts = (
        say("auto.part", lang, model=evidence.labels[m], share=f"{choice.weights[m]:.0%}") for m in ordered
    )
    return " + ".join(parts)


def _why(by: Metric, evidence: Evidence, choice: Choice, m: int, lang: str) -> str:
    text = _plain_why(by, evidence, choice, m, lang)
    return say("auto.why.leaning", lang, text=text) if choice.trust < LITTLE_TRUST else text


def _plain_why(by: Metric, evidence: Evidence, choice: Choice, m: int, lang: str) -> str:
    best = choice.losses[choice.best]
    behind = choice.losses[m] / best - 1.0 if best > 0 else 0.0
    gain = f"{choice.gain or 0.0:.1%}"
    if (choice.weights > 0).sum() > 1:
        if choice.weights[m] > 0:
            return say("auto.why.blended", lang, best=evidence.labels[choice.best], gain=gain)
    elif m == choice.best:
        if len(evidence.labels) == 1:
            return say("auto.why.unopposed", lang)
        if choice.gain is None:
            return say("auto.why.best", lang, by=by, close=f"{CLOSE:.0%}")
        return say("auto.why.best_alone", lang, by=by, gain=gain)
    code = "close" if behind <= CLOSE else "behind"
    return say(f"auto.why.{code}", lang, behind=f"{behind:.1%}")
