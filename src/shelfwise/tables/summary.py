"""`summarise`: what `check` shows about a shop's data, as text, as a dict and as HTML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from html import escape
from typing import Any

import polars as pl

from shelfwise.errors import Problem
from shelfwise.messages import pick_language, problem_text, retold, say
from shelfwise.tables.closures import closures
from shelfwise.tables.dataset import Dataset, TableFacts
from shelfwise.tables.schema import SCHEMAS

FEW_SALES = 10


@dataclass(frozen=True, slots=True)
class CheckSummary:
    """What the data are, in numbers.

    Attributes:
        source: where the data came from.
        bucket: ``day``, ``week`` or ``month``.
        tables: how each table came in.
        absent: tables that were not given, each of which has a stated default.
        series: (sku, location) pairs with a sales row; `skus` and `locations` among them.
        first_sale: date of the first sales row; `last_sale` of the last one.
        buckets: from the first to the last sale, both counted.
        zero_share: share of the (series, bucket) cells, from a series' first row to the shop's last
            bucket, in which nothing was sold, closures included.
        out_of_stock_share: mean of 1 - in_stock over `availability`; None without that table.
        return_lines: sales rows with a negative quantity, and `returned_units` in them.
        cancelled, repeats, identical: sales rows left out, counted once, and alike but counted.
        negative_net: series with more units returned than sold.
        closures: stretches without any sale in the shop, and `closed_buckets` in them.
        few_sales_share: share of series with fewer than 10 sales rows above 0.
        warnings: everything found that is no error.
        demand: what is made of these sales on their way to demand, a sentence a thing (`planner.check` fills it).
    """

    source: str
    bucket: str
    tables: tuple[TableFacts, ...]
    absent: tuple[str, ...]
    series: int
    skus: int
    locations: int
    first_sale: date
    last_sale: date
    buckets: int
    zero_share: float
    out_of_stock_share: float | None
    return_lines: int
    returned_units: float
    cancelled: int
    repeats: int
    identical: int
    negative_net: int
    closures: int
    closed_buckets: int
    few_sales_share: float
    warnings: tuple[Problem, ...]
    demand: tuple[str, ...] = ()

    def to_text(self, lang: str | None = None) -> str:
        """Plain text, one fact a line."""
        lang = pick_language(lang)
        lines = [say("check.title", lang, source=self.source), say("check.ready", lang), ""]
        for title, entries in self._sections(lang):
            lines += ([title] if title else []) + [f"  {entry}" for entry in entries] + [""]
        return "\n".join(lines).rstrip() + "\n"

    def to_dict(self) -> dict[str, Any]:
        """The same facts as plain values that JSON can hold."""
        facts = asdict(self)
        facts["first_sale"], facts["last_sale"] = self.first_sale.isoformat(), self.last_sale.isoformat()
        facts["tables"] = [{**table, "columns": list(table["columns"])} for table in facts["tables"]]
        facts["absent"], facts["warnings"] = list(self.absent), list(facts["warnings"])
        facts["demand"] = [str(note) for note in self.demand]
        return facts

    def _repr_html_(self) -> str:
        lang = pick_language(None)
        parts = [f"<h3>{escape(say('check.title', lang, source=self.source))}</h3>"]
        for title, entries in self._sections(lang):
            items = "".join(f"<li>{escape(entry)}</li>" for entry in entries)
            parts.append((f"<h4>{escape(title)}</h4>" if title else "") + f"<ul>{items}</ul>")
        return f"<div class='shelfwise-check'>{''.join(parts)}</div>"

    def _sections(self, lang: str) -> Iterator[tuple[str, list[str]]]:
        yield "", list(self._sales_lines(lang))
        yield say("check.tables", lang), [line for table in self.tables for line in _table_lines(table, lang)]
        if self.absent:
            named = [f"{name}: {say(f'check.default.{name}', lang)}" for name in self.absent]
            yield say("check.absent", lang), named
        if self.demand:
            yield say("check.demand", lang), [retold(note, lang) for note in self.demand]
        if self.warnings:
            texts = [problem_text(problem, lang) for problem in self.warnings]
            yield say("check.warnings", lang, count=len(texts)), texts
        else:
            yield say("check.no_warnings", lang), []

    def _sales_lines(self, lang: str) -> Iterator[str]:
        yield say("check.series", lang, series=self.series, skus=self.skus, locations=self.locations)
        yield say(
            "check.span",
            lang,
            first=self.first_sale,
            last=self.last_sale,
            buckets=self.buckets,
            bucket=say(f"check.bucket.{self.bucket}", lang),
        )
        yield say("check.zero_share", lang, share=f"{self.zero_share:.1%}")
        if self.out_of_stock_share is not None:
            yield say("check.out_of_stock", lang, share=f"{self.out_of_stock_share:.1%}")
        yield say("check.short", lang, share=f"{self.few_sales_share:.1%}", limit=FEW_SALES)
        if self.return_lines:
            yield say("check.returns", lang, lines=self.return_lines, units=f"{self.returned_units:,.10g}")
        for name in ("cancelled", "repeats", "identical", "negative_net"):
            if getattr(self, name):
                yield say(f"check.{name}", lang, count=getattr(self, name))
        if self.closures:
            yield say("check.closures", lang, count=self.closures, buckets=self.closed_buckets)


def summarise(dataset: Dataset) -> CheckSummary:
    """The numbers a user looks at before trusting their data to a plan.

    Example:
        >>> from shelfwise.tables.settings import Settings
        >>> sales = pl.DataFrame({"sku": ["a", "a"], "location": ["main", "main"], "quantity": [4.0, 1.0],
        ...                       "date": [date(2024, 1, 1), date(2024, 1, 22)]})
        >>> summary = summarise(Dataset(Settings(), {"sales": sales}, source="example"))
        >>> summary.series, summary.buckets, summary.zero_share, summary.closed_buckets
        (1, 4, 0.5, 2)
    """
    sales, bucket = dataset.table("sales"), dataset.bucket
    indexed = sales.with_columns(bucket=bucket.index_expr(pl.col("date")))
    first_sale, last_sale = sales.select(
        pl.col("date").min().alias("a"), pl.col("date").max().alias("b")
    ).row(0)
    series = indexed.group_by("sku", "location").agg(
        first=pl.col("bucket").min(),
        net=pl.col("quantity").sum(),
        sales=(pl.col("quantity") > 0).sum(),
    )
    cells = series.select((bucket.index(last_sale) + 1 - pl.col("first")).sum()).item()
    sold = (
        indexed.group_by("sku", "location", "bucket")
        .agg(pl.col("quantity").sum())
        .filter(pl.col("quantity") > 0)
    )
    availability = dataset.table("availability")
    mean_in_stock = availability["in_stock"].mean()
    closed = closures(sales, bucket)
    returned = sales.filter(pl.col("quantity") < 0)["quantity"]
    counts: dict[str, int] = {}
    for note in dataset.notes:
        counts[note.code] = counts.get(note.code, 0) + note.count
    return CheckSummary(
        source=dataset.source,
        bucket=bucket.name,
        tables=dataset.facts,
        absent=tuple(name for name in SCHEMAS if not dataset.has(name)),
        series=series.height,
        skus=series["sku"].n_unique(),
        locations=series["location"].n_unique(),
        first_sale=first_sale,
        last_sale=last_sale,
        buckets=bucket.count(first_sale, last_sale) + 1,
        zero_share=1 - sold.height / cells,
        out_of_stock_share=None if mean_in_stock is None else 1 - float(mean_in_stock),  # type: ignore[arg-type]
        return_lines=returned.len(),
        returned_units=-float(returned.sum()),
        cancelled=counts.get("sales.cancelled_left_out", 0),
        repeats=counts.get("sales.repeats_collapsed", 0),
        identical=counts.get("sales.identical_rows", 0),
        negative_net=series.filter(pl.col("net") < 0).height,
        closures=closed.height,
        closed_buckets=int(closed["buckets"].sum()),
        few_sales_share=series.filter(pl.col("sales") < FEW_SALES).height / series.height,
        warnings=tuple(note for note in dataset.notes if note.severity == "warning"),
    )


def _table_lines(table: TableFacts, lang: str) -> Iterator[str]:
    values = {"file": table.file, "rows": table.rows, "columns": len(table.columns)}
    if table.encoding:
        yield say("check.table_encoding", lang, encoding=table.encoding, **values)
    else:
        yield say("check.table", lang, **values)
    if table.renamed:
        pairs = ", ".join(f"{given} = {known}" for given, known in table.renamed.items())
        yield say("check.renamed", lang, file=table.file, columns=pairs)
