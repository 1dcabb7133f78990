"""Every row gets a `location`: its own, else the shop's only one, else ``main`` (or ``*`` for every one)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import polars as pl

from shelfwise.errors import Problem
from shelfwise.tables.dataset import DEFAULT_LOCATION, EVERY, LOCATED

# Tables in which a row without a location would be counted at the wrong place.
NEEDING_LOCATION = ("stock", "inbound", "availability")


def with_locations(
    tables: Mapping[str, pl.DataFrame], files: Mapping[str, str], before: date | None = None
) -> tuple[dict[str, pl.DataFrame], list[Problem]]:
    """Fill `location` in every table.

    A shop with a single location may name it in one table and leave it out of the others.

    Args:
        tables: canonical frames by table name; `location` may be missing or blank.
        files: file name by table name, for the problems.
        before: places that only sales and availability from this day on know of do not count, being of
            the future; None = all count.

    Returns:
        The tables with `location` everywhere, and the problems: `location.which` (an error) where the
        sales know several locations and a table names none.
    """
    past = tables if before is None else {name: _until(frame, name, before) for name, frame in tables.items()}
    sold_at = _named(past, "sales")
    kept_at = sorted({place for name in NEEDING_LOCATION for place in _named(past, name)})
    known = sold_at or kept_at
    default = known[0] if len(known) == 1 else DEFAULT_LOCATION
    problems = list(_problems(tables, files, sold_at, kept_at))
    filled = {}
    for name, frame in tables.items():
        blank = default if name in LOCATED else EVERY
        if name == "items" or name == "locations":
            filled[name] = frame
        elif "location" in frame.columns:
            filled[name] = frame.with_columns(pl.col("location").fill_null(blank))
        else:
            filled[name] = frame.with_columns(pl.lit(blank, dtype=pl.String).alias("location"))
    return filled, problems


def _until(frame: pl.DataFrame, name: str, before: date) -> pl.DataFrame:
    return frame.filter(pl.col("date") < before) if name in ("sales", "availability") else frame


def _named(tables: Mapping[str, pl.DataFrame], name: str) -> list[str]:
    if name not in tables or "location" not in tables[name].columns:
        return []
    return tables[name]["location"].drop_nulls().unique().sort().to_list()


def _problems(
    tables: Mapping[str, pl.DataFrame], files: Mapping[str, str], sold_at: list[str], kept_at: list[str]
) -> Iterator[Problem]:
    if len(sold_at) > 1:
        for name in NEEDING_LOCATION:
            if name in tables and not _named(tables, name) and not tables[name].is_empty():
                yield Problem(
                    code="location.which",
                    rule="a row must say which location it belongs to when the sales know several",
                    fix="Add a column `location` that uses the sales' names",
                    file=files[name],
                    column="location",
                    value=", ".join(sold_at[:5]),
                    count=tables[name].height,
                )
    if "sales" in tables and not sold_at and len(kept_at) > 1:
        yield Problem(
            code="location.sales_have_none",
            rule=f"sales without a location are counted at {DEFAULT_LOCATION!r}",
            fix="Add a column `location` to the sales, so that stock and sales of a place meet",
            severity="warning",
            file=files["sales"],
            column="location",
            value=", ".join(kept_at[:5]),
        )
    for name in LOCATED:
        named = _named(tables, name)
        blanks = tables[name]["location"].null_count() if named else 0
        if blanks and len(sold_at) > 1:
            yield Problem(
                code="location.blank",
                rule=f"a blank location is read as {DEFAULT_LOCATION!r}",
                fix="Fill the column `location` in every row",
                severity="warning",
                file=files[name],
                column="location",
                count=blanks,
            )
