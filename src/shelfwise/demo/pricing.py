"""Prices over time and promotions, both fixed beyond the end: what a shop knows ahead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demo.calendar import LOCATIONS, Window
from shelfwise.demo.catalogue import Catalogue

Floats = npt.NDArray[np.float64]

# Kind of an item's own promotion: what its display adds beside the lower price, and its length in days.
KINDS = {"discount": (1.0, (5, 11)), "banner": (1.25, (5, 9)), "flash": (1.5, (2, 4))}
DISCOUNTS = (0.1, 0.15, 0.2, 0.3)
# Promotions of the whole shop: name, first and last (month, day), discount, location.
SHOP_WIDE = (
    ("618 sale", (6, 16), (6, 20), 0.1, None),
    ("11.11 sale", (11, 9), (11, 12), 0.15, None),
    ("Double Five", (5, 4), (5, 6), 0.05, "shanghai"),
)
SLOT_DAYS = 60


@dataclass(frozen=True)
class Pricing:
    """Prices and promotions of M items (N = M x locations series) over T + H days.

    Attributes:
        price: (M, T + H) list price.
        prices: the contract's table, a row where a price begins to hold.
        promotions: the contract's table; `end` is the last day, null `location` means everywhere.
        effects: `sku, location, start, end, kind, discount, lift`: a row a series and promotion.
        lift: (N, T + H) product of the lifts of the promotions running.
        discount: (N, T + H) share taken off the list price.
    """

    price: Floats
    prices: pl.DataFrame
    promotions: pl.DataFrame
    effects: pl.DataFrame
    lift: Floats
    discount: Floats


def make_pricing(
    catalogue: Catalogue, elasticity: Floats, window: Window, rng: np.random.Generator
) -> Pricing:
    """Draw price changes and promotions, whose lift is display x (1 - discount) ** elasticity."""
    price, prices = _price_path(catalogue, window, rng)
    promotions = pl.concat([_own_promotions(catalogue, window, rng), _shop_wide(window)]).sort("start", "sku")
    effects = _effects(promotions, catalogue, elasticity, window)
    lift, discount = _daily(effects, catalogue, window)
    return Pricing(price, prices, promotions, effects.drop("series"), lift, discount)


def _price_path(
    catalogue: Catalogue, window: Window, rng: np.random.Generator
) -> tuple[Floats, pl.DataFrame]:
    start = catalogue.items["price"].to_numpy()
    price = np.repeat(start[:, None], window.total, axis=1)
    rows = []
    for item, sku in enumerate(catalogue.items["sku"]):
        first = int(max(catalogue.launched[item], 0))
        rows.append((sku, window.day(first), float(start[item])))
        last = int(min(catalogue.ends[item], window.total))
        # Changes at least three weeks apart, so that each can be seen in sales.
        days = np.sort(rng.integers(first + 21, window.total, rng.poisson(window.total / 260)))
        days = days[(np.diff(days, prepend=first) >= 21) & (days < last)]
        for day in days:
            price[item, day:] = round(start[item] * rng.uniform(0.82, 1.18), 1)
            rows.append((sku, window.day(day), float(price[item, day])))
    schema = {"sku": pl.String, "date": pl.Date, "price": pl.Float64}
    return price, pl.DataFrame(rows, schema=schema, orient="row")


PROMOTION_SCHEMA = {
    "sku": pl.String,
    "location": pl.String,
    "start": pl.Date,
    "end": pl.Date,
    "kind": pl.String,
    "discount": pl.Float64,
}


def _own_promotions(catalogue: Catalogue, window: Window, rng: np.random.Generator) -> pl.DataFrame:
    """At most one promotion an item in each slot of 60 days; the last slot is the horizon."""
    rows = []
    names = list(KINDS)
    first_slot = window.total % SLOT_DAYS
    for item, sku in enumerate(catalogue.items["sku"]):
        for slot in range(first_slot, window.total, SLOT_DAYS):
            if rng.random() < 0.55:
                kind = names[rng.integers(len(names))]
                length = int(rng.integers(*KINDS[kind][1]))
                begin = slot + int(rng.integers(0, SLOT_DAYS - length))
                where = None if rng.random() < 0.85 else LOCATIONS[rng.integers(len(LOCATIONS))]
                off = DISCOUNTS[rng.integers(len(DISCOUNTS))]
                if catalogue.launched[item] <= begin and begin + length <= catalogue.ends[item]:
                    rows.append((sku, where, window.day(begin), window.day(begin + length - 1), kind, off))
    return pl.DataFrame(rows, schema=PROMOTION_SCHEMA, orient="row")


def _shop_wide(window: Window) -> pl.DataFrame:
    rows = []
    for year in range(window.start.year, window.end.year + 2):
        for name, first, last, off, where in SHOP_WIDE:
            begin, end = date(year, *first), date(year, *last)
            if window.index(begin) >= 0 and window.index(end) < window.total:
                rows.append(("*", where, begin, end, name, off))
    return pl.DataFrame(rows, schema=PROMOTION_SCHEMA, orient="row")


def _effects(
    promotions: pl.DataFrame, catalogue: Catalogue, elasticity: Floats, window: Window
) -> pl.DataFrame:
    """Each promotion of each series it touches, cut to the days the item is sold."""
    locations = pl.DataFrame({"location": LOCATIONS})
    items = pl.DataFrame(
        {
            "sku": catalogue.items["sku"],
            "item": np.arange(len(catalogue)),
            "elasticity": elasticity,
            "first": [window.start + timedelta(days=int(day)) for day in catalogue.launched],
            "last": [window.day(min(int(day), window.total) - 1) for day in catalogue.ends],
        }
    )
    display = pl.col("kind").replace_strict({name: KINDS[name][0] for name in KINDS}, default=1.0)
    one = promotions.filter(pl.col("sku") != "*").join(items, on="sku", maintain_order="left")
    every = promotions.filter(pl.col("sku") == "*").drop("sku").join(items, how="cross")
    both = pl.concat([one, every.select(one.columns)])
    return (
        both.rename({"location": "only"})
        .join(locations, how="cross", maintain_order="left_right")
        .filter(pl.col("only").is_null() | (pl.col("only") == pl.col("location")))
        .with_columns(
            start=pl.max_horizontal("start", "first"),
            end=pl.min_horizontal("end", "last"),
            lift=display * (1 - pl.col("discount")) ** pl.col("elasticity"),
            series=pl.col("item") * len(LOCATIONS) + (pl.col("location") == LOCATIONS[1]).cast(pl.Int64),
        )
        .filter(pl.col("start") <= pl.col("end"))
        .select("sku", "location", "start", "end", "kind", "discount", "lift", "series")
        .sort("sku", "location", "start", "kind")
    )


def _daily(effects: pl.DataFrame, catalogue: Catalogue, window: Window) -> tuple[Floats, Floats]:
    shape = (len(catalogue) * len(LOCATIONS), window.total)
    lift, paid = np.ones(shape), np.ones(shape)
    columns = effects.select("series", "start", "end", "lift", "discount")
    for series, start, end, factor, off in columns.iter_rows():
        days = slice(window.index(start), window.index(end) + 1)
        lift[series, days] *= factor
        paid[series, days] *= 1 - off
    return lift, 1 - paid
