"""`Window`: the buckets a backtest replays, and how far the records reach."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from shelfwise.buckets import Bucket
from shelfwise.errors import UsageError
from shelfwise.messages import Said
from shelfwise.tables.dataset import Dataset

# Earlier buckets that tell how close to its end a bucket's last sales row usually is.
BUCKETS_LOOKED_AT = 52
FEWEST_BUCKETS = 8
USUAL_SHARE = 0.95


@dataclass(frozen=True)
class Window:
    """Buckets from the one that begins at `first` to before the one that begins at `last`.

    Attributes:
        note: why it ends a bucket earlier than was asked for, None if it does not.
    """

    bucket: Bucket
    first: date
    last: date
    note: str | None = None

    @property
    def n_buckets(self) -> int:
        """How many buckets are replayed."""
        return self.bucket.count(self.first, self.last)

    @classmethod
    def of(cls, dataset: Dataset, start: date, end: date) -> Window:
        """The buckets from `start` to before `end` that were recorded to their end.

        A bucket in whose middle the records stop would be replayed as if its other half had sold nothing, so it
        is left out.

        Raises:
            UsageError: no bucket is left, or `end` lies after the last bucket with data.
        """
        bucket = dataset.bucket
        first, last = bucket.floor(start), bucket.floor(end)
        if bucket.count(first, last) < 1:
            raise UsageError(f"--from must lie at least one {bucket.name} before --to; got {start} and {end}")
        days = dataset.table("sales")["date"]
        last_sale = _refuse_unsold_end(bucket, days, last)
        begins = bucket.floor(last_sale)
        if bucket.shift(begins, 1) > last or not stops_midway(days, bucket):
            return cls(bucket, first, last)
        note = Said(
            "backtest.part_bucket",
            bucket=Said(f"report.bucket.{bucket.name}"),
            begins=begins,
            last_sale=last_sale,
        )
        if begins <= first:
            raise UsageError(f"nothing is left to replay from {first} on: {note}. Use an earlier --from")
        return cls(bucket, first, begins, note)


def stops_midway(days: pl.Series, bucket: Bucket) -> bool:
    """Whether the last sales row stands farther from the end of its bucket than last rows of buckets usually do.

    A shop closed on Sundays ends each week a day early, and one that records a week under its first day six days:
    both are told from records that stop by the 95 % quantile over the last 52 buckets with sales. With
    fewer than 8 of them there is nothing to compare with, and the last bucket counts as whole.

    Args:
        days: of all sales rows.

    Example:
        >>> monday = date(2024, 1, 1)
        >>> every_day = pl.Series([date.fromordinal(monday.toordinal() + day) for day in range(73)])
        >>> stops_midway(every_day, Bucket("week")), stops_midway(every_day.head(70), Bucket("week"))
        (True, False)
    """
    dates = days.drop_nulls().unique().sort().to_list()
    last_of = {bucket.floor(day): day for day in dates}
    left = [(bucket.shift(begins, 1) - day).days for begins, day in last_of.items()]
    *earlier, now = left[-BUCKETS_LOOKED_AT - 1 :]
    if len(earlier) < FEWEST_BUCKETS:
        return False
    return bool(now > np.quantile(earlier, USUAL_SHARE, method="higher"))


def _refuse_unsold_end(bucket: Bucket, days: pl.Series, last: date) -> date:
    """The day of the last sale. A bucket after it holds no demand of 0, but none that is known."""
    last_sale = days.max()
    assert isinstance(last_sale, date)
    furthest = bucket.shift(last_sale, 1)
    if last > furthest:
        raise UsageError(
            f"--to must not lie after {furthest}: the last {bucket.name} with a sales row begins on "
            f"{bucket.floor(last_sale)}, and what was not recorded cannot be replayed; got {last}. "
            f"Use --to {furthest}, or add the later sales"
        )
    return last_sale
