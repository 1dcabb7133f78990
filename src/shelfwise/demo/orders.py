"""Order lines: how the units sold appear in the exports of three platforms and a wholesale desk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demo.calendar import LOCATIONS, Window
from shelfwise.demo.catalogue import Catalogue
from shelfwise.demo.customers import CATEGORY_OF_LINE, Customers
from shelfwise.demo.pricing import Pricing

SOURCES = ("tmall", "jd", "web")
SOURCE_SHARES = (0.5, 0.3, 0.2)
PREFIX = {"tmall": "TM", "jd": "JD", "web": "W"}
CHANNEL = {"tmall": "app", "jd": "app", "web": "website"}
DAY_SECONDS = 86_400
MORNING = 8 * 3600
NIGHT_SHARE = 0.12
COUPON_SHARE, COUPON = 0.08, 0.05
CANCELLED_SHARE = 0.015
RETURNED_SHARE = 0.03
RETURN_DAYS = (3, 25)
UNSHIPPED_DAYS = 1
WHOLESALE_QUANTITY = 10_000
WHOLESALE_DISCOUNT = 0.3

COLUMNS = (
    "order_id", "line_id", "source", "channel", "sku", "location", "timestamp", "quantity",
    "customer", "price", "net_amount", "currency", "status",
)  # fmt: skip


@dataclass(frozen=True)
class OrderBook:
    """All order lines.

    Attributes:
        lines: the contract's sales columns plus `local` (shop time), `day` (index), `series`, `visitor`
            (index of the customer; null for the wholesale one), sorted by `local`.
        wholesale: `order_id, sku, location, date, quantity` of the one wholesale order.
    """

    lines: pl.DataFrame
    wholesale: pl.DataFrame

    def table(self) -> pl.DataFrame:
        """The contract's `sales` table."""
        return self.lines.select(COLUMNS)

    def unshipped(self) -> pl.DataFrame:
        """`series, quantity` sold but still on the shelf."""
        paid = self.lines.filter(pl.col("status") == "paid")
        return paid.group_by("series", maintain_order=True).agg(pl.col("quantity").sum())


def make_orders(
    sold: npt.NDArray[np.int32],
    on_sale: npt.NDArray[np.float32],
    catalogue: Catalogue,
    pricing: Pricing,
    customers: Customers,
    window: Window,
    rng: np.random.Generator,
) -> OrderBook:
    """Turn (N, T) units sold into order lines; add cancelled lines, returns and the wholesale order.

    An order on a day that ran out of stock comes before the moment it ran out.
    """
    lines = _in_orders(_split(sold, catalogue, rng), on_sale, catalogue, customers, rng)
    lines = _priced(lines, pricing, rng).with_columns(
        status=pl.when(pl.col("day") >= window.days - UNSHIPPED_DAYS)
        .then(pl.lit("paid"))
        .when(pl.col("day") >= window.days - 4)
        .then(pl.lit("shipped"))
        .otherwise(pl.lit("completed")),
        channel=pl.col("source").replace_strict(CHANNEL),
    )
    wholesale = _wholesale(catalogue, pricing, window)
    every = pl.concat(
        [
            lines,
            _cancelled(lines, rng),
            _returned(lines, catalogue, window, rng),
            wholesale.select(lines.columns),
        ]
    )
    keys = pl.DataFrame(
        {
            "series": np.arange(len(sold)),
            "sku": np.repeat(catalogue.items["sku"].to_numpy(), len(LOCATIONS)),
            "location": np.tile(np.array(LOCATIONS), len(catalogue)),
        }
    )
    every = _stamped(every.join(keys, on="series", how="left", maintain_order="left"), window)
    every = every.with_columns(
        customer=pl.Series(customers.name).gather(pl.Series(every["visitor"].fill_null(0))),
        currency=pl.lit("CNY"),
    ).with_columns(
        customer=pl.when(pl.col("visitor").is_null())
        .then(pl.lit("company-0001"))
        .otherwise(pl.col("customer"))
    )
    bulk = every.filter(pl.col("channel") == "wholesale").with_columns(date=pl.col("local").dt.date())
    return OrderBook(
        every.sort("local", "order_id", "line_id"),
        bulk.select("order_id", "sku", "location", "date", "quantity"),
    )


