"""Share what a warehouse has among its shops, unit by unit to where a unit earns most."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]


@njit(cache=True)
def earned(sample: Floats, position: float, lot: float, holding: float, shortage: float) -> float:
    """Expected saving of raising a shop from `position` by one lot, demand being one of `sample`, sorted."""
    n = sample.shape[0]
    wholly = n - np.searchsorted(sample, position + lot, side="left")
    start = np.searchsorted(sample, position, side="right")
    used = wholly * lot
    for i in range(start, n - wholly):
        used += sample[i] - position
    used /= n
    return float(shortage * used - holding * (lot - used))


@njit(cache=True)
def lots_worth(
    sample: Floats, position: float, lot: float, holding: float, shortage: float, price: float, most: float
) -> float:
    """How many lots each earn more than `price`; their worth falls from lot to lot, so a bisection finds it."""
    low, high = 0.0, most
    while low < high:
        middle = np.floor((low + high + 1.0) / 2.0)
        if earned(sample, position + (middle - 1.0) * lot, lot, holding, shortage) > price:
            low = middle
        else:
            high = middle - 1.0
    return low


@njit(cache=True)
def lots_at_price(
    stock: float,
    position: Floats,
    samples: Floats,
    lot: Floats,
    holding: Floats,
    shortage: Floats,
    price: float,
    lots: Floats,
) -> float:
    """Fill `lots` (K,) with what each shop wants at a price of one unit; returns their units."""
    total = 0.0
    for k in range(lots.shape[0]):
        size = lot[k]
        most = np.floor(stock / size + 1e-9)
        lots[k] = lots_worth(samples[k], position[k], size, holding[k], shortage[k], price * size, most)
        total += lots[k] * size
    return total


@njit(cache=True)
def share_one(
    stock: float,
    position: Floats,
    samples: Floats,
    lot: Floats,
    holding: Floats,
    shortage: Floats,
    floor: float,
    lots: Floats,
) -> float:
    """Share one item's stock; fills `lots` (K,) and returns the price of a unit at which it is used up."""
    if lots_at_price(stock, position, samples, lot, holding, shortage, floor, lots) <= stock + 1e-9:
        return float(floor)
    n_shops = lots.shape[0]
    # Raise the price until what the shops want at it is there; 60 halvings settle it.
    low, high = floor, max(floor, shortage.max())
    for _ in range(60):
        middle = (low + high) / 2.0
        if lots_at_price(stock, position, samples, lot, holding, shortage, middle, lots) > stock + 1e-9:
            low = middle
        else:
            high = middle
    cheaper = np.zeros(n_shops)
    more = lots_at_price(stock, position, samples, lot, holding, shortage, low, cheaper)
    left = stock - lots_at_price(stock, position, samples, lot, holding, shortage, high, lots)
    # Lots between the two earn exactly the price: all shops get the same part of theirs, so none is starved.
    part = left / max(more - (stock - left), 1e-300)
    for k in range(n_shops):
        extra = np.floor((cheaper[k] - lots[k]) * part)
        lots[k] += extra
        left -= extra * lot[k]
    while True:
        best, most_earned = -1, floor
        for k in range(n_shops):
            if lot[k] <= left + 1e-9:
                raised = position[k] + lots[k] * lot[k]
                gain = earned(samples[k], raised, lot[k], holding[k], shortage[k]) / lot[k]
                if gain > most_earned + 1e-12:
                    best, most_earned = k, gain
        if best < 0:
            return float(high)
        lots[best] += 1.0
        left -= lot[best]


@njit(cache=True)
def share_stock(
    available: Floats,
    position: Floats,
    samples: Floats,
    lot: Floats,
    holding: Floats,
    shortage: Floats,
    worth_upstream: Floats,
    shipped: Floats,
    price: Floats,
) -> None:
    """Fill `shipped` (N, K) in units and `price` (N,), what one more unit upstream would have earned.

    Shapes: available, worth_upstream (N,); position, lot, holding, shortage (N, K); samples (N, K, S) sorted along S.
    A lot leaves only if it earns more than `worth_upstream` a unit.
    """
    lots = np.zeros(position.shape[1])
    for item in range(position.shape[0]):
        price[item] = share_one(
            available[item],
            position[item],
            samples[item],
            lot[item],
            holding[item],
            shortage[item],
            worth_upstream[item],
            lots,
        )
        for k in range(lots.shape[0]):
            shipped[item, k] = lots[k] * lot[item, k]
