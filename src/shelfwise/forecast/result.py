"""`Forecast`: the table of a forecast, with what the user should know about it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from shelfwise.errors import UsageError

FEWEST_SAMPLES, MOST_SAMPLES = 200, 500


@dataclass(frozen=True)
class Forecast:
    """What `shelfwise.forecast` returns.

    Attributes:
        table: a row a series and bucket: `sku, location, date, mean`, then a column a quantile.
        model: name of the model that was fitted.
        notes: what befell the data or the model on the way.
        failures: (sku, location, reason) of series that had to be forecast by a last resort.
    """

    table: pl.DataFrame
    model: str
    notes: tuple[str, ...] = ()
    failures: tuple[tuple[str, str, str], ...] = ()

    def to_frame(self) -> pl.DataFrame:
        """The table."""
        return self.table

    def to_long(self) -> pl.DataFrame:
        """The table in the long convention `unique_id, ds, mean, …`; ids are `sku` or `sku@location`."""
        one_location = self.table["location"].n_unique() <= 1
        name = pl.col("sku") if one_location else pl.col("sku") + "@" + pl.col("location")
        return self.table.select(
            name.alias("unique_id"), pl.col("date").alias("ds"), pl.exclude("sku", "location", "date")
        )

    def _repr_html_(self) -> str:
        return f"<p>Forecast by {self.model}</p>{self.table._repr_html_()}"

    def __str__(self) -> str:
        return f"Forecast by {self.model}\n{self.table}"


def samples_for(quantiles: Sequence[float]) -> int:
    """Paths needed so that the outermost quantile asked for rests on at least two of them.

    Raises:
        UsageError: a level outside (0, 1).

    Example:
        >>> samples_for([0.1, 0.9]), samples_for([0.005])
        (200, 400)
    """
    for level in quantiles:
        if not 0.0 < level < 1.0:
            raise UsageError(f"quantile levels lie strictly between 0 and 1; got {level}")
    outermost = min((min(level, 1.0 - level) for level in quantiles), default=0.5)
    return int(min(max(math.ceil(2.0 / max(outermost, 1e-6)), FEWEST_SAMPLES), MOST_SAMPLES))
