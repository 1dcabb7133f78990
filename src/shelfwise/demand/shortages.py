"""`Shortages`: the buckets of a panel whose demand is no record but an estimate, each with what it rests on."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Shortages:
    """C buckets in which stock ran short, sorted by series and time.

    Few buckets are short, so they are listed: a panel of a million series carries no second array for them.

    Attributes:
        row, column: (C,) series and bucket.
        expected: (C,) float32 mean of the demand there.
        recorded: (C,) float32 what the records alone say of it; NaN where they say nothing.
        inferred: (C,) whether nobody recorded the shortage and it was told from the sales.
    """

    row: Index
    column: Index
    expected: Floats
    recorded: Floats
    inferred: Flags

    @classmethod
    def none(cls) -> Shortages:
        """No bucket at all.

        Example:
            >>> len(Shortages.none())
            0
        """
        index, units = np.zeros(0, np.int64), np.zeros(0, np.float32)
        return cls(index, index, units, units, np.zeros(0, bool))

    def __len__(self) -> int:
        return len(self.row)

    def take(self, rows: npt.NDArray[Any]) -> Shortages:
        """The buckets of the series in `rows`, which are numbered anew; a series may be asked for twice.

        Example:
            >>> ones = np.ones(3, np.float32)
            >>> some = Shortages(np.array([0, 2, 2]), np.array([5, 1, 4]), ones, ones, ones > 0).take(np.array([2, 1]))
            >>> some.row.tolist(), some.column.tolist()
            ([0, 0], [1, 4])
        """
        first, last = np.searchsorted(self.row, rows, "left"), np.searchsorted(self.row, rows, "right")
        many = last - first
        kept = np.repeat(first - np.cumsum(many) + many, many) + np.arange(int(many.sum()))
        return Shortages(
            np.repeat(np.arange(len(many)), many),
            *(getattr(self, part.name)[kept] for part in fields(self)[1:]),
        )

    def until(self, buckets: int) -> Shortages:
        """Only those within the first `buckets` buckets."""
        early = self.column < buckets
        return Shortages(*(getattr(self, part.name)[early] for part in fields(self)))

    def written(self, values: Floats, into: Floats) -> Floats:
        """(N, T) a copy of `into` with `values` (C,) in these buckets."""
        copy = into.copy()
        copy[self.row, self.column] = values
        return copy

    def mask(self, shape: tuple[int, ...]) -> Flags:
        """(N, T) true in these buckets."""
        found = np.zeros(shape, bool)
        found[self.row, self.column] = True
        return found
