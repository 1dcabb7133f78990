"""Order lines: they add up to what was sold, and carry cancellations, returns and a wholesale order."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest


def dated(shop):
    """Sales with the shop's own day, read off the timestamps."""
    moment = pl.col("timestamp").str.to_datetime(time_zone="UTC", format="%Y-%m-%dT%H:%M:%S%#z")
    return shop.tables["sales"].with_columns(
        utc=moment, date=moment.dt.convert_time_zone("Asia/Shanghai").dt.date()
    )


def retail(sales):
    return sales.filter(
        (pl.col("status") != "cancelled") & (pl.col("quantity") > 0) & (pl.col("channel") != "wholesale")
    )


def test_retail_lines_add_up_to_sold_every_day(any_shop):
    truth = any_shop.truth
    days = retail(dated(any_shop)).group_by("sku", "location", "date").agg(pl.col("quantity").sum())
    rows = truth.keys.with_row_index("row")
    placed = days.join(rows, on=["sku", "location"], how="inner")
    assert len(placed) == len(days)
    seen = np.zeros_like(truth.sold)
    seen[placed["row"].to_numpy(), (placed["date"] - truth.start).dt.total_days().to_numpy()] = placed[
        "quantity"
    ]
    np.testing.assert_array_equal(seen, truth.sold)
    np.testing.assert_array_equal(seen + truth.lost, truth.demand)


def test_size_of_the_table(shop):
    assert 150_000 <= len(shop.tables["sales"]) <= 300_000


def test_line_keys_are_unique_and_an_order_has_one_buyer_and_moment(any_shop):
    sales = any_shop.tables["sales"]
    assert sales.select(pl.struct("source", "order_id", "line_id").is_unique().all()).item()
    orders = (
        retail(sales)
        .group_by("order_id")
        .agg(pl.col("customer", "timestamp", "source", "location").n_unique())
    )
    assert orders.select(pl.max_horizontal(pl.exclude("order_id").max())).item() == 1
    assert sales.null_count().sum_horizontal().item() == 0


def test_some_utc_stamps_fall_on_another_day(any_shop):
    sales = dated(any_shop)
    utc = sales.filter(pl.col("timestamp").str.ends_with("Z"))
    assert utc["source"].unique().to_list() == ["web"]
    assert (utc["utc"].dt.date() != utc["date"]).mean() == pytest.approx(0.12, abs=0.05)


def test_lines_respect_launch_and_end(any_shop):
    sales = dated(any_shop).join(
        any_shop.tables["items"].select("sku", "launched", "ends"), on="sku", how="left"
    )
    assert (sales["date"] >= sales["launched"].fill_null(any_shop.truth.start)).all()
    assert (sales["date"] < sales["ends"].fill_null(any_shop.truth.end)).all()
    assert sales["date"].min() >= any_shop.truth.start


def test_the_wholesale_order_is_there_once_and_outside_demand(any_shop):
    sales, truth = dated(any_shop), any_shop.truth
    (line,) = sales.filter(pl.col("channel") == "wholesale").rows(named=True)
    assert truth.wholesale.rows(named=True) == [
        {name: line[name] for name in ("order_id", "sku", "location", "date", "quantity")}
    ]
    assert line["quantity"] == 10_000
    row = truth.keys.rows().index((line["sku"], line["location"]))
    assert truth.demand[row].max() < 1000
    assert retail(sales)["quantity"].max() < 1000


def test_returns_refer_to_an_earlier_line_and_never_exceed_it(any_shop):
    sales = dated(any_shop)
    returned = sales.filter(pl.col("quantity") < 0)
    assert len(returned) > 0
    assert returned["status"].unique().to_list() == ["returned"]
    bought = retail(sales).with_columns(line_id=pl.col("line_id") + "R")
    both = returned.join(bought, on=["order_id", "line_id", "sku", "location", "customer"], suffix="_bought")
    assert len(both) == len(returned)
    assert (both["date"] >= both["date_bought"] + timedelta(days=3)).all()
    assert (both["quantity"] + both["quantity_bought"] >= 0).all()
    assert (both["net_amount"] < 0).all()
    counted = sales.filter(pl.col("status") != "cancelled")
    assert counted.group_by("sku", "location").agg(pl.col("quantity").sum())["quantity"].min() >= 0


def test_cancelled_lines_are_few_and_have_their_own_order(shop):
    sales = shop.tables["sales"]
    cancelled = sales.filter(pl.col("status") == "cancelled")
    assert 0.005 < len(cancelled) / len(sales) < 0.03
    assert cancelled.join(retail(sales), on="order_id").is_empty()


def test_prices_paid_are_the_list_price_less_the_promotion(any_shop):
    truth = any_shop.truth
    lines = retail(dated(any_shop)).join(truth.keys.with_row_index("row"), on=["sku", "location"])
    rows, days = lines["row"].to_numpy(), (lines["date"] - truth.start).dt.total_days().to_numpy()
    paid = np.ones_like(truth.price, np.float64)
    index = {key: row for row, key in enumerate(truth.keys.rows())}
    for sku, place, start, end, off in truth.promotions.select(
        "sku", "location", "start", "end", "discount"
    ).iter_rows():
        paid[index[sku, place], (start - truth.start).days : (end - truth.start).days + 1] *= 1 - off
    np.testing.assert_allclose(lines["price"], (truth.price * paid)[rows, days], atol=0.006)
    share = lines["net_amount"].to_numpy() / (lines["price"] * lines["quantity"]).to_numpy()
    assert (share <= 1.001).all()
    assert 0.03 < (share < 0.97).mean() < 0.15


def test_a_day_that_ran_out_has_no_later_order(shop):
    truth = shop.truth
    moment = pl.col("utc").dt.convert_time_zone("Asia/Shanghai")
    lines = retail(dated(shop)).join(truth.keys.with_row_index("row"), on=["sku", "location"])
    lines = lines.with_columns(hour=moment.dt.hour() + moment.dt.minute() / 60)
    share = truth.on_sale[lines["row"].to_numpy(), (lines["date"] - truth.start).dt.total_days().to_numpy()]
    early = lines.filter(pl.Series(share < 0.12))
    assert len(early) > 0
    assert early["hour"].max() < 8


def test_customers_are_pseudonyms_with_a_taste(shop):
    sales = retail(shop.tables["sales"]).join(shop.tables["items"].select("sku", "category"), on="sku")
    assert sales["customer"].str.contains(r"^c[0-9a-f]{10}$").all()
    counts = sales.group_by("customer", "category").len()
    top = counts.group_by("customer").agg(pl.col("len").max(), pl.col("len").sum().alias("all"))
    busy = top.filter(pl.col("all") >= 20)
    assert (busy["len"] / busy["all"]).mean() > 0.45
