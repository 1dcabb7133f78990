"""`ReportData`: all the report shows, as the program's own nouns; what is None is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from shelfwise.errors import Problem
from shelfwise.evaluate.scoreboard import Scoreboard
from shelfwise.forecast.auto.report import AutoReport
from shelfwise.replenish.plan import Plan
from shelfwise.replenish.situation import Situation
from shelfwise.tables.summary import CheckSummary


@dataclass(frozen=True)
class ReportMeta:
    """How the numbers were made.

    Attributes:
        as_of: the first day that was not known yet.
        bucket: ``day``, ``week`` or ``month``.
        source: the shop or folder, for people.
        currency: code that money is labelled with, such as ``CNY``; empty where nobody said.
        policy: name of the policy the plan was made with; it is compared with the scoreboard's reference.
        model: name of the forecasting model.
        seed: of all draws; `n_samples`: futures drawn a series.
        version: of this program.
        run_seconds: how long everything took; None = not told.
        settings: further settings by name, shown as they are.
    """

    as_of: date
    bucket: str = "day"
    source: str = ""
    currency: str = ""
    policy: str = "order_up_to"
    model: str = ""
    seed: int = 0
    n_samples: int | None = None
    version: str = ""
    run_seconds: float | None = None
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class ReportData:
    """The contents of one report.

    Attributes:
        meta: how the numbers were made.
        names: item name by sku; a sku without one is shown by itself.
        prices: selling price by sku, money a unit; where missing, lost sales count at purchase cost.
        plan: the plan, for section 1 and the steps of section 2.
        situation: panel, scenarios, stock, receipts and terms of N series: of all, or just of those that
            `telling_series` chose; for the charts of section 2.
        scoreboard: a backtest, for section 3; `replay_start` and `replay_end` are its window
            (the end is the first day that was not replayed).
        forecast_scores: a row a model: `model, wape, bias, pinball`, the model in use first, for section 4;
            None = the scoreboard's own.
        coverage: a row a quantile: `level`, and the shares of actuals `below` and `at_or_below` it; None =
            the scoreboard's own.
        choice: which models `auto` chose and why, in the report's language, for section 4.
        summary: what `check` found.
        rejected: problems of a folder that was refused; `rejected_source` names it.

    Example:
        >>> from datetime import date
        >>> from shelfwise.evaluate.report import render_report
        >>> html = render_report(ReportData(ReportMeta(date(2026, 6, 1), source="My <shop>")))
        >>> "My &lt;shop&gt;" in html, "http://" in html
        (True, False)
    """

    meta: ReportMeta
    names: Mapping[str, str] = field(default_factory=dict)
    prices: Mapping[str, float] = field(default_factory=dict)
    plan: Plan | None = None
    situation: Situation | None = None
    scoreboard: Scoreboard | None = None
    replay_start: date | None = None
    replay_end: date | None = None
    forecast_scores: pl.DataFrame | None = None
    coverage: pl.DataFrame | None = None
    choice: AutoReport | None = None
    summary: CheckSummary | None = None
    rejected: tuple[Problem, ...] | None = None
    rejected_source: str = ""
