"""Stock: the books balance, what was lost was lost for want of stock, and the tables say the same."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from shelfwise.demo import make_shop


def offered(truth):
    days = np.arange(truth.demand.shape[1])
    return (days >= truth.launched[:, None]) & (days < truth.ends[:, None])


def test_the_books_balance_every_day(any_shop):
    truth = any_shop.truth
    stock = truth.opening_stock[:, None] + np.cumsum(truth.received - truth.sold, axis=1)
    assert (stock >= 0).all()
    np.testing.assert_array_equal(stock[:, -1], truth.on_hand)
    np.testing.assert_array_equal(truth.sold + truth.lost, truth.demand)
    # Nothing is lost while a unit is left.
    assert (stock[truth.lost > 0] == 0).all()


def test_on_sale_says_where_sales_were_lost(any_shop):
    truth = any_shop.truth
    closing = truth.opening_stock[:, None] + np.cumsum(truth.received - truth.sold, axis=1)
    available = closing + truth.sold
    inside = offered(truth)
    assert (truth.on_sale[truth.lost > 0] < 1).all()
    assert (truth.on_sale[inside & (truth.lost == 0) & (available > 0)] == 1).all()
    assert (truth.on_sale[inside & (available == 0)] == 0).all()
    assert (truth.on_sale[~inside] == 0).all()
    partly = (truth.lost > 0) & (truth.sold > 0)
    assert ((truth.on_sale[partly] > 0) & (truth.on_sale[partly] < 1)).all()


def test_the_share_of_the_day_is_when_the_last_unit_went(shop):
    truth = shop.truth
    partly = (truth.lost > 0) & (truth.sold > 0)
    had, wanted = truth.sold[partly].astype(float), truth.demand[partly].astype(float)
    # The a-th of d customers spread evenly over the day comes at a Beta(a, d - a + 1) part of it.
    mean_share = had / (wanted + 1)
    variance = mean_share * (1 - mean_share) / (wanted + 2)
    off = (truth.on_sale[partly] - mean_share).sum() / np.sqrt(variance.sum())
    assert abs(off) < 4
    assert np.corrcoef(truth.on_sale[partly], mean_share)[0, 1] > 0.6


@pytest.mark.parametrize("seed", [7, 1, 4])
def test_raw_sales_are_five_to_ten_percent_below_demand(shop, seed):
    made = shop if seed == 7 else make_shop(seed=seed)
    sales = made.tables["sales"].filter(
        (pl.col("status") != "cancelled") & (pl.col("quantity") > 0) & (pl.col("channel") != "wholesale")
    )
    missing = 1 - sales["quantity"].sum() / made.truth.demand.sum()
    assert 0.05 < missing < 0.10


def test_availability_table_is_on_sale_within_the_assortment(any_shop):
    truth, table = any_shop.truth, any_shop.tables["availability"]
    rows = pl.DataFrame({"sku": truth.keys["sku"], "location": truth.keys["location"]}).with_row_index("row")
    placed = table.join(rows, on=["sku", "location"], how="left", maintain_order="left")
    days = (placed["date"] - truth.start).dt.total_days().to_numpy()
    seen = np.full(truth.on_sale.shape, -1.0)
    seen[placed["row"].to_numpy(), days] = placed["in_stock"].to_numpy()
    inside = offered(truth)
    assert (seen[~inside] == -1).all()
    np.testing.assert_allclose(seen[inside], truth.on_sale[inside], atol=1e-6)


def test_stock_table_is_the_state_of_the_process(any_shop):
    truth, stock = any_shop.truth, any_shop.tables["stock"]
    assert stock.select("sku", "location").equals(truth.keys)
    np.testing.assert_array_equal((stock["on_hand"] - stock["reserved"]).to_numpy(), truth.on_hand)
    np.testing.assert_array_equal(stock["reserved"].to_numpy(), truth.sold[:, -1])
    assert (stock["backorders"] == 0).all()


def test_orders_arrive_as_received_and_open_ones_are_inbound(any_shop):
    truth = any_shop.truth
    rows = {key: row for row, key in enumerate(truth.keys.rows())}
    received = np.zeros_like(truth.received)
    for sku, place, quantity, arrives in (
        truth.purchase_orders.filter(~pl.col("open"))
        .select("sku", "location", "quantity", "arrives")
        .iter_rows()
    ):
        received[rows[sku, place], (arrives - truth.start).days] += quantity
    np.testing.assert_array_equal(received, truth.received)

    inbound = any_shop.tables["inbound"]
    opened = truth.purchase_orders.filter("open")
    assert (opened["arrives"] >= truth.end).all()
    key = ["po_id", "line_id"]
    assert inbound.sort(key).equals(opened.select(inbound.columns).sort(key))
    assert inbound.select(pl.struct(key).is_unique().all()).item()


def test_overdue_orders_are_few_and_flagged(shop):
    orders, inbound = shop.truth.purchase_orders, shop.tables["inbound"]
    late = inbound.filter(pl.col("due") < shop.truth.end)
    assert 1 <= len(late) <= 0.2 * len(inbound)
    assert len(late) == orders["overdue"].sum()
    assert (orders.filter("overdue")["arrives"] >= shop.truth.end).all()
    assert (late["due"] >= shop.truth.end - timedelta(days=40)).all()


def test_suppliers_are_late_at_times_and_their_terms_are_kept(shop):
    truth = shop.truth
    late = (truth.purchase_orders["arrives"] - truth.purchase_orders["due"]).dt.total_days()
    assert late.min() < 0 < late.max()
    assert 0.03 < (late > 4).mean() < 0.25

    terms = shop.tables["terms"].filter(pl.col("supplier") != "City Express")
    local = terms.filter(pl.col("location") != "*")
    everywhere = terms.filter((pl.col("location") == "*") & (pl.col("sku") != "*")).drop("location")
    listed = pl.concat(
        [
            truth.purchase_orders.join(local, on=["sku", "location", "supplier"]),
            truth.purchase_orders.join(everywhere, on=["sku", "supplier"]).select(
                truth.purchase_orders.join(local, on=["sku", "location", "supplier"]).columns
            ),
        ]
    )
    general = truth.purchase_orders.filter(pl.col("supplier") == "General Trade")
    assert len(listed) + len(general) == len(truth.purchase_orders)
    assert (listed["quantity"] % listed["multiple"] == 0).all()
    assert (listed["quantity"] >= listed["moq"]).all()
    assert (listed["quantity"] <= listed["max_quantity"].fill_null(10**9)).all()
    promised = (listed["due"] - listed["placed"]).dt.total_days()
    assert (promised == listed["lead_time"]).all()
    wildcard = terms.filter(pl.col("sku") == "*").row(0, named=True)
    assert (general["quantity"] % wildcard["multiple"] == 0).all()


def test_terms_have_several_suppliers_wildcards_and_limits(any_shop):
    terms = any_shop.tables["terms"]
    assert terms["supplier"].n_unique() >= 4
    assert (terms["sku"] == "*").sum() == 1
    assert (terms.filter(pl.col("sku") != "*")["location"] == "*").any()
    assert (terms["location"] != "*").any()
    assert terms["max_quantity"].drop_nulls().len() > 0
    assert terms.group_by("sku", "location").len()["len"].max() == 2
    own = terms.filter(pl.col("supplier") != "City Express")
    assert own["lead_time"].is_between(7, 30).all()
