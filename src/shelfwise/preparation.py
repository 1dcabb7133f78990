"""`prepare`: everything a plan needs before the first order is decided, from tables to a fitted model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy.typing as npt
import polars as pl

from shelfwise.demand.aggregation import happened_before, series_keys
from shelfwise.demand.build import build_panel_with_report
from shelfwise.demand.panel import Panel
from shelfwise.forecast.fallback import SafeForecast
from shelfwise.forecast.scenarios import Scenarios
from shelfwise.replenish.ordering import planning_horizon
from shelfwise.tables import Dataset, cost_notes, resolve_costs, resolve_terms

PLAN_SAMPLES = 256


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

    @property
    def failures(self) -> tuple[tuple[str, str, str], ...]:
        """(sku, location, reason) of series forecast by a last resort, as far as they have been sampled."""
        return () if self.fitted is None else self.fitted.named_failures


def prepare(
    dataset: Dataset, day: date, *, model: str | None = None, scenarios: bool = True, seed: int = 0
) -> Prepared:
    """Build the panel as of `day`, resolve terms and costs, fit the model."""
    # What is sold in the bucket that `day` cuts is not known as demand, so no cost may come from it either.
    as_of = dataset.bucket.floor(day)
    known = dataset.until(as_of)
    sales = happened_before(known.table("sales"), as_of)
    keys = series_keys(sales, known.table("stock"), known.table("inbound"))
    horizon = planning_horizon(resolve_terms(known, keys))
    panel, report = build_panel_with_report(known, day, horizon)
    terms = resolve_terms(known, panel.keys)
    costs = resolve_costs(known, panel.keys, terms)
    fitted = SafeForecast(model or known.settings.forecast.model, panel) if scenarios else None
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
