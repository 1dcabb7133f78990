"""`run_backtest`: the shop's own history, replayed with several policies, scored in money."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demand.build import build_panel, build_panel_with_report
from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.evaluate.contest import ForecastContest
from shelfwise.evaluate.foresight import perfect_foresight
from shelfwise.evaluate.policy_tuning import Tuned, tune_policy
from shelfwise.evaluate.replay import Shop, replay
from shelfwise.evaluate.rolling import aligned
from shelfwise.evaluate.scoreboard import Scoreboard, score
from shelfwise.evaluate.service_front import service_front
from shelfwise.evaluate.starting_stock import warmed_up_stock
from shelfwise.evaluate.truth import replay_demand
from shelfwise.evaluate.window import Window
from shelfwise.forecast.base import Forecaster
from shelfwise.messages import Said
from shelfwise.progress import Progress, silent
from shelfwise.replenish.base import Policy
from shelfwise.replenish.limits import SharedLimits
from shelfwise.replenish.ordering import planning_horizon
from shelfwise.replenish.shelf_life import shelf_lives
from shelfwise.replenish.situation_build import build_situation
from shelfwise.simulate.lead_times import draw_lead_times
from shelfwise.simulate.state import StockState
from shelfwise.tables import resolve_costs, resolve_terms
from shelfwise.tables.dataset import Dataset

STAGE = "replay"
REFERENCE = "days_of_cover"
WINDOW = {"day": 28, "week": 13, "month": 6}
REFIT = {"day": 56, "week": 13, "month": 6}


def run_backtest(
    dataset: Dataset,
    start: date,
    end: date,
    policies: Mapping[str, Policy],
    forecaster: Callable[[], Forecaster],
    *,
    seed: int = 0,
    n_samples: int = 200,
    starting_stock: StockState | None = None,
    tuned: bool = False,
    progress: Progress = silent,
) -> Scoreboard:
    """Replay the buckets from `start` to before `end` with every policy on identical demand.

    At each review a policy sees a panel built from rows before that bucket alone, and scenarios made
    from that panel. Terms are today's; costs are as they were known at `start`. Series without a
    sale before `start` are left out, and so is a last bucket that was recorded in part (`Window`).

    Args:
        policies: by name; the first rule of thumb among them (`days_of_cover`), else the first, is what the
            others are compared with.
        forecaster: makes a new forecaster.
        tuned: first tune the default policy's factors on what came before the window; see `tune_policy`.
        starting_stock: (N,) stock of `series_replayed(dataset, start)`; None = see `warmed_up_stock`.

    Raises:
        UsageError: the window is empty, or ends after the last bucket with data; no policy.
        DataRejected: nothing is dated before the window.
    """
    if not policies:
        raise UsageError("a backtest needs at least one policy")
    window = Window.of(dataset, start, end)
    bucket, first_day, last_day, n_buckets = window.bucket, window.first, window.last, window.n_buckets
    keys = series_replayed(dataset, first_day)
    later = len(series_replayed(dataset, last_day)) - len(keys)
    whole = aligned(build_panel(dataset.until(last_day), last_day), keys)
    begin = bucket.count(whole.start, first_day)
    frame = pl.DataFrame(keys, schema={"sku": pl.String, "location": pl.String}, orient="row")
    terms = resolve_terms(dataset, frame)
    # What customers paid within the window is not known at its start, where the policies begin.
    costs = resolve_costs(dataset.until(first_day), frame, terms)
    horizon = planning_horizon(terms)
    situation, notes = build_situation(dataset, whole, None, terms, costs)
    usable = np.flatnonzero(notes.blocked == "")
    shop = Shop(
        situation.terms,
        situation.costs,
        situation.lead_time_sd,
        situation.margin,
        SharedLimits.of(dataset, frame),
    ).take(usable)
    margin = costs["margin"].cast(pl.Float64).fill_null(np.nan).to_numpy()[usable]
    kept = [keys[row] for row in usable]
    whole = whole.take(usable)

    demand, guessed = replay_demand(whole, begin, begin + n_buckets)
    # Returns and closures of the window reach back in `whole`; a shop at `start` could not know them.
    known, told = build_panel_with_report(dataset.until(first_day), first_day, horizon)
    before = aligned(known, kept)
    if starting_stock is None:
        stock = warmed_up_stock(before, before.n_buckets, shop.terms, WINDOW[bucket.name])
    else:
        stock = starting_stock.take(usable)
    lead_times = _true_lead_times(shop, whole, n_buckets, seed)
    learnt: dict[str, Tuned] = {}
    if tuned:
        learnt = {
            name: tune_policy(policy, before, shop, forecaster, horizon=horizon, seed=seed)
            for name, policy in policies.items()
        }
        policies = {name: one.policy for name, one in learnt.items()}

    def panel_at(t: int) -> Panel:
        day = bucket.shift(first_day, t)
        progress(STAGE, t + 1, n_buckets)
        return before if t == 0 else aligned(build_panel(dataset.until(day), day, horizon), kept)

    forecasting = any(policy.needs_scenarios for policy in policies.values())
    contest = ForecastContest(
        panel_at,
        forecaster if forecasting else None,
        horizon=horizon,
        n_samples=n_samples,
        refit_every=REFIT[bucket.name],
        seed=seed,
    )
    ledger = replay(demand, contest, policies, shop, stock, lead_times)
    progress(STAGE, n_buckets, n_buckets)
    truth = np.where(guessed, np.nan, demand)
    errors = contest.in_use.errors(truth)
    names = list(policies)
    reference = REFERENCE if REFERENCE in names else names[0]
    board = score(
        names,
        ledger,
        perfect_foresight(demand, shop.terms, shop.operating_costs, stock, lead_times),
        {name: errors for name, policy in policies.items() if policy.needs_scenarios},
        whole.keys,
        contest.scores(truth),
        contest.in_use.coverage(truth),
        unit_cost=shop.costs.unit,
        margin=margin,
        margin_is_shortage=dataset.settings.costs.shortage == "margin",
        reference=reference,
        buckets_per_year=bucket.per_year,
        seed=seed,
        notes=(
            *_notes(window, len(kept), later, guessed, starting_stock is None),
            *_too_late_note(shop, n_buckets),
            *_shelf_life_note(dataset, whole.keys),
            *_profit_note(margin),
            *told.notes(),
            *(one.note for one in learnt.values() if one.note is not None),
            *contest.notes,
        ),
        failures=(
            *_blocked(keys, notes.blocked),
            *((*kept[row], reason) for row, reason in sorted(contest.failures.items())),
        ),
    )
    return replace(board, front=service_front(demand, before, shop, stock, lead_times))


def series_replayed(dataset: Dataset, first_day: date) -> list[tuple[str, str]]:
    """The series that had a row before the window, in the panel's order."""
    sales = dataset.until(first_day).table("sales")
    return sales.select("sku", "location").unique().sort("sku", "location").rows()


