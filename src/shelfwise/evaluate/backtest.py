"""`run_backtest`: the shop's own history, replayed with several policies, scored in money."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.buckets import Bucket
from shelfwise.demand.build import build_panel
from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.evaluate.contest import ForecastContest
from shelfwise.evaluate.foresight import perfect_foresight
from shelfwise.evaluate.replay import Shop, replay
from shelfwise.evaluate.rolling import aligned
from shelfwise.evaluate.scoreboard import Scoreboard, score
from shelfwise.evaluate.starting_stock import warmed_up_stock
from shelfwise.evaluate.truth import replay_demand
from shelfwise.forecast.base import Forecaster
from shelfwise.messages import say
from shelfwise.progress import Progress, silent
from shelfwise.replenish.base import Policy
from shelfwise.replenish.limits import SharedLimits
from shelfwise.replenish.ordering import planning_horizon
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
    progress: Progress = silent,
) -> Scoreboard:
    """Replay the buckets from `start` to before `end` with every policy on identical demand.

    At each review a policy sees a panel built from rows before that bucket alone, and scenarios made
    from that panel. Terms are today's; costs are as they were known at `start`. Series without a
    sale before `start` are left out.

    Args:
        policies: by name; the first rule of thumb among them (`days_of_cover`), else the first, is what the
            others are compared with.
        forecaster: makes a new forecaster.
        starting_stock: (N,) stock of `series_replayed(dataset, start)`; None = see `warmed_up_stock`.

    Raises:
        UsageError: the window is empty, or ends after the last bucket with data.
        DataRejected: nothing is dated before the window.
    """
    bucket = dataset.bucket
    first_day, last_day = bucket.floor(start), bucket.floor(end)
    n_buckets = bucket.count(first_day, last_day)
    if n_buckets < 1:
        raise UsageError(f"--from must lie at least one {bucket.name} before --to; got {start} and {end}")
    if not policies:
        raise UsageError("a backtest needs at least one policy")
    _refuse_unsold_end(dataset, last_day)
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
    kept = [keys[row] for row in usable]
    whole = whole.take(usable)

    demand, guessed = replay_demand(whole, begin, begin + n_buckets)
    if starting_stock is None:
        # Returns and closures of the window reach back in `whole`; a shop at `start` could not know them.
        before = aligned(build_panel(dataset.until(first_day), first_day), kept)
        stock = warmed_up_stock(before, before.n_buckets, shop.terms, WINDOW[bucket.name])
    else:
        stock = starting_stock.take(usable)
    lead_times = _true_lead_times(shop, whole, n_buckets, seed)

    def panel_at(t: int) -> Panel:
        day = bucket.shift(first_day, t)
        progress(STAGE, t + 1, n_buckets)
        return aligned(build_panel(dataset.until(day), day, horizon), kept)

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
    return score(
        names,
        ledger,
        perfect_foresight(demand, shop.terms, shop.operating_costs, stock, lead_times),
        {name: errors for name, policy in policies.items() if policy.needs_scenarios},
        whole.keys,
        contest.scores(truth),
        contest.in_use.coverage(truth),
        unit_cost=shop.costs.unit,
        reference=reference,
        buckets_per_year=bucket.per_year,
        seed=seed,
        notes=(
            *_notes(bucket, first_day, last_day, len(kept), later, guessed, starting_stock is None),
            *contest.notes,
        ),
        failures=(
            *_blocked(keys, notes.blocked),
            *((*kept[row], reason) for row, reason in sorted(contest.failures.items())),
        ),
    )


def series_replayed(dataset: Dataset, first_day: date) -> list[tuple[str, str]]:
    """The series that had a row before the window, in the panel's order."""
    sales = dataset.until(first_day).table("sales")
    return sales.select("sku", "location").unique().sort("sku", "location").rows()


def _refuse_unsold_end(dataset: Dataset, last_day: date) -> None:
    """A bucket after the last sale holds no demand of 0, but none that is known."""
    bucket = dataset.bucket
    last_sale = dataset.table("sales")["date"].max()
    assert isinstance(last_sale, date)
    furthest = bucket.shift(last_sale, 1)
    if last_day > furthest:
        raise UsageError(
            f"--to must not lie after {furthest}: the last {bucket.name} with a sales row begins on "
            f"{bucket.floor(last_sale)}, and what was not recorded cannot be replayed; got {last_day}. "
            f"Use --to {furthest}, or add the later sales"
        )


def _true_lead_times(shop: Shop, panel: Panel, n_buckets: int, seed: int) -> npt.NDArray[np.int32] | None:
    """(N, T) what the supplier really takes, drawn where the terms give a spread."""
    if not (shop.lead_time_sd > 0).any():
        return None
    mean = shop.terms.lead_time_buckets.astype(np.float64)
    drawn = draw_lead_times(mean, shop.lead_time_sd, 1, n_buckets, seed=seed, series=panel.series_ids)
    return np.asarray(drawn[:, 0, :])


def _notes(
    bucket: Bucket,
    first: date,
    last: date,
    n_series: int,
    later: int,
    guessed: npt.NDArray[Any],
    warmed_up: bool,
) -> tuple[str, ...]:
    span = f"{bucket.count(first, last)} {bucket.name} buckets from {first} to before {last}"
    notes = [f"{n_series} series over {span}, all policies on the same demand"]
    if later:
        notes.append(f"{later} series left out: their first sale lies within the window")
    if warmed_up:
        notes.append(
            "starting stock: what a moving average with lead time + review + 1 buckets of cover would have left, "
            "the same for every policy"
        )
    if guessed.any():
        notes.append(
            f"{int(guessed.sum())} of {guessed.size} series-buckets were out of stock or closed: their demand is the "
            "mean of the known buckets around them, the same for every policy"
        )
    return tuple(notes)


def _blocked(
    keys: Sequence[tuple[str, str]], blocked: npt.NDArray[np.str_]
) -> tuple[tuple[str, str, str], ...]:
    return tuple((*keys[int(row)], say(str(blocked[row]))) for row in np.flatnonzero(blocked != ""))
