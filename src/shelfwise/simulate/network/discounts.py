"""`PriceBreaks`: purchase prices that fall with the size of an order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.simulate.per_series import Floats, require


@dataclass(frozen=True, eq=False)
class PriceBreaks:
    """Quantity discounts of R rows (series, or arcs), B breaks each.

    Args:
        quantity: (R, B) units from which a price holds; column 0 is 0, rising, unused columns inf.
        price: (R, B) price per unit.
        incremental: False, all units: the price of the highest break reached holds for every unit of the
            order. True: each price holds only for the units between its break and the next.

    Raises:
        UsageError: shapes disagree, breaks do not start at 0 or do not rise, a price is negative.

    Literature: Hadley and Whitin (1963), both kinds of discount.

    Example:
        >>> breaks = PriceBreaks.of([[(0, 0.75), (400, 0.72), (800, 0.68)]])
        >>> breaks.cost([[399.0, 400.0, 800.0]]).round(2)
        array([[299.25, 288.  , 544.  ]])
        >>> PriceBreaks.of([[(0, 2.0), (10, 1.0)]], incremental=True).cost([[15.0]])
        array([[25.]])
    """

    quantity: Floats
    price: Floats
    incremental: bool = False

    def __post_init__(self) -> None:
        quantity = np.array(self.quantity, dtype=np.float64, order="C")
        price = np.array(self.price, dtype=np.float64, order="C")
        if quantity.ndim != 2 or quantity.shape != price.shape or not quantity.shape[1]:
            raise UsageError(f"quantity and price must be (R, B) alike; got {quantity.shape}, {price.shape}")
        axes = ("row", "break")
        require(quantity[:, :1] == 0, "the first break", "must be at quantity 0", quantity[:, :1], axes)
        with np.errstate(invalid="ignore"):
            rising = (np.diff(quantity, axis=1) > 0) | ~np.isfinite(quantity[:, 1:])
        require(rising & ~np.isnan(quantity[:, 1:]), "breaks", "must rise", quantity[:, 1:], axes)
        used = np.isfinite(quantity)
        require(~used | (np.isfinite(price) & (price >= 0)), "price", "must be at least 0", price, axes)
        object.__setattr__(self, "quantity", quantity)
        object.__setattr__(self, "price", np.where(used, price, 0.0))

    @classmethod
    def of(cls, rows: list[list[tuple[float, float]]], incremental: bool = False) -> PriceBreaks:
        """From (quantity, price) pairs a row; rows may have different numbers of breaks."""
        most = max((len(row) for row in rows), default=1)
        quantity, price = np.full((len(rows), most), np.inf), np.zeros((len(rows), most))
        for index, row in enumerate(rows):
            for place, pair in enumerate(sorted(row)):
                quantity[index, place], price[index, place] = pair
        return cls(quantity, price, incremental)

    @classmethod
    def flat(cls, price: npt.ArrayLike) -> PriceBreaks:
        """(R,) one price each, whatever the quantity."""
        prices = np.asarray(price, dtype=np.float64)[:, None]
        return cls(np.zeros_like(prices), prices)

    def take(self, rows: npt.NDArray[Any]) -> PriceBreaks:
        """Only the prices of `rows`."""
        return PriceBreaks(self.quantity[rows], self.price[rows], self.incremental)

    def cost(self, order: npt.ArrayLike) -> Floats:
        """(R, …) what orders of these many units cost."""
        units = np.asarray(order, dtype=np.float64)
        if units.shape[:1] != self.quantity.shape[:1]:
            raise UsageError(f"order must have {len(self.quantity)} rows; got shape {units.shape}")
        wide = (slice(None), *(None,) * (units.ndim - 1))
        if not self.incremental:
            price = np.zeros_like(units)
            for b in range(self.quantity.shape[1]):
                price = np.where(units >= self.quantity[:, b][wide], self.price[:, b][wide], price)
            return np.where(units > 0, units * price, 0.0)
        total = np.zeros_like(units)
        for b in range(self.quantity.shape[1]):
            last = b + 1 == self.quantity.shape[1]
            top = np.full(len(self.quantity), np.inf) if last else self.quantity[:, b + 1]
            within = np.minimum(units, top[wide]) - np.minimum(self.quantity[:, b], 1e300)[wide]
            total += np.maximum(within, 0.0) * self.price[:, b][wide]
        return total
