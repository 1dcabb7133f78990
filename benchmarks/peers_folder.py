"""What the peer pipelines read and write: the same data folder as `shelfwise forecast`, the same table out.

The folder was written as of a day (`m5_folder`), so later sales are not in it; prices and events are, for
they are known ahead. Peers get every series densely from its first row on, days without a row as 0, as the
contract has it.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.errors import UsageError

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
KEY = ["sku", "location"]
SNAP_KIND = "SNAP"


@dataclass(frozen=True)
class PeerData:
    """A folder as arrays; axis letters N series, T days of history, H days ahead.

    Attributes:
        keys: N rows `sku`, `location`, sorted.
        static: (N, 5) codes of `item`, `store`, `department`, `category`, `state`.
        first_day: date of the first column.
        begin: (N,) column of each series' first row.
        units: (N, T) sold; 0 before the series begins.
        price: (N, T + H) price that holds, NaN where none is known.
        snap: (N, T + H) 1 where food stamps are accepted in the series' state.
        event, event_kind: (T + H,) code of the day's first shared event and of its kind, 0 for none.
    """

    keys: pl.DataFrame
    static: pl.DataFrame
    first_day: date
    begin: Ints
    units: Floats
    price: Floats
    snap: npt.NDArray[np.int8]
    event: Ints
    event_kind: Ints

    @property
    def n_days(self) -> int:
        """T, days of history."""
        return int(self.units.shape[1])

    @property
    def horizon(self) -> int:
        """H, days ahead that prices and events are held for."""
        return len(self.event) - self.n_days

    def every(self, step: int) -> PeerData:
        """Every `step`-th series, beginning with the first."""
        return replace(
            self,
            keys=self.keys[::step],
            static=self.static[::step],
            begin=self.begin[::step],
            units=self.units[::step],
            price=self.price[::step],
            snap=self.snap[::step],
        )


def read_peer_data(folder: Path, as_of: date, horizon: int) -> PeerData:
    """A folder's history before `as_of`, and what is known of the `horizon` days from it on.

    Raises:
        UsageError: the folder has sales on or after `as_of`, or none before it.
    """
    sales = pl.read_parquet(folder / "sales.parquet")
    if sales.is_empty() or sales["date"].max() >= as_of:  # type: ignore[operator]
        raise UsageError(f"peers need sales before {as_of} and none from it on; {folder} has others")
    first_day: date = sales["date"].min()  # type: ignore[assignment]
    n_days = (as_of - first_day).days
    keys = sales.select(KEY).unique().sort(KEY)
    rows, columns = _places(sales, keys, first_day)
    units = np.zeros((len(keys), n_days), dtype=np.float32)
    units[rows, columns] = sales["quantity"].to_numpy()
    begin = np.full(len(keys), n_days, dtype=np.int32)
    np.minimum.at(begin, rows, columns)
    event, kind, snap = _events(folder, keys, first_day, n_days + horizon)
    return PeerData(
        keys=keys,
        static=_static(folder, keys),
        first_day=first_day,
        begin=begin,
        units=units,
        price=_prices(folder, keys, first_day, n_days + horizon),
        snap=snap,
        event=event,
        event_kind=kind,
    )


def _places(table: pl.DataFrame, keys: pl.DataFrame, first_day: date) -> tuple[Ints, Ints]:
    """Row of `keys` and day since `first_day` of each row of a table of these series."""
    row = table.select(KEY).join(keys.with_row_index("row"), on=KEY, how="left", maintain_order="left")["row"]
    day = (table["date"] - first_day).dt.total_days()
    return row.to_numpy().astype(np.int32), day.to_numpy().astype(np.int32)


def _codes(values: pl.Series) -> pl.Series:
    return (values.rank("dense") - 1).cast(pl.Int32)


def _static(folder: Path, keys: pl.DataFrame) -> pl.DataFrame:
    items = pl.read_csv(folder / "items.csv", infer_schema=False)
    places = pl.read_csv(folder / "locations.csv", infer_schema=False)
    known = keys.join(items, on="sku", how="left", maintain_order="left")
    known = known.join(places, on="location", how="left", maintain_order="left")
    named = {
        "item": "sku",
        "store": "location",
        "department": "category_2",
        "category": "category_1",
        "state": "state",
    }
    return pl.DataFrame({name: _codes(known[column]) for name, column in named.items()})


def _prices(folder: Path, keys: pl.DataFrame, first_day: date, n_columns: int) -> Floats:
    """(N, n_columns): each price holds until the next; what was set before the first day holds on it."""
    changes = pl.read_parquet(folder / "prices.parquet").join(keys, on=KEY, how="semi").sort("date")
    rows, columns = _places(changes, keys, first_day)
    price = np.full((len(keys), n_columns), np.nan, dtype=np.float32)
    within = columns < n_columns
    # Sorted by date, of several changes before the first day the last one stays.
    price[rows[within], np.maximum(columns[within], 0)] = changes["price"].to_numpy()[within]
    last = np.where(np.isnan(price), 0, np.arange(n_columns, dtype=np.int32))
    np.maximum.accumulate(last, axis=1, out=last)
    held: Floats = np.take_along_axis(price, last, axis=1)
    return held


def _events(
    folder: Path, keys: pl.DataFrame, first_day: date, n_columns: int
) -> tuple[Ints, Ints, npt.NDArray[np.int8]]:
    events = pl.read_csv(folder / "events.csv", try_parse_dates=True).with_columns(
        column=(pl.col("date") - first_day).dt.total_days()
    )
    events = events.filter(pl.col("column").is_between(0, n_columns - 1))
    shared = events.filter(pl.col("location").is_null()).unique("column", keep="first", maintain_order=True)
    coded = np.zeros((2, n_columns), dtype=np.int32)
    for place, name in enumerate(("name", "kind")):
        coded[place, shared["column"].to_numpy()] = _codes(shared[name]).to_numpy() + 1
    stores = keys["location"].unique().sort()
    snap_days = events.filter((pl.col("kind") == SNAP_KIND) & pl.col("location").is_in(stores.implode()))
    by_store = np.zeros((len(stores), n_columns), dtype=np.int8)
    by_store[stores.search_sorted(snap_days["location"]), snap_days["column"].to_numpy()] = 1
    return coded[0], coded[1], by_store[stores.search_sorted(keys["location"])]


def write_peer_forecast(
    data: PeerData, mean: npt.ArrayLike, quantiles: npt.ArrayLike, levels: list[float], file: Path
) -> None:
    """Write the table `shelfwise forecast` would: `sku, location, date, mean`, a column a quantile.

    Args:
        mean: (N, H) units.
        quantiles: (N, H, Q) units.
    """
    points = np.asarray(mean, dtype=np.float32)
    spread = np.asarray(quantiles, dtype=np.float32)
    horizon = points.shape[1]
    first = data.first_day + timedelta(days=data.n_days)
    days = pl.DataFrame({"date": [first + timedelta(days=step) for step in range(horizon)]})
    table = data.keys.join(days, how="cross", maintain_order="left_right").with_columns(
        pl.Series("mean", points.ravel()),
        *(pl.Series(f"q{level:g}", spread[:, :, place].ravel()) for place, level in enumerate(levels)),
    )
    table.write_parquet(file)


@dataclass(frozen=True)
class PeerOrder:
    """What a peer is asked for on its command line."""

    folder: Path
    as_of: date
    horizon: int
    levels: list[float]
    file: Path
    method: str


def read_order(description: str, methods: list[str]) -> PeerOrder:
    """Parse a peer's command line: ``FOLDER --as-of DATE --horizon H --quantiles Q,… --method NAME -o FILE``."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--as-of", type=date.fromisoformat, required=True)
    parser.add_argument("--horizon", type=int, required=True)
    parser.add_argument("--quantiles", required=True)
    parser.add_argument("--method", choices=methods, default=methods[0])
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    levels = [float(level) for level in options.quantiles.split(",")]
    return PeerOrder(options.folder, options.as_of, options.horizon, levels, options.output, options.method)
