"""VN2 raw files to a data folder.

Timing. The last known week is "week 0" (2024-04-08), so ``as_of`` is the Monday of week 1 (2024-04-15).
An order placed at the end of week k - 1 is on sale at the start of week k + 2: placed at ``as_of`` =
Monday of week k, it serves demand from bucket k + 2 on, hence ``lead_time = 2``, ``review_period = 1``.
With a fixed lead time of two there are exactly two orders under way at every decision, those of the two
weeks before. The one placed at the end of week -2 is on sale at the start of week 1 (``In Transit W+1``),
the one placed at the end of week -1 at the start of week 2 (``In Transit W+2``), and the first own order
at the start of week 3. Read one week later, ``W+2`` would arrive together with the first own order, and
nothing could ever be due in week 1; read one week earlier, ``W+1`` would already be on hand. So ``End
Inventory`` is on hand at the end of week 0, ``W+1`` is due on ``as_of``, ``W+2`` one week after it.

All 157 weeks are written with their zeros and in-stock flags. A stretch out of stock before a series'
first week in stock is written too: whether the item was not yet listed or not delivered, nobody says.
The stock is known at the end of the last week alone, so a shorter history has no stock and no inbound.

    python -m benchmarks.vn2_folder OUT [--source DIR] [--weeks 157]
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks.folder_files import SETTINGS_NAME, empty_folder, write_table
from benchmarks.raw_data import raw_file, raw_folder, run_command
from shelfwise.errors import ShelfwiseError, UsageError

SALES_FILE = "Week 0 - 2024-04-08 - Sales.csv"
IN_STOCK_FILE = "Week 0 - In Stock.csv"
STATE_FILE = "Week 0 - 2024-04-08 - Initial State.csv"
MASTER_FILE = "Week 0 - Master.csv"
WEEKS = 157
KEYS = ("Store", "Product")
# From the widest to the narrowest group of items.
HIERARCHY = {
    "DepartmentGroup": "category_1",
    "Department": "category_2",
    "Division": "category_3",
    "ProductGroup": "category_4",
}
LOCATION_ATTRIBUTES = {"StoreFormat": "store_format", "Format": "format"}
SETTINGS = """[series]
bucket = "week"

[supply]
lead_time = 2
review_period = 1
unmet = "lost"

[costs]
holding = 0.2
shortage = 1.0
order = 0.0
"""


@dataclass(frozen=True)
class Vn2History:
    """The two wide files as arrays.

    Attributes:
        keys: N rows `sku`, `location`, in the raw files' order.
        weeks: T Mondays.
        sold: (N, T) int64 units sold.
        in_stock: (N, T) bool.
    """

    keys: pl.DataFrame
    weeks: list[date]
    sold: npt.NDArray[np.int64]
    in_stock: npt.NDArray[np.bool_]

    @property
    def as_of(self) -> date:
        """The Monday after the last week."""
        return self.weeks[-1] + timedelta(days=7)


def series_keys(raw: pl.DataFrame) -> pl.DataFrame:
    """`sku` and `location` as text."""
    return raw.select(sku=pl.col("Product").cast(pl.String), location=pl.col("Store").cast(pl.String))


def read_history(source: Path, *, weeks: int | None = None) -> Vn2History:
    """Sales and in-stock flags of the first `weeks` weeks (all by default); later columns are not read.

    Raises:
        UsageError: `weeks` out of range, or a raw file is missing.
        ShelfwiseError: the two files do not fit together, or a quantity is no whole number.
    """
    sales_path, flags_path = raw_file(source, SALES_FILE), raw_file(source, IN_STOCK_FILE)
    header = pl.read_csv(sales_path, n_rows=0).columns
    names = [name for name in header if name not in KEYS]
    count = len(names) if weeks is None else weeks
    if not 1 <= count <= len(names):
        raise UsageError(f"weeks must be 1 to {len(names)}, as many as {SALES_FILE!r} has; got {count}")
    chosen = [*KEYS, *names[:count]]
    try:
        sales, flags = pl.read_csv(sales_path, columns=chosen), pl.read_csv(flags_path, columns=chosen)
    except pl.exceptions.ColumnNotFoundError as error:
        raise ShelfwiseError(f"{IN_STOCK_FILE!r} must have the weeks of {SALES_FILE!r}: {error}") from error
    keys = series_keys(sales)
    if not keys.equals(series_keys(flags)):
        raise ShelfwiseError(
            f"{SALES_FILE!r} and {IN_STOCK_FILE!r} must list the same series in the same order"
        )
    sold = sales.select(chosen[2:]).cast(pl.Float64).to_numpy()
    if not np.array_equal(sold, np.rint(sold)):
        row, column = np.argwhere(sold != np.rint(sold))[0]
        where = f"{SALES_FILE!r}, line {row + 2}, {names[column]}"
        raise ShelfwiseError(f"sales must be whole units; found {sold[row, column]} in {where}")
    monday = [date.fromisoformat(name) for name in names[:count]]
    in_stock = flags.select(pl.col(chosen[2:]).cast(pl.Boolean)).to_numpy()
    return Vn2History(keys, monday, sold.astype(np.int64), in_stock)


def read_state(source: Path, as_of: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The contract's `stock` and `inbound` at the end of the last week (see the module's timing)."""
    raw = pl.read_csv(raw_file(source, STATE_FILE))
    stock = series_keys(raw).with_columns(on_hand=raw["End Inventory"])
    inbound = pl.concat(
        series_keys(raw).with_columns(
            quantity=raw[f"In Transit W+{week}"], due=pl.lit(as_of + timedelta(weeks=week - 1))
        )
        for week in (1, 2)
    )
    return stock, inbound.filter(pl.col("quantity") > 0)


