"""What `check` shows: the numbers, and that text, dict and HTML carry them."""

import json
from datetime import date, timedelta

import polars as pl
import pytest

from shelfwise.tables import dataset_from_frames, read_folder, summarise

MONDAY = date(2024, 1, 1)
WEEK = timedelta(weeks=1)


@pytest.fixture
def summary():
    sales = pl.DataFrame(
        {
            "sku": ["a", "a", "a", "b", "b", "c"],
            "date": [MONDAY, MONDAY, MONDAY + 4 * WEEK, MONDAY + WEEK, MONDAY + WEEK, MONDAY + 4 * WEEK],
            "quantity": [2, 2, 1, 1, -3, 5],
            "status": ["paid"] * 5 + ["cancelled"],
        }
    )
    availability = pl.DataFrame(
        {"sku": ["a"] * 4, "date": [MONDAY + n * WEEK for n in range(4)], "in_stock": [1, 0, 1, 1]}
    )
    return summarise(dataset_from_frames(sales, availability=availability))


def test_the_numbers(summary):
    assert (summary.series, summary.skus, summary.locations) == (2, 2, 1)
    assert (summary.first_sale, summary.last_sale, summary.buckets) == (MONDAY, MONDAY + 4 * WEEK, 5)
    # a sells in 2 of its 5 weeks, b (net below zero) in none of its 4.
    assert summary.zero_share == pytest.approx(7 / 9)
    assert summary.out_of_stock_share == pytest.approx(0.25)
    assert (summary.return_lines, summary.returned_units, summary.negative_net) == (1, 3.0, 1)
    assert (summary.cancelled, summary.identical, summary.repeats) == (1, 1, 0)
    assert (summary.closures, summary.closed_buckets) == (1, 2)
    assert summary.few_sales_share == 1.0
    assert set(summary.absent) == {
        "stock", "inbound", "items", "locations", "terms", "prices", "promotions", "events", "behaviour",
    }  # fmt: skip


def test_the_text_in_both_languages(summary):
    english, chinese = summary.to_text("en"), summary.to_text("zh")
    assert "2 series (2 items at 1 locations)" in english
    assert "77.8%" in english
    assert "stock: nothing is on hand" in english
    assert "Warnings (3)" in english
    assert "2 个序列" in chinese
    assert "77.8%" in chinese
    assert "[sales.closure]" in chinese


def test_the_language_of_the_environment(summary, monkeypatch):
    monkeypatch.setenv("SHELFWISE_LANG", "zh")
    assert summary.to_text() == summary.to_text("zh")
    assert "数据检查" in summary._repr_html_()


def test_the_dict_is_json(summary):
    facts = json.loads(json.dumps(summary.to_dict()))
    assert facts["first_sale"] == "2024-01-01"
    assert facts["tables"][0]["name"] == "sales"
    assert {warning["code"] for warning in facts["warnings"]} == {
        "sales.cancelled_left_out", "sales.identical_rows", "sales.closure",
    }  # fmt: skip


def test_html_is_escaped():
    sales = pl.DataFrame({"sku": ["a"], "date": [MONDAY], "quantity": [1], "location": ["<script>"]})
    listed = pl.DataFrame({"location": ["elsewhere"]})
    html = summarise(dataset_from_frames(sales, locations=listed))._repr_html_()
    assert "&lt;script&gt;" in html
    assert "<script>" not in html


def test_files_show_encoding_and_renamed_columns(tmp_path):
    (tmp_path / "sales.csv").write_text("商品编码,日期,数量\n甲,2024-01-01,1\n", encoding="utf-8")
    text = summarise(read_folder(tmp_path)).to_text("en")
    assert "sales.csv: 1 rows" in text
    assert "商品编码 = sku" in text
    assert "No warnings." in text
