"""Names by which users' files call the contract's columns, in English, Chinese and some shops' exports.

Matching ignores case, spaces, underscores, hyphens and width (``Order ID`` = ``order_id`` = ``ORDER-ID``).
A canonical name always wins over an alias; two aliases for one column are never guessed between.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shelfwise.tables.schema import TableSchema

_SEPARATORS = re.compile(r"[\s_\-./\u200b\u200c\u200d\u2060\ufeff]+")

COLUMN_ALIASES: dict[str, str] = {
    "sku": """
        item_id unique_id product_id item product sku_id item_code item_no item_number product_code
        product_sku variant_sku lineitem_sku merchant_sku seller_sku article article_number stock_code
        商品编码 商家编码 商家商品编码 商品编号 商品id 规格编码 商家规格编码 sku编码 sku编号 货号 货品编码
        货品编号 款号 物料编码 物料号 商品コード 商品管理番号 artikelnummer référence
    """,
    "location": """
        warehouse store store_id location_id warehouse_id shop shop_id site branch fulfillment_center 仓库
        仓库名称 仓库编码 发货仓 发货仓库 门店 门店编码 门店名称 店铺 店铺名称 库位 倉庫 店舗 lager
        filiale entrepôt
    """,
    "date": """
        ds day order_date sale_date sales_date date_sold invoice_date
        日期 销售日期 订单日期 业务日期 统计日期 日付
        datum
    """,
    "timestamp": """
        ts time datetime date_time created_at paid_at purchase_date order_time ordered_at date_created
        付款时间 支付时间 下单时间 订单创建时间 创建时间 订单付款时间 成交时间 時間 注文日時 event_time
    """,
    "quantity": """
        y qty units target_value demand sales sold units_sold qty_sold quantity_sold qty_ordered
        lineitem_quantity 数量 销量 件数 销售数量 商品数量 购买数量 宝贝总数量 数量(件) 個数 注文数 menge
        stückzahl quantité
    """,
    "price": """
        unit_price sell_price selling_price sale_price retail_price list_price item_price lineitem_price
        单价 售价 销售价 零售价 商品单价 商品价格 价格 単価 価格 preis prix
    """,
    "net_amount": """
        net net_sales amount revenue sales_amount line_total 实付金额 实收金额 买家实付金额 实付 成交金额
        销售额 销售金额
    """,
    "currency": "currency_code 币种 货币 通貨 währung",
    "status": "order_status financial_status item_status 订单状态 状态 交易状态 注文状況",
    "order_id": """
        order_no order_number order amazon_order_id transaction_id invoice invoice_no
        订单编号 订单号 主订单编号
        交易号 注文番号 bestellnummer
    """,
    "line_id": """
        line_no line_number order_line order_line_id line_item_id 子订单编号 子订单号 行号 明细编号
    """,
    "source": "data_source 来源 数据来源 平台",
    "channel": "sales_channel 渠道 销售渠道",
    "customer": """
        customer_id user_id user buyer buyer_id client visitor_id 买家 客户 买家会员名 买家昵称 会员
        会员id 用户id 顾客 顧客
    """,
    "in_stock": "available availability on_sale is_available instock 在售 有货 是否有货 在售比例 在庫あり",
    "on_hand": """
        stock on_hand_qty onhand stock_on_hand quantity_on_hand qty_on_hand inventory inventory_on_hand
        stock_quantity start_inventory 库存 现有库存 实际库存 库存数量 库存量 现货库存 在库数量 在庫数
        bestand
    """,
    "reserved": "allocated committed reserved_qty 占用库存 锁定库存 预占库存 已占用 预留",
    "backorders": "backorder backordered back_order owed 欠货 欠货数量 缺货订单 未发数量",
    "due": """
        eta due_date delivery_date expected_date arrival_date expected_arrival receipt_date 到货日期
        预计到货 预计到货日期 预计到货时间 交货日期 到货时间 入荷予定日 lieferdatum
    """,
    "supplier": """
        vendor supplier_id vendor_id supplier_name manufacturer 供应商 供货商 厂商 供应商名称 供应商编码
        仕入先 lieferant
    """,
    "po_id": """
        po po_no po_number purchase_order purchase_order_id purchase_order_number 采购单号 采购订单号
        采购单
    """,
    "name": """
        title product_name item_name product_title lineitem_name 商品名称 商品名 名称 品名 货品名称
        宝贝标题 商品标题 活动名称 节日 bezeichnung désignation
    """,
    "description": "desc body details long_description 描述 商品描述 详情",
    "image": "image_url picture photo img image_src 图片 图片链接 主图 商品图片",
    "category": """
        category_name product_type dept department category_id 品类 类目 分类 商品类目 商品分类 类别
        カテゴリ kategorie
    """,
    "brand": "brand_name 品牌 品牌名称 ブランド marke",
    "unit_cost": """
        cost cost_price cost_per_item purchase_price buy_price landed_cost 成本价 采购价 成本 进价
        单位成本 進価 einkaufspreis
    """,
    "volume": "unit_volume cube cbm m3 体积 单件体积",
    "shelf_life": "shelf_life_buckets 保质期 有效期 货架期",
    "launched": """
        launch_date launch start_date released first_available 上架日期 上架时间 上市日期 上新日期
    """,
    "ends": "end_date discontinued discontinue_date end_of_life 下架日期 停售日期 下架时间",
    "substitutes": "substitute replacement replaced_by 替代品 替代商品",
    "lead_time": """
        leadtime lead_time_buckets lt 提前期 交期 采购提前期 采购周期 到货周期 リードタイム lieferzeit
    """,
    "lead_time_sd": "lead_time_std leadtime_sd lead_time_stdev 提前期标准差 交期标准差",
    "review_period": "review review_cycle order_cycle 补货周期 订货周期 盘点周期",
    "moq": """
        minimum_order_quantity min_order_qty min_order_quantity min_qty size_minimum 起订量 最小起订量
        最小订货量 最小订购量
    """,
    "multiple": """
        order_multiple lot_multiple lot_size pack_size case_pack case_size qty_multiple size_multiple 箱规
        装箱数 订货倍数 整箱数量
    """,
    "max_quantity": """
        max_qty max_order_qty max_order_quantity maximum_quantity size_maximum 最大订货量 最大起订量
        最大采购量
    """,
    "order_cost": "fixed_order_cost ordering_cost setup_cost 订货成本 订货费用 单次订货费",
    "price_breaks": "price_break quantity_discounts 阶梯价 价格阶梯 阶梯价格",
    "start": "start_date from begin begins 开始日期 开始时间 活动开始 活动开始时间",
    "end": "end_date to until finish 结束日期 结束时间 活动结束 活动结束时间",
    "kind": "type promotion_type event_type 类型 活动类型 促销类型",
    "discount": "discount_rate discount_share 折扣率 优惠比例",
    "action": "event event_type behaviour behavior behaviour_type behavior_type 行为 行为类型 动作",
    "value": "rating score 评分 数值",
}

# Names that mean something else in one table than elsewhere.
TABLE_ALIASES: dict[tuple[str, str], str] = {
    ("stock", "on_hand"): "quantity qty units 数量 件数",
    ("inbound", "quantity"): "qty_open open_quantity quantity_open 在途数量 在途 采购数量 未到数量",
    ("inbound", "due"): "date day ds 日期",
    ("availability", "in_stock"): "share value",
    ("events", "name"): "event event_name holiday",
}


def fold_name(name: str) -> str:
    """A column name without what the eye skips: case, spaces, underscores, hyphens, width.

    Example:
        >>> fold_name(" Order-ID "), fold_name("ＳＫＵ 编码")
        ('orderid', 'sku编码')
    """
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", name)).casefold()


def aliases_of(table: str, column: str) -> tuple[str, ...]:
    """Every other name of `column` in `table`."""
    words = f"{COLUMN_ALIASES.get(column, '')} {TABLE_ALIASES.get((table, column), '')}"
    return tuple(dict.fromkeys(words.split()))


@dataclass(frozen=True, slots=True)
class ColumnMatch:
    """How a file's columns map to a table's.

    Args:
        canonical: for every column of the file its canonical name, or its own name if it is unknown.
        renamed: file name → canonical name, where they differ.
        rivals: canonical name → the file's columns that all claim it.
    """

    canonical: tuple[str, ...]
    renamed: dict[str, str]
    rivals: dict[str, tuple[str, ...]]


def match_columns(names: Sequence[str], schema: TableSchema) -> ColumnMatch:
    """Map a file's column names to the schema's canonical names.

    Example:
        >>> from shelfwise.tables.schema import SCHEMAS
        >>> match_columns(["商品编码", "日期", "Qty", "colour"], SCHEMAS["sales"]).canonical
        ('sku', 'date', 'quantity', 'colour')
    """
    claims: dict[str, list[int]] = {}
    folded = [fold_name(name) for name in names]
    for column in schema.columns:
        exact = [position for position, name in enumerate(names) if name == column.name]
        same = exact or [position for position, name in enumerate(folded) if name == fold_name(column.name)]
        claims[column.name] = same
    taken = {position for positions in claims.values() for position in positions}
    for column in schema.columns:
        if not claims[column.name]:
            known = {fold_name(alias) for alias in column.aliases}
            claims[column.name] = [
                position for position, name in enumerate(folded) if name in known and position not in taken
            ]
    canonical = list(names)
    renamed: dict[str, str] = {}
    rivals: dict[str, tuple[str, ...]] = {}
    for column_name, positions in claims.items():
        if len(positions) > 1:
            rivals[column_name] = tuple(names[position] for position in positions)
        elif positions:
            canonical[positions[0]] = column_name
            if names[positions[0]] != column_name:
                renamed[names[positions[0]]] = column_name
    return ColumnMatch(tuple(canonical), renamed, rivals)


def closest_names(missing: str, names: Sequence[str], schema: TableSchema) -> list[str]:
    """Columns of the file that a missing column may be a misspelling of, best first.

    Example:
        >>> from shelfwise.tables.schema import SCHEMAS
        >>> closest_names("quantity", ["sku", "quantiy", "colour"], SCHEMAS["sales"])
        ['quantiy']
    """
    wanted = [fold_name(missing), *(fold_name(alias) for alias in schema[missing].aliases)]
    found: dict[str, float] = {}
    for name in names:
        if name in schema:
            continue
        ratio = max(difflib.SequenceMatcher(None, fold_name(name), word).ratio() for word in wanted)
        if ratio >= 0.72:
            found[name] = ratio
    return sorted(found, key=lambda name: (-found[name], name))[:3]