def read_master(source: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The contract's `items` (hierarchy as `category_*`) and `locations` (store formats)."""
    raw = pl.read_csv(raw_file(source, MASTER_FILE)).cast(pl.String)
    items = raw.select(sku="Product", **{new: old for old, new in HIERARCHY.items()}).unique().sort("sku")
    places = raw.select(location="Store", **{new: old for old, new in LOCATION_ATTRIBUTES.items()})
    places = places.unique().sort("location")
    for frame, key in ((items, "sku"), (places, "location")):
        doubled = frame.filter(pl.col(key).is_duplicated())
        if len(doubled):
            raise ShelfwiseError(
                f"{MASTER_FILE!r} must give each {key} one set of attributes; {doubled[key][0]!r} has several"
            )
    return items, places


def write_history(history: Vn2History, out: Path) -> None:
    """`sales` with explicit zeros and `availability`, one row a series and week."""
    count = len(history.weeks)
    rows = history.keys.select(pl.all().repeat_by(count).explode()).with_columns(
        date=pl.Series(history.weeks * len(history.keys), dtype=pl.Date)
    )
    write_table(rows.with_columns(quantity=pl.Series(history.sold.ravel())), out, "sales", "parquet")
    on_sale = pl.Series(history.in_stock.ravel()).cast(pl.Int8)
    write_table(rows.with_columns(in_stock=on_sale), out, "availability", "parquet")


def write_vn2_folder(source: Path, out: Path, *, weeks: int = WEEKS) -> Path:
    """Write the folder as a competitor had it after `weeks` weeks; returns `out`.

    Raises:
        UsageError, ShelfwiseError: see `read_history` and `read_master`.
    """
    history = read_history(source, weeks=weeks)
    items, places = read_master(source)
    empty_folder(out)
    write_history(history, out)
    write_table(items, out, "items")
    write_table(places, out, "locations")
    if weeks == WEEKS:
        stock, inbound = read_state(source, history.as_of)
        write_table(stock, out, "stock")
        write_table(inbound, out, "inbound")
    (out / SETTINGS_NAME).write_text(SETTINGS, encoding="utf-8")
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description="VN2 raw files to a data folder")
    parser.add_argument("out", type=Path)
    parser.add_argument("--source", type=Path)
    parser.add_argument("--weeks", type=int, default=WEEKS)
    options = parser.parse_args()
    print(write_vn2_folder(raw_folder("vn2", options.source), options.out, weeks=options.weeks))


if __name__ == "__main__":
    run_command(main)
