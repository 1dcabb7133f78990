"""Section 5, the data: what the check found, and how a folder that could not be used was refused."""

from __future__ import annotations

from dataclasses import dataclass

from shelfwise.evaluate.report.data import ReportData
from shelfwise.evaluate.report.wording import Wording, shorten
from shelfwise.messages import problem_text, say
from shelfwise.tables.summary import CheckSummary

MOST_WARNINGS, MOST_PROBLEMS, MOST_TEXT = 20, 10, 500


@dataclass(frozen=True)
class FoundView:
    """What the section shows.

    Attributes:
        facts: sentences about the sales.
        tables: (file, rows, columns, encoding) of each table that was given.
        defaults: (table, what holds instead) of each that was not.
        warnings: the first ones in words, of `n_warnings`.
        problems: of a refused folder, the first ten kinds of `n_problems`, found in `n_places`; None =
            none was refused.
    """

    facts: tuple[str, ...]
    tables: tuple[tuple[str, int, int, str], ...]
    defaults: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    n_warnings: int
    problems: tuple[str, ...] | None
    n_problems: int
    n_places: int


def found_view(data: ReportData, words: Wording) -> FoundView | None:
    """The section's contents; None where neither a check nor a refusal is given."""
    if data.summary is None and data.rejected is None:
        return None
    summary, rejected = data.summary, data.rejected
    return FoundView(
        facts=() if summary is None else _facts(summary, words),
        tables=()
        if summary is None
        else tuple((shorten(t.file), t.rows, len(t.columns), t.encoding or "") for t in summary.tables),
        defaults=()
        if summary is None
        else tuple((name, say(f"check.default.{name}", words.lang)) for name in summary.absent),
        warnings=()
        if summary is None
        else tuple(shorten(problem_text(p, words.lang), MOST_TEXT) for p in summary.warnings[:MOST_WARNINGS]),
        n_warnings=0 if summary is None else len(summary.warnings),
        problems=None
        if rejected is None
        else tuple(shorten(problem_text(p, words.lang), MOST_TEXT) for p in rejected[:MOST_PROBLEMS]),
        n_problems=0 if rejected is None else len(rejected),
        n_places=0 if rejected is None else sum(problem.count for problem in rejected),
    )


def _facts(summary: CheckSummary, words: Wording) -> tuple[str, ...]:
    facts = [
        words.say(
            "found.span",
            series=words.count(summary.series),
            skus=words.count(summary.skus),
            locations=words.count(summary.locations),
            first=words.day(summary.first_sale),
            last=words.day(summary.last_sale),
        ),
        words.say(
            "found.zeros",
            share=words.percent(summary.zero_share, 0),
            bucket=words.say(f"bucket.{summary.bucket}"),
        ),
    ]
    if summary.out_of_stock_share is not None:
        facts.append(words.say("found.out_of_stock", share=words.percent(summary.out_of_stock_share)))
    if summary.return_lines:
        facts.append(
            words.say(
                "found.returns",
                lines=words.count(summary.return_lines),
                units=words.count(summary.returned_units),
            )
        )
    if summary.closures:
        facts.append(words.say("found.closures", count=words.count(summary.closures)))
    return tuple(facts)
