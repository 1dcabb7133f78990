"""Users' own column names find their way to the contract's."""

from __future__ import annotations

import pytest

from shelfwise.tables.aliases import closest_names, fold_name, match_columns
from shelfwise.tables.schema import SCHEMAS

KNOWN = [
    ("sales", "unique_id ds y", "sku date quantity"),
    ("sales", "item_id timestamp target_value", "sku timestamp quantity"),
    ("sales", "item_id timestamp demand", "sku timestamp quantity"),
    (
        "sales",
        "商品编码 付款时间 数量 实付金额 订单状态 订单编号",
        "sku timestamp quantity net_amount status order_id",
    ),
    ("sales", "商家编码 下单时间 件数 单价 店铺 买家", "sku timestamp quantity price location customer"),
    (
        "sales",
        "规格编码 日期 销量 售价 门店 客户 订单号",
        "sku date quantity price location customer order_id",
    ),
    ("sales", "货号 order_date UNITS Store-ID", "sku date quantity location"),
    ("sales", "amazon-order-id purchase-date sku quantity", "order_id timestamp sku quantity"),
    ("stock", "商品编码 现有库存 仓库", "sku on_hand location"),
    ("stock", "sku 数量", "sku on_hand"),
    ("inbound", "sku 数量 预计到货 供应商", "sku quantity due supplier"),
    (
        "items",
        "货号 商品名称 类目 品牌 成本价 体积 上架日期 下架日期",
        "sku name category brand unit_cost volume launched ends",
    ),
    ("terms", "sku 供应商 提前期 起订量 箱规 采购价", "sku supplier lead_time moq multiple unit_cost"),
    ("terms", "sku vendor 交期", "sku supplier lead_time"),
    ("availability", "sku 日期 有货", "sku date in_stock"),
    ("prices", "sku 日期 售价", "sku date price"),
    ("promotions", "sku 开始日期 结束日期", "sku start end"),
    ("behaviour", "user_id item_id ts event", "customer sku timestamp action"),
]


@pytest.mark.parametrize(("table", "given", "wanted"), KNOWN)
def test_aliases_are_understood(table: str, given: str, wanted: str) -> None:
    assert " ".join(match_columns(given.split(), SCHEMAS[table]).canonical) == wanted


@pytest.mark.parametrize(
    "name", ["Order ID", "order_id", "ORDER-ID", "orderid", "ＯＲＤＥＲ＿ＩＤ", "order\u200bid"]
)
def test_folding_skips_what_the_eye_skips(name: str) -> None:
    assert fold_name(name) == "orderid"


def test_canonical_name_wins_over_alias() -> None:
    match = match_columns(["item_id", "sku", "date", "quantity"], SCHEMAS["sales"])
    assert match.canonical == ("item_id", "sku", "date", "quantity")
    assert match.rivals == {}


def test_two_aliases_of_one_column_are_rivals() -> None:
    assert match_columns(["商品编码", "商家编码", "日期", "数量"], SCHEMAS["sales"]).rivals == {
        "sku": ("商品编码", "商家编码")
    }


def test_renamed_tells_only_what_changed() -> None:
    assert match_columns(["sku", "ds", "y", "colour"], SCHEMAS["sales"]).renamed == {
        "ds": "date",
        "y": "quantity",
    }


def test_closest_names_offer_the_likely_misspelling() -> None:
    assert closest_names("on_hand", ["on_hnad", "sku", "weight"], SCHEMAS["stock"]) == ["on_hnad"]
    assert closest_names("on_hand", ["weight"], SCHEMAS["stock"]) == []
