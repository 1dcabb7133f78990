"""`run_demo`: the whole loop on the built-in shop, check → forecast → plan → backtest → report."""

from __future__ import annotations

import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from shelfwise import __version__, planner
from shelfwise.demo.dirty import write_dirty_folder
from shelfwise.demo.shop import make_shop
from shelfwise.demo.writing import write_shop
from shelfwise.errors import DataRejected, OutputNotWritable, Problem, UsageError
from shelfwise.evaluate.report import ReportData, ReportMeta, render_report
from shelfwise.messages import say
from shelfwise.preparation import PLAN_SAMPLES, Prepared, prepare
from shelfwise.progress import Progress, silent
from shelfwise.replenish.register import DEFAULT_POLICY, make_policy
from shelfwise.replenish.settings import policy_options
from shelfwise.replenish.situation import Situation
from shelfwise.replenish.situation_build import build_situation
from shelfwise.tables import read_folder
from shelfwise.tables.output import write_frame

REPLAY_DAYS = 28
QUANTILES = (0.1, 0.5, 0.9)
CURRENCY = "CNY"


def run_demo(
    folder: Path,
    *,
    seed: int = 7,
    lang: str = "en",
    n_skus: int = 200,
    days: int = 730,
    progress: Progress = silent,
) -> list[str]:
    """Write shop, results and report into `folder`; returns what to tell the user, line by line.

    Raises:
        OutputNotWritable: the folder cannot be made or written.
    """
    started = time.perf_counter()
    shop_folder, dirty_folder = folder / "shop", folder / "dirty"
    try:
        shop_folder.mkdir(parents=True, exist_ok=True)
        shop = make_shop(seed=seed, n_skus=n_skus, days=days)
        write_shop(shop, shop_folder)
        write_dirty_folder(dirty_folder)
    except OSError as error:
        raise OutputNotWritable(f"cannot write the demo to {folder}: {error.strerror or error}.") from error
    as_of = shop.truth.end

    dataset = read_folder(shop_folder)
    summary = planner.check(dataset)
    refused = _refused(dirty_folder)
    rule = make_policy(DEFAULT_POLICY, **policy_options(DEFAULT_POLICY, dataset.settings, seed))
    progress("fit", 0, 1)
    ready = prepare(dataset, as_of, seed=seed)
    # Tuning fits the model once more; a first look should not wait for it.
    plan = planner.plan_prepared(ready, rule, lang=lang, tuned=False, progress=progress)
    forecast = _forecast(ready)
    begin = as_of - timedelta(days=REPLAY_DAYS)
    # The plan shows the tuning; a second one, on what came before the replay, would cost the demo too much time.
    board = planner.backtest(dataset, start=begin, end=as_of, tuned=False, seed=seed, progress=progress)

    write_frame(plan.to_frame(lang), str(folder / "orders.csv"))
    write_frame(forecast, str(folder / "forecast.csv"))
    write_frame(board.table, str(folder / "policies.csv"))
    items = dataset.table("items")
    seconds = time.perf_counter() - started
    html = render_report(
        ReportData(
            meta=_meta(as_of, ready, seed, seconds),
            names=dict(items.select("sku", "name").drop_nulls().iter_rows()),
            prices=dict(items.select("sku", "price").drop_nulls().iter_rows()),
            plan=plan,
            situation=_situation(ready),
            scoreboard=board,
            replay_start=begin,
            replay_end=as_of,
            forecast_scores=board.forecasts,
            coverage=board.coverage,
            choice=ready.fitted.choice(lang) if ready.fitted else None,
            summary=summary,
            rejected=refused,
            rejected_source="dirty",
        ),
        lang,
    )
    report = folder / "report.html"
    report.write_text(html, encoding="utf-8")
    return [
        say("demo.done", lang, seconds=f"{seconds:.0f}"),
        say(
            "demo.orders",
            lang,
            lines=plan.orders.height,
            value=f"{plan.value:,.0f} {CURRENCY}",
            path=folder / "orders.csv",
        ),
        say("demo.report", lang, path=report.resolve()),
        say("demo.next", lang),
        f"  shelfwise check {shop_folder}",
        f"  shelfwise explain {shop_folder} {_first_order(plan.orders)} --as-of {as_of}",
        f"  shelfwise check {dirty_folder}",
    ]


def _refused(folder: Path) -> tuple[Problem, ...]:
    """What the check says about the dirty folder."""
    try:
        planner.check(folder)
    except DataRejected as error:
        return error.problems
    raise UsageError(f"the dirty folder {folder} was expected to be refused, and was not")


def _forecast(ready: Prepared) -> pl.DataFrame:
    every = np.arange(ready.panel.n_series)
    return ready.sample(every).to_frame(QUANTILES)


def _situation(ready: Prepared) -> Situation:
    scenarios = ready.sample(np.arange(ready.panel.n_series))
    return build_situation(ready.dataset, ready.panel, scenarios, ready.terms, ready.costs)[0]


def _first_order(orders: pl.DataFrame) -> str:
    first = orders.sort("value", descending=True).row(0, named=True)
    return f"{first['sku']}@{first['location']}"


def _meta(as_of: date, ready: Prepared, seed: int, seconds: float) -> ReportMeta:
    settings = ready.dataset.settings
    return ReportMeta(
        as_of=as_of,
        bucket=settings.series.bucket,
        source="shelfwise demo",
        currency=CURRENCY,
        policy=DEFAULT_POLICY,
        model=ready.fitted.model.name if ready.fitted else "",
        seed=seed,
        n_samples=PLAN_SAMPLES,
        version=__version__,
        run_seconds=seconds,
        settings={
            f"{name}.{key}": value
            for name, section in settings
            for key, value in section
            if value is not None
        },
    )
