"""Checks of where and when: places by two names or by none, and stretches in which the whole shop sold nothing."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from shelfwise.buckets import Bucket
from shelfwise.errors import Problem
from shelfwise.tables.closures import closures
from shelfwise.tables.whole_shop import EXAMPLES, Shop, examples

CLOSURE = "sales.closure"


def look_alike_locations(shop: Shop) -> Iterator[Problem]:
    """Location names that differ only by case or blanks."""
    named = [
        frame.select(pl.col("location").cast(pl.String))
        for frame in shop.tables.values()
        if "location" in frame.columns
    ]
    if not named:
        return
    spellings = (
        pl.concat(named)
        .drop_nulls()
        .unique()
        .with_columns(folded=pl.col("location").str.to_lowercase().str.replace_all(r"\s", ""))
        .group_by("folded")
        .agg(pl.col("location").sort())
        .filter(pl.col("location").list.len() > 1)
        .sort("folded")
    )
    if not spellings.is_empty():
        groups = spellings["location"].to_list()
        yield Problem(
            code="location.look_alike",
            rule="location names that differ only by case or blanks are different locations",
            fix="Write one place the same way in every table",
            severity="warning",
            column="location",
            value=examples("/".join(group) for group in groups[:EXAMPLES]),
            count=len(groups),
        )


def unlisted_locations(shop: Shop) -> Iterator[Problem]:
    """Places that sell but are missing in the list of locations."""
    if not (shop.has("locations") and shop.has("sales", "location")):
        return
    sold_at = shop.tables["sales"].select("location").unique(maintain_order=True)
    strange = sold_at.join(shop.tables["locations"], on="location", how="anti", maintain_order="left")
    if not strange.is_empty():
        yield Problem(
            code="locations.missing",
            rule="a location that sells should be listed in locations",
            fix="Add a row for it, or correct its name in sales",
            severity="warning",
            file=shop.files["locations"],
            column="location",
            value=examples(strange["location"].head(EXAMPLES).to_list()),
            count=strange.height,
        )


def shop_closures(shop: Shop) -> Iterator[Problem]:
    """Stretches in which nobody sold anything anywhere."""
    if not shop.has("sales", "date"):
        return
    yield from closure_problems(
        shop.tables["sales"], Bucket(shop.settings.series.bucket), shop.files["sales"]
    )


def closure_problems(sales: pl.DataFrame, bucket: Bucket, file: str) -> Iterator[Problem]:
    """The warning of stretches in which nobody sold anything anywhere, if there are any."""
    closed = closures(sales, bucket)
    if not closed.is_empty():
        longest = closed.sort("buckets", "start", descending=[True, False]).head(EXAMPLES).sort("start")
        yield Problem(
            code=CLOSURE,
            rule="buckets without any sale in the whole shop are taken as closed, not as no demand",
            fix="If rows are missing there, add them; else nothing to do",
            severity="warning",
            file=file,
            column="date",
            value=examples(f"{start}..{end}" for start, end, _ in longest.iter_rows()),
            count=closed.height,
        )
