"""The demo shop as a data folder: CSV files of a Chinese shop, and its `shelfwise.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from shelfwise.demo.truth import DemoShop
from shelfwise.errors import OutputNotWritable

# `items` comes from an ERP that writes Chinese headers in the national encoding; the second category
# level is a field the shop added itself.
ITEM_HEADERS = {
    "sku": "商品编码",
    "name": "商品名称",
    "name_en": "英文名称",
    "category": "品类",
    "category_2": "category_2",
    "brand": "品牌",
    "price": "售价",
    "unit_cost": "成本价",
    "volume": "体积",
    "shelf_life": "保质期",
    "colour": "颜色",
    "launched": "上架日期",
    "ends": "下架日期",
}
ITEM_ENCODING = "gb18030"

SETTINGS = """\
# The demo shop: one time step is a day, so lead times and review periods are in days.
[series]
bucket = "day"
timezone = "Asia/Shanghai"

[supply]                    # for what `terms` leaves open
lead_time = 12
lead_time_sd = 2.0
review_period = 7
moq = 0
multiple = 1
unmet = "lost"

[costs]                     # money in CNY
holding_rate = 0.25         # a year, of unit_cost
shortage = "margin"         # price less unit_cost
order = 0.0                 # `terms` has an order cost for every supplier

[objective]
minimise = "cost"

[forecast]
model = "gbm"               # or "auto": models compete on the shop's own past
"""


def write_shop(shop: DemoShop, folder: Path) -> list[Path]:
    """Write the tables of `shop` and its settings into `folder`, which is made if need be.

    `items.csv` is GB18030 with the headers of `ITEM_HEADERS`; the others are UTF-8 with the contract's.
    Files of the same names are replaced, others are left alone.

    Returns:
        The files written, in a fixed order.

    Raises:
        OutputNotWritable: if the folder or a file cannot be written.

    Example:
        >>> import tempfile
        >>> from shelfwise.demo import make_shop
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     files = write_shop(make_shop(n_skus=12, days=150), Path(folder))
        >>> files[0].name, files[-1].name
        ('sales.csv', 'shelfwise.toml')
    """
    contents: dict[str, bytes] = {}
    for name, table in shop.tables.items():
        if name == "items":
            contents["items.csv"] = table.rename(ITEM_HEADERS).write_csv().encode(ITEM_ENCODING)
        else:
            contents[f"{name}.csv"] = table.write_csv().encode()
    contents["shelfwise.toml"] = SETTINGS.encode()
    return write_files(folder, contents)


def write_files(folder: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """Write each of `contents` into `folder` by its name."""
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise OutputNotWritable(
            f"the demo shop must be written into a folder one may write to; {folder} is not: {error}. "
            "Choose another folder."
        ) from error
    return [folder / name for name in contents]
