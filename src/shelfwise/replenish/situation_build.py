"""From a `Dataset` to a `Situation`: stock, dated receipts, terms and costs lined up with the series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.buckets import Bucket
from shelfwise.demand.panel import Panel
from shelfwise.errors import Problem
from shelfwise.forecast.scenarios import Scenarios
from shelfwise.replenish.price_breaks import price_breaks
from shelfwise.replenish.projection import MOST_BUCKETS, buckets_needed
from shelfwise.replenish.shelf_life import shelf_lives
from shelfwise.replenish.situation import Doubles, Situation
from shelfwise.simulate.costs import Costs
from shelfwise.simulate.terms import SupplyTerms
from shelfwise.tables.dataset import Dataset

Flags = npt.NDArray[np.bool_]
# Shares of a lot below which two quantities are the same.
LOT_DUST = 1e-9


@dataclass(frozen=True)
class SituationNotes:
    """What a plan has to tell beside the numbers.

    Attributes:
        supplier: N names, null where nobody is named.
        blocked: (N,) message code of why a series cannot be decided (``plan.blocked.…``), else "".
        warnings: message code (``plan.warning.…``) -> (N,) which series it concerns.
        unit_cost: (N,) money per unit, NaN where unknown.
        receipts: one row an open receipt: `series` (row number), `due`, `quantity`, `overdue`.
        overdue: (N,) units whose date has passed, counted as due now.
        problems: what concerns the whole run.
    """

    supplier: pl.Series
    blocked: npt.NDArray[np.str_]
    warnings: Mapping[str, Flags]
    unit_cost: Doubles
    receipts: pl.DataFrame
    overdue: Doubles
    problems: tuple[Problem, ...] = field(default=())


def build_situation(
    dataset: Dataset,
    panel: Panel,
    scenarios: Scenarios | None,
    terms: pl.DataFrame,
    costs: pl.DataFrame,
) -> tuple[Situation, SituationNotes]:
    """The state of every series of a panel at its `as_of`.

    A series without a row in `stock` has nothing on hand and is marked; without a `stock` table that
    holds for all, and is stated. A receipt whose date has passed is expected now and marked. A series whose
    lead time, costs or forecast cannot be used is blocked, and the others go on.

    Args:
        dataset: holds `stock` and `inbound` (each may be absent) and the settings.
        panel: the N series.
        scenarios: of the same series in the same order; None for policies that need none.
        terms: N rows as `resolve_terms` gives them.
        costs: N rows as `resolve_costs` gives them.

    Example:
        >>> from datetime import date
        >>> from shelfwise.tables import Settings
        >>> panel = Panel.from_arrays([[5.0, 5.0]], start=date(2024, 1, 1))
        >>> stock = panel.keys.with_columns(on_hand=pl.lit(7.0), reserved=pl.lit(2.0))
        >>> shop = Dataset(Settings(), {"stock": stock})
        >>> terms = panel.keys.with_columns(lead_time=pl.lit(2), unit_cost=pl.lit(3.0))
        >>> costs = panel.keys.with_columns(holding=pl.lit(0.2), shortage=pl.lit(1.0))
        >>> situation, notes = build_situation(shop, panel, None, terms, costs)
        >>> situation.on_hand, situation.terms.lead_time_buckets, notes.blocked
        (array([5.]), array([2], dtype=int32), array([''], dtype='<U1'))
    """
    n_series, keys = panel.n_series, panel.keys
    blocked = np.full(n_series, "", dtype=object)
    lead = _numbers(terms, "lead_time", n_series, np.nan)
    review = _numbers(terms, "review_period", n_series, 1.0)
    _block(blocked, ~(np.isfinite(lead) & (lead >= 0) & (review >= 1)), "plan.blocked.lead_time")
    spread = np.maximum(_numbers(terms, "lead_time_sd", n_series, 0.0), 0.0)
    _block(blocked, buckets_needed(lead, review, spread, most=MOST_BUCKETS) == 0, "plan.blocked.horizon")
    holding = _numbers(costs, "holding", n_series, np.nan)
    shortage = _numbers(costs, "shortage", n_series, np.nan)
    usable: Flags = np.isfinite(holding) & (holding >= 0) & np.isfinite(shortage) & (shortage >= 0)
    _block(blocked, ~usable, "plan.blocked.cost")
    unit_cost = _numbers(terms, "unit_cost", n_series, np.nan)
    if dataset.settings.limits.budget is not None:
        _block(blocked, np.isnan(unit_cost), "plan.blocked.unit_cost")
    if dataset.settings.limits.volume is not None:
        _block(blocked, np.isnan(unit_volumes(dataset, keys)), "plan.blocked.volume")
    margin = _numbers(costs, "margin", n_series, np.nan)
    if dataset.settings.objective.minimise == "profit":
        _block(blocked, np.isnan(margin), "plan.blocked.margin")
    if dataset.settings.costs.shortage == "margin":
        # The shortage cost is the margin already; nothing is lost on top of it.
        margin = np.where(np.isnan(margin), np.nan, 0.0)
    multiple = _numbers(terms, "multiple", n_series, 1.0)
    moq = _numbers(terms, "moq", n_series, 0.0)
    lots: Flags = (multiple > 0) & np.isfinite(multiple) & (moq >= 0) & np.isfinite(moq)
    # Rows of `terms` that are each possible can add up to a minimum above the maximum; 0 says "never order".
    most = np.maximum(_numbers(terms, "max_quantity", n_series, np.inf), 0.0)
    pack = np.where(lots, multiple, 1.0)
    smallest = np.ceil(np.maximum(moq / pack, 1.0) - LOT_DUST) * pack
    _block(blocked, ~lots | ((most > 0) & (smallest > most)), "plan.blocked.lots")
    if scenarios is not None:
        known: Flags = np.asarray(np.isfinite(scenarios.paths).all(axis=(1, 2)))
        _block(blocked, np.asarray(~known), "plan.blocked.forecast")
        if not known.all():
            scenarios = replace(
                scenarios, paths=np.where(known[:, None, None], scenarios.paths, 0.0).astype("f4")
            )
    fine: Flags = np.asarray(blocked == "")

    on_hand, backorders, counted, no_table = _stock(dataset, keys)
    whole_lead = np.where(fine, np.ceil(np.nan_to_num(lead) - 1e-9), 0.0)
    whole_review = np.where(fine, np.ceil(np.nan_to_num(review, nan=1.0) - 1e-9), 1.0)
    reach = int((whole_lead + whole_review).max(initial=1))
    width = max(reach, 0 if scenarios is None else scenarios.horizon)
    receipts, later, open_receipts, overdue = _receipts(dataset, panel, width)
    lives = shelf_lives(dataset, keys)
    situation = Situation(
        panel=panel,
        scenarios=scenarios,
        on_hand=on_hand,
        backorders=backorders,
        receipts=receipts,
        receipts_later=later,
        terms=SupplyTerms(
            whole_lead.astype(np.int32),
            whole_review.astype(np.int32),
            np.where(fine, moq, 0.0),
            np.where(fine, multiple, 1.0),
            # A blocked series orders nothing, whatever the policy, and so uses nothing of a shared limit.
            np.where(fine, most, 0.0),
            dataset.settings.supply.unmet,
        ),
        costs=Costs(
            np.where(fine, holding, 0.0),
            np.where(fine, shortage, 0.0),
            _order_cost(terms, costs, n_series),
            np.nan_to_num(np.maximum(unit_cost, 0.0)),
        ),
        lead_time_sd=np.where(fine, spread, 0.0),
        margin=margin if "margin" in costs.columns else None,
        shelf_life=lives,
        price_breaks=price_breaks(dataset, terms, unit_cost),
    )
    warnings: dict[str, Flags] = {
        "plan.warning.no_stock_row": ~counted & (not no_table),
        "plan.warning.no_stock_table": np.full(n_series, no_table),
        "plan.warning.overdue": overdue > 0,
        "plan.warning.no_unit_cost": np.isnan(unit_cost),
    }
    if lives is not None:
        warnings["plan.warning.short_shelf_life"] = fine & (lives > 0) & (lives < whole_lead)
    supplier = (
        terms["supplier"] if "supplier" in terms.columns else pl.Series([None] * n_series, dtype=pl.String)
    )
    problems = _problems(dataset, ~counted, no_table, overdue, _fractional(dataset, terms))
    notes = SituationNotes(
        supplier, blocked.astype(np.str_), warnings, unit_cost, open_receipts, overdue, problems
    )
    return situation, notes


def _block(blocked: npt.NDArray[np.object_], bad: Flags, code: str) -> None:
    """The first reason stays: what comes later may only follow from it."""
    blocked[bad & np.asarray(blocked == "")] = code


def _numbers(frame: pl.DataFrame, column: str, n_series: int, default: float) -> Doubles:
    """(N,) a column, `default` where it is absent or null."""
    if column not in frame.columns:
        return np.full(n_series, default)
    values = frame[column].cast(pl.Float64).fill_null(default).to_numpy().astype(np.float64)
    return np.where(np.isnan(values), default, values)


def unit_volumes(dataset: Dataset, keys: pl.DataFrame) -> Doubles:
    """(N,) `items.volume` of each series, NaN where unknown."""
    items = dataset.table("items")
    if "volume" not in items.columns:
        return np.full(len(keys), np.nan)
    volumes = items.select("sku", "volume").unique("sku", keep="last")
    joined = keys.select("sku").join(volumes, on="sku", how="left", maintain_order="left")
    return _numbers(joined, "volume", len(keys), np.nan)


def _order_cost(terms: pl.DataFrame, costs: pl.DataFrame, n_series: int) -> Doubles:
    frame = terms if "order_cost" in terms.columns else costs
    return np.maximum(_numbers(frame, "order_cost", n_series, 0.0), 0.0)


def _stock(dataset: Dataset, keys: pl.DataFrame) -> tuple[Doubles, Doubles, Flags, bool]:
    """(N,) free on hand, (N,) backorders, (N,) whether `stock` has a row, and whether there is no table."""
    n_series = len(keys)
    if not dataset.has("stock"):
        return np.zeros(n_series), np.zeros(n_series), np.zeros(n_series, dtype=bool), True
    stock = dataset.table("stock")
    columns = [name for name in ("on_hand", "reserved", "backorders") if name in stock.columns]
    summed = stock.group_by("sku", "location").agg(pl.col(columns).sum(), pl.lit(True).alias("__row"))
    joined = keys.select("sku", "location").join(
        summed, on=["sku", "location"], how="left", maintain_order="left"
    )
    free = _numbers(joined, "on_hand", n_series, 0.0) - _numbers(joined, "reserved", n_series, 0.0)
    row = joined["__row"].fill_null(False).to_numpy().astype(bool)
    return free, _numbers(joined, "backorders", n_series, 0.0), row, False


def _receipts(dataset: Dataset, panel: Panel, width: int) -> tuple[Doubles, Doubles, pl.DataFrame, Doubles]:
    """Receipts (N, D) by bucket, (N,) those later, the open receipts, and (N,) overdue units."""
    n_series = panel.n_series
    inbound = dataset.table("inbound")
    rows = panel.keys.select("sku", "location").with_row_index("series")
    bucket: Bucket = panel.bucket
    opened = (
        rows.join(inbound.select("sku", "location", "quantity", "due"), on=["sku", "location"])
        .filter(pl.col("quantity") > 0)
        .with_columns(
            overdue=pl.col("due") < panel.as_of,
            column=(bucket.index_expr(pl.col("due")) - bucket.index(panel.as_of)).clip(lower_bound=0),
        )
        .sort("series", "due", "quantity")
    )
    series, column = opened["series"].to_numpy(), opened["column"].to_numpy()
    units = opened["quantity"].cast(pl.Float64).to_numpy()
    receipts, later, overdue = np.zeros((n_series, width)), np.zeros(n_series), np.zeros(n_series)
    seen = column < width
    np.add.at(receipts, (series[seen], column[seen]), units[seen])
    np.add.at(later, series[~seen], units[~seen])
    late = opened["overdue"].to_numpy().astype(bool)
    np.add.at(overdue, series[late], units[late])
    return receipts, later, opened.select("series", "due", "quantity", "overdue"), overdue


def _fractional(dataset: Dataset, terms: pl.DataFrame) -> int:
    """Rows whose lead time or review period is no whole number of buckets."""
    frames = [frame for frame in (dataset.table("terms"), terms) if "lead_time" in frame.columns]
    counts = []
    for frame in frames:
        times = [name for name in ("lead_time", "review_period") if name in frame.columns]
        broken = pl.any_horizontal([(pl.col(name) % 1 != 0).fill_null(False) for name in times])
        counts.append(frame.filter(broken).height)
    return max(counts, default=0)


def _problems(
    dataset: Dataset, uncounted: Flags, no_table: bool, overdue: Doubles, fractional: int
) -> tuple[Problem, ...]:
    found = []
    if no_table:
        found.append(
            Problem(
                code="stock.absent",
                rule="without a stock table every series counts as having nothing on hand",
                fix="Add stock.csv with the columns sku, on_hand",
                severity="warning",
                file="stock",
                count=len(uncounted),
            )
        )
    elif uncounted.any():
        found.append(
            Problem(
                code="stock.row_missing",
                rule="a series without a row in stock counts as having nothing on hand",
                fix="Add a row with its on_hand, 0 included",
                severity="warning",
                file=dataset.file_of("stock"),
                column="sku",
                count=int(uncounted.sum()),
            )
        )
    if (overdue > 0).any():
        found.append(
            Problem(
                code="inbound.overdue",
                rule="a receipt due before as_of that is still open is expected now",
                fix="Correct its due date, or take it out if it will not come",
                severity="warning",
                file=dataset.file_of("inbound"),
                column="due",
                count=int((overdue > 0).sum()),
            )
        )
    if fractional:
        found.append(
            Problem(
                code="terms.rounded_up",
                rule="lead time and review period are whole buckets; fractions are rounded up",
                fix="Write whole numbers of buckets, and the spread into lead_time_sd",
                severity="warning",
                file=dataset.file_of("terms"),
                column="lead_time",
                count=fractional,
            )
        )
    return tuple(found)
