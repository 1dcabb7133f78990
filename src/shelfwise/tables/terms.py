"""The terms a series is ordered under: the most specific row of `terms` wins, column by column.

The supplier is settled first, because a column is never mixed from two suppliers: candidates are those a
row names for the item itself, else those named for all items; among several the cheapest unit cost
wins, then the shortest lead time, then the name.
"""

from __future__ import annotations

import polars as pl

from shelfwise.tables.dataset import EVERY, Dataset
from shelfwise.tables.settings import Settings

# From the most specific to the least, and the columns a row of that level is found by.
LEVELS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("sku+location", ("sku", "location")),
    ("sku", ("sku",)),
    ("location", ("location",)),
    ("all", ()),
)
NUMBERS = (
    "lead_time",
    "lead_time_sd",
    "review_period",
    "moq",
    "multiple",
    "max_quantity",
    "unit_cost",
    "order_cost",
)
TERM_COLUMNS = (*NUMBERS, "price_breaks")
ORIGINS = ("sku+location", "sku", "location", "all", "settings", "items")


def resolve_terms(dataset: Dataset, keys: pl.DataFrame) -> pl.DataFrame:
    """The terms of every series, each value with where it came from.

    Args:
        dataset: holds `terms` (may be absent), `items` (for `unit_cost`) and the settings' defaults.
        keys: the N series, one row each: `sku`, `location`.

    Returns:
        N rows in the order of `keys`: `sku`, `location`, `supplier`, `lead_time` and `review_period` (Int64,
        buckets), `lead_time_sd` (buckets), `moq`, `multiple`, `max_quantity` (units; null = no maximum, 0 =
        not to be ordered), `unit_cost` (money per unit, null = unknown), `order_cost` (money per order),
        `price_breaks` (text); for each of these a ``<column>_origin`` in ``sku+location, sku, location, all,
        settings, items`` (null where nobody says); `supplier_choice`, a message code; and
        `supplier_count`, how many suppliers were compared.

    Example:
        >>> from shelfwise.tables.settings import Settings
        >>> terms = pl.DataFrame({"sku": ["*", "a"], "location": ["*", "*"], "lead_time": [4.0, None],
        ...                       "moq": [None, 12.0]})
        >>> keys = pl.DataFrame({"sku": ["a", "b"], "location": ["main", "main"]})
        >>> resolved = resolve_terms(Dataset(Settings(), {"terms": terms}), keys)
        >>> resolved.select("sku", "lead_time", "lead_time_origin", "moq", "moq_origin").rows()
        [('a', 4, 'all', 12.0, 'sku'), ('b', 4, 'all', 0.0, 'settings')]
    """
    series = keys.select("sku", "location").with_row_index("__series")
    terms = _with_all_columns(dataset.table("terms"))
    candidates = _candidates(series, terms)
    origins: list[tuple[str, str]] = []
    for level, columns in LEVELS:
        at_level = terms.filter(*(_covers_all(name) != (name in columns) for name in ("sku", "location")))
        for tag, rows in (
            ("named", at_level.filter(pl.col("supplier").is_not_null())),
            ("blank", at_level.filter(pl.col("supplier").is_null())),
        ):
            if not rows.is_empty():
                on = [*columns, "supplier"] if tag == "named" else list(columns)
                suffix = f"|{level}|{tag}"
                rows = rows.select(*on, *(pl.col(name).alias(name + suffix) for name in TERM_COLUMNS))
                # Without a column to meet on there is one row at most, and it holds for every candidate.
                how = "left" if on else "cross"
                candidates = candidates.join(rows, on=on or None, how=how)  # type: ignore[arg-type]
                origins.append((level, suffix))
    return _choose(_settled(candidates, origins, dataset)).select(
        "sku",
        "location",
        "supplier",
        *TERM_COLUMNS,
        *(f"{column}_origin" for column in TERM_COLUMNS),
        "supplier_choice",
        "supplier_count",
    )


def _with_all_columns(terms: pl.DataFrame) -> pl.DataFrame:
    missing = [
        pl.lit(None, dtype=pl.Float64 if name in NUMBERS else pl.String).alias(name)
        for name in ("location", "supplier", *TERM_COLUMNS)
        if name not in terms.columns
    ]
    return (
        terms.with_columns(missing)
        .with_columns(pl.col("location").fill_null(EVERY))
        .unique(["sku", "location", "supplier"], keep="last", maintain_order=True)
    )


def _covers_all(column: str) -> pl.Expr:
    return pl.col(column) == EVERY


