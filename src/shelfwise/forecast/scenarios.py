"""`Scenarios`: what may happen, as sample paths that are joint over the horizon."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.buckets import Bucket
from shelfwise.errors import UsageError

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Scenarios:
    """Sample paths of demand.

    Attributes:
        keys: N rows `sku`, `location`.
        bucket: the time step.
        start: first day of the first bucket of the horizon (the `as_of`).
        paths: (N, S, H) float32, finite and non-negative; `paths[i, s]` is one possible future.
        expected: (N, H) float32 the model's own mean where it has one, else None and the mean of
            the paths is used.
        models: (N,) name of the model that made each series' paths.

    Example:
        >>> import numpy as np, polars as pl
        >>> from datetime import date
        >>> keys = pl.DataFrame({"sku": ["a"], "location": ["main"]})
        >>> s = Scenarios(keys, Bucket("week"), date(2024, 4, 8), np.array([[[1, 2], [3, 4]]], np.float32))
        >>> s.mean().tolist(), s.total(0, 2).tolist()
        ([[2.0, 3.0]], [[3.0, 7.0]])
    """

    keys: pl.DataFrame
    bucket: Bucket
    start: date
    paths: Floats
    expected: Floats | None = None
    models: npt.NDArray[Any] | None = None

    def __post_init__(self) -> None:
        if self.paths.ndim != 3 or len(self.keys) != self.paths.shape[0]:
            raise UsageError(f"paths must be (N, S, H) for {len(self.keys)} series; got {self.paths.shape}")

    @property
    def horizon(self) -> int:
        return int(self.paths.shape[2])

    @property
    def n_samples(self) -> int:
        return int(self.paths.shape[1])

    @property
    def dates(self) -> list[date]:
        """The H bucket dates."""
        return self.bucket.dates(self.start, self.horizon)

    def mean(self) -> Floats:
        """(N, H) expected demand."""
        return self.expected if self.expected is not None else self.paths.mean(axis=1, dtype=np.float32)

    def quantile(self, levels: Sequence[float]) -> Floats:
        """(N, H, Q) quantiles of each bucket; never crossing, since all come from the same paths."""
        for level in levels:
            if not 0.0 < level < 1.0:
                raise UsageError(f"quantile levels lie strictly between 0 and 1; got {level}")
        ordered = np.sort(self.paths, axis=1)
        position = np.asarray(levels, dtype=np.float64) * (self.n_samples - 1)
        below = np.floor(position).astype(np.intp)
        above = np.minimum(below + 1, self.n_samples - 1)
        share = (position - below).astype(np.float32)[None, :, None]
        low, high = ordered[:, below], ordered[:, above]
        # In this form equal neighbours give that very value, so that quantiles of counts never cross.
        picked = np.minimum(low + (high - low) * share, high)
        return np.ascontiguousarray(np.moveaxis(picked, 1, 2))

    def total(self, first: int, last: int) -> Floats:
        """(N, S) demand summed over the buckets first … last - 1 of each path."""
        return np.asarray(self.paths[:, :, first:last].sum(axis=2, dtype=np.float32))

    def take(self, rows: npt.NDArray[Any]) -> Scenarios:
        """The series in `rows`, in that order."""
        return replace(
            self,
            keys=self.keys[rows],
            paths=self.paths[rows],
            expected=None if self.expected is None else self.expected[rows],
            models=None if self.models is None else self.models[rows],
        )

    def to_frame(self, quantiles: Sequence[float] = ()) -> pl.DataFrame:
        """A row a series and bucket: `sku, location, date, mean`, then `q0.1`, `q0.5`, …"""
        n, horizon = len(self.keys), self.horizon
        columns: dict[str, Any] = {
            "sku": self.keys["sku"].gather(np.repeat(np.arange(n), horizon)),
            "location": self.keys["location"].gather(np.repeat(np.arange(n), horizon)),
            "date": pl.Series(self.dates * n, dtype=pl.Date),
            "mean": self.mean().ravel(),
        }
        if quantiles:
            table = self.quantile(quantiles)
            for q, level in enumerate(quantiles):
                columns[f"q{level:g}"] = np.ascontiguousarray(table[:, :, q]).ravel()
        return pl.DataFrame(columns)
