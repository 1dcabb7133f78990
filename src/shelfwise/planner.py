"""The five verbs, each a list of calls. Command line and notebooks come through here.

Every verb takes a data folder's path, or the sales as a Polars or pandas frame (the contract's columns, or
`unique_id, ds, y`) with the other tables by name and `settings` as a mapping.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from shelfwise.demand.build import build_panel_with_report
from shelfwise.errors import UsageError
from shelfwise.evaluate.backtest import run_backtest
from shelfwise.evaluate.policy_tuning import Tuned
from shelfwise.evaluate.scoreboard import Scoreboard
from shelfwise.forecast.fallback import SafeForecast
from shelfwise.forecast.persistence.saving import checked_target, resume
from shelfwise.forecast.request import ModelRequest
from shelfwise.forecast.result import Forecast, samples_for
from shelfwise.preparation import PLAN_SAMPLES, Prepared, demand_notes, model_maker, prepare, tune
from shelfwise.progress import Progress, silent
from shelfwise.replenish.base import Policy
from shelfwise.replenish.explanation import Explanation
from shelfwise.replenish.ordering import plan_orders
from shelfwise.replenish.plan import Plan
from shelfwise.replenish.register import make_policy
from shelfwise.replenish.settings import policy_options
from shelfwise.tables import CheckSummary, Settings, summarise
from shelfwise.tables.opening import as_date, as_seed, open_dataset

DEFAULT_POLICIES = ("order_up_to", "textbook", "reorder_point", "days_of_cover")
# As far as a lead time may reach; beyond it no forecast means anything.
MOST_BUCKETS = 1500
GivenSettings = Mapping[str, Any] | Settings | None


def check(source: Any, *, settings: GivenSettings = None, **tables: Any) -> CheckSummary:
    """Are these data usable, and what is in them?

    Raises:
        DataRejected: the data break the contract; carries every problem found.

    Example:
        >>> import polars as pl
        >>> sales = pl.DataFrame({"unique_id": ["a"] * 3, "ds": ["2024-01-01", "2024-01-08", "2024-01-15"],
        ...                       "y": [3, 0, 2]})
        >>> check(sales).series
        1
    """
    dataset = open_dataset(source, settings, tables)
    return replace(summarise(dataset), demand=demand_notes(dataset))


def forecast(
    source: Any,
    *,
    as_of: date | str,
    horizon: int,
    quantiles: Sequence[float] = (),
    model: str | ModelRequest | None = None,
    seed: int = 0,
    progress: Progress = silent,
    settings: GivenSettings = None,
    model_file: str | Path | None = None,
    save_model: str | Path | None = None,
    **tables: Any,
) -> Forecast:
    """Demand of every series in the `horizon` buckets from `as_of` on: mean and quantiles.

    With `model_file` nothing is learnt: the model saved there forecasts from the history of `source`. With
    `save_model` the model is saved once the forecast is made.

    Raises:
        UsageError: an unknown model, a horizon outside 1 … 1500, a quantile outside (0, 1), a seed below 0; both
            `model` and `model_file`; a saved model that has seen what is dated on or after `as_of`.
        DataRejected: the data break the contract, or nothing is dated before `as_of`.
        ShelfwiseError: a model file that cannot be used; says why.
    """
    _one_model(model, model_file)
    if save_model is not None:
        checked_target(save_model)
    if not 1 <= horizon <= MOST_BUCKETS:
        raise UsageError(f"horizon must be 1 to {MOST_BUCKETS} buckets; got {horizon}")
    day, seed, samples = as_date(as_of, "as_of"), as_seed(seed), samples_for(quantiles)
    progress("read", 0, 1)
    dataset = open_dataset(source, settings, tables, day)
    dataset = dataset.until(dataset.bucket.floor(day))
    panel, report = build_panel_with_report(dataset, day, horizon)
    progress("fit", 0, 1)
    fitted = (
        SafeForecast(model_maker(dataset, model), panel) if model_file is None else resume(model_file, panel)
    )
    frames = []
    for rows, scenarios in fitted.chunks(horizon, samples, seed):
        frames.append(scenarios.to_frame(quantiles))
        progress("forecast", int(rows[-1]) + 1, panel.n_series)
    if save_model is not None:
        fitted.model.save(save_model)
    notes = (*(str(note) for note in dataset.notes), *report.notes(), *fitted.notes)
    return Forecast(pl.concat(frames), fitted.model.name, notes, fitted.named_failures)


def plan(
    source: Any,
    *,
    as_of: date | str,
    policy: str = "order_up_to",
    model: str | ModelRequest | None = None,
    tuned: bool = True,
    seed: int = 0,
    lang: str = "en",
    progress: Progress = silent,
    settings: GivenSettings = None,
    model_file: str | Path | None = None,
    **tables: Any,
) -> Plan:
    """What to order at `as_of`: a line a series, each with its reason, also for ordering nothing.

    The default policy's few factors are first tuned on the shop's own past, unless `tuned` is False; what came
    of it stands in the plan's `tuning` and notes. With `model_file` the model saved there forecasts from the history
    of `source`; only tuning, which looks back, still fits one of its kind.

    Raises:
        UsageError: an unknown policy or model; both `model` and `model_file`; a `model_file` for a policy that
            forecasts nothing; a saved model with other buckets, of other series, or that has seen what is dated on or
            after `as_of`.
        DataRejected: the data break the contract, or nothing is dated before `as_of`.
        ShelfwiseError: a model file that cannot be used; says why.
    """
    _one_model(model, model_file)
    day, seed = as_date(as_of, "as_of"), as_seed(seed)
    progress("read", 0, 1)
    dataset = open_dataset(source, settings, tables, day)
    rule = make_policy(policy, **policy_options(policy, dataset.settings, seed))
    if model_file is not None and not rule.needs_scenarios:
        raise UsageError(
            f"policy {policy} decides on history and forecasts nothing; leave model_file out, or use another policy"
        )
    progress("fit", 0, 1)
    ready = prepare(
        dataset,
        day,
        model=model,
        policy=rule,
        scenarios=rule.needs_scenarios,
        seed=seed,
        model_file=model_file,
    )
    return plan_prepared(ready, rule, tuned=tuned, lang=lang, progress=progress)


def plan_prepared(
    ready: Prepared, rule: Policy, *, tuned: bool = True, lang: str = "en", progress: Progress = silent
) -> Plan:
    """The plan of a shop that is ready to be decided on."""
    progress("tune", 0, 1)
    learnt = tune(ready, rule) if tuned else Tuned(rule, None, None)
    result = plan_orders(
        ready.dataset,
        ready.panel,
        ready.sample if rule.needs_scenarios else None,
        learnt.policy,
        ready.terms,
        ready.costs,
        floats_per_series=PLAN_SAMPLES * ready.horizon,
        lang=lang,
        progress=progress,
    )
    return replace(
        result,
        notes=(*ready.notes, *result.notes, *((learnt.note,) if learnt.note else ())),
        failures=(*result.failures, *ready.failures),
        tuning=learnt.adaptation,
        forecast_parts=ready.parts if rule.needs_scenarios else None,
    )


def backtest(
    source: Any,
    *,
    start: date | str,
    end: date | str,
    policies: Sequence[str] | None = None,
    model: str | ModelRequest | None = None,
    tuned: bool = True,
    seed: int = 0,
    progress: Progress = silent,
    settings: GivenSettings = None,
    **tables: Any,
) -> Scoreboard:
    """Replay policies on the buckets from `start` to before `end`: cost, service, stock, perfect foresight.

    The default policy's few factors are first tuned on what came before `start`, unless `tuned` is False.

    Raises:
        UsageError: an empty window, an unknown policy or model.
        DataRejected: the data break the contract, or nothing is dated before `start`.
    """
    first, last, seed = as_date(start, "start"), as_date(end, "end"), as_seed(seed)
    progress("read", 0, 1)
    dataset = open_dataset(source, settings, tables, last)
    rules = {
        name: make_policy(name, **policy_options(name, dataset.settings, seed))
        for name in policies or DEFAULT_POLICIES
    }
    return run_backtest(
        dataset,
        first,
        last,
        rules,
        model_maker(dataset, model),
        seed=seed,
        tuned=tuned,
        progress=progress,
    )


def explain(
    source: Any,
    series: str,
    *,
    as_of: date | str,
    policy: str = "order_up_to",
    model: str | ModelRequest | None = None,
    tuned: bool = True,
    seed: int = 0,
    lang: str = "en",
    settings: GivenSettings = None,
    model_file: str | Path | None = None,
    **tables: Any,
) -> Explanation:
    """How the order of one series (`SKU` or `SKU@LOCATION`) came about.

    The whole plan is made and one line of it told, so that it says what `plan` does.

    Raises:
        UsageError: no such series, or several locations and none named.
    """
    made = plan(
        source,
        as_of=as_of,
        policy=policy,
        model=model,
        tuned=tuned,
        seed=seed,
        lang=lang,
        settings=settings,
        model_file=model_file,
        **tables,
    )
    return explain_planned(made, series, lang=lang)


def explain_planned(made: Plan, series: str, *, lang: str = "en") -> Explanation:
    """How one line of a plan came about; `series` is `SKU` or `SKU@LOCATION`.

    Raises:
        UsageError: no such series, or several locations and none named.
    """
    sku, _, location = series.rpartition("@")
    planned = made.table["sku"]
    here = made.table.filter((pl.col("sku") == sku) & (pl.col("location") == location))
    # An `@` may be part of the SKU itself, so a text that names no known SKU as a whole is read in two.
    if here.height or ((planned == sku).any() and not (planned == series).any()):
        return made.explain(sku, location, lang)
    return made.explain(series, None, lang)


def _one_model(model: str | ModelRequest | None, model_file: str | Path | None) -> None:
    if model is not None and model_file is not None:
        raise UsageError("give model to fit one, or model_file to use a saved one, not both")