def _split(sold: npt.NDArray[np.int32], catalogue: Catalogue, rng: np.random.Generator) -> pl.DataFrame:
    """`series, day, quantity`: each day's units cut into lines, lumpy items into few and large ones."""
    series, day = np.nonzero(sold)
    units = sold[series, day]
    cut = np.where(catalogue.kind == "lumpy", 0.12, 0.66)[series // len(LOCATIONS)]
    starts = rng.random(int(units.sum())) < np.repeat(cut, units)
    starts[np.cumsum(units) - units] = True
    first = np.flatnonzero(starts)
    cell = np.repeat(np.arange(len(units)), units)[first]
    quantity = np.diff(np.append(first, len(starts)))
    return pl.DataFrame({"series": series[cell], "day": day[cell], "quantity": quantity.astype(np.int64)})


def _in_orders(
    lines: pl.DataFrame,
    on_sale: npt.NDArray[np.float32],
    catalogue: Catalogue,
    customers: Customers,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """Group lines of a location and day into orders, most often of one category; name, time and buyer."""
    series, day = lines["series"].to_numpy(), lines["day"].to_numpy()
    place = series % len(LOCATIONS)
    category = CATEGORY_OF_LINE[catalogue.line[series // len(LOCATIONS)]]
    mood = np.where(rng.random(len(lines)) < 0.7, category, rng.integers(0, category.max() + 1, len(lines)))
    order = np.lexsort((rng.random(len(lines)), mood, place, day))
    lines, series, day = lines[order], series[order], day[order]
    place, category = place[order], category[order]

    begins = rng.random(len(lines)) < 0.7
    begins[0] = True
    begins[1:] |= (np.diff(day) != 0) | (np.diff(place) != 0)
    first = np.flatnonzero(begins)
    number = np.cumsum(begins) - 1
    # The scarcest line sets how late in the day the order can have come.
    latest = np.minimum.reduceat(on_sale[series, day], first)
    second = _second_of_day(rng.random(len(first)) * latest)
    buyer = customers.pick(place[first], category[first], rng)
    source = rng.choice(SOURCES, size=len(first), p=SOURCE_SHARES)
    coupon = rng.random(len(first)) < COUPON_SHARE
    order_number = pl.Series(100_000_000 + number).cast(pl.String)
    return lines.with_columns(
        second=pl.Series(second[number]),
        visitor=pl.Series(buyer[number]),
        source=pl.Series(source[number]),
        coupon=pl.Series(coupon[number]),
        order_id=pl.Series(source[number]).replace_strict(PREFIX) + order_number,
        line_id=pl.Series(np.arange(len(lines)) - first[number] + 1).cast(pl.String),
    )


def _second_of_day(share: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """The clock time by which that share of a day's customers have come; few come before 8 o'clock."""
    night = share / NIGHT_SHARE * MORNING
    rest = MORNING + (share - NIGHT_SHARE) / (1 - NIGHT_SHARE) * (DAY_SECONDS - MORNING)
    return np.minimum(np.where(share < NIGHT_SHARE, night, rest), DAY_SECONDS - 1).astype(np.int64)


def _priced(lines: pl.DataFrame, pricing: Pricing, rng: np.random.Generator) -> pl.DataFrame:
    series, day = lines["series"].to_numpy(), lines["day"].to_numpy()
    paid = pricing.price[series // len(LOCATIONS), day] * (1 - pricing.discount[series, day])
    off = np.where(lines["coupon"].to_numpy(), 1 - COUPON, 1.0)
    price = paid.round(2)
    net = (price * lines["quantity"].to_numpy() * off).round(2)
    return lines.drop("coupon").with_columns(price=pl.Series(price), net_amount=pl.Series(net))


def _cancelled(lines: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Orders given up minutes before the same customer tried again."""
    some = lines.filter(pl.Series(rng.random(len(lines)) < CANCELLED_SHARE))
    earlier = np.maximum(some["second"].to_numpy() - rng.integers(60, 900, len(some)), 0)
    return some.with_columns(
        second=pl.Series(earlier),
        order_id=pl.col("order_id") + "X" + pl.col("line_id"),
        line_id=pl.lit("1"),
        status=pl.lit("cancelled"),
    )


def _returned(
    lines: pl.DataFrame, catalogue: Catalogue, window: Window, rng: np.random.Generator
) -> pl.DataFrame:
    """Negative lines under the number of the order they undo; the goods do not go back on the shelf."""
    some = lines.filter(pl.Series(rng.random(len(lines)) < RETURNED_SHARE))
    day = some["day"].to_numpy() + rng.integers(*RETURN_DAYS, len(some))
    back = np.ceil(some["quantity"].to_numpy() * rng.uniform(0.3, 1.3, len(some)))
    back = np.minimum(back, some["quantity"].to_numpy()).astype(np.int64)
    net = some["net_amount"].to_numpy() * back / some["quantity"].to_numpy()
    ends = catalogue.ends[some["series"].to_numpy() // len(LOCATIONS)]
    return some.with_columns(
        day=pl.Series(day),
        second=pl.Series(rng.integers(MORNING, 20 * 3600, len(some))),
        quantity=pl.Series(-back),
        net_amount=pl.Series(-net.round(2)),
        line_id=pl.col("line_id") + "R",
        status=pl.lit("returned"),
    ).filter(pl.Series(day < np.minimum(ends, window.days)))


def _wholesale(catalogue: Catalogue, pricing: Pricing, window: Window) -> pl.DataFrame:
    """One company buys 10,000 units, bought in for it and never on the shop's shelf."""
    item = int(np.argmax(catalogue.kind == "smooth"))
    day = int(window.days * 0.7)
    price = round(float(pricing.price[item, day]) * (1 - WHOLESALE_DISCOUNT), 2)
    return pl.DataFrame(
        {
            "series": [item * len(LOCATIONS)],
            "day": [day],
            "quantity": [WHOLESALE_QUANTITY],
            "second": [14 * 3600 + 30 * 60],
            "visitor": pl.Series([None], dtype=pl.Int64),
            "source": ["b2b"],
            "order_id": ["B2B-2001"],
            "line_id": ["1"],
            "price": [price],
            "net_amount": [round(price * WHOLESALE_QUANTITY, 2)],
            "status": ["completed"],
            "channel": ["wholesale"],
        }
    )


def _stamped(lines: pl.DataFrame, window: Window) -> pl.DataFrame:
    """`local` shop time, and `timestamp` as each platform writes it: at the shop's offset, or in UTC."""
    local = pl.lit(window.start).cast(pl.Datetime("us")) + pl.duration(days="day", seconds="second")
    offset = local.dt.strftime("%Y-%m-%dT%H:%M:%S+08:00")
    utc = (local - pl.duration(hours=8)).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    text = pl.when(pl.col("source") == "web").then(utc).otherwise(offset)
    return lines.with_columns(local=local, timestamp=text).drop("second")
