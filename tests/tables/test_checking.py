"""Cross-table checks: each finds its fault, names it, and stays silent on sound tables."""

from datetime import date, timedelta

import polars as pl
import pytest

from shelfwise.errors import DataRejected
from shelfwise.tables import closures, dataset_from_frames
from shelfwise.tables.dataset import Bucket

MONDAY = date(2024, 1, 1)
SOUND_SALES = pl.DataFrame({"sku": ["a", "b"], "date": [MONDAY, MONDAY], "quantity": [1, 2]})
TWO_PLACES = SOUND_SALES.with_columns(location=pl.Series(["x", "y"]))


def found(sales=SOUND_SALES, **tables):
    """Problem by code, whether it was rejected or not."""
    settings = tables.pop("settings", None)
    frames = {name: pl.DataFrame(columns) for name, columns in tables.items()}
    try:
        problems = dataset_from_frames(sales, settings=settings, **frames).notes
    except DataRejected as error:
        problems = error.problems
    return {problem.code: problem for problem in problems}


def test_sound_tables_have_no_problem():
    assert not found(
        TWO_PLACES,
        stock={"sku": ["a", "b"], "on_hand": [1, 2], "location": ["x", "y"]},
        inbound={"sku": ["a"], "quantity": [5], "due": [MONDAY], "location": ["x"]},
        items={"sku": ["a", "b", "c"], "launched": [MONDAY] * 3, "ends": [MONDAY] * 3, "shelf_life": [9] * 3},
        locations={"location": ["x", "y"]},
        terms={
            "sku": ["*", "a", "a"], "supplier": [None, "P", "Q"], "moq": [1, 10, 10],
            "multiple": [1, 4, 4], "max_quantity": [100, 12, 0], "price_breaks": [None, " ", None],
        },
        prices={"sku": ["a", "a"], "date": [MONDAY, MONDAY], "price": [1, 2], "location": ["x", "y"]},
        promotions={"sku": ["*"], "start": [MONDAY], "end": [MONDAY]},
        events={"date": [MONDAY], "name": ["Fair"]},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("table", "columns", "severity"),
    [
        ("stock", {"on_hand": [1, 1]}, "error"),
        ("inbound", {"quantity": [1, 1], "due": [MONDAY] * 2}, "error"),
        ("terms", {"moq": [1, 1]}, "warning"),
        ("availability", {"in_stock": [1, 1], "date": [MONDAY] * 2}, "warning"),
        ("prices", {"price": [1, 1], "date": [MONDAY] * 2}, "warning"),
        ("promotions", {"start": [MONDAY] * 2, "end": [MONDAY] * 2}, "warning"),
    ],
)
def test_a_sku_that_is_neither_sold_nor_listed(table, columns, severity):
    problem = found(**{table: {"sku": ["a", "new"], **columns}})[f"{table}.unknown_sku"]
    assert (problem.value, problem.count, problem.severity) == ("new", 1, severity)
    listed = found(**{table: {"sku": ["a", "new"], **columns}}, items={"sku": ["new"]})
    assert f"{table}.unknown_sku" not in listed


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("stock", {"sku": ["a", "a"], "on_hand": [1, 2]}),
        ("availability", {"sku": ["a", "a"], "date": [MONDAY] * 2, "in_stock": [0, 1]}),
        ("items", {"sku": ["a", "a"]}),
        ("prices", {"sku": ["a", "a"], "date": [MONDAY] * 2, "price": [1, 2]}),
        ("terms", {"sku": ["a", "a"], "moq": [1, 2]}),
        ("locations", {"location": ["main", "main"]}),
    ],
)
def test_two_rows_for_one_key(table, columns):
    problem = found(**{table: columns})[f"{table}.repeated"]
    assert (problem.severity, problem.count) == ("error", 1)
    assert problem.value.split("/")[0] in ("a", "main")


@pytest.mark.parametrize(
    ("moq", "multiple", "limit", "code"),
    [
        (20, 1, 10, "terms.moq_above_max"),
        (None, 20, 10, "terms.multiple_above_max"),
        (10, 8, 12, "terms.no_quantity_fits"),
        (10, 6, 12, None),
        (10, 8, 0, None),
    ],
)
def test_terms_no_order_can_meet(moq, multiple, limit, code):
    terms = {"sku": ["a"], "moq": [moq], "multiple": [multiple], "max_quantity": [limit]}
    problems = found(
        terms=pl.DataFrame(
            terms,
            schema={"sku": pl.String, "moq": pl.Float64, "multiple": pl.Float64, "max_quantity": pl.Float64},
        )
    )
    assert set(problems) == ({code} if code else set())


def test_the_multiple_of_the_settings_counts_where_terms_have_none():
    terms = {"sku": ["a"], "moq": [10.0], "max_quantity": [12.0]}
    assert set(found(terms=terms, settings={"supply": {"multiple": 8}})) == {"terms.no_quantity_fits"}


def test_fractions_of_buckets():
    problems = found(terms={"sku": ["a"], "lead_time": [1.5], "review_period": [2.5], "lead_time_sd": [0.5]})
    assert problems["terms.not_whole_buckets"].severity == "error"


def test_price_breaks_that_cannot_be_read():
    problem = found(terms={"sku": ["a", "b"], "price_breaks": ["10:1;5:2", "10:1;5:2"]})["terms.price_breaks"]
    assert problem.count == 2
    assert "5:2" in problem.value


