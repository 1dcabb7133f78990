"""Stock at the start of a simulation: on the shelf, owed to customers, and on its way."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from shelfwise.errors import UsageError
from shelfwise.simulate.per_series import Floats, Rows, check_count, floats, for_all, require, series_count


@dataclass(frozen=True, eq=False)
class StockState:
    """Stock of N series before the first bucket.

    Args:
        on_hand: (N,) units free to serve demand (reserved units taken off).
        backorders: (N,) units owed; served first, as soon as there is stock.
        pipeline: (N, D) units on order; column d arrives in the bucket d after the start (0 = the first
            bucket, before its demand).

    Raises:
        UsageError: a quantity is negative or not a number; names the field, the value and the series index.

    Example:
        >>> state = StockState(np.array([5.0, 0.0]), np.array([0.0, 2.0]), np.array([[0, 4], [6, 0]]))
        >>> state.position
        array([9., 4.])
    """

    on_hand: Floats
    backorders: Floats = for_all(0.0)  # noqa: RUF009 - a field() in short
    pipeline: Floats = field(default_factory=lambda: np.zeros((0, 0)))

    def __post_init__(self) -> None:
        n_series = series_count("on_hand", self.on_hand)
        for name in ("on_hand", "backorders"):
            object.__setattr__(self, name, floats(name, getattr(self, name), n_series))
        pipeline = np.array(self.pipeline, dtype=np.float64, order="C")
        if pipeline.size == 0:
            pipeline = np.zeros((n_series, 0))
        if pipeline.ndim != 2 or pipeline.shape[0] != n_series:
            raise UsageError(
                f"pipeline must have one row a series, shape ({n_series}, D); got shape {pipeline.shape}"
            )
        object.__setattr__(self, "pipeline", pipeline)
        for name in ("on_hand", "backorders", "pipeline"):
            units = getattr(self, name)
            require(np.isfinite(units) & (units >= 0), name, "must be a number of at least 0", units)

    @classmethod
    def empty(cls, n_series: int) -> StockState:
        """No stock, nothing owed, nothing on order."""
        return cls(np.zeros(check_count(n_series)))

    @property
    def n_series(self) -> int:
        """N."""
        return len(self.on_hand)

    @property
    def position(self) -> Floats:
        """(N,) inventory position: on hand + on order - backorders."""
        position: Floats = self.on_hand + self.pipeline.sum(axis=1) - self.backorders
        return position

    def take(self, rows: Rows) -> StockState:
        """The state of some series: indices, a mask or a slice."""
        index = rows if isinstance(rows, slice) else np.asarray(rows)
        return StockState(self.on_hand[index], self.backorders[index], self.pipeline[index])
