from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from benchmarks.online_retail_folder import write_online_retail_folder
from benchmarks.online_retail_lines import REASONS, cancelled_pairs, read_lines, sort_out

from shelfwise.errors import UsageError
from shelfwise.tables import read_folder

NOON = datetime(2010, 12, 3, 12)
Write = Callable[[list[Any], list[Any]], Path]
Line = Callable[..., Any]


def later(days: float) -> datetime:
    return NOON + timedelta(days=days)


def reasons(source: Path) -> list[str | None]:
    return sort_out(read_lines(source))["reason"].to_list()


def test_each_line_has_its_reason(write_retail: Write, line: Line) -> None:
    first = [
        line("500001", "10002", 3, NOON),
        line("500001", "10002", 3, NOON),
        line("500001", "10002", 4, NOON),
        line("500002", "POST", 1, NOON),
        line("500002", "DCGS0058", 1, NOON),
        line("500002", "gift_0001_20", 1, NOON),
        line("A500003", "B", 1, NOON, price=-5000.0, customer=None),
        line("500004", "10002", -9, NOON, price=0.0, customer=None, name="thrown away"),
        line("500005", "10002", 9, NOON, price=0.0, customer=None, name="found"),
        line("500006", "10002", -2, NOON),
        line("500007", "10002", 2, NOON, price=0.0, customer=4),
        line("C500008", "10002", -3, later(1)),
        line("C500009", "10002", -50, later(1)),
        line("500010", "22423", 1, NOON, customer=None),
    ]
    source = write_retail(first, [first[0], first[3], line("600001", "10002", 1, later(30))])
    assert reasons(source) == [
        "cancelled_sale",
        "repeated_in_invoice",
        None,
        "not_a_product",
        None,
        "not_a_product",
        "bad_debt",
        "stock_adjustment",
        "stock_adjustment",
        "stock_adjustment",
        None,
        "cancellation",
        None,
        None,
        "in_both_files",
        "in_both_files",
        None,
    ]


def test_spellings_of_a_sku_are_one_and_so_is_a_copy_in_another_spelling(
    write_retail: Write, line: Line
) -> None:
    source = write_retail(
        [line("1", "85123a", 2, NOON), line("1", "85123A ", 2, NOON), line("1", "85123A", 5, NOON)], []
    )
    lines = sort_out(read_lines(source))
    assert lines["sku"].unique().to_list() == ["85123A"]
    assert lines["reason"].to_list() == [None, "repeated_in_invoice", None]


@pytest.mark.parametrize(
    "code",
    [
        "POST",
        "D",
        "DOT",
        "M",
        "m",
        "BANK CHARGES",
        "AMAZONFEE",
        "CRUK",
        "S",
        "PADS",
        "TEST001",
        "C2",
        "B",
        "ADJUST",
        "ADJUST2",
        "GIFT",
        "C3",
    ],
)
def test_what_is_no_product(write_retail: Write, line: Line, code: str) -> None:
    assert reasons(write_retail([line("1", code, 1, NOON)], [])) == ["not_a_product"]


@pytest.mark.parametrize("code", ["22423", "85123a", "15056BL", "DCGSSBOY", "dcgs0076", "SP1002"])
def test_what_is_a_product(write_retail: Write, line: Line, code: str) -> None:
    assert reasons(write_retail([line("1", code, 1, NOON)], [])) == [None]


def plain_pairs(rows: list[tuple[int, str, str, int, datetime]]) -> list[tuple[int, str]]:
    """A stack for each customer, SKU and quantity."""
    found: list[tuple[int, str]] = []
    open_sales: dict[tuple[str, str, int], list[int]] = {}
    for row, customer, sku, quantity, _ in sorted(rows, key=lambda r: (r[4], r[3] < 0, r[0])):
        stack = open_sales.setdefault((customer, sku, abs(quantity)), [])
        if quantity > 0:
            stack.append(row)
        elif stack:
            found += [(stack.pop(), "cancelled_sale"), (row, "cancellation")]
    return sorted(found)


