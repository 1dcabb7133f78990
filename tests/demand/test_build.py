"""What must not matter does not: row order, how rows are split, and anything dated on or after `as_of`."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.demand import DemandReport, Panel, build_panel_with_report
from shelfwise.tables.dataset import Dataset
from shelfwise.tables.settings import Settings

START = date(2024, 1, 1)
AS_OF = date(2024, 3, 11)
SKUS = ("a", "b", "c")

lines = st.fixed_dictionaries(
    {
        "sku": st.sampled_from(SKUS),
        "location": st.sampled_from(("x", "y")),
        "date": st.integers(0, 69).map(lambda day: START + timedelta(days=day)),
        "quantity": st.sampled_from((-3.0, -1.0, -0.3, 0.0, 0.1, 1.0, 3.0, 7.25, 2_000.0)),
        "order_id": st.sampled_from(("o1", "o2", "o3", None)),
        "customer": st.sampled_from(("c1", "c2", None)),
    }
)
sales_tables = st.lists(lines, min_size=1, max_size=40)
buckets = st.sampled_from(("day", "week", "month"))
SCHEMA = {
    "sku": pl.String,
    "location": pl.String,
    "date": pl.Date,
    "quantity": pl.Float64,
    "order_id": pl.String,
    "customer": pl.String,
}


def known_tables() -> dict[str, pl.DataFrame]:
    return {
        "prices": pl.DataFrame(
            {
                "sku": ["a", "b"],
                "location": ["*", "x"],
                "date": [START, date(2024, 4, 1)],
                "price": [2.0, 3.0],
            }
        ),
        "promotions": pl.DataFrame(
            {"sku": ["*"], "location": ["y"], "start": [date(2024, 2, 1)], "end": [date(2024, 3, 20)]}
        ),
        "events": pl.DataFrame({"date": [date(2024, 3, 15)], "name": ["fair"], "location": ["*"]}),
    }


def happened_tables(rows: list[dict[str, object]]) -> dict[str, pl.DataFrame]:
    return {
        "sales": pl.DataFrame(rows, schema=SCHEMA),
        "availability": pl.DataFrame(
            {
                "sku": ["a", "a", "b"],
                "location": ["x", "x", "y"],
                "date": [date(2024, 2, 6), date(2024, 2, 5), date(2024, 3, 1)],
                "in_stock": [0.0, 0.7, 0.1],
            }
        ),
    }


def build(tables: dict[str, pl.DataFrame], bucket: str = "week") -> tuple[Panel, DemandReport]:
    data = Dataset(Settings.from_mapping({"series": {"bucket": bucket}}), {**known_tables(), **tables})
    return build_panel_with_report(data, AS_OF, 2)


def as_bytes(panel: Panel) -> list[object]:
    arrays = [panel.sold, panel.demand, panel.on_sale, panel.launched, panel.ends]
    arrays += [panel.recorded, panel.expected, panel.imputed]
    for known in panel.known.values():
        arrays += [known.values, known.group]
    frames = [panel.keys.rows(), panel.static.rows(), list(panel.known), panel.start, panel.horizon]
    return [array.tobytes() for array in arrays] + frames


@settings(max_examples=40, deadline=None)
@given(sales_tables, buckets, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows, bucket, random):
    shuffled = random.sample(rows, len(rows))
    tables, other = happened_tables(rows), happened_tables(shuffled)
    other["availability"] = other["availability"].reverse()
    panel, report = build(tables, bucket)
    again, same = build(other, bucket)
    assert as_bytes(panel) == as_bytes(again)
    assert report == same


@settings(max_examples=40, deadline=None)
@given(sales_tables, buckets)
def test_splitting_rows_does_not_matter(rows, bucket):
    split = [
        {**row, "quantity": part} for row in rows for part in (row["quantity"] / 4, row["quantity"] * 3 / 4)
    ]
    panel, report = build(happened_tables(rows), bucket)
    again, same = build(happened_tables(split), bucket)
    assert as_bytes(panel) == as_bytes(again)
    assert (report.net_units, report.returns_netted) == (same.net_units, same.returns_netted)


@settings(max_examples=40, deadline=None)
@given(sales_tables, sales_tables, buckets)
def test_rows_from_as_of_on_do_not_matter(rows, later, bucket):
    first_unknown = date(2024, 3, 1) if bucket == "month" else AS_OF
    future = [
        {**row, "sku": row["sku"] + "'", "date": first_unknown + (row["date"] - START)} for row in later
    ]
    future += [{**row, "date": first_unknown + (row["date"] - START)} for row in later]
    known = [row for row in rows if row["date"] < first_unknown] or [{**rows[0], "date": START}]
    tables, other = happened_tables(known), happened_tables(known + future)
    unseen = {"sku": "a", "location": "x", "date": first_unknown + timedelta(days=3), "in_stock": 0.0}
    other["availability"] = pl.concat([other["availability"], pl.DataFrame([unseen])])
    panel, report = build(tables, bucket)
    again, same = build(other, bucket)
    assert as_bytes(panel) == as_bytes(again)
    assert report == same


@settings(max_examples=60, deadline=None)
@given(sales_tables, buckets)
def test_the_books_balance(rows, bucket):
    panel, report = build(happened_tables(rows), bucket)
    before = [row["quantity"] for row in rows if row["date"] < panel.as_of]
    assert report.lines == len(before)
    assert report.net_units == pytest.approx(sum(before))
    in_panel = np.nansum(panel.sold, dtype=np.float64) + report.outside_life_units
    assert report.net_units + report.remainder_units == pytest.approx(in_panel, abs=0.01)
    assert np.nanmin(panel.sold, initial=0) >= 0


@settings(max_examples=30, deadline=None)
@given(sales_tables, buckets)
def test_a_panel_keeps_its_shapes_and_promises(rows, bucket):
    panel, report = build(happened_tables(rows), bucket)
    width = panel.n_buckets + 2
    assert panel.sold.dtype == panel.demand.dtype == panel.on_sale.dtype == np.float32
    assert panel.launched.dtype == panel.ends.dtype == np.int32
    assert all(known.values.shape[1] == width for known in panel.known.values())
    assert all(known.rows().shape == (panel.n_series, width) for known in panel.known.values())
    assert ((panel.on_sale >= 0) & (panel.on_sale <= 1)).all()
    assert not np.isfinite(panel.demand[np.isnan(panel.sold)]).any()
    unknown = np.isfinite(panel.sold) & np.isnan(panel.recorded)
    assert unknown.sum() == report.masked_buckets
    assert np.array_equal(np.isfinite(panel.demand), np.isfinite(panel.sold))
    assert panel.keys.equals(panel.keys.sort("sku", "location"))


def test_what_is_known_ahead_reaches_into_the_horizon():
    panel, _ = build(happened_tables([{"sku": "a", "location": "y", "date": START, "quantity": 1.0}]))
    assert panel.dates[-2:] == [AS_OF, date(2024, 3, 18)]
    assert panel.known["promotion"].rows()[0, -2:] == pytest.approx([1, 3 / 7])
    assert panel.known["event:any"].rows()[0, -2:] == pytest.approx([1 / 7, 0])
