"""`price`: what an item costs at the start of each bucket, as far as it is known ahead."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demand.coverage import Numbers
from shelfwise.demand.groups import EVERY, resolve, stored_once, with_targets
from shelfwise.demand.panel import Known

Floats = npt.NDArray[np.float32]
FILL_ROWS = 16_384


def price_covariate(
    prices: pl.DataFrame, items: pl.DataFrame, keys: pl.DataFrame, edges: Numbers
) -> Known | None:
    """The last price set at or before the start of each bucket; None where no price is known at all.

    A price without a location holds at all locations; on the same day a location's own price goes
    first. A series with rows in `prices` is unknown (NaN) before the first of them; a series without
    any has `items.price` throughout.

    Args:
        prices: `sku`, `location`, `date`, `price`.
        items: `sku` and, where known, `price`.
        keys: N rows `sku`, `location`.
        edges: (C + 1,) bucket starts in days.
    """
    listed = _listed(items, keys)
    if prices.is_empty() and listed is None:
        return None
    groups = resolve(with_targets(prices).drop_nulls(["date", "price"]), keys)
    buckets = len(edges) - 1
    rows = groups.rows.select(
        "group",
        day=pl.col("date").cast(pl.Int32).cast(pl.Int64),
        own=pl.col("location") != EVERY,
        price=pl.col("price").cast(pl.Float32),
    )
    # A price set within a bucket holds from the next bucket's start on.
    column = np.searchsorted(edges[:-1], rows["day"].to_numpy(), "left")
    rows = rows.with_columns(column=pl.Series(column, dtype=pl.Int32)).filter(pl.col("column") < buckets)
    # Written in this order, the value that stays is the latest one, a location's own before a general one.
    rows = rows.sort("group", "day", "own", "price")
    paths = np.full((groups.count, buckets), np.nan, np.float32)
    paths[rows["group"].to_numpy(), rows["column"].to_numpy()] = rows["price"].to_numpy()
    _fill_forward(paths)
    of_series = groups.of_series
    if listed is not None:
        without = np.ones(groups.count, bool)
        without[groups.rows["group"].unique().to_numpy()] = False
        paths, of_series = _with_listed(paths, of_series, without, listed)
    return stored_once(paths, of_series)


def _listed(items: pl.DataFrame, keys: pl.DataFrame) -> Floats | None:
    if "price" not in items.columns or items["price"].null_count() == len(items):
        return None
    prices = items.select("sku", "price").unique("sku", keep="first", maintain_order=True)
    joined = keys.join(prices, on="sku", how="left", maintain_order="left")["price"]
    return joined.cast(pl.Float32).fill_null(np.nan).to_numpy()


def _with_listed(
    paths: Floats, of_series: npt.NDArray[np.int32], without: npt.NDArray[np.bool_], listed: Floats
) -> tuple[Floats, npt.NDArray[np.int32]]:
    """Give series whose group has no dated price a row of their item's price."""
    values, which = np.unique(listed, return_inverse=True)
    constant = np.repeat(values[:, None], paths.shape[1], axis=1)
    own = np.where(without[of_series], len(paths) + which, of_series)
    return np.concatenate([paths, constant]), own.astype(np.int32)


def _fill_forward(paths: Floats) -> None:
    for low in range(0, len(paths), FILL_ROWS):
        part = paths[low : low + FILL_ROWS]
        last = np.where(np.isnan(part), 0, np.arange(part.shape[1], dtype=np.int32))
        np.maximum.accumulate(last, axis=1, out=last)
        paths[low : low + FILL_ROWS] = np.take_along_axis(part, last, axis=1)