def test_ends_before_starts():
    before = MONDAY - timedelta(1)
    problems = found(
        promotions={"sku": ["a", "b"], "start": [MONDAY] * 2, "end": [before, MONDAY]},
        items={"sku": ["a"], "launched": [MONDAY], "ends": [before]},
    )
    assert problems["promotions.ends_before_start"].value == "a: start=2024-01-01, end=2023-12-31"
    assert problems["items.ends_before_start"].count == 1


@pytest.mark.parametrize(
    ("terms", "short"),
    [(None, 0), ({"sku": ["*"], "lead_time": [4.0]}, 2), ({"sku": ["a", "*"], "lead_time": [1.0, 4.0]}, 1)],
)
def test_shelf_life_below_the_lead_time(terms, short):
    tables = {"items": {"sku": ["a", "b"], "shelf_life": [3.0, 3.0]}} | ({"terms": terms} if terms else {})
    problems = found(**tables)
    assert ("items.shelf_life_below_lead_time" in problems) == bool(short)
    assert sum(problem.count for problem in problems.values()) == short


def test_locations_that_differ_by_case():
    sales = TWO_PLACES.with_columns(location=pl.Series(["Berlin", "berlin"]))
    assert found(sales)["location.look_alike"].value == "Berlin/berlin"


def test_a_place_that_sells_but_is_not_listed():
    assert found(TWO_PLACES, locations={"location": ["x"]})["locations.missing"].value == "y"


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("stock", {"on_hand": [1]}),
        ("inbound", {"quantity": [1], "due": [MONDAY]}),
        ("availability", {"in_stock": [1], "date": [MONDAY]}),
    ],
)
def test_which_location(table, columns):
    problem = found(TWO_PLACES, **{table: {"sku": ["a"], **columns}})["location.which"]
    assert (problem.severity, problem.file, problem.value) == ("error", table, "x, y")


def test_one_location_needs_to_be_named_only_once():
    one = SOUND_SALES.with_columns(location=pl.lit("x"))
    stock = pl.DataFrame({"sku": ["a"], "on_hand": [1]})
    assert dataset_from_frames(one, stock=stock).table("stock")["location"].to_list() == ["x"]
    named = stock.with_columns(location=pl.lit("x"))
    assert dataset_from_frames(SOUND_SALES, stock=named).table("sales")["location"].unique().to_list() == [
        "x"
    ]


def test_sales_without_a_location_beside_stock_with_several():
    stock = {"sku": ["a", "a"], "on_hand": [1, 1], "location": ["x", "y"]}
    assert found(stock=stock)["location.sales_have_none"].severity == "warning"


def test_blank_locations():
    sales = pl.concat([TWO_PLACES, SOUND_SALES.head(1).with_columns(location=pl.lit(None, dtype=pl.String))])
    assert found(sales)["location.blank"].count == 1
    assert dataset_from_frames(sales).table("sales")["location"].to_list() == ["x", "y", "main"]


def test_tables_that_hold_everywhere_get_the_star():
    promotions = pl.DataFrame({"sku": ["a"], "start": [MONDAY], "end": [MONDAY]})
    terms = pl.DataFrame(
        {"sku": ["a"], "moq": [2], "location": [None]}, schema_overrides={"location": pl.String}
    )
    data = dataset_from_frames(TWO_PLACES, promotions=promotions, terms=terms)
    assert [data.table(name)["location"].item() for name in ("promotions", "terms")] == ["*", "*"]


def test_closures_are_warned_of_with_their_dates():
    sales = pl.DataFrame(
        {
            "sku": ["a"] * 3,
            "date": [MONDAY + timedelta(weeks=week) for week in (0, 1, 4)],
            "quantity": [1] * 3,
        }
    )
    problem = found(sales)["sales.closure"]
    assert (problem.severity, problem.count, problem.value) == ("warning", 1, "2024-01-15..2024-01-22")
    table = closures(sales.with_columns(pl.col("date")), Bucket("week"))
    assert table.rows() == [(date(2024, 1, 15), date(2024, 1, 22), 2)]


def test_rates_of_costs_nobody_gives():
    settings = {"costs": {"holding_rate": 0.2, "shortage": "margin"}}
    assert set(found(settings=settings)) == {"costs.rate_without_unit_cost", "costs.margin_without_prices"}
    items = {"sku": ["a"], "unit_cost": [1.0]}
    assert set(found(settings=settings, items=items)) == {"costs.margin_without_prices"}
    assert not found(settings=settings, items={**items, "price": [2.0]})


def test_cancelled_lines_do_not_count_as_sold():
    sales = SOUND_SALES.with_columns(status=pl.Series(["paid", "cancelled"]))
    problems = found(sales, stock={"sku": ["b"], "on_hand": [1]})
    assert problems["stock.unknown_sku"].value == "b"


def test_a_row_far_ahead_closes_nothing_that_is_not_known_yet():
    days = [MONDAY + timedelta(weeks=week) for week in (0, 1, 4, 400)]
    sales = pl.DataFrame({"sku": ["a"] * 4, "date": days, "quantity": [1] * 4})
    data = dataset_from_frames(sales)
    told = {note.code: note for note in data.until(MONDAY + timedelta(weeks=5)).notes}
    assert told["sales.closure"].value == "2024-01-15..2024-01-22"
    assert "sales.closure" not in {note.code for note in data.until(MONDAY + timedelta(weeks=2)).notes}
