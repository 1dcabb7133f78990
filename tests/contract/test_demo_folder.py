"""The built-in shop as it is written: Chinese headings, GB18030, blank dates."""

from __future__ import annotations

import csv
import io

from shelfwise.demo import make_shop, write_shop
from shelfwise.tables import read_folder

FAST = ("--model", "moving_average")


def test_the_demo_shop_is_read_without_an_error_and_planned(shelfwise, tmp_path):
    shop = make_shop(n_skus=12, days=200)
    write_shop(shop, tmp_path / "shop")
    checked = shelfwise("check", tmp_path / "shop")
    assert checked.code == 0, checked.err
    told = shelfwise("plan", tmp_path / "shop", "--as-of", shop.truth.end, *FAST, "-o", "-")
    assert told.code == 0, told.err
    rows = list(csv.DictReader(io.StringIO(told.out.decode())))
    assert len(rows) >= 12
    assert sum(float(row["quantity"]) for row in rows) > 0


def test_blank_dates_of_items_stay_blank(tmp_path):
    shop = make_shop(n_skus=12, days=200)
    write_shop(shop, tmp_path / "shop")
    items = read_folder(tmp_path / "shop").table("items")
    written_items = shop.tables["items"]
    for column in ("launched", "ends"):
        assert items[column].null_count() == written_items[column].null_count()
        assert (items[column].drop_nulls().dt.year() >= 1990).all()
    assert items["ends"].null_count() > 0
