"""Shops with trouble of every kind: a plan with a reason for every line, never a hang, never a traceback."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date, timedelta

import polars as pl
import pytest

from contract.shops import AS_OF, FIRST, SKUS, Shop, plain_shop

FAST = ("--model", "moving_average")


def weekly(sku: str, quantities: list[float], end: date = AS_OF) -> pl.DataFrame:
    """One sale a week, the last one in the week before `end`."""
    first = end - timedelta(weeks=len(quantities))
    days = [first + timedelta(weeks=week, days=2) for week in range(len(quantities))]
    return pl.DataFrame({"sku": [sku] * len(days), "date": days, "quantity": [float(q) for q in quantities]})


def shop_of(*tables: pl.DataFrame, **others: pl.DataFrame) -> Shop:
    return Shop({"sales": pl.concat(tables), **others})


def with_terms(**columns: object) -> Shop:
    terms = {"sku": ["0017"], **{name: [value] for name, value in columns.items()}}
    return plain_shop().with_table("terms", terms)


def keeping(shelf_life: float, settings: str = "", **terms: object) -> Shop:
    """A shop whose goods keep for so many weeks."""
    items = {"sku": list(SKUS), "shelf_life": [shelf_life] * 4, "unit_cost": [2.0] * 4}
    shop = plain_shop() if not terms else with_terms(**terms)
    return shop.with_table("items", items).with_settings(settings)


STEADY = weekly("A", [4, 5, 3, 6, 4, 5, 4, 3] * 4)
TROUBLES: dict[str, Shop] = {
    "lead time 0": with_terms(lead_time=0),
    "lead time 60": with_terms(lead_time=60),
    "lead time of four years": with_terms(lead_time=208),
    "the longest lead time": with_terms(lead_time=1500),
    "a lead time that may double": with_terms(lead_time=4, lead_time_sd=4.0),
    "review period beyond all history": with_terms(review_period=200),
    "a minimum above a year's demand": with_terms(moq=5000),
    "a pack above a year's demand": with_terms(multiple=5000),
    "a minimum that is no multiple": with_terms(moq=10, multiple=7),
    "never to be ordered": with_terms(max_quantity=0),
    "cost 0": with_terms(unit_cost=0),
    "a high cost of ordering": with_terms(order_cost=10_000),
    "no demand at all": shop_of(weekly("A", [0] * 30), weekly("B", [0, 0, 1] + [0] * 27)),
    "demand of a million": shop_of(weekly("A", [1e6] * 30), STEADY.with_columns(sku=pl.lit("B"))),
    "fractions of a unit": shop_of(weekly("A", [0.25, 1.5, 0.75] * 10)),
    "shortage below holding": plain_shop().with_settings("[costs]\nholding = 5.0\nshortage = 0.5\n"),
    "shortage for nothing": plain_shop().with_settings("[costs]\nholding = 1.0\nshortage = 0.0\n"),
    "holding for nothing": plain_shop().with_settings("[costs]\nholding = 0.0\nshortage = 1.0\n"),
    "everything for nothing": plain_shop().with_settings("[costs]\nholding = 0.0\nshortage = 0.0\n"),
    "a service level close to one": plain_shop().with_settings(
        '[objective]\nminimise = "service"\nservice_level = 0.9999\n'
    ),
    "cycle service": plain_shop().with_settings('[objective]\nminimise = "service"\nkind = "cycle"\n'),
    "profit": plain_shop()
    .with_table("items", {"sku": ["0017", "17", "TEA-1", "茶-2"], "unit_cost": [1.0] * 4, "price": [3.0] * 4})
    .with_settings('[objective]\nminimise = "profit"\n'),
    "no money": plain_shop()
    .with_table("items", {"sku": ["0017", "17", "TEA-1", "茶-2"], "unit_cost": [1.0] * 4})
    .with_settings("[limits]\nbudget = 0.0\n"),
    "no room": plain_shop()
    .with_table("items", {"sku": ["0017", "17", "TEA-1", "茶-2"], "volume": [1.0] * 4})
    .with_settings("[limits]\nvolume = 0.5\n"),
    "unmet demand waits": plain_shop()
    .with_settings('[supply]\nunmet = "backorder"\n')
    .with_table("stock", {"sku": ["0017", "17"], "on_hand": [0.0, 3.0], "backorders": [9.0, 0.0]}),
    "shelf life below lead time": keeping(1, lead_time=6),
    "a shelf life below a bucket": keeping(0.3),
    "a shelf life below the review period": keeping(2, review_period=5),
    "a shelf life beyond all horizons": keeping(1e6),
    "a pack that expires before it is sold": keeping(2, multiple=500),
    "an order cost and a short shelf life": keeping(2, order_cost=200.0),
    "a short shelf life and a service level": keeping(
        1, '[objective]\nminimise = "service"\n', review_period=3
    ),
    "price breaks": with_terms(unit_cost=2.0, price_breaks="30:1.8;100:1.5;100000:0.01"),
    "price breaks without a unit cost": with_terms(price_breaks="30:1.8;100:1.5", multiple=7),
    "a price of nothing from ten on": with_terms(unit_cost=2.0, price_breaks="10:0", order_cost=5.0),
    "price breaks above the maximum": with_terms(unit_cost=2.0, price_breaks="30:0.1", max_quantity=20),
    "supplied by a warehouse without stock": with_terms(location="main", supplier="hub").with_table(
        "locations", {"location": ["hub", "main"]}
    ),
    "supplied by itself": with_terms(supplier="main"),
    "one row": shop_of(weekly("A", [7])),
    "one day of history": shop_of(weekly("A", [7]), weekly("B", [2])),
    "one day of history, this very week": shop_of(
        pl.DataFrame({"sku": ["A"], "date": [date(2025, 1, 5)], "quantity": [3.0]})
    ),
    "lead time beyond all history": shop_of(
        weekly("A", [3, 4]), terms=pl.DataFrame({"sku": ["*"], "lead_time": [26]})
    ),
    "one sale in ten years": shop_of(weekly("A", [1] + [0] * 520)),
    "only returns": shop_of(weekly("A", [-1, -2, -1]), STEADY.with_columns(sku=pl.lit("B"))),
    "a gap of two years": shop_of(weekly("A", [5] * 20, AS_OF - timedelta(weeks=104)), weekly("A", [4] * 3)),
    "stock that never sold": shop_of(
        STEADY,
        items=pl.DataFrame({"sku": ["A", "B"], "name": ["a", "b"]}),
        stock=pl.DataFrame({"sku": ["A", "B"], "on_hand": [3.0, 40.0]}),
    ),
    "launched in the future": shop_of(
        STEADY,
        items=pl.DataFrame({"sku": ["A", "B"], "launched": [FIRST, AS_OF + timedelta(weeks=6)]}),
        stock=pl.DataFrame({"sku": ["A", "B"], "on_hand": [3.0, 0.0]}),
    ),
    "ended": shop_of(
        STEADY,
        weekly("B", [4] * 30, AS_OF - timedelta(weeks=5)),
        items=pl.DataFrame({"sku": ["A", "B"], "ends": [None, AS_OF - timedelta(weeks=4)]}),
        stock=pl.DataFrame({"sku": ["A", "B"], "on_hand": [3.0, 2.0]}),
    ),
    "ends before an order can arrive": shop_of(
        STEADY, items=pl.DataFrame({"sku": ["A"], "ends": [AS_OF + timedelta(weeks=1)]})
    ),
    "more stock than is ever sold": shop_of(STEADY, stock=pl.DataFrame({"sku": ["A"], "on_hand": [1e9]})),
    "more reserved than there is": shop_of(
        STEADY, stock=pl.DataFrame({"sku": ["A"], "on_hand": [2.0], "reserved": [50.0]})
    ),
    "a receipt long overdue and one far away": shop_of(
        STEADY,
        inbound=pl.DataFrame(
            {"sku": ["A", "A"], "quantity": [5.0, 7.0], "due": [date(2023, 1, 2), date(2035, 1, 1)]}
        ),
    ),
    "never in stock": shop_of(
        STEADY,
        availability=STEADY.select("sku", pl.col("date") - timedelta(days=2), pl.lit(0.0).alias("in_stock")),
    ),
}
ZERO = {
    "never to be ordered": {"0017"},
    "no demand at all": {"A"},
    "shortage for nothing": {"0017", "17", "TEA-1", "茶-2"},
    "supplied by a warehouse without stock": {"0017"},
    "no money": {"0017", "17", "TEA-1", "茶-2"},
    "no room": {"0017", "17", "TEA-1", "茶-2"},
    "a pack that expires before it is sold": {"0017"},
    "stock that never sold": {"B"},
    "launched in the future": {"B"},
    "ended": {"B"},
    "ends before an order can arrive": {"A"},
    "more stock than is ever sold": {"A"},
}


@pytest.fixture
def planned(shelfwise, written) -> Callable[..., dict[str, dict[str, str]]]:
    """The plan of a shop, by SKU."""

    def ask(shop: Shop, *more: object) -> dict[str, dict[str, str]]:
        told = shelfwise("plan", written(shop), "--as-of", AS_OF, *(more or FAST), "-o", "-")
        assert told.code == 0, told.err
        rows = list(csv.DictReader(io.StringIO(told.out.decode())))
        return {row["sku"]: row for row in rows}

    return ask


@pytest.mark.parametrize("trouble", TROUBLES)
def test_every_line_has_a_quantity_and_a_reason(planned, trouble):
    shop = TROUBLES[trouble]
    plan = planned(shop)
    assert set(plan) >= set(shop.tables["sales"]["sku"].unique())
    for row in plan.values():
        quantity = float(row["quantity"])
        assert 0 <= quantity < 1e12
        assert row["reason"]
        assert "{" not in row["reason"]
        assert "nan" not in row["reason"].lower()
        assert quantity % float(row["multiple"]) == pytest.approx(0)
        assert quantity == 0 or quantity >= float(row["moq"])
        assert not row["max_quantity"] or quantity <= float(row["max_quantity"])
    assert {sku for sku in ZERO.get(trouble, ()) if float(plan[sku]["quantity"]) > 0} == set()


@pytest.mark.parametrize(
    "trouble", ["lead time 0", "one row", "no demand at all", "demand of a million", "ended"]
)
@pytest.mark.parametrize("policy", ["textbook", "reorder_point", "days_of_cover", "none"])
def test_the_rules_of_thumb_bear_it_too(planned, trouble, policy):
    plan = planned(TROUBLES[trouble], "--policy", policy, *FAST)
    assert all(row["reason"] for row in plan.values())


@pytest.mark.parametrize(
    "trouble",
    [
        "one row",
        "one day of history, this very week",
        "no demand at all",
        "demand of a million",
        "never in stock",
        "only returns",
        "launched in the future",
        "one sale in ten years",
        "lead time 60",
    ],
)
def test_the_default_model_bears_it_too(planned, trouble):
    plan = planned(TROUBLES[trouble], "--model", "auto")
    assert all(row["reason"] for row in plan.values())


@pytest.mark.parametrize(
    "trouble",
    [
        "lead time 0",
        "lead time 60",
        "a lead time that may double",
        "review period beyond all history",
        "a minimum above a year's demand",
        "no demand at all",
        "demand of a million",
        "fractions of a unit",
        "everything for nothing",
        "unmet demand waits",
        "one sale in ten years",
        "ended",
        "never in stock",
    ],
)
def test_a_replay_bears_it_too(shelfwise, written, trouble):
    start = AS_OF - timedelta(weeks=4)
    told = shelfwise("backtest", written(TROUBLES[trouble]), "--from", start, "--to", AS_OF, *FAST, "-o", "-")
    assert told.code == 0, told.err
    rows = list(csv.DictReader(io.StringIO(told.out.decode())))
    assert len(rows) == 4
    assert all(float(row["cost"]) >= float(row["perfect_foresight_cost"]) - 1e-3 for row in rows)


@pytest.mark.parametrize("model", ["moving_average", "gbm"])
def test_a_replay_of_a_shop_with_one_row_of_history(shelfwise, written, model):
    shop = shop_of(weekly("A", [7, 3, 4]))
    start = AS_OF - timedelta(weeks=2)
    told = shelfwise("backtest", written(shop), "--from", start, "--to", AS_OF, "--model", model, "-o", "-")
    assert told.code == 0, told.err


def test_lead_time_zero_serves_at_once(planned):
    plan = planned(TROUBLES["lead time 0"])
    assert plan["0017"]["arrival_date"] == plan["0017"]["order_date"] == "2025-01-06"


def test_a_shelf_life_below_the_lead_time_is_planned_and_told(planned):
    row = planned(TROUBLES["shelf life below lead time"])["0017"]
    assert float(row["quantity"]) > 0
    assert "plan.warning.short_shelf_life" in row["warnings"]
    assert float(row["expected_waste_order"]) < float(row["quantity"])


def test_places_that_supply_each_other_in_a_circle_are_refused(shelfwise, written, tmp_path):
    terms = {"sku": ["0017"] * 2, "location": ["main", "hub"], "supplier": ["hub", "main"]}
    shop = plain_shop().with_table("terms", terms).with_table("locations", {"location": ["hub", "main"]})
    out = tmp_path / "orders.csv"
    told = shelfwise("plan", written(shop), "--as-of", AS_OF, *FAST, "-o", out)
    assert told.code == 3
    assert "circle" in told.err
    assert not out.exists()


def test_each_objective_is_a_setting(planned):
    """Least cost, most profit and a service level order differently, and as they should."""
    items = {"sku": list(SKUS), "unit_cost": [1.0] * 4, "price": [9.0] * 4}

    def units(objective: str) -> float:
        shop = plain_shop().with_table("items", items)
        settings = f"[costs]\nholding = 0.3\nshortage = 0.6\n[objective]\n{objective}\n"
        return sum(float(row["quantity"]) for row in planned(shop.with_settings(settings)).values())

    cost, profit = units('minimise = "cost"'), units('minimise = "profit"')
    low, high = (units(f'minimise = "service"\nservice_level = {level}') for level in (0.6, 0.99))
    cycle = units('minimise = "service"\nservice_level = 0.99\nkind = "cycle"')
    assert cost < profit
    assert low < high <= cycle


def test_an_infeasible_minimum_is_ordered_only_if_it_pays(planned):
    row = planned(TROUBLES["a minimum above a year's demand"])["0017"]
    assert float(row["quantity"]) == 0
    assert row["reason"]


def test_as_of_within_a_bucket(shelfwise, plain):
    """The bucket `as_of` lies in has begun, so it is not known as a whole."""
    monday = shelfwise("plan", plain, "--as-of", AS_OF, *FAST, "-o", "-")
    thursday = shelfwise("plan", plain, "--as-of", AS_OF + timedelta(days=3), *FAST, "-o", "-")
    assert monday.out == thursday.out
    assert "2025-01-06" in thursday.err


@pytest.mark.parametrize("as_of", ["1850-01-01", "2500-01-01", "9999-12-31"])
@pytest.mark.parametrize("command", ["plan", "forecast"])
def test_a_date_of_another_age(shelfwise, plain, tmp_path, command, as_of):
    horizon = ("--horizon", 2) if command == "forecast" else ()
    told = shelfwise(command, plain, "--as-of", as_of, *horizon, *FAST, "-o", tmp_path / "out.csv")
    assert told.code == 2
    assert as_of in told.err


def test_a_horizon_beyond_reason(shelfwise, plain, tmp_path):
    told = shelfwise(
        "forecast", plain, "--as-of", AS_OF, "--horizon", 10**9, *FAST, "-o", tmp_path / "out.csv"
    )
    assert told.code == 2
    assert "1000000000" in told.err


def test_months_and_days_work_as_well(planned):
    for bucket in ("day", "month"):
        plan = planned(plain_shop().with_settings(f'[series]\nbucket = "{bucket}"\n'))
        assert len(plan) == 4