@pytest.mark.parametrize("seed", range(8))
def test_cancellations_take_the_latest_open_sale_as_a_stack_would(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [
        (
            row,
            str(rng.integers(3)),
            f"1000{rng.integers(2)}",
            int(rng.integers(1, 3) * rng.choice([1, 1, -1])),
            NOON + timedelta(minutes=int(rng.integers(60))),
        )
        for row in range(120)
    ]
    frame = pl.DataFrame(rows, schema=["row", "customer", "sku", "quantity", "timestamp"], orient="row")
    expected = plain_pairs(rows)
    assert expected
    assert cancelled_pairs(frame).rows() == expected


def test_a_cancellation_needs_the_same_customer_sku_and_quantity_and_an_earlier_sale(
    write_retail: Write, line: Line
) -> None:
    source = write_retail(
        [
            line("1", "10002", 6, NOON, customer=1),
            line("2", "10002", 6, later(2), customer=1),
            line("3", "10002", 6, NOON, customer=None),
            line("C4", "10002", -6, later(1), customer=2),
            line("C5", "10003", -6, later(1), customer=1),
            line("C6", "10002", -5, later(1), customer=1),
            line("C7", "10002", -6, later(1), customer=None),
            line("C8", "10002", -6, later(-1), customer=1),
        ],
        [],
    )
    assert reasons(source) == [None] * 8


def test_the_report_counts_every_line_once(write_retail: Write, line: Line, tmp_path: Path) -> None:
    first = [
        line("1", "10002", 3, NOON, name="CUP"),
        line("2", "10002", 5, later(1), name="CUP "),
        line("3", "10002", 1, later(1), name="cup?"),
        line("C4", "10002", -2, later(2)),
        line("5", "POST", 1, NOON),
        line("6", "22423", 7, later(8), price=9.0, customer=None),
        line("C7", "99999", -1, later(9)),
    ]
    source = write_retail(first, [first[0], line("8", "10002", 3, later(40), price=3.5)])
    out = write_online_retail_folder(source, tmp_path / "out")
    report = json.loads((out / "cleaning_report.json").read_text())
    assert report["raw_lines"] == 9
    left_out = sum(report["left_out"][reason]["lines"] for reason in REASONS)
    assert report["raw_lines"] == report["kept"]["lines"] + left_out + report["after_as_of"]
    assert report["kept"] == {
        "lines": 7,
        "units": 16,
        "negative_lines": 2,
        "lines_without_customer": 1,
        "skus": 3,
    }
    assert report["left_out"]["in_both_files"] == {"lines": 1, "units": 3}
    assert report["skus_priced_by_the_shops_median"] == 1
    assert report["assumed"]["unit_cost_share_of_median_price"] == 0.5


def test_the_folder_keeps_the_contract(write_retail: Write, line: Line, tmp_path: Path) -> None:
    source = write_retail(
        [
            line("1", "10002", 3, NOON, name="CUP", price=1.0),
            line("1", "10002", 4, NOON, name="MUG", price=1.5),
            line("2", "10002", 5, later(1), name="MUG", price=2.0),
            line("2", "22423", 1, later(1), name=None, price=10.0),
        ],
        [],
    )
    out = write_online_retail_folder(source, tmp_path / "out")
    items = pl.read_csv(out / "items.csv", schema_overrides={"sku": pl.String})
    assert items.rows() == [("10002", "MUG", 1.5, 0.75), ("22423", None, 10.0, 5.0)]
    terms = pl.read_csv(out / "terms.csv", schema_overrides={"sku": pl.String})
    assert terms.rows() == [("10002", 3, 1, 12, 12, 0.75), ("22423", 3, 1, 1, 1, 5.0)]
    shop = read_folder(out)
    sales = shop.table("sales")
    assert sales.select("sku", "order_id", "line_id", "quantity", "customer").rows() == [
        ("10002", "1", "1", 3.0, "1"),
        ("10002", "1", "2", 4.0, "1"),
        ("10002", "2", "1", 5.0, "1"),
        ("22423", "2", "2", 1.0, "1"),
    ]
    assert sales["channel"].unique().to_list() == ["United Kingdom"]
    assert (shop.settings.costs.holding_rate, shop.settings.costs.shortage) == (0.25, "margin")


def test_as_of_hides_a_cancellation_still_to_come(write_retail: Write, line: Line, tmp_path: Path) -> None:
    source = write_retail([line("1", "10002", 3, NOON), line("C2", "10002", -3, later(10))], [])
    known = write_online_retail_folder(source, tmp_path / "out", as_of=later(10).date())
    assert pl.read_parquet(known / "sales.parquet")["quantity"].to_list() == [3]
    assert json.loads((known / "cleaning_report.json").read_text())["after_as_of"] == 1
    all_known = write_online_retail_folder(source, tmp_path / "out", as_of=later(11).date())
    assert pl.read_parquet(all_known / "sales.parquet").is_empty()
    with pytest.raises(UsageError, match="after 2010-12-03, the first invoice's day; got 2010-12-03"):
        write_online_retail_folder(source, tmp_path / "out", as_of=NOON.date())


@pytest.mark.real_data
def test_the_real_lines_reconcile(real_folder: Callable[[str], Path], tmp_path: Path) -> None:
    out = write_online_retail_folder(real_folder("online_retail"), tmp_path / "out")
    report = json.loads((out / "cleaning_report.json").read_text())
    assert report["raw_lines"] == 525_461 + 541_909
    assert report["left_out"]["in_both_files"]["lines"] == 22_523
    left_out = sum(entry["lines"] for entry in report["left_out"].values())
    assert report["kept"]["lines"] + left_out == report["raw_lines"]
    assert report["left_out"]["cancelled_sale"]["units"] == -report["left_out"]["cancellation"]["units"]
    sales = pl.read_parquet(out / "sales.parquet")
    assert sales.select("order_id", "line_id").is_unique().all()
    assert sales["timestamp"].dt.date().min() == date(2009, 12, 1)
    assert sales["quantity"].sum() == report["kept"]["units"]
