"""Terms and costs per series: most specific wins, suppliers are not mixed, origins are told."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.errors import DataRejected
from shelfwise.messages import say
from shelfwise.tables import Dataset, Settings, cost_notes, parse_price_breaks, resolve_costs, resolve_terms

COLUMNS = ("sku", "location", "supplier", "lead_time", "moq", "unit_cost")
TYPES = {name: pl.String if name in COLUMNS[:3] else pl.Float64 for name in COLUMNS}


def terms_table(*rows):
    return pl.DataFrame([dict(zip(COLUMNS, row, strict=True)) for row in rows], schema=TYPES)


def shop(*rows, mapping=None, **tables):
    if rows:
        tables["terms"] = terms_table(*rows)
    return Dataset(Settings.from_mapping(mapping or {}), tables)


def keys(*pairs):
    return pl.DataFrame(pairs, schema={"sku": pl.String, "location": pl.String}, orient="row")


def test_without_terms_the_settings_hold():
    found = resolve_terms(shop(mapping={"supply": {"lead_time": 5, "moq": 3}}), keys(("a", "x")))
    row = found.row(0, named=True)
    assert (row["lead_time"], row["lead_time_origin"]) == (5, "settings")
    assert (row["moq"], row["multiple"], row["max_quantity"]) == (3.0, 1.0, None)
    assert (row["supplier"], row["supplier_choice"], row["unit_cost_origin"]) == (
        None, "terms.supplier.none", None,
    )  # fmt: skip


def test_the_most_specific_row_wins_column_by_column():
    data = shop(
        ("*", "*", None, 9.0, 1.0, 1.0),
        ("*", "x", None, 8.0, 2.0, None),
        ("a", "*", None, 7.0, None, None),
        ("a", "x", None, 6.0, None, None),
    )
    found = resolve_terms(data, keys(("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")))
    assert found.select("lead_time", "lead_time_origin", "moq", "moq_origin").rows() == [
        (6, "sku+location", 2.0, "location"),
        (7, "sku", 1.0, "all"),
        (8, "location", 2.0, "location"),
        (9, "all", 1.0, "all"),
    ]


def test_columns_of_two_suppliers_never_mix():
    data = shop(("a", "*", "P", 4.0, 10.0, 2.0), ("a", "x", "Q", 1.0, None, 3.0))
    row = resolve_terms(data, keys(("a", "x"))).row(0, named=True)
    assert (row["supplier"], row["lead_time"], row["moq"], row["unit_cost"]) == ("P", 4, 10.0, 2.0)
    assert (row["supplier_choice"], row["supplier_count"]) == ("terms.supplier.cheapest", 2)


@pytest.mark.parametrize(
    ("first", "second", "chosen", "reason"),
    [
        ((2.0, 1.0), (1.0, 9.0), "Q", "cheapest"),
        ((1.0, 3.0), (1.0, 2.0), "Q", "fastest"),
        ((1.0, 2.0), (1.0, 2.0), "P", "first_name"),
        ((None, 1.0), (5.0, 9.0), "Q", "cheapest"),
        ((None, 2.0), (None, 1.0), "Q", "fastest"),
    ],
)
def test_among_suppliers_cost_then_lead_time_then_name_decides(first, second, chosen, reason):
    data = shop(
        ("a", "*", "P", first[1], None, first[0]),
        ("a", "*", "Q", second[1], None, second[0]),
    )
    row = resolve_terms(data, keys(("a", "x"))).row(0, named=True)
    assert (row["supplier"], row["supplier_choice"]) == (chosen, f"terms.supplier.{reason}")
    assert chosen in say(row["supplier_choice"], "zh", supplier=chosen, count=2)


def test_a_supplier_of_everything_is_asked_only_for_items_nobody_lists():
    data = shop(("*", "*", "ALL", 1.0, None, 0.5), ("a", "*", "P", 4.0, None, 2.0))
    found = resolve_terms(data, keys(("a", "x"), ("b", "x")))
    assert found.select("supplier", "supplier_count").rows() == [("P", 1), ("ALL", 1)]


def test_a_row_without_a_supplier_holds_for_every_supplier():
    data = shop(("a", "*", "P", None, None, 2.0), ("*", "*", None, 7.0, None, None))
    row = resolve_terms(data, keys(("a", "x"))).row(0, named=True)
    assert (row["supplier"], row["lead_time"], row["lead_time_origin"]) == ("P", 7, "all")


def test_unit_cost_falls_back_to_the_item():
    items = pl.DataFrame({"sku": ["a"], "unit_cost": [3.5]})
    found = resolve_terms(shop(("b", "*", None, None, None, 1.0), items=items), keys(("a", "x"), ("b", "x")))
    assert found.select("unit_cost", "unit_cost_origin").rows() == [(3.5, "items"), (1.0, "sku")]


def test_the_same_location_less_terms_hold_everywhere():
    data = Dataset(Settings(), {"terms": pl.DataFrame({"sku": ["a"], "lead_time": [4.0]})})
    assert resolve_terms(data, keys(("a", "x")))["lead_time"].to_list() == [4]


def plain_lookup(rows, sku, location, default):
    """The slow twin for a single blank supplier: the first level that has a value."""
    for wanted in ((sku, location), (sku, "*"), ("*", location), ("*", "*")):
        for row in rows:
            if (row[0], row[1]) == wanted and row[3] is not None:
                return row[3]
    return default


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.tuples(st.sampled_from("ab*"), st.sampled_from("xy*")),
        st.one_of(st.none(), st.integers(0, 9).map(float)),
    )
)
def test_resolving_agrees_with_a_plain_lookup(cells):
    rows = [(sku, location, None, value, None, None) for (sku, location), value in cells.items()]
    pairs = [(sku, location) for sku in "bac" for location in "yxz"]
    found = resolve_terms(shop(*rows), keys(*pairs))
    assert found.select("sku", "location").rows() == pairs
    assert found["lead_time"].to_list() == [plain_lookup(rows, *pair, 2.0) for pair in pairs]


def test_plain_costs_come_from_the_settings():
    data, series = shop(), keys(("a", "x"))
    row = resolve_costs(data, series, resolve_terms(data, series)).row(0, named=True)
    assert (row["holding"], row["shortage"], row["order_cost"]) == (0.2, 1.0, 0.0)
    assert (row["holding_origin"], row["price"], row["unit_cost"]) == ("settings", None, None)


RATES = {"costs": {"holding_rate": 0.52, "shortage": "margin", "order": 7.0}}


def test_rates_and_margins():
    items = pl.DataFrame(
        {"sku": ["a", "b", "c"], "unit_cost": [10.0, 20.0, None], "price": [15.0, 18.0, 9.0]}
    )
    data, series = shop(mapping=RATES, items=items), keys(("a", "x"), ("b", "x"), ("c", "x"))
    costs = resolve_costs(data, series, resolve_terms(data, series))
    per_week = 0.52 * 7 / 365.25
    assert costs["holding"].to_list() == pytest.approx([10 * per_week, 20 * per_week, 15 * per_week])
    assert costs["shortage"].to_list() == [5.0, 0.0, 2.5]
    assert costs["shortage_origin"].to_list() == ["margin", "margin", "median"]
    assert costs["unit_cost"].to_list() == [10.0, 20.0, None]
    assert costs["order_cost"].to_list() == [7.0] * 3
    notes = {note.code: (note.count, note.value) for note in cost_notes(costs)}
    assert notes == {
        "costs.holding_from_median": (1, "c"),
        "costs.shortage_from_median": (1, "c"),
        "costs.no_margin": (1, "b"),
    }


def test_costs_without_anything_to_go_by_are_rejected():
    data, series = shop(mapping=RATES), keys(("a", "x"))
    with pytest.raises(DataRejected) as caught:
        resolve_costs(data, series, resolve_terms(data, series))
    assert [problem.code for problem in caught.value.problems] == [
        "costs.holding_unknown",
        "costs.shortage_unknown",
    ]


def test_the_price_is_the_items_else_the_last_set_before_as_of_else_the_mean_paid():
    days = [date(2024, 1, 1), date(2024, 1, 8)]
    sales = pl.DataFrame(
        {
            "sku": ["d", "d", "d"],
            "location": ["x", "x", "y"],
            "date": [days[0]] * 3,
            "quantity": [1.0, 3.0, 4.0],
            "price": [10.0, 2.0, None],
            "net_amount": [None, None, 28.0],
        }
    )
    prices = pl.DataFrame(
        {
            "sku": ["b", "b", "c", "c"],
            "location": ["*", "*", "*", "x"],
            "date": [*days, days[0], days[0]],
            "price": [4.0, 5.0, 6.0, 7.0],
        }
    )
    items = pl.DataFrame({"sku": ["a", "b"], "price": [3.0, None]})
    data = shop(sales=sales, prices=prices, items=items).until(days[1])
    series = keys(
        ("a", "x"), ("b", "x"), ("c", "x"), ("c", "y"), ("d", "x"), ("d", "y"), ("d", "z"), ("e", "x")
    )
    costs = resolve_costs(data, series, resolve_terms(data, series))
    assert costs["price"].to_list() == [3.0, 4.0, 7.0, 6.0, 4.0, 7.0, 5.5, None]
    assert costs["price_origin"].to_list() == [
        "items", "prices", "prices", "prices", "sales", "sales", "sales", None,
    ]  # fmt: skip
    mixed = sales.with_columns(currency=pl.Series(["EUR", "USD", "EUR"]))
    other = shop(sales=mixed)
    assert resolve_costs(other, series, resolve_terms(other, series))["price"].null_count() == 8


@pytest.mark.parametrize(
    "text", ["400", "400:x", "0:1", "-1:2", "10:1;10:2", "10:1;5:2", "10:-1", "nan:1", "5:inf"]
)
def test_broken_price_breaks_name_the_step(text):
    with pytest.raises(ValueError, match=text.split(";")[-1]):
        parse_price_breaks(text)


def test_price_breaks_may_be_blank():
    assert parse_price_breaks(None) == parse_price_breaks(" ") == parse_price_breaks(";") == ()
