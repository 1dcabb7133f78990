"""Online Retail II raw invoices to a data folder of weekly buckets, with a report that counts every line.

What is left out and why stands in `online_retail_lines`; ``cleaning_report.json`` beside the tables counts
it: raw lines = kept + the sum of the reasons. The shop tells neither its stock nor its terms, so these
are ASSUMED, and the report says so: lead time 3 weeks, review every week, packs by price (12 below 2.00,
6 below 5.00, single pieces above), one pack as least order, unit cost half the median price.

A sale that is cancelled later is gone from the history before its cancellation, which nobody could have
known then. For a test as of a date, pass ``as_of``: invoices from that day on are left out first, so what
is written is what was known.

    python -m benchmarks.online_retail_folder OUT [--source DIR] [--as-of DATE]
"""

from __future__ import annotations

import argparse
import json
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.folder_files import SETTINGS_NAME, empty_folder, write_table
from benchmarks.online_retail_lines import REASONS, read_lines, sort_out
from benchmarks.raw_data import raw_folder, run_command
from shelfwise.errors import UsageError

REPORT_NAME = "cleaning_report.json"
LEAD_TIME_WEEKS = 3
COST_SHARE = 0.5
# Packs the assumed supplier sells in, by the item's price: (below, pieces).
PACKS = ((2.0, 12), (5.0, 6))
SETTINGS = f"""# Lead time, review period and costs are assumed: the raw files do not tell them.
[series]
bucket = "week"

[supply]
lead_time = {LEAD_TIME_WEEKS}
review_period = 1
unmet = "lost"

[costs]
holding_rate = 0.25
shortage = "margin"
order = 0.0
"""


def item_rows(kept: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """`items` (`sku`, `name`, `price`, `unit_cost`), and how many SKUs have no price of their own.

    The name is the SKU's most frequent description (the first in the alphabet of equals), the price the
    median over its sales. A SKU that was only returned or given away takes the shop's median price.
    """
    names = (
        kept.filter(pl.col("description").is_not_null())
        .group_by("sku", name=pl.col("description").str.strip_chars())
        .len()
        .sort("sku", "len", "name", descending=[False, True, False])
        .unique("sku", keep="first", maintain_order=True)
        .drop("len")
    )
    paid = kept.filter((pl.col("quantity") > 0) & (pl.col("price") > 0))
    prices = paid.group_by("sku").agg(pl.col("price").median())
    items = kept.select("sku").unique().sort("sku")
    items = items.join(names, on="sku", how="left", maintain_order="left")
    items = items.join(prices, on="sku", how="left", maintain_order="left")
    unpriced = items["price"].null_count()
    items = items.with_columns(pl.col("price").fill_null(pl.lit(prices["price"].median(), pl.Float64)))
    return items.with_columns(unit_cost=(pl.col("price") * COST_SHARE).round(4)), unpriced


def term_rows(items: pl.DataFrame) -> pl.DataFrame:
    """`terms`, one row a SKU: the assumed lead time, review period and pack."""
    pack = pl.lit(1)
    for below, pieces in reversed(PACKS):
        pack = pl.when(pl.col("price") < below).then(pl.lit(pieces)).otherwise(pack)
    return items.select(
        "sku",
        lead_time=pl.lit(LEAD_TIME_WEEKS),
        review_period=pl.lit(1),
        moq=pack,
        multiple=pack,
        unit_cost="unit_cost",
    )


def cleaning_report(lines: pl.DataFrame, after_as_of: int, unpriced: int) -> dict[str, Any]:
    """Every raw line under one heading, and what is assumed."""
    kept = lines.filter(pl.col("reason").is_null())
    counted = lines.group_by("reason").agg(lines=pl.len(), units=pl.col("quantity").sum())
    by_reason = {reason: (count, units) for reason, count, units in counted.iter_rows()}
    left_out = {
        reason: {"lines": count, "units": units}
        for reason in REASONS
        for count, units in [by_reason.get(reason, (0, 0))]
    }
    spellings = lines.filter(pl.col("code") != pl.col("sku"))
    return {
        "raw_lines": len(lines) + after_as_of,
        "after_as_of": after_as_of,
        "left_out": left_out,
        "kept": {
            "lines": len(kept),
            "units": int(kept["quantity"].sum()),
            "negative_lines": int((kept["quantity"] < 0).sum()),
            "lines_without_customer": kept["customer"].null_count(),
            "skus": kept["sku"].n_unique(),
        },
        "lines_with_united_spelling": len(spellings),
        "skus_priced_by_the_shops_median": unpriced,
        "assumed": {
            "lead_time_weeks": LEAD_TIME_WEEKS,
            "review_period_weeks": 1,
            "pack_by_price_below": {str(below): pieces for below, pieces in PACKS},
            "unit_cost_share_of_median_price": COST_SHARE,
            "holding_rate_per_year": 0.25,
            "shortage": "margin",
            "stock": "not known; none is written",
        },
    }


def write_online_retail_folder(source: Path, out: Path, *, as_of: date | None = None) -> Path:
    """Write the folder; with `as_of`, from the invoices before that day alone. Returns `out`.

    Raises:
        UsageError: a raw file is missing, or no line is before `as_of`.
    """
    lines = read_lines(source)
    known = lines if as_of is None else lines.filter(pl.col("timestamp").dt.date() < as_of)
    if known.is_empty():
        first = lines["timestamp"].dt.date().min()
        raise UsageError(f"as_of must be after {first!s}, the first invoice's day; got {as_of}")
    sorted_out = sort_out(known)
    kept = sorted_out.filter(pl.col("reason").is_null())
    items, unpriced = item_rows(kept)
    empty_folder(out)
    sales = kept.select(
        "sku", "timestamp", "quantity", "order_id", "line_id", "price", "customer", channel="country"
    ).sort("timestamp", "order_id", "line_id")
    write_table(sales, out, "sales", "parquet")
    write_table(items, out, "items")
    write_table(term_rows(items), out, "terms")
    report = cleaning_report(sorted_out, len(lines) - len(known), unpriced)
    (out / REPORT_NAME).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    (out / SETTINGS_NAME).write_text(SETTINGS, encoding="utf-8")
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description="Online Retail II raw invoices to a data folder")
    parser.add_argument("out", type=Path)
    parser.add_argument("--source", type=Path)
    parser.add_argument("--as-of", type=date.fromisoformat)
    options = parser.parse_args()
    source = raw_folder("online_retail", options.source)
    folder = write_online_retail_folder(source, options.out, as_of=options.as_of)
    print((folder / REPORT_NAME).read_text(encoding="utf-8"), end="")


if __name__ == "__main__":
    run_command(main)
