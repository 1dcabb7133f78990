"""Raw files in the shapes of the real ones, made up; and where the real ones are."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

HERE = Path(__file__).resolve().parent
# `benchmarks` is not installed; with `pytest` (not `python -m pytest`) the root is not on the path.
sys.path.append(str(HERE.parent.parent))

DATA_VARIABLE = "SHELFWISE_DATA"


@pytest.fixture
def real_folder() -> Callable[[str], Path]:
    """The folder of one real data set."""
    return lambda name: Path(os.environ[DATA_VARIABLE]) / name


@pytest.fixture
def vn2_source(tmp_path: Path) -> Path:
    """Four series of 157 weeks: plain, with gaps, listed late, mostly zero. `0` is a product and a store."""
    rng = np.random.default_rng(11)
    folder = tmp_path / "vn2"
    folder.mkdir()
    monday = [date(2021, 4, 12) + timedelta(weeks=week) for week in range(157)]
    pairs = {"Store": [0, 0, 7, 7], "Product": [126, 0, 126, 31]}
    in_stock = np.ones((4, 157), bool)
    in_stock[1] = rng.random(157) > 0.3
    in_stock[2, :120] = False
    in_stock[3, 60:90] = False
    sold = np.where(in_stock, rng.poisson([[6.0], [9.0], [4.0], [0.3]], (4, 157)), 0)
    names = [day.isoformat() for day in monday]
    sales = pl.DataFrame(pairs).with_columns(
        pl.Series(name, sold[:, week].astype(float)) for week, name in enumerate(names)
    )
    sales.write_csv(folder / "Week 0 - 2024-04-08 - Sales.csv")
    flags = pl.DataFrame(pairs).with_columns(
        pl.Series(name, in_stock[:, week]).replace_strict(
            {True: "True", False: "False"}, return_dtype=pl.String
        )
        for week, name in enumerate(names)
    )
    flags.write_csv(folder / "Week 0 - In Stock.csv")
    zeros = {
        name: [0] * 4
        for name in ("Holding Cost", "Shortage Cost", "Cumulative Holding Cost", "Cumulative Shortage Cost")
    }
    pl.DataFrame(pairs).with_columns(
        pl.Series("Start Inventory", [0] * 4),
        pl.Series("Sales", [0] * 4),
        pl.Series("Missed Sales", [0] * 4),
        pl.Series("End Inventory", [3, 0, 12, 1]),
        pl.Series("In Transit W+1", [0, 2, 0, 0]),
        pl.Series("In Transit W+2", [5, 0, 7, 0]),
        **{name: pl.Series(values) for name, values in zeros.items()},
    ).write_csv(folder / "Week 0 - 2024-04-08 - Initial State.csv")
    pl.DataFrame(pairs).with_columns(
        pl.Series("ProductGroup", [301202, 440403, 301202, 301299]),
        pl.Series("Division", [3012, 4404, 3012, 3012]),
        pl.Series("Department", [30, 44, 30, 30]),
        pl.Series("DepartmentGroup", [11, 11, 11, 11]),
        pl.Series("StoreFormat", [1, 1, 4, 4]),
        pl.Series("Format", [13, 13, 9, 9]),
    ).write_csv(folder / "Week 0 - Master.csv")
    return folder


M5_DAYS = range(1495, 1942)
M5_STORES = {"CA_1": "CA", "CA_2": "CA", "TX_1": "TX", "WI_1": "WI"}
M5_ITEMS = {"FOODS_1_001": "FOODS_1", "FOODS_2_001": "FOODS_2", "HOBBIES_1_001": "HOBBIES_1"}


@pytest.fixture
def m5_source(tmp_path: Path) -> Path:
    """Three items in four stores over the real days; official weights and scales made by a plain loop."""
    rng = np.random.default_rng(5)
    folder = tmp_path / "m5"
    folder.mkdir()
    first = date(2011, 1, 29)
    weeks = [11101 + week if week < 53 else 11201 + week - 53 for week in range(1969 // 7 + 1)]
    calendar = pl.DataFrame(
        {
            "date": [first + timedelta(days=day) for day in range(1969)],
            "wm_yr_wk": [weeks[day // 7] for day in range(1969)],
            "d": [f"d_{day + 1}" for day in range(1969)],
        }
    )
    day = pl.int_range(1, pl.len() + 1)
    calendar = calendar.with_columns(
        pl.when(day == 1900).then(pl.lit("Easter")).alias("event_name_1"),
        pl.when(day == 1900).then(pl.lit("Cultural")).alias("event_type_1"),
        pl.when(day == 1900).then(pl.lit("OrthodoxEaster")).alias("event_name_2"),
        pl.when(day == 1900).then(pl.lit("Religious")).alias("event_type_2"),
        (day % 10 == 0).cast(pl.Int8).alias("snap_CA"),
        (day % 10 == 1).cast(pl.Int8).alias("snap_TX"),
        (day % 10 == 2).cast(pl.Int8).alias("snap_WI"),
        pl.col("wm_yr_wk").cast(pl.Int32),
    )
    calendar.write_parquet(folder / "calendar.parquet")
    keys = [
        {"item_id": item, "dept_id": dept, "cat_id": dept[:-2], "store_id": store, "state_id": state}
        for store, state in M5_STORES.items()
        for item, dept in M5_ITEMS.items()
    ]
    sold = rng.poisson(1.5, (len(keys), len(M5_DAYS)))
    sold[:, 0] = 0
    week_of = dict(enumerate(weeks))
    first_week = [0] * len(keys)
    for row, start_day in ((1, 1600), (2, 1920), (3, 1700)):
        first_week[row] = (start_day - 1) // 7
        sold[row, : start_day - 1495] = 0
    sold[3, : 1930 - 1495] = 0
    frame = pl.DataFrame([{"id": f"{key['item_id']}_{key['store_id']}", **key} for key in keys])
    frame = frame.with_columns(
        pl.Series(f"d_{number}", sold[:, column].astype(np.int16)) for column, number in enumerate(M5_DAYS)
    )
    frame.write_parquet(folder / "sales_d1495_d1941.parquet")
    pl.DataFrame(
        [
            {
                "store_id": key["store_id"],
                "item_id": key["item_id"],
                "wm_yr_wk": week_of[week],
                "sell_price": 2.0 + row + (0.5 if week >= 250 else 0.0),
            }
            for row, key in enumerate(keys)
            for week in range(first_week[row], len(weeks))
        ]
    ).with_columns(pl.col("wm_yr_wk").cast(pl.Int32)).write_parquet(folder / "sell_prices.parquet")
    return folder


RETAIL_NAMES = (
    ("Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country"),
    (
        "InvoiceNo",
        "StockCode",
        "Description",
        "Quantity",
        "InvoiceDate",
        "UnitPrice",
        "CustomerID",
        "Country",
    ),
)
RetailLine = tuple[str, str, str | None, int, datetime, float, int | None, str]


def retail_line(
    invoice: str,
    code: str,
    quantity: int,
    day: datetime,
    *,
    name: str | None = "CUP",
    price: float = 2.5,
    customer: int | None = 1,
) -> RetailLine:
    return (invoice, code, name, quantity, day, price, customer, "United Kingdom")


@pytest.fixture
def write_retail(tmp_path: Path) -> Callable[[list[RetailLine], list[RetailLine]], Path]:
    """Writes two raw files of given lines, in the two files' own column names."""

    def write(first: list[RetailLine], second: list[RetailLine]) -> Path:
        folder = tmp_path / "online_retail"
        folder.mkdir(exist_ok=True)
        kinds = (
            pl.String,
            pl.String,
            pl.String,
            pl.Int32,
            pl.Datetime("us"),
            pl.Float64,
            pl.Int32,
            pl.String,
        )
        for name, names, lines in (
            ("year_2009_2010", RETAIL_NAMES[0], first),
            ("year_2010_2011", RETAIL_NAMES[1], second),
        ):
            schema = dict(zip(names, kinds, strict=True))
            pl.DataFrame(lines, schema=schema, orient="row").write_parquet(folder / f"{name}.parquet")
        return folder

    return write


@pytest.fixture
def line() -> Callable[..., RetailLine]:
    """One invoice line."""
    return retail_line
