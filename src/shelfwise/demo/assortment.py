"""The words and ranges the demo catalogue is drawn from: categories, goods, brands. Data only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """A second-level category: its two levels, a SKU code, ranges, its season and the goods in it.

    `peak_day` is the day of the year its seasonal goods sell best, `shelf_life_days` None if endless.
    """

    category_1: str
    category_2: str
    code: str
    price: tuple[float, float]
    volume_litres: tuple[float, float]
    peak_day: int
    shelf_life_days: int | None
    goods: tuple[tuple[str, str], ...]


LINES = (
    Line("家居", "厨房", "KIT", (29, 199), (0.8, 9), 340, None,
         (("保温杯", "thermos cup"), ("砂锅", "clay pot"),
          ("菜刀", "cleaver"), ("密封罐", "storage jar"))),
    Line("家居", "收纳", "STO", (15, 89), (2, 20), 60, None,
         (("收纳箱", "storage box"), ("衣架", "clothes hanger"),
          ("挂钩", "wall hook"), ("洗衣袋", "laundry bag"))),
    Line("美妆", "护肤", "SKN", (49, 329), (0.1, 0.6), 350, 720,
         (("面霜", "face cream"), ("防晒霜", "sunscreen"),
          ("面膜", "face mask"), ("精华液", "serum"))),
    Line("美妆", "洗护", "HAI", (25, 119), (0.4, 1.5), 200, 1080,
         (("洗发水", "shampoo"), ("护发素", "conditioner"),
          ("沐浴露", "shower gel"), ("护手霜", "hand cream"))),
    Line("数码", "配件", "ACC", (19, 149), (0.1, 0.8), 315, None,
         (("充电器", "charger"), ("数据线", "cable"),
          ("手机壳", "phone case"), ("充电宝", "power bank"))),
    Line("数码", "音频", "AUD", (79, 599), (0.3, 3), 320, None,
         (("耳机", "earphones"), ("音箱", "speaker"),
          ("麦克风", "microphone"), ("收音机", "radio"))),
    Line("食品", "茶叶", "TEA", (39, 299), (0.3, 1.2), 110, 540,
         (("龙井", "longjing tea"), ("普洱", "pu'er tea"),
          ("茉莉花茶", "jasmine tea"), ("铁观音", "tieguanyin tea"))),
    Line("食品", "零食", "SNK", (9, 59), (0.3, 2), 25, 180,
         (("坚果礼盒", "nut gift box"), ("牛肉干", "beef jerky"),
          ("曲奇", "cookies"), ("果脯", "dried fruit"))),
    Line("服饰", "夏装", "SUM", (39, 199), (0.5, 1.5), 185, None,
         (("防晒衣", "sun jacket"), ("短裤", "shorts"),
          ("凉鞋", "sandals"), ("草帽", "straw hat"))),
    Line("服饰", "冬装", "WIN", (89, 499), (1.5, 6), 355, None,
         (("羽绒服", "down jacket"), ("围巾", "scarf"),
          ("手套", "gloves"), ("毛衣", "sweater"))),
)  # fmt: skip

# Brand as written on the goods; the second field tells whether its goods carry an English name.
BRANDS = (
    ("云杉", False), ("山语", False), ("白鹿", False), ("禾木", False), ("青橙", False), ("知夏", False),
    ("Lumio", True), ("Northpeak", True), ("Fjordly", True),
)  # fmt: skip

COLOURS = (("白色", "white"), ("黑色", "black"), ("红色", "red"), ("蓝色", "blue"), ("绿色", "green"))
