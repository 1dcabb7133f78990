"""`Plan`: one line a series, with the steps that led to its quantity; and how a decision becomes one."""

from __future__ import annotations

import difflib
import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl

from shelfwise.buckets import Bucket
from shelfwise.errors import UsageError
from shelfwise.forecast.parts import ForecastParts
from shelfwise.messages import say
from shelfwise.replenish.adaptation import Adaptation
from shelfwise.replenish.explanation import MONEY, Explanation, for_others, steps_of
from shelfwise.replenish.price_breaks import break_reached
from shelfwise.replenish.reasons import figure, mean_demand, reason_codes, statuses, stockout_bucket
from shelfwise.replenish.situation import Decision, Doubles, Situation
from shelfwise.replenish.situation_build import SituationNotes
from shelfwise.replenish.wording import fill, number_texts

CONTRACT_COLUMNS = (
    "sku", "location", "supplier", "quantity", "order_date", "arrival_date", "unit_cost", "value", "reason",
)  # fmt: skip
COUNTED = ("on_hand", "backorders", "position")
FIGURES = (
    "usable_receipts", "late_receipts", "counted_position",
    "demand_lead_time", "demand_protection", "demand_quantile", "service_target", "safety_stock",
    "reorder_point", "target", "stock_at_arrival", "stockout_probability", "raw",
    "after_multiple", "after_moq", "after_max", "after_limits",
    "expected_lost_without", "expected_lost_with", "expected_cost_without", "expected_cost_with",
    "expected_end_stock",
)  # fmt: skip
# Only in plans of shops with goods that expire, and with price breaks.
WASTE_COLUMNS = ("shelf_life", "expected_waste_stock", "expected_waste_order")
PRICE_COLUMNS = ("list_unit_cost", "price_break", "without_price_break")
# Only in plans of shops whose places supply each other.
SUPPLY_COLUMNS = ("dependents_demand", "requested", "upstream_free")
SHOWN_IN_HTML = 20


