"""Nothing dated on or after `as_of` has any influence, except what is known ahead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

import numpy as np
import polars as pl
import pytest

from contract.shops import AS_OF, FIRST, SKUS, Shop, full_shop
from shelfwise.evaluate.backtest import run_backtest
from shelfwise.forecast.register import make_forecaster
from shelfwise.replenish.base import Policy
from shelfwise.replenish.register import make_policy
from shelfwise.replenish.situation import Decision, Situation
from shelfwise.tables.opening import open_dataset

FAST = ("--model", "moving_average")
DATED = {"sales": "date", "availability": "date", "behaviour": "timestamp"}
COMMANDS = {
    "forecast": ("--as-of", AS_OF, "--horizon", 4, "--quantiles", "0.1,0.9", *FAST, "-o", "-"),
    "plan": ("--as-of", AS_OF, *FAST, "-o", "-"),
    "explain": ("TEA-1@east", "--as-of", AS_OF, *FAST),
    "backtest": ("--from", "2024-12-02", "--to", AS_OF, *FAST, "-o", "-"),
}


def split(table: pl.DataFrame, column: str, day: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    before = pl.col(column).dt.date() < day
    return table.filter(before), table.filter(~before)


def deleted(shop: Shop, day: date = AS_OF) -> Shop:
    for name, column in DATED.items():
        shop = shop.with_table(name, split(shop.tables[name], column, day)[0])
    return shop


def scrambled(shop: Shop, day: date = AS_OF) -> Shop:
    """Later rows with other items, places, dates and numbers."""
    rng = np.random.default_rng(8)
    for name, column in DATED.items():
        before, after = split(shop.tables[name], column, day)
        mixed = after.with_columns(
            pl.Series("sku", rng.choice(SKUS, after.height)),
            pl.Series(column, after[column].sample(fraction=1.0, shuffle=True, seed=1)),
        )
        if name == "sales":
            mixed = mixed.with_columns(
                quantity=pl.Series(rng.integers(1, 900, after.height)),
                price=pl.Series(rng.uniform(1, 500, after.height)),
                order_id=pl.format("later{}", pl.int_range(pl.len())),
            )
        elif name == "availability":
            mixed = mixed.unique(["sku", "location", "date"], keep="first", maintain_order=True)
            mixed = mixed.with_columns(in_stock=pl.Series(rng.random(mixed.height)))
        shop = shop.with_table(name, pl.concat([before, mixed]))
    return shop


def added(shop: Shop, day: date = AS_OF) -> Shop:
    """Later rows of every kind: huge orders, returns of earlier ones, series and places never seen."""
    sales = shop.tables["sales"]
    earlier = split(sales, "date", day)[0].filter(pl.col("quantity") > 0)
    returned = earlier.sample(60, seed=2).with_columns(
        quantity=-pl.col("quantity"), date=pl.lit(day), line_id=pl.lit("9")
    )
    huge = earlier.head(40).with_columns(
        quantity=pl.lit(5000, pl.Int64),
        price=pl.lit(999.0),
        date=pl.lit(day),
        order_id=pl.format("huge{}", pl.int_range(pl.len())),
    )
    new = huge.with_columns(
        sku=pl.lit("NEW"), location=pl.lit("north"), order_id=pl.format("new{}", pl.int_range(pl.len()))
    )
    shop = shop.with_table("sales", pl.concat([sales, returned, huge, new]))
    gone = pl.DataFrame(
        {
            "sku": ["NEW", "17"],
            "location": ["north", "east"],
            "date": [day + timedelta(days=2)] * 2,
            "in_stock": [0.0] * 2,
        }
    )
    shop = shop.with_table("availability", pl.concat([shop.tables["availability"], gone]))
    seen = pl.DataFrame(
        {
            "customer": ["c1"] * 50,
            "sku": ["0017"] * 50,
            "timestamp": [datetime.combine(day, time(9))] * 50,
            "action": ["cart"] * 50,
        }
    )
    return shop.with_table("behaviour", pl.concat([shop.tables["behaviour"], seen]))


CHANGES: dict[str, Callable[..., Shop]] = {"deleted": deleted, "scrambled": scrambled, "added": added}
# Money from what customers paid: a price paid later must not decide what a lost sale costs today.
MARGIN = '[costs]\nholding_rate = 0.3\nshortage = "margin"\n'


def margin_shop() -> Shop:
    return full_shop().without("prices").with_settings(MARGIN)


@pytest.fixture(scope="module")
def shops(tmp_path_factory):
    """The folder as it is, and one for each change to what lies ahead; prices come from the sales."""
    root = tmp_path_factory.mktemp("future")
    whole = margin_shop()
    folders = {name: change(whole).write(root / name) for name, change in CHANGES.items()}
    return {"whole": whole.write(root / "whole"), **folders}


def test_the_changes_do_change_the_files(shops):
    for name in CHANGES:
        for table in DATED:
            file = f"{table}.csv"
            assert (shops[name] / file).read_bytes() != (shops["whole"] / file).read_bytes()


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("command", COMMANDS)
def test_what_lies_ahead_does_not_change_a_byte(shelfwise, shops, command, change):
    series, *asked = COMMANDS[command] if command == "explain" else ("", *COMMANDS[command])
    named = [series] if series else []
    expected = shelfwise(command, shops["whole"], *named, *asked)
    found = shelfwise(command, shops[change], *named, *asked)
    assert (expected.code, found.code) == (0, 0), found.err
    assert found.out == expected.out


@pytest.mark.parametrize("command", COMMANDS)
def test_what_lies_behind_does_change_it(shelfwise, shops, written, command):
    """The comparison above would notice."""
    series, *asked = COMMANDS[command] if command == "explain" else ("", *COMMANDS[command])
    named = [series] if series else []
    changed = written(scrambled(margin_shop(), AS_OF - timedelta(weeks=3)))
    assert (
        shelfwise(command, shops["whole"], *named, *asked).out
        != shelfwise(command, changed, *named, *asked).out
    )


@pytest.mark.parametrize("change", CHANGES)
def test_gbm_does_not_look_ahead_either(shelfwise, shops, change):
    asked = ("--as-of", AS_OF, "--horizon", 3, "--model", "gbm", "-o", "-")
    assert (
        shelfwise("forecast", shops["whole"], *asked).out == shelfwise("forecast", shops[change], *asked).out
    )


def test_a_place_of_the_future_does_not_say_where_todays_stock_is(shelfwise, written):
    """Stock without a location is at the one place the shop has; that a second one opens is not known yet."""
    shop = full_shop()
    shop = shop.with_table("sales", shop.tables["sales"].filter(pl.col("location") == "east"))
    for name in ("availability", "stock", "inbound", "locations"):
        shop = shop.without(name)
    shop = shop.with_table("stock", {"sku": list(SKUS), "on_hand": [9.0] * 4})
    opened = (
        shop.tables["sales"]
        .tail(3)
        .with_columns(
            location=pl.lit("north"), date=pl.lit(AS_OF), order_id=pl.format("n{}", pl.int_range(pl.len()))
        )
    )
    later = shop.with_table("sales", pl.concat([shop.tables["sales"], opened]))
    asked = ("--as-of", AS_OF, *FAST, "-o", "-")
    plans = [shelfwise("plan", written(version), *asked) for version in (shop, later)]
    assert [told.code for told in plans] == [0, 0], plans[1].err
    assert plans[0].out == plans[1].out
    assert (
        shelfwise("plan", written(later), "--as-of", AS_OF + timedelta(weeks=1), *FAST, "-o", "-").code == 3
    )


@dataclass
class Recorder:
    """A policy that remembers everything it was shown and what it decided."""

    inner: Policy
    seen: list[tuple[Situation, Decision]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def needs_scenarios(self) -> bool:
        return self.inner.needs_scenarios

    def decide(self, situation: Situation) -> Decision:
        decision = self.inner.decide(situation)
        self.seen.append((situation, decision))
        return decision


def first_review(shop: Shop, policy: str, start: date, end: date) -> tuple[Situation, Decision]:
    tables = dict(shop.tables)
    settings = {"costs": {"holding_rate": 0.3, "shortage": "margin"}}
    dataset = open_dataset(tables.pop("sales"), settings, tables)
    recorder = Recorder(make_policy(policy))
    run_backtest(
        dataset, start, end, {policy: recorder}, lambda: make_forecaster("moving_average"), n_samples=50
    )
    return recorder.seen[0]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("policy", ["order_up_to", "textbook", "days_of_cover", "reorder_point"])
def test_the_first_decision_of_a_replay_knows_nothing_of_the_window(policy, change):
    start, end = date(2024, 12, 2), AS_OF
    shop = margin_shop()
    later = CHANGES[change](shop, start)
    # A window past the last sale is refused, so of what is deleted the last row must stay.
    last = shop.tables["sales"].sort("date")[-1:]
    later = later.with_table("sales", pl.concat([later.tables["sales"], last], how="diagonal_relaxed"))
    situation, decision = first_review(shop, policy, start, end)
    other_situation, other_decision = first_review(later, policy, start, end)
    assert situation.panel.as_of == start
    assert situation.panel.demand.shape[0] == 8
    for name in ("on_hand", "backorders", "receipts", "receipts_later", "margin"):
        np.testing.assert_array_equal(getattr(situation, name), getattr(other_situation, name), err_msg=name)
    np.testing.assert_array_equal(situation.panel.demand, other_situation.panel.demand)
    np.testing.assert_array_equal(decision.quantity, other_decision.quantity)


def promoted_shop() -> Shop:
    """Two years in which promotions triple the sales, low prices help and a holiday stops them."""
    rng = np.random.default_rng(1)
    skus = [f"p{number}" for number in range(12)]
    weeks = 110
    prices, sales, promotions = [], [], []
    holidays = {week for week in range(weeks + 8) if week % 13 == 9}
    for sku in skus:
        promoted = set(rng.choice(weeks, 14, replace=False).tolist())
        for week in range(weeks):
            monday = FIRST - timedelta(weeks=weeks - 53) + timedelta(weeks=week)
            price = float(rng.choice([8.0, 12.0]))
            prices.append((sku, monday, price))
            mean = 20.0 * (3.0 if week in promoted else 1.0) * (2.0 if price < 10 else 1.0)
            if week in promoted:
                promotions.append((sku, monday, monday + timedelta(days=6), 0.3))
            if week not in holidays:
                sales.append((sku, monday + timedelta(days=2), int(rng.poisson(mean))))
            else:
                sales.append((sku, monday + timedelta(days=2), 1))
    start = FIRST - timedelta(weeks=weeks - 53)
    events = [
        (start + timedelta(weeks=week, days=day), "holiday") for week in sorted(holidays) for day in range(7)
    ]
    return Shop(
        {
            "sales": pl.DataFrame(sales, schema=["sku", "date", "quantity"], orient="row"),
            "prices": pl.DataFrame(prices, schema=["sku", "date", "price"], orient="row"),
            "promotions": pl.DataFrame(promotions, schema=["sku", "start", "end", "discount"], orient="row"),
            "events": pl.DataFrame(events, schema=["date", "name"], orient="row"),
        }
    )


def test_what_is_known_ahead_does_change_a_gbm_forecast(shelfwise, written):
    shop = promoted_shop()
    end = AS_OF + timedelta(days=6)
    skus = shop.tables["promotions"]["sku"].unique().sort().to_list()
    promotion = pl.DataFrame({"sku": skus, "start": [AS_OF] * 12, "end": [end] * 12, "discount": [0.3] * 12})
    low = pl.DataFrame({"sku": skus, "date": [AS_OF] * 12, "price": [8.0] * 12})
    high = low.with_columns(price=pl.lit(12.0))
    ahead = shop.tables["events"].filter(pl.col("date") >= AS_OF)
    without_events = shop.tables["events"].filter(pl.col("date") < AS_OF)
    assert ahead.height

    def mean_of_first_bucket(changed: Shop, horizon: int = 1) -> float:
        told = shelfwise(
            "forecast", written(changed), "--as-of", AS_OF, "--horizon", horizon, "--model", "gbm", "-o", "-"
        )
        assert told.code == 0, told.err
        table = pl.read_csv(told.out, try_parse_dates=True)
        return float(table["mean"].sum())

    prices = shop.tables["prices"]
    plain = mean_of_first_bucket(shop.with_table("prices", pl.concat([prices, high])))
    assert mean_of_first_bucket(shop.with_table("prices", pl.concat([prices, low]))) > 1.1 * plain
    promoted = shop.with_table("prices", pl.concat([prices, high])).with_table(
        "promotions", pl.concat([shop.tables["promotions"], promotion])
    )
    assert mean_of_first_bucket(promoted) > 1.2 * plain
    quiet = mean_of_first_bucket(shop, horizon=8)
    assert mean_of_first_bucket(shop.with_table("events", without_events), horizon=8) > quiet
