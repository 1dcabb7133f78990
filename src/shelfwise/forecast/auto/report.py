"""What `auto` chose, and why: a table for every class and model, and a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.forecast.auto.choice import CLOSE, Choice
from shelfwise.forecast.auto.competition import Evidence, LeftOut
from shelfwise.forecast.auto.demand_classes import CLASS_NAMES
from shelfwise.forecast.auto.judge import ChooseBy
from shelfwise.messages import Said, retold

LITTLE_TRUST = 0.5
SHOWN_SCORES = 3
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
        by: what models were to be ranked by; series: (CLASSES,) series forecast today, by class.
        evidence, choices: of the competition; None and empty where none was held.
        left_out: who did not compete; only: the model used without a competition, and `why` there was none.
        notes: what befell the last fits.
    """

    by: ChooseBy
    series: np.ndarray[tuple[int], np.dtype[np.int64]]
    evidence: Evidence | None
    choices: tuple[Choice, ...]
    left_out: Mapping[str, LeftOut]
    only: str = ""
    why: str = ""
    notes: tuple[str, ...] = ()


Row = tuple[str, int, str, float | None, float, str]
Scores = npt.NDArray[np.float64]


def write_report(contest: Contest, lang: str = "en") -> AutoReport:
    """The report of a contest in a language."""
    rows = _plain_rows(contest) if contest.evidence is None else _rows(contest, contest.evidence)
    total = int(contest.series.sum())
    for label, reason in contest.left_out.items():
        why = Said(f"auto.left_out_why.{reason.code}", **reason.values)
        rows.append((Said("auto.class.all"), total, label, None, 0.0, why))
    told = [(retold(row[0], lang), *row[1:5], retold(row[5], lang)) for row in rows]
    sentence = " ".join(retold(note, lang) for note in sentences(contest))
    return AutoReport(pl.DataFrame(told, schema=SCHEMA, orient="row"), sentence)


def sentences(contest: Contest) -> list[str]:
    """What was chosen and why, a sentence a class, each to be said again in any language."""
    evidence, total = contest.evidence, int(contest.series.sum())
    told: list[str] = []
    if evidence is None:
        why = Said(f"auto.no_contest_why.{contest.why}")
        told.append(Said("auto.no_contest", why=why, series=total, model=contest.only))
    else:
        by = Said(f"auto.by.{evidence.by}")
        rounds, models = len(evidence.rounds), len(evidence.labels)
        told.append(
            Said(
                "auto.sentence",
                origins=rounds,
                horizon=evidence.horizon,
                models=models,
                competing=evidence.competing,
                by=by,
            )
        )
        if evidence.by != contest.by:
            told.append(Said("auto.too_short_for_cost"))
        told += [_choice_told(contest, evidence, c) for c in range(len(contest.choices)) if contest.series[c]]
    alike: dict[str, list[str]] = {}
    for label, reason in contest.left_out.items():
        alike.setdefault(Said(f"auto.left_out_why.{reason.code}", **reason.values), []).append(label)
    told += [Said("auto.left_out", models=", ".join(labels), why=why) for why, labels in alike.items()]
    return told + [Said("auto.failed", note=note) for note in contest.notes]


def _choice_told(contest: Contest, evidence: Evidence, c: int) -> Said:
    choice, scores = contest.choices[c], class_scores(evidence, c)
    values: dict[str, object] = {
        "kind": Said(f"auto.class.{CLASS_NAMES[c]}"),
        "series": int(contest.series[c]),
        "models": _models(evidence, choice),
    }
    if scores is None:
        return Said("auto.choice_unseen", **values)
    best = np.argsort(choice.losses, kind="stable")[:SHOWN_SCORES]
    return Said(
        "auto.choice", scores=", ".join(f"{evidence.labels[m]} {scores[m]:.3g}" for m in best), **values
    )


def _plain_rows(contest: Contest) -> list[Row]:
    every, total = Said("auto.class.all"), int(contest.series.sum())
    return [(every, total, contest.only, None, 1.0, Said("auto.why.unopposed"))]


def _rows(contest: Contest, evidence: Evidence) -> list[Row]:
    rows: list[Row] = []
    for c, choice in enumerate(contest.choices):
        series = int(contest.series[c])
        if not series:
            continue
        kind, scores = Said(f"auto.class.{CLASS_NAMES[c]}"), class_scores(evidence, c)
        for m in np.lexsort((choice.losses, -choice.weights)):
            score = None if scores is None else float(scores[m])
            why = _why(evidence, choice, int(m))
            rows.append((kind, series, evidence.labels[m], score, float(choice.weights[m]), why))
    return rows


def class_scores(evidence: Evidence, c: int) -> Scores | None:
    """(M,) held-out loss of a class over its demand; a bucket's loss where nothing was demanded."""
    if not evidence.cells[c]:
        return None
    demand = float(evidence.demand[c])
    losses = evidence.losses[:, c].sum(axis=0)
    return np.asarray(losses / (demand if demand > 0 else float(evidence.cells[c])))


def _models(evidence: Evidence, choice: Choice) -> str:
    """The models of a class, with their shares if there are several."""
    chosen = np.flatnonzero(choice.weights)
    if len(chosen) == 1:
        return str(evidence.labels[chosen[0]])
    ordered = chosen[np.argsort(-choice.weights[chosen], kind="stable")]
    return " + ".join(f"{choice.weights[m]:.0%} {evidence.labels[m]}" for m in ordered)


def _why(evidence: Evidence, choice: Choice, m: int) -> str:
    text = _plain_why(evidence, choice, m)
    return Said("auto.why.leaning", text=text) if choice.trust < LITTLE_TRUST else text


def _plain_why(evidence: Evidence, choice: Choice, m: int) -> str:
    by = Said(f"auto.by.{evidence.by}")
    best = choice.losses[choice.best]
    behind = choice.losses[m] / best - 1.0 if best > 0 else 0.0
    gain = f"{choice.gain or 0.0:.1%}"
    if (choice.weights > 0).sum() > 1:
        if choice.weights[m] > 0:
            return Said("auto.why.blended", best=evidence.labels[choice.best], gain=gain)
    elif m == choice.best:
        if len(evidence.labels) == 1:
            return Said("auto.why.unopposed")
        if choice.gain is None:
            return Said("auto.why.best", by=by, close=f"{CLOSE:.0%}")
        return Said("auto.why.best_alone", by=by, gain=gain)
    code = "close" if behind <= CLOSE else "behind"
    return Said(f"auto.why.{code}", behind=f"{behind:.1%}")
