"""A `Dataset` straight from rows, unchecked, so that each rule is tested on its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import pytest

from shelfwise.tables.dataset import Dataset, empty_table
from shelfwise.tables.settings import Settings

MakeDataset = Callable[..., Dataset]


@pytest.fixture
def make_dataset() -> MakeDataset:
    """Rows by table name (dicts or a frame; ISO dates; `location` main or ``*`` when left out).

    `demand` is the section of the settings of that name.
    """

    def make(bucket: str = "week", demand: dict[str, Any] | None = None, **tables: Any) -> Dataset:
        frames = {
            "sales": empty_table("sales"),
            **{name: _frame(name, rows) for name, rows in tables.items()},
        }
        return Dataset(Settings.from_mapping({"series": {"bucket": bucket}, "demand": demand or {}}), frames)

    return make


def _frame(name: str, rows: Any) -> pl.DataFrame:
    frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(rows, infer_schema_length=None)
    dates = [
        column for column in ("date", "start", "end", "due", "launched", "ends") if column in frame.columns
    ]
    frame = frame.with_columns(pl.col(dates).cast(pl.Date)) if dates else frame
    numbers = [column for column in ("quantity", "price", "on_hand", "in_stock") if column in frame.columns]
    frame = frame.with_columns(pl.col(numbers).cast(pl.Float64))
    if "location" not in frame.columns and name != "items":
        everywhere = name in ("terms", "prices", "promotions", "events")
        frame = frame.with_columns(location=pl.lit("*" if everywhere else "main"))
    return frame


def sale(day: str, quantity: float, sku: str = "a", **more: Any) -> dict[str, Any]:
    return {"sku": sku, "date": date.fromisoformat(day), "quantity": float(quantity), **more}


@pytest.fixture(name="sale")
def _sale() -> Callable[..., dict[str, Any]]:
    return sale
