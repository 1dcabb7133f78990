"""The demo shop's items: what they are called and cost, their kind of demand, and when they are sold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demo.assortment import BRANDS, COLOURS, LINES
from shelfwise.demo.calendar import Window
from shelfwise.errors import UsageError

NEVER = 2**30
# Kind of demand: share of the items, and how many there are at least.
KINDS = {
    "smooth": (0.34, 1),
    "seasonal": (0.25, 1),
    "intermittent": (0.18, 1),
    "lumpy": (0.08, 1),
    "new": (0.08, 2),
    "ended": (0.07, 2),
}
FEWEST_SKUS = 12


@dataclass(frozen=True)
class Catalogue:
    """M items, sorted by `sku`.

    Attributes:
        items: the contract's items table, prices as at the window's start.
        kind: (M,) one of `KINDS`.
        line: (M,) index into `assortment.LINES`.
        launched: (M,) first day on sale as an index; negative before the window, T or more if to come.
        ends: (M,) first day no longer on sale; `NEVER` if not planned.
    """

    items: pl.DataFrame
    kind: npt.NDArray[np.str_]
    line: npt.NDArray[np.intp]
    launched: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.kind)


def make_catalogue(n_skus: int, window: Window, rng: np.random.Generator) -> Catalogue:
    """Draw `n_skus` items; every kind is there, one launch and one end lie in the days to come.

    Raises:
        UsageError: if there are too few items for all kinds.

    Example:
        >>> from datetime import date
        >>> shop = make_catalogue(12, Window(date(2026, 6, 1), 200), np.random.default_rng(1))
        >>> "0017" in shop.items["sku"], sorted(set(shop.kind.tolist()))
        (True, ['ended', 'intermittent', 'lumpy', 'new', 'seasonal', 'smooth'])
    """
    if n_skus < FEWEST_SKUS:
        raise UsageError(f"n_skus must be at least {FEWEST_SKUS} to hold every kind of item; got {n_skus}")
    line = rng.permutation(np.arange(n_skus) % len(LINES))
    skus = [_sku(number, LINES[row].code) for number, row in enumerate(line)]
    order = np.argsort(np.array(skus))
    line = line[order]
    kind = rng.permutation(np.repeat(list(KINDS), _quotas(n_skus)))
    launched, ends = _life(kind, window, rng)
    items = _items([skus[row] for row in order], line, launched, ends, window, rng)
    return Catalogue(items, kind, line, launched, ends)


def _sku(number: int, code: str) -> str:
    """Texts that a careless reader spoils: leading zeros, 13 digits, and one that looks like 2E103."""
    forms = (f"{number + 17:04d}", f"69321700{number:05d}", f"{code}-{1000 + number}", f"{code}{number:03d}")
    return f"2E{100 + number}" if number % 20 == 3 else forms[number % 4]


def _quotas(n_skus: int) -> list[int]:
    """Items a kind by largest remainder, none below its minimum."""
    shares = np.array([share for share, _ in KINDS.values()]) * n_skus
    least = np.array([minimum for _, minimum in KINDS.values()])
    count = np.maximum(np.floor(shares).astype(int), least)
    while count.sum() != n_skus:
        step = 1 if count.sum() < n_skus else -1
        room = np.where((step > 0) | (count > least), (shares - count) * step, -np.inf)
        count[int(np.argmax(room))] += step
    return [int(value) for value in count]


def _life(
    kind: npt.NDArray[np.str_], window: Window, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    launched = -rng.integers(120, 1500, len(kind))
    ends = np.full(len(kind), NEVER)
    new, ended = np.flatnonzero(kind == "new"), np.flatnonzero(kind == "ended")
    launched[new] = rng.integers(int(window.days * 0.35), int(window.days * 0.85), len(new))
    ends[ended] = rng.integers(int(window.days * 0.45), int(window.days * 0.95), len(ended))
    # One of each still lies ahead: such items are what planners get wrong.
    launched[new[-1]] = window.days + rng.integers(12, 35)
    ends[ended[-1]] = window.days + rng.integers(15, 40)
    return launched.astype(np.int64), ends.astype(np.int64)


def _items(
    skus: list[str],
    line: npt.NDArray[np.intp],
    launched: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
    window: Window,
    rng: np.random.Generator,
) -> pl.DataFrame:
    count = len(skus)
    lines = [LINES[row] for row in line]
    goods = [row.goods[pick] for row, pick in zip(lines, rng.integers(0, 4, count), strict=True)]
    brands = [BRANDS[pick] for pick in rng.integers(0, len(BRANDS), count)]
    colours = [COLOURS[pick] for pick in rng.integers(0, len(COLOURS), count)]
    price = _between([row.price for row in lines], rng).round(0) - 0.1
    names = [
        f"{brand} {good[1]} {colour[1]}" if english else f"{brand}{good[0]}（{colour[0]}）"
        for (brand, english), good, colour in zip(brands, goods, colours, strict=True)
    ]
    # Old items have often lost their launch date, as in any real catalogue.
    forgotten = (launched < 0) & (rng.random(count) < 0.5)
    columns: dict[str, Any] = {
        "sku": skus,
        "name": names,
        "name_en": [f"{good[1]}, {colour[1]}" for good, colour in zip(goods, colours, strict=True)],
        "category": [row.category_1 for row in lines],
        "category_2": [row.category_2 for row in lines],
        "brand": [brand for brand, _ in brands],
        "price": price.round(2),
        "unit_cost": (price * rng.uniform(0.42, 0.68, count)).round(2),
        "volume": _between([row.volume_litres for row in lines], rng).round(2),
        "shelf_life": [row.shelf_life_days for row in lines],
        "colour": [colour[0] for colour in colours],
        "launched": [
            None if lost else window.start + timedelta(days=int(day))
            for day, lost in zip(launched, forgotten, strict=True)
        ],
        "ends": [None if day == NEVER else window.start + timedelta(days=int(day)) for day in ends],
    }
    types = {"launched": pl.Date, "ends": pl.Date, "shelf_life": pl.Int64}
    return pl.DataFrame(columns, schema_overrides=types)


def _between(ranges: list[tuple[float, float]], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """One draw a range, uniform in the logarithm, so that cheap and small is common."""
    low, high = np.log(np.array(ranges, float)).T
    drawn: npt.NDArray[np.float64] = np.exp(rng.uniform(low, high))
    return drawn