def _candidates(series: pl.DataFrame, terms: pl.DataFrame) -> pl.DataFrame:
    """Every series with each supplier that may serve it; one null supplier where nobody is named."""
    named = terms.filter(pl.col("supplier").is_not_null()).select("sku", "location", "supplier")
    for_sku, for_all = named.filter(~_covers_all("sku")), named.filter(_covers_all("sku"))

    def matches(rows: pl.DataFrame, by: list[str], to: pl.DataFrame) -> list[pl.DataFrame]:
        here, everywhere = rows.filter(~_covers_all("location")), rows.filter(_covers_all("location"))
        wide = everywhere.select(*by, "supplier").unique()
        found = [to.join(here.select(*by, "location", "supplier"), on=[*by, "location"])]
        found.append(to.join(wide, on=by) if by else to.join(wide, how="cross"))
        return [frame.select("__series", "supplier") for frame in found]

    listed = pl.concat(matches(for_sku, ["sku"], series))
    # A supplier of everything is asked only for items that no supplier lists by name.
    unlisted = series.join(listed, on="__series", how="anti")
    pairs = pl.concat([listed, *matches(for_all, [], unlisted)]).unique()
    return series.join(pairs, on="__series", how="left", maintain_order="left")


def _settled(candidates: pl.DataFrame, origins: list[tuple[str, str]], dataset: Dataset) -> pl.DataFrame:
    """One value and one origin a column, from the most specific source that has one."""
    items = dataset.table("items")
    if "unit_cost" in items.columns:
        costs = items.select("sku", pl.col("unit_cost").alias("unit_cost|items")).unique("sku", keep="last")
        candidates = candidates.join(costs, on="sku", how="left")
    defaults = _defaults(dataset.settings)
    values, sources = [], []
    for name in TERM_COLUMNS:
        ranked = [(level, pl.col(name + suffix)) for level, suffix in origins]
        if f"{name}|items" in candidates.columns:
            ranked.append(("items", pl.col(f"{name}|items")))
        if name in defaults:
            ranked.append(("settings", pl.lit(defaults[name], dtype=pl.Float64)))
        nothing = pl.lit(None, dtype=pl.Float64 if name in NUMBERS else pl.String)
        values.append(pl.coalesce(*(value for _, value in ranked), nothing).alias(name))
        given = [pl.when(value.is_not_null()).then(pl.lit(level)) for level, value in ranked]
        origin = pl.coalesce(*given, pl.lit(None, dtype=pl.String))
        sources.append(origin.cast(pl.Enum(ORIGINS)).alias(f"{name}_origin"))
    whole = pl.col("lead_time", "review_period").ceil().cast(pl.Int64)
    return candidates.select("__series", "sku", "location", "supplier", *values, *sources).with_columns(whole)


def _defaults(settings: Settings) -> dict[str, float]:
    supply = settings.supply
    return {
        "lead_time": float(supply.lead_time),
        "lead_time_sd": supply.lead_time_sd,
        "review_period": float(supply.review_period),
        "moq": supply.moq,
        "multiple": supply.multiple,
        "order_cost": settings.costs.order,
    }


def _choose(settled: pl.DataFrame) -> pl.DataFrame:
    """One supplier a series, and the message code of why it was this one."""
    rivals = pl.when(pl.col("supplier").is_null()).then(0).otherwise(pl.len().over("__series"))
    settled = settled.with_columns(supplier_count=rivals)
    alone = settled.filter(pl.col("supplier_count") < 2).with_columns(
        supplier_choice=pl.when(pl.col("supplier_count") == 0)
        .then(pl.lit("terms.supplier.none"))
        .otherwise(pl.lit("terms.supplier.only"))
    )
    contested = settled.filter(pl.col("supplier_count") > 1)
    cost = pl.col("unit_cost").fill_null(float("inf"))
    cheapest = contested.filter(cost == cost.min().over("__series"))
    fastest = cheapest.filter(pl.col("lead_time") == pl.col("lead_time").min().over("__series"))
    reasons = (
        fastest.sort("__series", "supplier")
        .unique("__series", keep="first", maintain_order=True)
        .join(cheapest.group_by("__series").len("__cheapest"), on="__series")
        .join(fastest.group_by("__series").len("__fastest"), on="__series")
        .with_columns(
            supplier_choice=pl.when(pl.col("__cheapest") == 1)
            .then(pl.lit("terms.supplier.cheapest"))
            .when(pl.col("__fastest") == 1)
            .then(pl.lit("terms.supplier.fastest"))
            .otherwise(pl.lit("terms.supplier.first_name"))
        )
        .drop("__cheapest", "__fastest")
    )
    return pl.concat([alone, reasons]).sort("__series")
