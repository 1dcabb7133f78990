"""The whole shop: the same bytes each time, the contract's columns, and nothing from the future."""

from __future__ import annotations

from datetime import date

import polars as pl

from shelfwise.demo import make_shop, write_shop

NEEDED = {
    "sales": {"sku", "timestamp", "quantity"},
    "availability": {"sku", "date", "in_stock"},
    "stock": {"sku", "on_hand"},
    "inbound": {"sku", "quantity", "due"},
    "items": {"sku"},
    "locations": {"location"},
    "terms": {"sku"},
    "prices": {"sku", "date", "price"},
    "promotions": {"sku", "start", "end"},
    "events": {"date", "name"},
    "behaviour": {"customer", "sku", "timestamp", "action"},
}


def test_all_tables_with_their_needed_columns_filled(any_shop):
    assert set(any_shop.tables) == set(NEEDED)
    for name, columns in NEEDED.items():
        table = any_shop.tables[name]
        assert len(table) > 0, name
        assert table.select(sorted(columns)).null_count().sum_horizontal().item() == 0, name


def test_skus_and_locations_are_text_and_known(any_shop):
    skus = set(any_shop.tables["items"]["sku"])
    places = set(any_shop.tables["locations"]["location"])
    for name, table in any_shop.tables.items():
        if "sku" in table.columns:
            assert table["sku"].dtype == pl.String, name
            assert set(table["sku"]) <= skus | {"*"}, name
        if "location" in table.columns:
            assert set(table["location"].drop_nulls()) <= places | {"*"}, name


def test_same_seed_same_bytes_and_another_seed_another_shop(tmp_path, small_shop):
    again = make_shop(n_skus=12, days=200)
    first = write_shop(small_shop, tmp_path / "first")
    second = write_shop(again, tmp_path / "second")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert (small_shop.truth.future_demand == again.truth.future_demand).all()
    other = make_shop(seed=8, n_skus=12, days=200)
    assert not small_shop.tables["sales"].equals(other.tables["sales"])


def test_tables_do_not_know_the_future(any_shop):
    truth = any_shop.truth
    for name, column in (("sales", "timestamp"), ("behaviour", "timestamp")):
        moment = pl.col(column).str.to_datetime(time_zone="UTC", format="%Y-%m-%dT%H:%M:%S%#z")
        day = moment.dt.convert_time_zone("Asia/Shanghai").dt.date()
        assert any_shop.tables[name].select(day.max()).item() < truth.end
    assert any_shop.tables["availability"]["date"].max() < truth.end
    assert truth.purchase_orders["placed"].max() < truth.end
    assert "arrives" not in any_shop.tables["inbound"].columns
    assert truth.future_demand.sum() > 0


def test_prices_of_items_are_those_of_the_last_day(any_shop):
    today = any_shop.tables["prices"].filter(pl.col("date") < any_shop.truth.end).sort("date")
    today = today.unique("sku", keep="last").select("sku", now="price")
    both = any_shop.tables["items"].join(today, on="sku")
    assert len(both) >= len(any_shop.tables["items"]) - 2
    assert (both["price"] == both["now"]).all()


def test_another_end_moves_everything():
    shop = make_shop(n_skus=12, days=150, end=date(2025, 3, 1))
    assert (shop.truth.start, shop.truth.end) == (date(2024, 10, 2), date(2025, 3, 1))
    assert shop.tables["availability"]["date"].max() == date(2025, 2, 28)
    assert "Spring Festival" in shop.tables["events"]["name"]
