"""Behaviour: every purchase is an order line, what comes before it comes before it, and nothing is later."""

from __future__ import annotations

from datetime import timedelta

import polars as pl


def actions(shop):
    moment = pl.col("timestamp").str.to_datetime(time_zone="UTC", format="%Y-%m-%dT%H:%M:%S%#z")
    local = moment.dt.convert_time_zone("Asia/Shanghai")
    return shop.tables["behaviour"].with_columns(moment=moment, date=local.dt.date())


def test_actions_are_those_of_the_contract_and_in_time(any_shop):
    rows = actions(any_shop)
    assert set(rows["action"]) == {"view", "cart", "wish", "purchase", "rating"}
    assert rows["moment"].is_sorted()
    assert rows["date"].max() < any_shop.truth.end
    assert rows["date"].min() >= any_shop.truth.end - timedelta(days=91)
    assert rows.filter(pl.col("action") == "rating")["value"].is_between(1, 5).all()


def test_every_purchase_is_an_order_line(any_shop):
    moment = pl.col("timestamp").str.to_datetime(time_zone="UTC", format="%Y-%m-%dT%H:%M:%S%#z")
    lines = (
        any_shop.tables["sales"]
        .filter(
            (pl.col("quantity") > 0) & (pl.col("status") != "cancelled") & (pl.col("channel") != "wholesale")
        )
        .select("customer", "sku", "location", moment=moment, value=pl.col("quantity").cast(pl.Float64))
    )
    bought = actions(any_shop).filter(pl.col("action") == "purchase")
    recent = lines.filter(pl.col("moment") >= bought["moment"].min())
    key = ["customer", "sku", "location", "moment", "value"]
    assert bought.select(key).sort(key).equals(recent.select(key).sort(key))


def test_views_and_carts_lead_to_purchases(shop):
    rows = actions(shop)
    bought = rows.filter(pl.col("action") == "purchase")
    carts = rows.filter(pl.col("action") == "cart")
    near = bought.join(carts, on=["customer", "sku"], suffix="_cart").filter(
        pl.col("moment") - pl.col("moment_cart") <= pl.duration(seconds=600),
        pl.col("moment_cart") < pl.col("moment"),
    )
    share = near.select("customer", "sku", "moment").unique().height / len(bought)
    assert 0.75 < share < 0.95
    counts = dict(rows.group_by("action").len().iter_rows())
    assert counts["view"] > counts["cart"] > counts["purchase"] > counts["wish"]


def test_visitors_see_what_is_in_the_assortment(any_shop):
    rows = actions(any_shop).filter(pl.col("action") == "view")
    rows = rows.join(any_shop.tables["items"].select("sku", "launched", "ends"), on="sku", how="left")
    # Someone may look shortly before midnight and buy after it, on the first day of sale.
    assert (rows["date"] >= rows["launched"].fill_null(any_shop.truth.start) - timedelta(days=1)).all()
    assert (rows["date"] < rows["ends"].fill_null(any_shop.truth.end)).all()


def test_a_visit_that_found_no_stock_is_a_view(shop):
    truth = shop.truth
    bought = actions(shop).filter(pl.col("action") == "view")
    seen = bought.join(truth.keys.with_row_index("row"), on=["sku", "location"]).group_by("row", "date").len()
    days = {(row, day): count for row, day, count in seen.iter_rows()}
    missed = 0
    for row in range(len(truth.keys)):
        for day in range(truth.lost.shape[1] - 60, truth.lost.shape[1]):
            lost = int(truth.lost[row, day])
            if lost:
                missed += lost
                assert days.get((row, truth.start + timedelta(days=day)), 0) >= lost
    assert missed > 100
