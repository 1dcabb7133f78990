"""M5 raw files to a data folder of daily buckets, as it stood after ``d_LAST``.

Sales. Days without a sale are left out, the contract reads them as zero. A series begins with its first
row, so that row decides what its leading zeros mean:

- priced on or before the first held day (d_1495): it was on sale already, so its first row stands on the
  first held day, with quantity 0 if nothing was sold;
- first priced later, and sold: it begins with its first sale, as the competition counts it;
- first priced later and not sold up to ``d_LAST``: one row of 0 in its first priced week;
- not priced up to ``d_LAST``: not launched, no row; the scorer counts a missing series as a forecast of 0.

Prices are known ahead, up to d_1969; only changes are written, dated on the Saturday the price week
begins on. What changed before the first held day is left out but for the price that held on it. Events are
those from the first held day to d_1969; a SNAP day is an event of that state's stores.

    python -m benchmarks.m5_folder OUT [--source DIR] [--last-day 1913]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.folder_files import SETTINGS_NAME, empty_folder, write_table
from benchmarks.m5_data import PRICES_FILE, M5Sales, dates_of, read_calendar, read_sales
from benchmarks.raw_data import raw_file, raw_folder, run_command

LAST_DAY = 1913
SNAP_KIND = "SNAP"
SETTINGS = """[series]
bucket = "day"
"""


def price_changes(source: Path, calendar: pl.DataFrame) -> pl.DataFrame:
    """`sku`, `location`, `date`, `price`: one row where a price begins or differs from the week before."""
    weeks = calendar.group_by("wm_yr_wk").agg(date=pl.col("date").min())
    # Sorted by series and week, a row whose series or price differs from the row above is a change.
    changed = pl.any_horizontal(
        pl.col(name).ne_missing(pl.col(name).shift()) for name in ("store_id", "item_id", "sell_price")
    )
    return (
        pl.scan_parquet(raw_file(source, PRICES_FILE))
        .sort("store_id", "item_id", "wm_yr_wk")
        .filter(changed)
        .join(weeks.lazy(), on="wm_yr_wk", how="inner", maintain_order="left")
        .select(sku="item_id", location="store_id", date="date", price="sell_price")
        .collect()
    )


def sales_rows(sales: M5Sales, calendar: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """`sku`, `location`, `date`, `quantity`: the days with a sale, and the zero that begins a series."""
    dates = dates_of(calendar, sales.first_day, sales.last_day)
    first_priced = changes.group_by("sku", "location").agg(priced=pl.col("date").min())
    keys = sales.keys.select(sku="item_id", location="store_id")
    priced = keys.join(first_priced, on=["sku", "location"], how="left", maintain_order="left")["priced"]
    start = (priced - dates[0]).dt.total_days().clip(lower_bound=0).to_numpy()
    sold = sales.values.any(axis=1)
    # NaN (never priced) compares as False, so such a series gets no starting row.
    with np.errstate(invalid="ignore"):
        begins_with_zero = (start <= len(dates) - 1) & ((start == 0) | ~sold)
    rows = np.flatnonzero(begins_with_zero)
    written = sales.values != 0
    written[rows, start[rows].astype(np.intp)] = True
    series, column = np.nonzero(written)
    return keys[series].with_columns(
        date=pl.Series(dates, dtype=pl.Date)[column],
        quantity=pl.Series(sales.values[series, column].astype(np.int32)),
    )


def needed_prices(changes: pl.DataFrame, calendar: pl.DataFrame, first_day: int) -> pl.DataFrame:
    """The changes after `first_day`, and of the earlier ones the last, which holds on it."""
    first_date = dates_of(calendar, first_day, first_day)[0]
    successor = pl.col("date").shift(-1).over("sku", "location")
    return changes.filter((successor > first_date) | successor.is_null())


def event_rows(calendar: pl.DataFrame, keys: pl.DataFrame, first_day: int) -> pl.DataFrame:
    """`date`, `name`, `location`, `kind`; a blank location means every store."""
    ahead = calendar.filter(pl.col("day") >= first_day)
    shared = pl.concat(
        ahead.select(
            "date", name=f"event_name_{slot}", location=pl.lit(None, pl.String), kind=f"event_type_{slot}"
        )
        for slot in (1, 2)
    ).filter(pl.col("name").is_not_null())
    stores = keys.select("store_id", "state_id").unique().sort("store_id")
    snap = pl.concat(
        ahead.filter(pl.col(f"snap_{state}") == 1).select(
            "date", name=pl.lit(SNAP_KIND), location=pl.lit(store), kind=pl.lit(SNAP_KIND)
        )
        for store, state in stores.iter_rows()
    )
    return pl.concat([shared, snap]).sort("date", "name", "location", nulls_last=False)


def write_m5_folder(source: Path, out: Path, *, last_day: int = LAST_DAY) -> Path:
    """Write the folder as it stood after day `last_day`; later sales are not read. Returns `out`.

    Raises:
        UsageError: a raw file is missing, or `last_day` is not in the sales file.
    """
    sales = read_sales(source, last_day=last_day)
    calendar = read_calendar(source)
    changes = price_changes(source, calendar)
    empty_folder(out)
    write_table(sales_rows(sales, calendar, changes), out, "sales", "parquet")
    write_table(needed_prices(changes, calendar, sales.first_day), out, "prices", "parquet")
    write_table(event_rows(calendar, sales.keys, sales.first_day), out, "events")
    items = sales.keys.select(sku="item_id", category_1="cat_id", category_2="dept_id").unique().sort("sku")
    write_table(items, out, "items")
    places = sales.keys.select(location="store_id", state="state_id").unique().sort("location")
    write_table(places, out, "locations")
    (out / SETTINGS_NAME).write_text(SETTINGS, encoding="utf-8")
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description="M5 raw files to a data folder")
    parser.add_argument("out", type=Path)
    parser.add_argument("--source", type=Path)
    parser.add_argument("--last-day", type=int, default=LAST_DAY)
    options = parser.parse_args()
    source = raw_folder("m5", options.source)
    print(write_m5_folder(source, options.out, last_day=options.last_day))


if __name__ == "__main__":
    run_command(main)
