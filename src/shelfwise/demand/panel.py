"""`Panel`: demand per series and bucket as it should have been, beside what was seen and what is known ahead."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.buckets import Bucket
from shelfwise.demand.shortages import Flags, Shortages
from shelfwise.errors import UsageError

if TYPE_CHECKING:
    from shelfwise.demand.behaviour import Observed

Floats = npt.NDArray[np.float32]
Index = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Known:
    """A covariate known ahead, for history and horizon, stored once per group of series.

    Attributes:
        values: (G, T + H) float32, NaN where unknown.
        group: (N,) int32, the row of `values` that belongs to each series. A price has G = N, a
            public holiday G = 1, a holiday of one location one row a location.
    """

    values: Floats
    group: Index

    def rows(self, rows: npt.NDArray[Any] | slice = slice(None)) -> Floats:
        """(len(rows), T + H) float32, the covariate of these series."""
        return self.values[self.group[rows]]

    def take(self, rows: npt.NDArray[Any]) -> Known:
        """Only these series; groups nobody belongs to any more are dropped."""
        used, group = np.unique(self.group[rows], return_inverse=True)
        return Known(self.values[used], group.astype(np.int32))

    def until(self, buckets: int) -> Known:
        """Only the first `buckets` columns."""
        return Known(self.values[:, :buckets], self.group)


@dataclass(frozen=True)
class Panel:
    """Demand of N series over T history buckets, with covariates over T + H buckets.

    Attributes:
        keys: N rows `sku`, `location` (text), sorted.
        bucket: the time step.
        start: first day of the first history bucket.
        sold: (N, T) float32 net units sold; NaN before launch, after the end and in closures.
        on_sale: (N, T) float32, share of the bucket on sale, 0…1.
        demand: (N, T) float32 units that would have been sold with enough stock; NaN where nobody
            can know: before launch, after the end, in closures, out of stock. In a bucket of `shortages`
            it may be one draw of what is likely, as lumpy and as unsure as demand that was seen.
        known: covariates known ahead, by name (`price`, `promotion`, `discount`, `event:NAME`, …).
        observed: signals of history alone, by name (`views`, `carts`, `rating`, …): a forecast may use
            them up to its origin.
        static: N rows, attributes of the item and location as text or numbers (may have no columns).
        launched: (N,) int32 first bucket that counts (0 = from the start; may be >= T for an item
            not yet launched).
        ends: (N,) int32 first bucket that no longer counts (a large number if never).
        horizon: H, buckets after T for which `known` has columns.
        shortages: the buckets whose demand is an estimate.

    Example:
        >>> from datetime import date
        >>> import numpy as np, polars as pl
        >>> panel = Panel.from_arrays(np.array([[3.0, 0.0, 2.0]]), start=date(2024, 1, 1))
        >>> panel.n_series, panel.n_buckets, panel.as_of
        (1, 3, datetime.date(2024, 1, 22))
    """

    keys: pl.DataFrame
    bucket: Bucket
    start: date
    sold: Floats
    on_sale: Floats
    demand: Floats
    known: Mapping[str, Known] = field(default_factory=dict)
    observed: Mapping[str, Observed] = field(default_factory=dict)
    static: pl.DataFrame = field(default_factory=pl.DataFrame)
    launched: Index = field(default_factory=lambda: np.zeros(0, np.int32))
    ends: Index = field(default_factory=lambda: np.zeros(0, np.int32))
    horizon: int = 0
    shortages: Shortages = field(default_factory=Shortages.none)

    NEVER = np.int32(2**30)

    def __post_init__(self) -> None:
        shape = self.sold.shape
        if self.demand.shape != shape or self.on_sale.shape != shape or len(self.keys) != shape[0]:
            raise UsageError(
                "sold, on_sale, demand must be (N, T) with one key a series; got "
                f"{shape}, {self.on_sale.shape}, {self.demand.shape}, {len(self.keys)} keys"
            )
        if len(self.launched) != shape[0]:
            object.__setattr__(self, "launched", np.zeros(shape[0], np.int32))
        if len(self.ends) != shape[0]:
            object.__setattr__(self, "ends", np.full(shape[0], self.NEVER, np.int32))

    @classmethod
    def from_arrays(
        cls,
        demand: npt.ArrayLike,
        *,
        start: date = date(2024, 1, 1),
        bucket: Bucket | None = None,
        known: Mapping[str, Known] | None = None,
        horizon: int = 0,
        keys: pl.DataFrame | None = None,
    ) -> Panel:
        """A panel straight from a (N, T) array; NaN is unknown demand. For notebooks and tests.

        Raises:
            UsageError: demand below 0, infinite, or beyond what float32 holds.
        """
        with np.errstate(over="ignore"):
            values = np.atleast_2d(np.asarray(demand, dtype=np.float32))
        if np.isinf(values).any() or (values < 0).any():
            wrong = values[np.isinf(values) | (values < 0)][0]
            raise UsageError(
                f"demand must be finite numbers of at least 0, or NaN where unknown; got {wrong}; "
                "take returns from the sales they belong to, or write 0"
            )
        if keys is None:
            names = [f"s{row:07d}" for row in range(len(values))]
            keys = pl.DataFrame({"sku": names, "location": ["main"] * len(values)})
        bucket = bucket or Bucket("week")
        return cls(
            keys=keys,
            bucket=bucket,
            start=bucket.floor(start),
            sold=np.nan_to_num(values, nan=0.0),
            on_sale=np.where(np.isnan(values), 0.0, 1.0).astype(np.float32),
            demand=values,
            known=known or {},
            horizon=horizon,
        )

    @property
    def n_series(self) -> int:
        return int(self.demand.shape[0])

    @property
    def n_buckets(self) -> int:
        return int(self.demand.shape[1])

    @property
    def as_of(self) -> date:
        """First day of the first bucket that is not known."""
        return self.bucket.shift(self.start, self.n_buckets)

    @property
    def dates(self) -> list[date]:
        """The T + H bucket dates."""
        return self.bucket.dates(self.start, self.n_buckets + self.horizon)

    @property
    def imputed(self) -> Flags:
        """(N, T) where `demand` is an estimate and no record."""
        return self.shortages.mask(self.demand.shape)

    @property
    def recorded(self) -> Floats:
        """(N, T) demand as far as the records alone tell it, NaN where stock ran out: what to judge by."""
        if not len(self.shortages):
            return self.demand
        return self.shortages.written(self.shortages.recorded, self.demand)

    @property
    def expected(self) -> Floats:
        """(N, T) `demand` with the mean in place of the draw: what to read a level from."""
        if not len(self.shortages):
            return self.demand
        return self.shortages.written(self.shortages.expected, self.demand)

    @property
    def whole_units(self) -> Flags:
        """(N,) which series sell whole units alone; demand that was scaled up or drawn does not count."""
        return np.asarray((np.isnan(self.sold) | (self.sold == np.rint(self.sold))).all(axis=1))

    @cached_property
    def series_ids(self) -> npt.NDArray[np.uint64]:
        """(N,) a stable 64-bit number of each (sku, location), the same wherever the series stands."""
        joined = (self.keys["sku"] + "\x1f" + self.keys["location"]).to_list()
        digests = b"".join(hashlib.blake2b(text.encode(), digest_size=8).digest() for text in joined)
        return np.frombuffer(digests, dtype="<u8")

    def take(self, rows: npt.NDArray[Any]) -> Panel:
        """The series in `rows` (indices), in that order."""
        rows = np.asarray(rows)
        return replace(
            self,
            keys=self.keys[rows],
            sold=self.sold[rows],
            on_sale=self.on_sale[rows],
            demand=self.demand[rows],
            known={name: known.take(rows) for name, known in self.known.items()},
            observed={name: observed.take(rows) for name, observed in self.observed.items()},
            static=self.static[rows] if self.static.width else self.static,
            launched=self.launched[rows],
            ends=self.ends[rows],
            shortages=self.shortages.take(rows),
        )

    def until(self, buckets: int) -> Panel:
        """The panel as it stood after the first `buckets` buckets; covariates keep their dates.

        What is known ahead stays known: the new horizon is H + T - `buckets`.
        """
        if not 0 < buckets <= self.n_buckets:
            raise UsageError(f"cannot cut {self.n_buckets} buckets of history to {buckets}")
        return replace(
            self,
            sold=self.sold[:, :buckets],
            on_sale=self.on_sale[:, :buckets],
            demand=self.demand[:, :buckets],
            observed={name: observed.until(buckets) for name, observed in self.observed.items()},
            horizon=self.horizon + self.n_buckets - buckets,
            shortages=self.shortages.until(buckets),
        )

    def chunks(self, size: int) -> Iterator[npt.NDArray[np.intp]]:
        """Row indices in runs of at most `size` series."""
        for first in range(0, self.n_series, size):
            yield np.arange(first, min(first + size, self.n_series))
