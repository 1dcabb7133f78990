"""Series of the places that other places order from, even where nothing is sold and nobody wrote them down."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl

from shelfwise.demand.aggregation import series_keys
from shelfwise.tables.dataset import Dataset
from shelfwise.tables.terms import resolve_terms


def with_supplying_places(dataset: Dataset, day: date) -> Dataset:
    """The shop with a series for every item at every place that another place orders it from.

    A supplier that bears the name of one of the shop's locations is that location. A series without a row of its own has
    sold nothing and has nothing on hand; an empty receipt, due on `day`, makes it known.

    Example:
        >>> from shelfwise.tables import Settings
        >>> tables = {
        ...     "sales": pl.DataFrame({"sku": ["a"], "location": ["north"], "quantity": [1.0]}),
        ...     "locations": pl.DataFrame({"location": ["hub", "north"]}),
        ...     "terms": pl.DataFrame({"sku": ["a"], "location": ["north"], "supplier": ["hub"]}),
        ... }
        >>> with_supplying_places(Dataset(Settings(), tables), date(2024, 1, 8)).table("inbound").rows()
        [('a', 0.0, datetime.date(2024, 1, 8), 'hub')]
    """
    if "supplier" not in dataset.table("terms").columns:
        return dataset
    while True:
        sales, stock, inbound = (dataset.table(name) for name in ("sales", "stock", "inbound"))
        keys = series_keys(sales, stock, inbound)
        places = {*keys["location"], *dataset.table("locations")["location"]}
        inside = pl.col("supplier").is_in(sorted(places)) & (pl.col("supplier") != pl.col("location"))
        ordered = resolve_terms(dataset, keys).filter(inside)
        missing = (
            ordered.select("sku", location="supplier")
            .unique(maintain_order=True)
            .join(keys, on=["sku", "location"], how="anti")
        )
        if missing.is_empty():
            return dataset
        rows = missing.with_columns(quantity=pl.lit(0.0), due=pl.lit(day))
        tables = {**dataset.tables, "inbound": pl.concat([inbound, rows], how="diagonal_relaxed")}
        dataset = replace(dataset, tables=tables)
