"""`ForecastParts`: what an expected demand is made of, in units that add up to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.buckets import Bucket
from shelfwise.errors import UsageError
from shelfwise.messages import say

# In the order they are told; the level comes first and everything else is added to it.
PARTS = (
    "level", "season", "trend", "price", "promotion", "events", "stock_age", "neighbours", "behaviour",
    "calibration", "other",
)  # fmt: skip
# A part below this share of the whole is not worth a word.
TOLD_SHARE = 0.005
LEAST_UNITS = 1e-9
MANY_UNITS = 1000
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ForecastParts:
    """The parts of the expected demand of N series over H buckets: the same object for command line, report, Python.

    Attributes:
        keys: N rows `sku`, `location`.
        bucket: the time step; start: first day of the first bucket.
        units: (N, H, P) units of each of `PARTS`; they sum to the mean forecast.
        models: (N,) the model of each series.

    Example:
        >>> units = np.zeros((1, 2, len(PARTS)))
        >>> units[0, :, PARTS.index("level")], units[0, 1, PARTS.index("promotion")] = 10.0, 4.0
        >>> keys = pl.DataFrame({"sku": ["a"], "location": ["main"]})
        >>> parts = ForecastParts(keys, Bucket("week"), date(2024, 4, 8), units, np.array(["gbm"]))
        >>> print(parts.tell(0, 0, 2))
        Expected demand (weeks: 2): 24 units = 20 level + 4 promotion.
        >>> parts.to_frame().filter(pl.col("part") == "promotion")["units"].to_list()
        [0.0, 4.0]
    """

    keys: pl.DataFrame
    bucket: Bucket
    start: date
    units: Doubles
    models: npt.NDArray[Any]

    def __post_init__(self) -> None:
        if self.units.ndim != 3 or self.units.shape[::2] != (len(self.keys), len(PARTS)):
            raise UsageError(
                f"units must be ({len(self.keys)}, H, {len(PARTS)}) for {len(self.keys)} series; "
                f"got {self.units.shape}"
            )

    def __eq__(self, other: object) -> bool:
        """Equal in every number and name; arrays and frames have no plain equality of their own."""
        if not isinstance(other, ForecastParts):
            return NotImplemented
        return bool(
            (self.bucket, self.start) == (other.bucket, other.start)
            and self.keys.equals(other.keys)
            and np.array_equal(self.units, other.units)
            and np.array_equal(self.models, other.models)
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def horizon(self) -> int:
        return int(self.units.shape[1])

    def mean(self) -> Doubles:
        """(N, H) expected demand, the sum of all parts."""
        return np.asarray(self.units.sum(axis=2))

    def take(self, rows: npt.NDArray[Any]) -> ForecastParts:
        """The series in `rows`, in that order."""
        return ForecastParts(self.keys[rows], self.bucket, self.start, self.units[rows], self.models[rows])

    def to_frame(self) -> pl.DataFrame:
        """A row a series, bucket and part: `sku, location, date, part, units`."""
        n, horizon = len(self.keys), self.horizon
        dates = self.bucket.dates(self.start, horizon)
        return pl.DataFrame(
            {
                "sku": self.keys["sku"].gather(np.repeat(np.arange(n), horizon * len(PARTS))),
                "location": self.keys["location"].gather(np.repeat(np.arange(n), horizon * len(PARTS))),
                "date": pl.Series([day for day in dates for _ in PARTS], dtype=pl.Date).gather(
                    np.tile(np.arange(horizon * len(PARTS)), n)
                ),
                "part": pl.Series(list(PARTS) * (n * horizon), dtype=pl.Enum(PARTS)),
                "units": pl.Series(self.units.ravel()),
            }
        )

    def told(self, row: int, first: int, last: int) -> list[tuple[str, float]]:
        """(part, units) of the buckets first … last - 1 of a series, those that matter, the level first.

        Rounded to a tenth (to whole units from 1000 on), the level so that the sum stays what it is.
        """
        totals = self.units[row, first:last].sum(axis=0)
        whole = float(totals.sum())
        least = TOLD_SHARE * max(float(np.abs(totals).max(initial=0.0)), LEAST_UNITS)
        digits = 0 if abs(whole) >= MANY_UNITS else 1
        added = [
            (part, round(float(units), digits))
            for part, units in zip(PARTS[1:], totals[1:], strict=True)
            if abs(units) > least and round(float(units), digits)
        ]
        return [(PARTS[0], round(whole, digits) - sum(units for _, units in added)), *added]

    def tell(self, row: int, first: int, last: int, lang: str = "en") -> str:
        """The parts of the buckets first … last - 1 of a series, as a sentence."""
        terms, whole = "", 0.0
        for part, units in self.told(row, first, last):
            whole += units
            sign = "−" if units < 0 else "+"
            name = say(f"forecast_parts.name.{part}", lang)
            term = say("forecast_parts.term", lang, units=_number(abs(units)), name=name)
            terms += f" {sign} {term}" if terms else term if sign == "+" else sign + term
        bucket = say(f"plan.bucket.{self.bucket.name}", lang)
        return say(
            "forecast_parts.sentence",
            lang,
            buckets=last - first,
            bucket=bucket,
            units=_number(whole),
            terms=terms,
        )


def _number(units: float) -> str:
    """Up to one decimal, none where it would be a 0.

    Example:
        >>> _number(20.04), _number(0.25), _number(12345.6), _number(-0.01)
        ('20', '0.2', '12,346', '0')
    """
    digits = 0 if abs(units) >= MANY_UNITS or abs(units - round(units)) < 0.05 else 1
    return f"{round(units, digits) + 0.0:,.{digits}f}"
