"""How alike items are for the purpose of guessing what a new one will sell.

An attribute counts as much as it tells about the level at which items began: its leave-one-out share of
the variance of the log levels. A colour that tells nothing weighs nothing, whatever it is called.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demand.panel import Panel

Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
# Even what has told nothing so far breaks ties.
LEAST_WEIGHT = 0.01
CLOSE_PRICE = np.log(1.25)


@dataclass(frozen=True)
class Traits:
    """What is known of N items before they sell.

    Attributes:
        names: of texts: (N,) codes each, -1 where unknown.
        sizes: of numbers: (N,) each, in units of their own spread, NaN where unknown.
        log_price: (N,) NaN where unknown.
    """

    names: dict[str, Codes]
    sizes: dict[str, Doubles]
    log_price: Doubles

    @classmethod
    def of(cls, panel: Panel, starts: npt.NDArray[np.intp]) -> Traits:
        """Attributes of a panel's series and their price in the bucket each of them starts in."""
        texts = {"sku": panel.keys["sku"], "location": panel.keys["location"]}
        sizes: dict[str, Doubles] = {}
        for name in panel.static.columns:
            column = panel.static[name]
            if column.dtype.is_numeric() and name != "price":
                sizes[name] = _standardised(column.cast(pl.Float64).fill_null(np.nan).to_numpy())
            elif not column.dtype.is_numeric():
                texts[name] = column
        names = {name: _codes(column) for name, column in texts.items()}
        return cls(names, sizes, _log_price(panel, starts))

    def weights(self, rows: npt.NDArray[np.intp], log_level: Doubles) -> dict[str, float]:
        """Weight of each trait, from the items `rows` and the (len(rows),) log levels they began at."""
        found = {name: _told_by_names(codes[rows], log_level) for name, codes in self.names.items()}
        found |= {name: _told_by_size(values[rows], log_level) for name, values in self.sizes.items()}
        found["price"] = _told_by_size(self.log_price[rows], log_level)
        return {name: max(weight, LEAST_WEIGHT) for name, weight in found.items()}

    def distance(
        self, rows: npt.NDArray[Any], others: npt.NDArray[Any], weights: dict[str, float]
    ) -> Doubles:
        """(len(rows), len(others)) how unlike they are; 0 is alike in everything, 1 for each weight in full."""
        total = np.zeros((len(rows), len(others)))
        for name, codes in self.names.items():
            mine, theirs = codes[rows][:, None], codes[others][None, :]
            total += weights[name] * ((mine != theirs) | (mine < 0))
        spread = np.nanstd(self.log_price[others]) if np.isfinite(self.log_price[others]).any() else 1.0
        prices = self.log_price / (spread if spread > 0 else 1.0)
        for name, values in {**self.sizes, "price": prices}.items():
            # Two items drawn at random differ by 1 on average, as they do in a name.
            apart = (values[rows][:, None] - values[others][None, :]) ** 2 / 2
            total += weights[name] * np.where(np.isfinite(apart), apart, 1.0)
        return total

    def shared(self, row: int, other: int, weights: dict[str, float]) -> list[str]:
        """The traits two items have in common, the most telling first."""
        alike = [name for name, codes in self.names.items() if codes[row] == codes[other] >= 0]
        if abs(self.log_price[row] - self.log_price[other]) < CLOSE_PRICE:
            alike.append("price")
        return sorted(alike, key=lambda name: -weights[name])


def _codes(column: pl.Series) -> Codes:
    ranks = column.cast(pl.String).rank("dense").cast(pl.Int64).fill_null(0) - 1
    return ranks.to_numpy().astype(np.int64)


def _standardised(values: Doubles) -> Doubles:
    # Sorted, so that the order of the series does not show in the last digit.
    known = np.sort(values[np.isfinite(values)])
    spread = known.std() if len(known) else 0.0
    return (values - known.mean()) / spread if spread > 0 else np.full(len(values), np.nan)


def _log_price(panel: Panel, starts: npt.NDArray[np.intp]) -> Doubles:
    rows = np.arange(panel.n_series)
    if "price" in panel.known:
        known = panel.known["price"]
        price = known.values[known.group[rows], np.clip(starts, 0, known.values.shape[1] - 1)]
    elif "price" in panel.static.columns and panel.static["price"].dtype.is_numeric():
        price = panel.static["price"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    else:
        return np.full(panel.n_series, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(price > 0, np.log(price), np.nan).astype(np.float64)


def _told_by_names(codes: Codes, log_level: Doubles) -> float:
    """Share of the variance that the mean of the other items of the same name foretells."""
    centred = log_level - log_level.mean()
    total = float((centred**2).sum())
    known = codes >= 0
    if total <= 0 or not known.any():
        return 0.0
    count = np.bincount(codes[known])
    summed = np.bincount(codes[known], weights=centred[known])
    own = np.where(known, codes, 0)
    others = np.where(known, count[own] - 1, 0)
    # The mean of few others is drawn towards the mean of all.
    guess = np.where(others > 0, (summed[own] - centred) / (others + 1.0), 0.0)
    return 1.0 - float(((centred - guess) ** 2).sum()) / total


def _told_by_size(values: Doubles, log_level: Doubles) -> float:
    """Adjusted squared correlation."""
    known = np.isfinite(values)
    n = int(known.sum())
    if n < 4 or np.ptp(values[known]) == 0 or np.ptp(log_level[known]) == 0:
        return 0.0
    squared = float(np.corrcoef(values[known], log_level[known])[0, 1] ** 2)
    return (1.0 - (1.0 - squared) * (n - 1) / (n - 2)) * n / len(values)
