"""The data folder on disk: encodings, headers, settings, and an error that says what to do."""

from __future__ import annotations

import io
import tomllib

import polars as pl
import pytest

from shelfwise.demo import dirty_faults, write_dirty_folder, write_shop
from shelfwise.demo.writing import ITEM_HEADERS
from shelfwise.errors import OutputNotWritable
from shelfwise.tables.settings import Settings


@pytest.fixture(scope="module")
def folder(tmp_path_factory, small_shop):
    path = tmp_path_factory.mktemp("shop") / "deep" / "folder"
    write_shop(small_shop, path)
    return path


def test_a_file_a_table_and_the_settings(folder, small_shop):
    names = {path.name for path in folder.iterdir()}
    assert names == {f"{name}.csv" for name in small_shop.tables} | {"shelfwise.toml"}


def test_items_are_gb18030_with_chinese_headers(folder, small_shop):
    raw = (folder / "items.csv").read_bytes()
    with pytest.raises(UnicodeDecodeError):
        raw.decode("utf-8")
    table = pl.read_csv(io.StringIO(raw.decode("gb18030")), infer_schema=False)
    assert table.columns == list(ITEM_HEADERS.values())
    assert {"商品编码", "商品名称", "品类", "品牌", "售价", "成本价", "体积", "上架日期", "下架日期"} <= set(
        table.columns
    )
    assert table["商品编码"].to_list() == small_shop.tables["items"]["sku"].to_list()
    assert table["商品名称"].to_list() == small_shop.tables["items"]["name"].to_list()


def test_other_tables_are_utf8_and_read_back_the_same(folder, small_shop):
    for name, table in small_shop.tables.items():
        if name != "items":
            back = pl.read_csv(folder / f"{name}.csv", schema=table.schema, encoding="utf8")
            assert back.equals(table), name


def test_settings_are_those_of_a_daily_shop_in_shanghai(folder):
    settings = tomllib.loads((folder / "shelfwise.toml").read_text(encoding="utf-8"))
    assert Settings.load(folder).supply.unmet == "lost"
    assert settings["series"] == {"bucket": "day", "timezone": "Asia/Shanghai"}
    assert settings["costs"]["shortage"] == "margin"
    assert 0 < settings["costs"]["holding_rate"] < 1
    assert "holding" not in settings["costs"]


def test_a_file_where_the_folder_should_be_is_an_error(tmp_path, small_shop):
    taken = tmp_path / "taken"
    taken.write_text("mine")
    with pytest.raises(OutputNotWritable, match="Choose another folder"):
        write_shop(small_shop, taken)
    assert taken.read_text() == "mine"


def test_the_dirty_folder_has_each_fault_where_it_says(tmp_path):
    sales, settings = write_dirty_folder(tmp_path)
    assert tomllib.loads(settings.read_text(encoding="utf-8"))
    lines = sales.read_text(encoding="utf-8").splitlines()
    header = lines[0].split(",")
    faults = dirty_faults()
    for fault in faults:
        if fault.what == "the same line again":
            assert lines[fault.line - 1] == fault.value
            assert lines.count(fault.value) == 2
        else:
            assert lines[fault.line - 1].split(",")[header.index(fault.column)] == fault.value
    assert {"nan", "1.2万", "6.93217E+12", "", "abc"} <= {fault.value for fault in faults}
    spoilt = {fault.line for fault in faults}
    good = [line.split(",") for number, line in enumerate(lines[1:], 2) if number not in spoilt]
    assert len(good) == 56
    assert all(row[header.index("quantity")].isdigit() for row in good)
