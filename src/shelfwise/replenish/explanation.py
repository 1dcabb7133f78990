"""`Explanation`: one series' way from demand to quantity, step by step, in any language."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from shelfwise.forecast.parts import ForecastParts
from shelfwise.messages import say
from shelfwise.replenish.wording import text_of

Value = float | str | date | None

# Steps in the order they are told.
STEPS: tuple[str, ...] = (
    "model",
    "demand_lead_time",
    "demand_protection",
    "dependents_demand",
    "demand_quantile",
    "safety_stock",
    "reorder_point",
    "target",
    "on_hand",
    "backorders",
    "usable_receipts",
    "late_receipts",
    "shelf_life",
    "expected_waste_stock",
    "counted_position",
    "stock_at_arrival",
    "stockout_probability",
    "raw",
    "after_multiple",
    "after_moq",
    "after_max",
    "after_limits",
    "price_break",
    "requested",
    "quantity",
    "expected_lost_without",
    "expected_lost_with",
    "expected_cost_without",
    "expected_cost_with",
    "expected_end_stock",
    "expected_waste_order",
    "arrival_date",
    "stockout_date",
    "order_by_date",
    "too_late",
    "next_review_date",
    "value",
)
SHARES = ("stockout_probability", "service_target")
MONEY = ("unit_cost", "list_unit_cost", "value", "expected_cost_without", "expected_cost_with")
# A step that says nothing where its value is 0.
SILENT_AT_ZERO = (
    "backorders",
    "usable_receipts",
    "late_receipts",
    "expected_waste_stock",
    "dependents_demand",
    "requested",
)
# A step that says nothing where nothing is ordered.
ONLY_WITH_ORDER = (
    "after_multiple", "price_break", "expected_lost_with", "expected_cost_with", "expected_waste_order",
    "arrival_date", "value",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One step: a stable code, what it is called, its value, and a sentence with the value in it."""

    code: str
    label: str
    value: Value
    text: str


