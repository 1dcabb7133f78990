"""What visitors did, whether they bought or not: view, cart, wish, purchase, rating."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demo.calendar import LOCATIONS, Window
from shelfwise.demo.catalogue import Catalogue
from shelfwise.demo.customers import CATEGORY_OF_LINE, Customers

KEPT_DAYS = 90
VIEWED, CARTED, RATED = 0.95, 0.85, 0.08
# Visits without a purchase, for each purchase, and how many of them fill a cart or a wish list.
BROWSED, ABANDONED, WISHED = 1.6, 0.14, 0.05


def make_behaviour(
    lines: pl.DataFrame,
    lost: npt.NDArray[np.int32],
    expected: npt.NDArray[np.float64],
    catalogue: Catalogue,
    customers: Customers,
    window: Window,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """The contract's `behaviour` table of the last 90 days, timestamps in UTC, sorted by time.

    `lines` are those of the order book, `lost` (N, T) units and `expected` (N, T + H) demand. Every
    purchase is an order line; whoever found an empty shelf has left a view and nothing more.
    """
    since = max(window.days - KEPT_DAYS, 0)
    bought = lines.filter(
        (pl.col("day") >= since)
        & (pl.col("quantity") > 0)
        & (pl.col("status") != "cancelled")
        & pl.col("visitor").is_not_null()
    )
    purchases = _actions(
        bought["visitor"].to_numpy(),
        bought["series"].to_numpy(),
        _seconds(bought["local"], window),
        "purchase",
        bought["quantity"].to_numpy().astype(np.float64),
    )
    series, day = _browsed(lost, expected, since, int(BROWSED * len(bought)), window.days, rng)
    category = CATEGORY_OF_LINE[catalogue.line[series // len(LOCATIONS)]]
    visitor = customers.pick(series % len(LOCATIONS), category, rng)
    visits = _actions(visitor, series, day * 86_400 + rng.integers(8 * 3600, 86_400, len(day)), "view")

    rows = pl.concat(
        [
            purchases,
            _around(purchases, "view", VIEWED, (-7200, -600), rng),
            _around(purchases, "cart", CARTED, (-600, -30), rng),
            _rated(_around(purchases, "rating", RATED, (2 * 86_400, 12 * 86_400), rng), rng),
            visits,
            _around(visits, "cart", ABANDONED, (30, 600), rng),
            _around(visits, "wish", WISHED, (30, 600), rng),
        ]
    )
    return _table(rows, catalogue, customers, window)


def _browsed(
    lost: npt.NDArray[np.int32],
    expected: npt.NDArray[np.float64],
    since: int,
    count: int,
    days: int,
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Series and day of visits without a purchase: by popularity, and one for each unit lost."""
    weight = expected[:, since:days]
    cell = rng.choice(weight.size, size=count, p=(weight / weight.sum()).ravel())
    missed = np.repeat(np.arange(weight.size), lost[:, since:days].ravel())
    cells = np.concatenate([cell, missed])
    return cells // weight.shape[1], since + cells % weight.shape[1]


def _actions(
    visitor: npt.NDArray[np.int64],
    series: npt.NDArray[np.int64],
    second: npt.NDArray[np.int64],
    action: str,
    value: npt.NDArray[np.float64] | None = None,
) -> pl.DataFrame:
    return pl.DataFrame(
        {"visitor": visitor, "series": series, "second": second},
        schema={"visitor": pl.Int64, "series": pl.Int64, "second": pl.Int64},
    ).with_columns(
        action=pl.lit(action),
        value=pl.lit(None, pl.Float64) if value is None else pl.Series(value, dtype=pl.Float64),
    )


def _around(
    rows: pl.DataFrame, action: str, share: float, seconds: tuple[int, int], rng: np.random.Generator
) -> pl.DataFrame:
    """A `share` of `rows` repeated as another action, so many seconds later (earlier if negative)."""
    some = rows.filter(pl.Series(rng.random(len(rows)) < share, dtype=pl.Boolean))
    shift = pl.Series(rng.integers(*seconds, len(some)), dtype=pl.Int64)
    return some.with_columns(
        second=pl.col("second") + shift, action=pl.lit(action), value=pl.lit(None, pl.Float64)
    )


def _rated(rows: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    stars = rng.choice([1.0, 2.0, 3.0, 4.0, 5.0], size=len(rows), p=[0.04, 0.05, 0.13, 0.33, 0.45])
    return rows.with_columns(value=pl.Series(stars, dtype=pl.Float64))


def _seconds(local: pl.Series, window: Window) -> npt.NDArray[np.int64]:
    """Seconds of shop time since the window began."""
    start = np.datetime64(window.start, "s")
    seconds: npt.NDArray[np.int64] = (local.to_numpy().astype("datetime64[s]") - start).astype(np.int64)
    return seconds


def _table(rows: pl.DataFrame, catalogue: Catalogue, customers: Customers, window: Window) -> pl.DataFrame:
    # A view before the first midnight or a rating still to come lies outside what the shop has recorded.
    rows = rows.filter(pl.col("second").is_between(0, window.days * 86_400 - 1))
    rows = rows.sort("second", "visitor", "series", "action")
    series = rows["series"].to_numpy()
    local = pl.lit(window.start).cast(pl.Datetime("us")) + pl.duration(seconds="second", hours=-8)
    return rows.select(
        customer=pl.Series(customers.name[rows["visitor"].to_numpy()]),
        sku=pl.Series(catalogue.items["sku"].to_numpy()[series // len(LOCATIONS)]),
        location=pl.Series(np.array(LOCATIONS)[series % len(LOCATIONS)]),
        timestamp=local.dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        action="action",
        value="value",
    )
