"""Small data folders: written from tables, changed table by table, read back as frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

# Monday of the week after the last one of the plain shop's year.
AS_OF = date(2025, 1, 6)
FIRST = date(2024, 1, 1)
SKUS = ("0017", "17", "TEA-1", "茶-2")


@dataclass(frozen=True)
class Shop:
    """Tables by name, and what `shelfwise.toml` says; None writes no such file."""

    tables: Mapping[str, pl.DataFrame]
    settings: str | None = None
    raw: Mapping[str, bytes] = field(default_factory=dict)

    def with_table(self, name: str, table: pl.DataFrame | Mapping[str, Any]) -> Shop:
        frame = table if isinstance(table, pl.DataFrame) else pl.DataFrame(dict(table))
        return replace(self, tables={**self.tables, name: frame})

    def without(self, name: str) -> Shop:
        return replace(self, tables={key: table for key, table in self.tables.items() if key != name})

    def with_settings(self, text: str) -> Shop:
        return replace(self, settings=text)

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True)
        for name, table in self.tables.items():
            table.write_csv(folder / f"{name}.csv")
        if self.settings is not None:
            (folder / "shelfwise.toml").write_text(self.settings, encoding="utf-8")
        return folder


def plain_shop(*, weeks: int = 60, skus: tuple[str, ...] = SKUS, seed: int = 3) -> Shop:
    """Steady sellers at one place, some weeks reaching past `AS_OF`, and the stock they have left."""
    rng = np.random.default_rng(seed)
    rows = []
    for number, sku in enumerate(skus):
        for week in range(weeks):
            day = FIRST + timedelta(weeks=week, days=int(rng.integers(7)))
            rows.append((sku, day, 1 + int(rng.poisson(3 + 3 * number))))
    sales = pl.DataFrame(rows, schema=["sku", "date", "quantity"], orient="row")
    stock = pl.DataFrame({"sku": skus, "on_hand": [6.0] * len(skus)})
    return Shop({"sales": sales, "stock": stock})


def full_shop(*, weeks: int = 70, seed: int = 5) -> Shop:
    """Every table of the contract, two locations, returns, stock-outs, and rows on both sides of `AS_OF`."""
    rng = np.random.default_rng(seed)
    places = ("east", "west")
    sales, availability, behaviour = [], [], []
    for number, sku in enumerate(SKUS):
        for place in places:
            for week in range(weeks):
                monday = FIRST + timedelta(weeks=week)
                out = rng.random() < 0.06
                availability.append((sku, place, monday, 0.0 if out else 1.0))
                for _ in range(0 if out else int(rng.poisson(1.5 + number))):
                    day = monday + timedelta(days=int(rng.integers(7)))
                    order = f"o{len(sales)}"
                    units = 1 + int(rng.poisson(1))
                    sales.append((sku, place, day, units, order, "1", f"c{rng.integers(30)}", 9.5 + number))
                    if rng.random() < 0.04:
                        back = day + timedelta(days=int(rng.integers(1, 20)))
                        sales.append((sku, place, back, -units, order, "2", sales[-1][6], 9.5 + number))
    for number in range(300):
        moment = datetime.combine(FIRST + timedelta(days=int(rng.integers(weeks * 7))), time(12))
        behaviour.append((f"c{number % 30}", SKUS[number % 4], moment, ("view", "cart")[number % 2]))
    pairs = [(sku, place) for sku in SKUS for place in places]
    columns = ["sku", "location", "date", "quantity", "order_id", "line_id", "customer", "price"]
    weekly = [FIRST + timedelta(weeks=4 * step) for step in range(20)]
    tables = {
        "sales": pl.DataFrame(sales, schema=columns, orient="row"),
        "availability": pl.DataFrame(
            availability, schema=["sku", "location", "date", "in_stock"], orient="row"
        ),
        "behaviour": pl.DataFrame(behaviour, schema=["customer", "sku", "timestamp", "action"], orient="row"),
        "stock": pl.DataFrame(
            [(sku, place, 7.0, 1.0) for sku, place in pairs],
            schema=["sku", "location", "on_hand", "reserved"],
            orient="row",
        ),
        "inbound": pl.DataFrame(
            {"sku": ["17"], "location": ["east"], "quantity": [5.0], "due": [AS_OF + timedelta(weeks=1)]}
        ),
        "items": pl.DataFrame(
            {
                "sku": SKUS,
                "name": ["a", "b", "c", "茶"],
                "unit_cost": [4.0, 5.0, 6.0, 2.5],
                "category": ["x"] * 4,
            }
        ),
        "locations": pl.DataFrame({"location": places, "region": ["e", "w"]}),
        "terms": pl.DataFrame(
            {
                "sku": ["*", "TEA-1"],
                "supplier": ["acme", "leaf"],
                "lead_time": [2.0, 3.0],
                "moq": [None, 12.0],
                "multiple": [1.0, 6.0],
            }
        ),
        "prices": pl.DataFrame(
            {
                "sku": [sku for sku in SKUS for _ in weekly],
                "date": weekly * len(SKUS),
                "price": np.round(rng.uniform(8, 12, len(SKUS) * len(weekly)), 2),
            }
        ),
        "promotions": pl.DataFrame(
            {
                "sku": ["*", "17"],
                "start": [date(2024, 11, 11), AS_OF + timedelta(weeks=1)],
                "end": [date(2024, 11, 17), AS_OF + timedelta(weeks=2)],
                "discount": [0.2, 0.3],
            }
        ),
        "events": pl.DataFrame(
            {"date": [date(2024, 10, 1), AS_OF + timedelta(days=9)], "name": ["holiday", "holiday"]}
        ),
    }
    return Shop(tables)