def _true_lead_times(shop: Shop, panel: Panel, n_buckets: int, seed: int) -> npt.NDArray[np.int32] | None:
    """(N, T) what the supplier really takes, drawn where the terms give a spread."""
    if not (shop.lead_time_sd > 0).any():
        return None
    mean = shop.terms.lead_time_buckets.astype(np.float64)
    drawn = draw_lead_times(mean, shop.lead_time_sd, 1, n_buckets, seed=seed, series=panel.series_ids)
    return np.asarray(drawn[:, 0, :])


def _notes(
    window: Window, n_series: int, later: int, guessed: npt.NDArray[Any], warmed_up: bool
) -> tuple[str, ...]:
    notes: list[str] = [
        Said(
            "backtest.window",
            series=n_series,
            buckets=window.n_buckets,
            bucket=Said(f"report.bucket.{window.bucket.name}"),
            first=window.first,
            last=window.last,
        )
    ]
    if window.note:
        notes.append(window.note)
    if later:
        notes.append(Said("backtest.later", count=later))
    if warmed_up:
        notes.append(Said("backtest.starting_stock"))
    if guessed.any():
        notes.append(Said("backtest.guessed", count=int(guessed.sum()), all=guessed.size))
    return tuple(notes)


def _too_late_note(shop: Shop, n_buckets: int) -> tuple[str, ...]:
    late = np.asarray(shop.terms.lead_time_buckets) >= n_buckets
    if not late.any():
        return ()
    return (Said("backtest.too_late", count=int(late.sum()), all=len(late)),)


def _shelf_life_note(dataset: Dataset, keys: pl.DataFrame) -> tuple[str, ...]:
    lives = shelf_lives(dataset, keys)
    count = 0 if lives is None else int((lives > 0).sum())
    return (Said("backtest.shelf_life", count=count),) if count else ()


def _profit_note(margin: npt.NDArray[np.float64]) -> tuple[str, ...]:
    known = int(np.isfinite(margin).sum())
    if known in (0, len(margin)):
        return ()
    return (Said("backtest.profit", count=known, all=len(margin)),)


def _blocked(
    keys: Sequence[tuple[str, str]], blocked: npt.NDArray[np.str_]
) -> tuple[tuple[str, str, str], ...]:
    return tuple((*keys[int(row)], Said(str(blocked[row]))) for row in np.flatnonzero(blocked != ""))
