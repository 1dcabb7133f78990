"""M5 raw files: which days there are, and the sales matrix of a stretch of days, nothing beyond it read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks.raw_data import raw_file
from shelfwise.errors import UsageError

SALES_FILE = "sales_d1495_d1941.parquet"
CALENDAR_FILE = "calendar.parquet"
PRICES_FILE = "sell_prices.parquet"
HORIZON_DAYS = 28
KEY_COLUMNS = ("item_id", "dept_id", "cat_id", "store_id", "state_id")


@dataclass(frozen=True)
class M5Sales:
    """Units sold per item-store series and day.

    Attributes:
        keys: N rows `item_id`, `dept_id`, `cat_id`, `store_id`, `state_id`, in the raw file's order.
        first_day: the number of the first column's day, 1495 for ``d_1495``.
        values: (N, T) int16.
    """

    keys: pl.DataFrame
    first_day: int
    values: npt.NDArray[np.int16]

    @property
    def last_day(self) -> int:
        """The number of the last column's day."""
        return self.first_day + int(self.values.shape[1]) - 1


def held_days(source: Path) -> tuple[int, int]:
    """The first and the last day whose sales are in the file."""
    names = pl.read_parquet_schema(raw_file(source, SALES_FILE))
    days: list[int] = sorted(int(name[2:]) for name in names if name.startswith("d_"))
    return days[0], days[-1]


def read_sales(source: Path, *, first_day: int | None = None, last_day: int | None = None) -> M5Sales:
    """Sales from `first_day` to `last_day`, both included; other days' columns are not read.

    Raises:
        UsageError: a day is not in the file.
    """
    held = held_days(source)
    first, last = first_day or held[0], last_day or held[1]
    if not held[0] <= first <= last <= held[1]:
        raise UsageError(f"days must lie in d_{held[0]} … d_{held[1]}, in order; got d_{first} … d_{last}")
    days = [f"d_{day}" for day in range(first, last + 1)]
    frame = pl.read_parquet(raw_file(source, SALES_FILE), columns=[*KEY_COLUMNS, *days])
    return M5Sales(frame.select(KEY_COLUMNS), first, frame.select(days).to_numpy())


def read_calendar(source: Path) -> pl.DataFrame:
    """The calendar with `day`, the number in ``d``, sorted by it."""
    calendar = pl.read_parquet(raw_file(source, CALENDAR_FILE))
    return calendar.with_columns(day=pl.col("d").str.slice(2).cast(pl.Int32)).sort("day")


def dates_of(calendar: pl.DataFrame, first_day: int, last_day: int) -> list[date]:
    """The dates of a stretch of days."""
    dates: list[Any] = calendar.filter(pl.col("day").is_between(first_day, last_day))["date"].to_list()
    return dates