@dataclass(frozen=True)
class Explanation:
    """Why a series is ordered, or not: the same object for command line, API and pages.

    Attributes:
        sku, location: the series.
        status: how it stands, one of `reasons.STATUSES`.
        reason: the deciding reason, one sentence; `reason_code` is its stable code.
        steps: from demand to quantity, in order; a step that does not apply is left out.
        receipts: open receipts: due date, units, whether overdue.
        warnings: sentences.
        forecast: what is expected of this series alone until its next order arrives, taken apart; None where
            no forecast was made.
    """

    sku: str
    location: str
    status: str
    reason: str
    reason_code: str
    steps: tuple[Step, ...]
    receipts: tuple[tuple[date, float, bool], ...] = ()
    warnings: tuple[str, ...] = ()
    lang: str = "en"
    forecast: ForecastParts | None = None

    @property
    def forecast_told(self) -> str:
        """What the forecast is made of, as a sentence; empty without one."""
        return "" if self.forecast is None else self.forecast.tell(0, 0, self.forecast.horizon, self.lang)

    def step(self, code: str) -> Step:
        """One step by its code.

        Raises:
            KeyError: this explanation has no such step.
        """
        for step in self.steps:
            if step.code == code:
                return step
        raise KeyError(code)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; dates as ISO text."""

        def plain(value: Value) -> float | str | None:
            return value.isoformat() if isinstance(value, date) else value

        return {
            "sku": self.sku,
            "location": self.location,
            "status": self.status,
            "reason_code": self.reason_code,
            "reason": self.reason,
            "steps": [
                {"code": s.code, "label": s.label, "value": plain(s.value), "text": s.text}
                for s in self.steps
            ],
            "receipts": [
                {"due": due.isoformat(), "quantity": units, "overdue": late}
                for due, units, late in self.receipts
            ],
            "warnings": list(self.warnings),
            "forecast": self._forecast_dict(),
        }

    def _forecast_dict(self) -> dict[str, Any] | None:
        """The sentence, and the units of each part that is not 0, bucket by bucket."""
        if self.forecast is None:
            return None
        lines = self.forecast.to_frame().filter(pl.col("units") != 0.0).select("date", "part", "units").rows()
        parts = [{"date": day.isoformat(), "part": part, "units": units} for day, part, units in lines]
        return {"text": self.forecast_told, "parts": parts}

    def __str__(self) -> str:
        status = say(f"plan.status.{self.status}", self.lang)
        lines = [f"{self.sku} @ {self.location} — {status}", self.reason, ""]
        lines += [f"  {self.forecast_told}"] if self.forecast else []
        lines += [f"  {step.text}" for step in self.steps]
        lines += [f"  ! {warning}" for warning in self.warnings]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(s.label)}</td><td style='text-align:right'>{html.escape(_shown(s))}</td>"
            f"<td>{html.escape(s.text)}</td></tr>"
            for s in self.steps
        )
        head = f"{html.escape(self.sku)} @ {html.escape(self.location)}: {html.escape(self.reason)}"
        warnings = "".join(f"<li>{html.escape(warning)}</li>" for warning in self.warnings)
        told = html.escape(self.forecast_told)
        return f"<p><b>{head}</b></p><p>{told}</p><table>{rows}</table><ul>{warnings}</ul>"


def steps_of(row: Mapping[str, Any], lang: str) -> tuple[Step, ...]:
    """The steps that apply to one row of a plan's table."""
    row = dict(row) | _dates_of_order(row)
    values = {name: _text(name, value) for name, value in row.items()}
    steps = []
    for code in STEPS:
        value = row.get(code)
        if value is None or (code in SILENT_AT_ZERO and value == 0) or _unchanged(code, row):
            continue
        if (code in ONLY_WITH_ORDER and not row["quantity"]) or (code == "model" and for_others(row)):
            continue
        label = say(f"plan.step.{code}.label", lang)
        text = say(f"plan.step.{code}.{_wording(code, row)}", lang, **values)
        steps.append(Step(code, label, value, text))
    return tuple(steps)


def for_others(row: Mapping[str, Any]) -> bool:
    """Whether a place only serves others that order there: it has no customers whose demand were forecast."""
    return row.get("dependents_demand") is not None and not row["history_buckets"]


def _wording(code: str, row: Mapping[str, Any]) -> str:
    """Which of a step's texts tells its value truly."""
    # A target below mean demand keeps nothing against the unexpected.
    if code == "safety_stock" and row[code] < 0:
        return "below"
    if code == "counted_position" and row.get("expected_waste_stock"):
        return "expiring"
    if code == "after_moq" and row.get("without_price_break") is not None:
        return "price"
    # A minimum of one lot or less adds nothing to what the lot forces.
    return "lots" if code == "after_moq" and row["moq"] <= row["multiple"] else "text"


def _dates_of_order(row: Mapping[str, Any]) -> dict[str, Value]:
    """Either the date to order by, or the arrival that is too late for it."""
    if row["stockout_date"] is None or row["arrival_date"] <= row["stockout_date"]:
        return {"too_late": None}
    return {"too_late": row["arrival_date"], "order_by_date": None}


def _unchanged(code: str, row: Mapping[str, Any]) -> bool:
    """Whether a lot rule or limit left the quantity as the step before had it."""
    order: Sequence[str] = ("raw", "after_multiple", "after_moq", "after_max", "after_limits")
    if code not in order or code == order[0]:
        return False
    return bool(row[code] == row[order[order.index(code) - 1]])


def _text(name: str, value: Value) -> str:
    """A value as its kind is written: shares as per cent, money to the cent."""
    if name in SHARES and isinstance(value, float):
        return text_of(100.0 * value)
    return text_of(value, 2 if name in MONEY else 1)


def _shown(step: Step) -> str:
    return _text(step.code, step.value) + (" %" if step.code in SHARES else "")
