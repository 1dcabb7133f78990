"""`prepare`: everything a plan needs before the first order is decided, from tables to a fitted model."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demand.aggregation import happened_before, series_keys
from shelfwise.demand.build import build_panel_with_report
from shelfwise.demand.panel import Panel
from shelfwise.demand.supplying_places import with_supplying_places
from shelfwise.evaluate.decision_cost import DecisionCost
from shelfwise.evaluate.policy_tuning import Tuned, tune_policy
from shelfwise.evaluate.replay import Shop
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.fallback import SafeForecast
from shelfwise.forecast.parts import ForecastParts
from shelfwise.forecast.persistence.saving import resume
from shelfwise.forecast.request import ModelRequest
from shelfwise.forecast.scenarios import Scenarios
from shelfwise.replenish.base import Policy
from shelfwise.replenish.internal_supply import InternalSupply
from shelfwise.replenish.ordering import planning_horizon
from shelfwise.replenish.register import DEFAULT_POLICY, make_policy
from shelfwise.replenish.settings import policy_options
from shelfwise.replenish.shelf_life import shelf_life_horizon
from shelfwise.replenish.situation_build import build_situation
from shelfwise.tables import Dataset, cost_notes, resolve_costs, resolve_terms

PLAN_SAMPLES = 256
SUMS_CALIBRATED = 3


@dataclass(frozen=True)
class Prepared:
    """A shop as of a day, ready to be decided on.

    Attributes:
        dataset: nothing dated on or after the day in it, but what is known ahead.
        panel: demand of N series; terms, costs: N rows each.
        fitted: the model, or None if the policy needs no scenarios.
        horizon: buckets the longest lead time, its spread and its review need.
        notes: what the user should know so far.
    """

    dataset: Dataset
    panel: Panel
    terms: pl.DataFrame
    costs: pl.DataFrame
    fitted: SafeForecast | None
    horizon: int
    seed: int
    notes: tuple[str, ...]

    def sample(self, rows: npt.NDArray[Any]) -> Scenarios:
        """Scenarios of these series, the same whichever others are asked for beside them."""
        assert self.fitted is not None  # only asked for by policies that need scenarios
        return self.fitted.sample(rows, self.horizon, PLAN_SAMPLES, self.seed)

    def parts(self, row: int) -> ForecastParts | None:
        """What is expected of a series until its next order arrives, taken apart; None without a forecast."""
        if self.fitted is None:
            return None
        lead, review = (self.terms[name].cast(pl.Float64)[row] for name in ("lead_time", "review_period"))
        buckets = max(1, min(math.ceil((lead or 0.0) + (review or 1.0)), self.horizon))
        return self.fitted.parts(buckets, np.array([row]))

    @property
    def failures(self) -> tuple[tuple[str, str, str], ...]:
        """(sku, location, reason) of series forecast by a last resort, as far as they have been sampled."""
        return () if self.fitted is None else self.fitted.named_failures


def prepare(
    dataset: Dataset,
    day: date,
    *,
    model: str | ModelRequest | None = None,
    policy: Policy | None = None,
    scenarios: bool = True,
    seed: int = 0,
    model_file: str | Path | None = None,
) -> Prepared:
    """Build the panel as of `day`, resolve terms and costs, fit the model; `policy` judges where cost chooses it.

    With `model_file` the model saved there forecasts from this panel's history, and none is fitted.
    """
    # What is sold in the bucket that `day` cuts is not known as demand, so no cost may come from it either.
    as_of = dataset.bucket.floor(day)
    known = with_supplying_places(dataset.until(as_of), as_of)
    sales = happened_before(known.table("sales"), as_of)
    keys = series_keys(sales, known.table("stock"), known.table("inbound"))
    looked_at = resolve_terms(known, keys)
    horizon = max(planning_horizon(looked_at), shelf_life_horizon(known, looked_at))
    panel, report = build_panel_with_report(known, day, horizon)
    terms = resolve_terms(known, panel.keys)
    costs = resolve_costs(known, panel.keys, terms)
    InternalSupply.of(terms)  # refuses a circle before a long fit
    fitted = None
    if scenarios and model_file is not None:
        fitted = resume(model_file, panel)
    elif scenarios:
        fitted = SafeForecast(model_maker(known, model, policy), panel)
    return Prepared(
        dataset=known,
        panel=panel,
        terms=terms,
        costs=costs,
        fitted=fitted,
        horizon=horizon,
        seed=seed,
        notes=(
            *(str(note) for note in known.notes),
            *(str(note) for note in cost_notes(costs)),
            *report.notes(),
            *(fitted.notes if fitted else ()),
        ),
    )


def model_maker(
    dataset: Dataset, model: str | ModelRequest | None, policy: Policy | None = None
) -> Callable[[], Forecaster]:
    """What makes the model asked for, or else the one of the settings.

    Raises:
        UsageError: an unknown model, or options it does not have.
    """
    request = ModelRequest.of(model).settled(dataset.settings.forecast)
    judge = None
    if request.choose_by == "cost":
        options = policy_options(DEFAULT_POLICY, dataset.settings, 0)
        judge = judge_maker(dataset, policy or make_policy(DEFAULT_POLICY, **options))
    sales = dataset.table("sales")
    sums = _protected(resolve_terms(dataset, series_keys(sales))) if request.calibrate else ()
    return request.maker(judge, sums)


def _protected(terms: pl.DataFrame) -> tuple[tuple[int, int], ...]:
    """The sums that orders rest on: lead time and review period, the most usual ones of the shop."""
    lead = pl.col("lead_time").cast(pl.Float64).ceil()
    length = (lead + pl.col("review_period").cast(pl.Float64).ceil()).cast(pl.Int64)
    usual = terms.select(length.alias("length")).drop_nulls()["length"].value_counts(sort=True)
    return tuple((0, int(last)) for last in usual["length"].head(SUMS_CALIBRATED) if last > 0)


def demand_notes(dataset: Dataset) -> tuple[str, ...]:
    """What is made of all the sales of a shop on their way to demand: what a plan after the last of them starts from."""
    bucket = dataset.bucket
    last = dataset.table("sales")["date"].max()
    assert isinstance(last, date)  # a checked shop has sales
    return build_panel_with_report(dataset, bucket.shift(bucket.floor(last), 1))[1].notes()


def judge_maker(dataset: Dataset, policy: Policy) -> Callable[[Panel], DecisionCost]:
    """Makes the judge of what orders come to with this shop's terms and costs, as they were known to a panel."""

    def make(panel: Panel) -> DecisionCost:
        terms = resolve_terms(dataset, panel.keys)
        costs = resolve_costs(dataset.until(panel.as_of), panel.keys, terms)
        situation, _ = build_situation(dataset, panel, None, terms, costs)
        shop = Shop(situation.terms, situation.costs, situation.lead_time_sd, situation.margin)
        return DecisionCost(panel, shop, policy)

    return make


def tune(ready: Prepared, policy: Policy) -> Tuned:
    """The policy with its factors chosen on the shop's own past; see `tune_policy`."""
    if ready.fitted is None:
        return Tuned(policy, None, None)
    situation, notes = build_situation(ready.dataset, ready.panel, None, ready.terms, ready.costs)
    shop = Shop(situation.terms, situation.costs, situation.lead_time_sd, situation.margin)
    usable = np.flatnonzero(notes.blocked == "")
    return tune_policy(
        policy,
        ready.panel.take(usable),
        shop.take(usable),
        ready.fitted.again(),
        horizon=ready.horizon,
        seed=ready.seed,
    )
