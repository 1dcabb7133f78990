"""Checks of names: rows told apart by their keys, and skus that somebody sells or lists."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from shelfwise.errors import Problem
from shelfwise.tables.dataset import EVERY
from shelfwise.tables.whole_shop import EXAMPLES, Shop, examples

# Tables whose rows must be told apart by these columns, or a join would multiply them.
UNIQUE_BY = {
    "stock": ("sku", "location"),
    "availability": ("sku", "location", "date"),
    "items": ("sku",),
    "locations": ("location",),
    "prices": ("sku", "location", "date"),
    "terms": ("sku", "location", "supplier"),
}
NAMING_SKUS = ("stock", "inbound", "terms", "availability", "prices", "promotions")


def repeated_keys(shop: Shop) -> Iterator[Problem]:
    """Two rows for one key, of which nobody can say which holds."""
    for table, key in UNIQUE_BY.items():
        if not shop.has(table):
            continue
        frame = shop.tables[table]
        columns = [name for name in key if name in frame.columns]
        repeats = frame.select(columns).filter(pl.struct(columns).is_duplicated())
        if repeats.is_empty():
            continue
        keys = repeats.unique(maintain_order=True)
        yield Problem(
            code=f"{table}.repeated",
            rule=f"there must be one row for each {', '.join(columns)}",
            fix="Keep the row that is right, or add them up if each holds a part",
            file=shop.files[table],
            column=columns[0],
            value=examples("/".join(str(cell) for cell in row) for row in keys.head(EXAMPLES).iter_rows()),
            count=repeats.height - keys.height,
        )


def unknown_skus(shop: Shop) -> Iterator[Problem]:
    """Names of items that are neither sold nor listed: usually a misspelling or a lost leading zero."""
    if not shop.has("sales") or "items" in shop.broken:
        return
    known = [shop.tables[name].select("sku") for name in ("sales", "items") if shop.has(name)]
    for table in NAMING_SKUS:
        if not shop.has(table):
            continue
        named = shop.tables[table].select("sku").filter(pl.col("sku") != EVERY)
        strange = named.join(pl.concat(known).unique(), on="sku", how="anti")
        if strange.is_empty():
            continue
        yield Problem(
            code=f"{table}.unknown_sku",
            rule="a sku must appear in sales or items",
            fix="Add it to items if it is right, else correct or remove the row (mind leading zeros)",
            severity="error" if table in ("stock", "inbound") else "warning",
            file=shop.files[table],
            column="sku",
            value=examples(strange["sku"].unique(maintain_order=True).head(EXAMPLES).to_list()),
            count=strange.height,
        )
