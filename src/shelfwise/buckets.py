"""Dates and buckets: the time step of everything, and the protection interval of an order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

from shelfwise.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

BucketName = Literal["day", "week", "month"]
PER_YEAR: dict[str, float] = {"day": 365.25, "week": 365.25 / 7, "month": 12.0}
SEASON: dict[str, int] = {"day": 7, "week": 52, "month": 12}
EPOCH_MONDAY = date(1970, 1, 5)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A time step whose date is its first day.

    Args:
        name: ``day``, ``week`` or ``month``.
        week_start: weekday a week begins on, 0 = Monday … 6 = Sunday.

    Example:
        >>> from datetime import date
        >>> week = Bucket("week")
        >>> week.floor(date(2024, 4, 10))
        datetime.date(2024, 4, 8)
        >>> week.shift(date(2024, 4, 8), 2)
        datetime.date(2024, 4, 22)
        >>> week.count(date(2024, 4, 8), date(2024, 4, 22))
        2
    """

    name: BucketName = "week"
    week_start: int = 0

    def __post_init__(self) -> None:
        if self.name not in PER_YEAR:
            raise UsageError(f"bucket must be one of day, week, month; got {self.name!r}")
        if not 0 <= self.week_start <= 6:
            raise UsageError(f"week_start must be 0 (Monday) to 6 (Sunday); got {self.week_start}")

    @property
    def per_year(self) -> float:
        """Buckets in a mean year."""
        return PER_YEAR[self.name]

    @property
    def season(self) -> int:
        """The natural season: 7 days, 52 weeks, 12 months."""
        return SEASON[self.name]

    def index(self, day: date) -> int:
        """A running number of the bucket that holds `day`; differences count buckets."""
        if self.name == "day":
            return (day - EPOCH_MONDAY).days
        if self.name == "week":
            return ((day - EPOCH_MONDAY).days - self.week_start) // 7
        return (day.year - 1970) * 12 + day.month - 1

    def from_index(self, index: int) -> date:
        """The first day of the bucket with that running number."""
        if self.name == "day":
            return EPOCH_MONDAY + timedelta(days=index)
        if self.name == "week":
            return EPOCH_MONDAY + timedelta(days=index * 7 + self.week_start)
        return date(1970 + index // 12, index % 12 + 1, 1)

    def floor(self, day: date) -> date:
        """The first day of the bucket that holds `day`."""
        return self.from_index(self.index(day))

    def shift(self, day: date, buckets: int) -> date:
        """The first day of the bucket `buckets` later (or earlier) than the one that holds `day`."""
        return self.from_index(self.index(day) + buckets)

    def count(self, start: date, end: date) -> int:
        """Buckets from the one that holds `start` to the one that holds `end` (end not counted)."""
        return self.index(end) - self.index(start)

    def dates(self, start: date, count: int) -> list[date]:
        """`count` consecutive bucket dates, the first one holding `start`."""
        first = self.index(start)
        return [self.from_index(first + step) for step in range(count)]

    def days_in(self, start: date) -> int:
        """Days the bucket that begins at `start` has."""
        return (self.shift(start, 1) - self.floor(start)).days

    def index_expr(self, column: pl.Expr) -> pl.Expr:
        """`index`, as a Polars expression over a Date column (Int32)."""
        import polars as pl

        days = column.cast(pl.Date).cast(pl.Int32) - (EPOCH_MONDAY - date(1970, 1, 1)).days
        if self.name == "day":
            return days
        if self.name == "week":
            return (days - self.week_start).floordiv(7)
        return (column.dt.year().cast(pl.Int32) - 1970) * 12 + column.dt.month().cast(pl.Int32) - 1


def protection_interval(lead_time_buckets: int, review_period_buckets: int) -> int:
    """Buckets, from the order on, that the order placed now is the last one able to serve: L + R.

    The next order is placed R buckets later and serves demand from bucket t + R + L on, so this
    order has to carry everything before that.
    """
    if lead_time_buckets < 0 or review_period_buckets < 1:
        raise UsageError(
            "lead time must be >= 0 and review period >= 1 bucket; "
            f"got {lead_time_buckets} and {review_period_buckets}"
        )
    return lead_time_buckets + review_period_buckets