@dataclass(frozen=True)
class Plan:
    """Proposed orders of one review, every series that was looked at in one line.

    Attributes:
        table: the contract's columns, then `status`, `reason_code`, `warnings` (codes, ``;`` between) and the
            figures; null where a figure does not apply. Last come the columns that only some shops have: of
            `WASTE_COLUMNS`, `PRICE_COLUMNS` and `SUPPLY_COLUMNS`.
        as_of, bucket: when, and in what time step.
        shadow_prices: expected cost saved by one more unit of each shared limit that was binding.
        receipts: open receipts by row of the table.
        policy: the name of the policy.
        lang: language of `reason`.
        notes: what the user should know about the run as a whole.
        tuning: what the policy's factors were tuned on, and to what; None where they were not.
        failures: (sku, location, reason) of series that could not be decided, or only by a last resort.
        forecast_parts: row of the table -> what is expected of that series until its next order arrives, taken
            apart; None where no forecast was made.
    """

    table: pl.DataFrame
    as_of: date
    bucket: Bucket
    shadow_prices: Mapping[str, float] = field(default_factory=dict)
    receipts: pl.DataFrame | None = None
    policy: str = ""
    lang: str = "en"
    notes: tuple[str, ...] = ()
    failures: tuple[tuple[str, str, str], ...] = ()
    tuning: Adaptation | None = None
    forecast_parts: Callable[[int], ForecastParts | None] | None = field(
        default=None, repr=False, compare=False
    )

    @property
    def orders(self) -> pl.DataFrame:
        """Only the lines with something to order."""
        return self.table.filter(pl.col("quantity") > 0)

    @property
    def value(self) -> float:
        """Money of all orders together; lines without a known unit cost count as 0, and what comes from one of the shop's
        own places is not bought."""
        bought = self.table.filter(pl.col("requested").is_null()) if "requested" in self.table else self.table
        return float(bought["value"].fill_null(0.0).sum())

    def to_frame(self, lang: str | None = None) -> pl.DataFrame:
        """The table, its reasons in another language."""
        if lang is None or lang == self.lang:
            return self.table
        return self.table.with_columns(reason=_reasons(self.table, self.bucket, lang))

    def explain(self, sku: str, location: str | None = None, lang: str | None = None) -> Explanation:
        """Why this series is ordered, or not.

        Raises:
            UsageError: no such series, or several locations and none named.
        """
        language = lang or self.lang
        row = self.table.row(self._find(sku, location), named=True)
        receipts: tuple[tuple[date, float, bool], ...] = ()
        if self.receipts is not None:
            own = self.receipts.filter(pl.col("series") == self._find(sku, location))
            receipts = tuple(own.select("due", "quantity", "overdue").rows())
        texts = _texts(self.table[[self._find(sku, location)]], self.bucket, language).row(0, named=True)
        reason = say(row["reason_code"], language, **texts)
        warnings = tuple(say(code, language) for code in row["warnings"].split(";") if code)
        return Explanation(
            row["sku"], row["location"], row["status"], reason, row["reason_code"],
            steps_of(row | {"bucket": say(f"plan.bucket.{self.bucket.name}", language)}, language),
            receipts, warnings, language,
            None if self.forecast_parts is None or for_others(row) else self.forecast_parts(self._find(sku, location)),
        )  # fmt: skip

    def _find(self, sku: str, location: str | None) -> int:
        here = self.table.with_row_index("row").filter(pl.col("sku") == sku)
        if here.is_empty():
            close = difflib.get_close_matches(sku, self.table["sku"].unique().sort().to_list(), n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise UsageError(f"the plan has no sku {sku!r}.{hint}")
        if location is not None:
            found = here.filter(pl.col("location") == location)
        elif here.height > 1:
            raise UsageError(f"{sku!r} has several locations; name one of {', '.join(here['location'])}")
        else:
            found = here
        if found.is_empty():
            raise UsageError(f"{sku!r} is not at location {location!r}, but at {', '.join(here['location'])}")
        return int(found["row"][0])

    def _repr_html_(self) -> str:
        orders = self.orders
        columns = [name for name in CONTRACT_COLUMNS if name in orders.columns]
        head = "".join(f"<th>{html.escape(say(f'plan.column.{name}', self.lang))}</th>" for name in columns)
        body = "".join(
            "<tr>"
            + "".join(f"<td>{html.escape('' if cell is None else str(cell))}</td>" for cell in row)
            + "</tr>"
            for row in orders.select(columns).head(SHOWN_IN_HTML).rows()
        )
        title = say(
            "plan.title", self.lang, orders=orders.height, series=self.table.height,
            as_of=self.as_of, value=f"{self.value:,.2f}",
        )  # fmt: skip
        return f"<p><b>{html.escape(title)}</b></p><table><tr>{head}</tr>{body}</table>"


def make_plan(
    situation: Situation,
    decision: Decision,
    notes: SituationNotes | None = None,
    *,
    policy: str = "",
    lang: str = "en",
) -> Plan:
    """Write a decision down as a plan.

    A blocked series orders nothing and says why. Dates: an order placed at `as_of` arrives L buckets later;
    `stockout_date` is the first bucket whose expected demand finds no stock without an order, and
    `order_by_date` the last date an order could still arrive before it (never before `as_of`).

    Example:
        >>> from shelfwise.replenish.example import small_situation
        >>> from shelfwise.replenish.order_up_to import ScenarioOrderUpTo
        >>> situation = small_situation()
        >>> plan = make_plan(situation, ScenarioOrderUpTo().decide(situation))
        >>> plan.table.select("sku", "quantity", "arrival_date", "status").row(0)
        ('s0000000', 6.0, datetime.date(2024, 7, 15), 'at_risk')
        >>> print(plan.explain("s0000000").step("raw").text)
        Needed: 6 units.
    """
    n_series, panel, terms = situation.n_series, situation.panel, situation.terms
    blocked = np.full(n_series, "") if notes is None else notes.blocked
    is_blocked = blocked != ""
    quantity = np.where(is_blocked, 0.0, decision.quantity)
    lead = np.asarray(terms.lead_time_buckets, dtype=np.float64)
    review = np.asarray(terms.review_period_buckets, dtype=np.float64)
    list_cost = np.asarray(situation.costs.unit) if notes is None else notes.unit_cost
    unit_cost = _price_paid(situation, quantity, list_cost)
    dry = np.where(is_blocked, np.nan, stockout_bucket(situation, decision))
    rate = mean_demand(situation, decision)
    counted = figure(decision, "counted_position", n_series)
    cover = np.divide(counted, rate, out=np.full(n_series, np.nan), where=rate > 1e-9)
    empty = pl.Series([None] * n_series, dtype=pl.String)

    def dates(buckets: Doubles) -> pl.Series:
        return _dates(panel.bucket, panel.as_of, buckets)

    # Blocked series keep what is counted; what would be derived from stand-ins is left out.
    def numbers(values: Doubles) -> pl.Series:
        return pl.Series(np.where(is_blocked, np.nan, values)).fill_nan(None)

    columns: dict[str, pl.Series | pl.Expr] = {
        "sku": panel.keys["sku"],
        "location": panel.keys["location"],
        "supplier": empty if notes is None else notes.supplier,
        "quantity": pl.Series(quantity),
        "order_date": dates(np.zeros(n_series)),
        "arrival_date": dates(lead),
        "unit_cost": pl.Series(unit_cost, dtype=pl.Float64).fill_nan(None),
        "value": pl.Series(quantity * unit_cost, dtype=pl.Float64).fill_nan(None),
        "reason": empty,
        "status": pl.Series(statuses(situation, decision, quantity, is_blocked)),
        "reason_code": pl.Series(reason_codes(situation, decision, quantity, blocked)),
        "warnings": _warnings(notes, n_series),
        "lead_time": pl.Series(lead),
        "review_period": pl.Series(review),
        "moq": pl.Series(np.asarray(terms.moq)),
        "multiple": pl.Series(np.asarray(terms.multiple)),
        "max_quantity": pl.Series(np.asarray(terms.max_quantity)),
        "order_cost": pl.Series(np.asarray(situation.costs.order)),
        "order_cover_buckets": numbers(_lasting(situation, decision, quantity, rate)),
    }
    columns |= _history(situation)
    columns |= {name: pl.Series(figure(decision, name, n_series)).fill_nan(None) for name in COUNTED}
    columns |= {name: numbers(figure(decision, name, n_series)) for name in FIGURES}
    columns |= {
        "raw": numbers(decision.raw),
        "lost_sales_avoided": numbers(
            figure(decision, "expected_lost_without", n_series)
            - figure(decision, "expected_lost_with", n_series)
        ),
        "cover_buckets": numbers(np.maximum(cover, 0.0)),
        "stockout_date": dates(dry),
        "order_by_date": dates(np.maximum(dry - lead, 0.0)),
        "next_review_date": dates(review),
    }
    if situation.shelf_life is not None:
        keeps = np.where(situation.shelf_life > 0, situation.shelf_life.astype(np.float64), np.nan)
        columns["shelf_life"] = pl.Series(keeps).fill_nan(None)
        columns |= {name: numbers(figure(decision, name, n_series)) for name in WASTE_COLUMNS[1:]}
    if situation.price_breaks is not None:
        columns["list_unit_cost"] = pl.Series(list_cost, dtype=pl.Float64).fill_nan(None)
        columns["price_break"] = numbers(break_reached(situation.price_breaks, quantity))
        columns["without_price_break"] = numbers(figure(decision, "without_price_break", n_series))
    if "requested" in decision.figures:
        columns |= {name: numbers(figure(decision, name, n_series)) for name in SUPPLY_COLUMNS}
    table = pl.DataFrame(columns).with_columns(pl.col("max_quantity").replace(float("inf"), None))
    table = table.with_columns(reason=_reasons(table, panel.bucket, lang))
    receipts = None if notes is None else notes.receipts
    return Plan(table, panel.as_of, panel.bucket, dict(decision.shadow_prices), receipts, policy, lang)


def _price_paid(situation: Situation, quantity: Doubles, list_cost: Doubles) -> Doubles:
    """(N,) money per unit of orders (N,), by the price break they reach; NaN where unknown."""
    if situation.price_breaks is None:
        return list_cost
    spent = situation.price_breaks.cost(quantity)
    breaks = situation.price_breaks.quantity[:, 1:]
    # A price below the first break that nobody knows is not that of the break.
    known = np.isfinite(list_cost) | (
        (quantity >= breaks.min(axis=1)) & (not situation.price_breaks.incremental)
    )
    reached = (quantity > 0) & np.isfinite(breaks).any(axis=1) & known
    return np.divide(spent, quantity, out=np.array(list_cost, dtype=np.float64), where=reached)


def _lasting(situation: Situation, decision: Decision, quantity: Doubles, rate: Doubles) -> Doubles:
    """(N,) buckets the order lasts from its arrival: what is there then with it, less what is owed, against demand."""
    n_series = situation.n_series
    there = figure(decision, "stock_at_arrival", n_series)
    counted = figure(decision, "counted_position", n_series) - figure(decision, "demand_lead_time", n_series)
    lasting = np.maximum(np.where(np.isnan(there), counted, there) + quantity, 0.0)
    return np.asarray(np.divide(lasting, rate, out=np.full(n_series, np.nan), where=rate > 1e-9))


def _history(situation: Situation) -> dict[str, pl.Series | pl.Expr]:
    """What the forecast stands on: the model, buckets of known demand, and buckets of which no record tells it."""
    panel = situation.panel
    known = (~np.isnan(panel.recorded)).sum(axis=1)
    lived = np.clip(np.minimum(panel.ends, panel.n_buckets) - panel.launched, 0, panel.n_buckets)
    models = None if situation.scenarios is None else situation.scenarios.models
    names = [None] * panel.n_series if models is None else [str(name) for name in models]
    return {
        "model": pl.Series(names, dtype=pl.String),
        "history_buckets": pl.Series(known, dtype=pl.Int64),
        "excluded_buckets": pl.Series(np.maximum(lived - known, 0), dtype=pl.Int64),
    }


def _dates(bucket: Bucket, as_of: date, buckets: Doubles) -> pl.Series:
    """(N,) the dates so many buckets after `as_of`; NaN becomes null."""
    known = ~np.isnan(buckets)
    steps = np.where(known, buckets, 0.0).astype(np.int64)
    calendar = pl.Series(bucket.dates(as_of, int(steps.max(initial=0)) + 1), dtype=pl.Date)
    chosen = calendar.gather(steps)
    return pl.select(pl.when(pl.Series(known)).then(chosen).otherwise(None)).to_series()


def _warnings(notes: SituationNotes | None, n_series: int) -> pl.Series:
    """(N,) the codes that concern each series, ``;`` between them."""
    if notes is None or not notes.warnings:
        return pl.Series([""] * n_series, dtype=pl.String)
    flags = pl.DataFrame({code: pl.Series(mask) for code, mask in notes.warnings.items()})
    parts = [pl.when(pl.col(code)).then(pl.lit(code)).otherwise(None) for code in flags.columns]
    return flags.select(pl.concat_str(parts, separator=";", ignore_nulls=True).alias("warnings"))["warnings"]


def _texts(table: pl.DataFrame, bucket: Bucket, lang: str) -> pl.DataFrame:
    """Every column as text, for sentences."""
    numeric = [
        number_texts(pl.col(name), 2 if name in MONEY else 1).alias(name)
        for name, kind in table.schema.items()
        if kind.is_numeric()
    ]
    other = [name for name, kind in table.schema.items() if not kind.is_numeric()]
    return table.select(
        *numeric,
        *(pl.col(name).cast(pl.String) for name in other),
        pl.lit(say(f"plan.bucket.{bucket.name}", lang)).alias("bucket"),
    )


def _reasons(table: pl.DataFrame, bucket: Bucket, lang: str) -> pl.Series:
    return fill(table["reason_code"], _texts(table, bucket, lang), lang)
