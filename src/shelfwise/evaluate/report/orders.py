"""Section 1, what to order today: headline figures, lines by supplier, and what needs no order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from shelfwise.buckets import PER_YEAR
from shelfwise.evaluate.report.data import ReportData
from shelfwise.evaluate.report.stakes import with_stakes
from shelfwise.evaluate.report.wording import Wording, shorten

MOST_LINES = 250
MOST_REASON = 400


@dataclass(frozen=True)
class OrderLine:
    """A line of the table; money and units as numbers, None where nobody can tell."""

    name: str
    sku: str
    location: str
    quantity: float
    value: float | None
    stake: float | None
    on_hand: float | None
    on_order: float | None
    days_of_cover: float | None
    arrival: date | None
    reason: str


@dataclass(frozen=True)
class SupplierGroup:
    """The lines of one supplier, most money at stake first; totals count lines that are not shown too."""

    supplier: str
    lines: tuple[OrderLine, ...]
    n_lines: int
    units: float
    value: float
    stake: float | None


@dataclass(frozen=True)
class OrdersView:
    """What the section shows.

    Attributes:
        n_lines, units, value, n_suppliers: of all lines with a quantity.
        lost_without, lost_with: money of the sales expected to be lost; None where the policy does not tell.
        at_cost: whether some item without a selling price was counted at its cost.
        groups: suppliers, most money at stake first; `n_hidden` lines of them are not shown.
        idle: (reason, number of series) of what needs no order.
    """

    n_lines: int
    units: float
    value: float
    n_suppliers: int
    lost_without: float | None
    lost_with: float | None
    at_cost: bool
    groups: tuple[SupplierGroup, ...]
    n_hidden: int
    idle: tuple[tuple[str, int], ...]


def orders_view(data: ReportData, words: Wording) -> OrdersView | None:
    """The section's contents; None without a plan."""
    if data.plan is None:
        return None
    lines = with_stakes(data.plan.to_frame(words.lang), data.prices)
    ordered = lines.filter(pl.col("quantity") > 0).sort(
        pl.coalesce("stake", "value", pl.lit(0.0)), "sku", "location", descending=[True, False, False]
    )
    told = lines["expected_lost_without"].is_not_null().any()
    return OrdersView(
        n_lines=ordered.height,
        units=float(ordered["quantity"].sum()),
        value=float(ordered["value"].sum()),
        n_suppliers=ordered["supplier"].drop_nulls().n_unique(),
        lost_without=float(lines["lost_value_without"].sum()) if told else None,
        lost_with=float(lines["lost_value_with"].sum()) if told else None,
        at_cost=not lines.filter(~pl.col("sku").is_in(list(data.prices))).is_empty(),
        groups=_groups(ordered, data, words),
        n_hidden=max(ordered.height - MOST_LINES, 0),
        idle=_idle(lines.filter(pl.col("quantity") <= 0), words),
    )


def item_name(data: ReportData, sku: str) -> str:
    """The item's name, or its sku."""
    return shorten(data.names.get(sku) or sku)


def _groups(ordered: pl.DataFrame, data: ReportData, words: Wording) -> tuple[SupplierGroup, ...]:
    shown = ordered.head(MOST_LINES).with_columns(pl.col("supplier").fill_null(""))
    totals = (
        ordered.with_columns(pl.col("supplier").fill_null(""))
        .group_by("supplier")
        .agg(
            n=pl.len(),
            units=pl.col("quantity").sum(),
            value=pl.col("value").sum(),
            stake=pl.when(pl.col("stake").is_not_null().any()).then(pl.col("stake").sum()),
        )
        .sort(pl.coalesce("stake", "value"), "supplier", descending=[True, False])
    )
    groups = []
    for total in totals.iter_rows(named=True):
        mine = shown.filter(pl.col("supplier") == total["supplier"])
        if mine.height:
            groups.append(
                SupplierGroup(
                    supplier=shorten(total["supplier"] or words.say("orders.no_supplier")),
                    lines=tuple(_line(row, data) for row in mine.iter_rows(named=True)),
                    n_lines=total["n"],
                    units=float(total["units"]),
                    value=float(total["value"]),
                    stake=total["stake"],
                )
            )
    return tuple(groups)


def _line(row: dict[str, object], data: ReportData) -> OrderLine:
    def number(name: str) -> float | None:
        value = row[name]
        return float(value) if isinstance(value, int | float) else None

    arrival, cover, sku = row["arrival_date"], number("cover_buckets"), str(row["sku"])
    return OrderLine(
        name=item_name(data, sku),
        sku=shorten(sku),
        location=shorten(str(row["location"])),
        quantity=number("quantity") or 0.0,
        value=number("value"),
        stake=number("stake"),
        on_hand=number("on_hand"),
        on_order=number("on_order"),
        days_of_cover=None if cover is None else cover * 365.25 / PER_YEAR[data.meta.bucket],
        arrival=arrival if isinstance(arrival, date) else None,
        reason=shorten(str(row["reason"] or ""), MOST_REASON),
    )


def _idle(idle: pl.DataFrame, words: Wording) -> tuple[tuple[str, int], ...]:
    """What needs no order, counted by the deciding reason, most frequent first."""
    reason = pl.col("reason_code").fill_null("unknown").str.strip_prefix("plan.").alias("code")
    counts = idle.group_by(reason).len().sort("len", "code", descending=[True, False])
    return tuple(
        (words.say_or(f"idle.{code}", words.say("idle.unknown")), number)
        for code, number in counts.iter_rows()
    )
