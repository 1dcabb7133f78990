"""What stock, shortage and ordering cost, in one currency."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shelfwise.simulate.per_series import Floats, Rows, check_count, floats, for_all, require, series_count

NAMES = ("holding", "shortage", "order", "unit")


@dataclass(frozen=True, eq=False)
class Costs:
    """Cost rates of N series. Only `holding` must be an array; the rest may be one value for all.

    Args:
        holding: (N,) per unit on hand at the end of a bucket; goods in transit cost nothing.
        shortage: (N,) per unit lost, and per unit still backordered at the end of each bucket.
        order: (N,) per order placed, whatever its size.
        unit: (N,) per unit ordered, counted in the bucket of the order.

    Raises:
        UsageError: a cost is negative or not a number; names the field, the value and the series index.

    Example:
        >>> Costs.same(2, holding=0.2, shortage=1.0).take([0])
        Costs(holding=array([0.2]), shortage=array([1.]), order=array([0.]), unit=array([0.]))
    """

    holding: Floats
    shortage: Floats
    order: Floats = for_all(0.0)  # noqa: RUF009 - a field() in short
    unit: Floats = for_all(0.0)  # noqa: RUF009

    def __post_init__(self) -> None:
        n_series = series_count("holding", self.holding)
        for name in NAMES:
            rates = floats(name, getattr(self, name), n_series)
            good = np.isfinite(rates) & (rates >= 0)
            require(good, f"{name} cost", "must be a number of at least 0", rates)
            object.__setattr__(self, name, rates)

    @classmethod
    def same(
        cls,
        n_series: int,
        *,
        holding: npt.ArrayLike,
        shortage: npt.ArrayLike,
        order: npt.ArrayLike = 0.0,
        unit: npt.ArrayLike = 0.0,
    ) -> Costs:
        """Costs for `n_series` series; each argument is one value for all, or (N,)."""
        given = zip(NAMES, (holding, shortage, order, unit), strict=True)
        return cls(*(floats(name, value, check_count(n_series)) for name, value in given))

    @property
    def n_series(self) -> int:
        """N."""
        return len(self.holding)

    def take(self, rows: Rows) -> Costs:
        """The costs of some series: indices, a mask or a slice."""
        index = rows if isinstance(rows, slice) else np.asarray(rows)
        return Costs(*(getattr(self, name)[index] for name in NAMES))
