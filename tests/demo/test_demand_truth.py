"""True demand follows its stated expectation, promotions, elasticities and occasions."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from shelfwise.demo.demand_truth import draw_demand

HORIZON = 60


def offered(truth):
    days = np.arange(truth.expected.shape[1])
    return (days >= truth.launched[:, None]) & (days < truth.ends[:, None])


def test_shapes(any_shop):
    truth = any_shop.truth
    count, days = len(truth.keys), (truth.end - truth.start).days
    assert truth.demand.shape == truth.sold.shape == truth.on_sale.shape == (count, days)
    assert truth.expected.shape == truth.price.shape == truth.promotion_lift.shape == (count, days + HORIZON)
    assert truth.future_demand.shape == (count, HORIZON)
    assert truth.keys.sort("sku", "location").equals(truth.keys)


def test_expected_is_zero_just_outside_the_assortment(any_shop):
    truth = any_shop.truth
    assert ((truth.expected > 0) == offered(truth)).all()
    assert (truth.demand[~offered(truth)[:, :-HORIZON]] == 0).all()


@pytest.mark.parametrize("size", [1.0, 1.3, 9.0])
def test_drawn_demand_has_the_stated_mean_and_lumps(size):
    expected = np.full((400, 500), 1.7)
    drawn = draw_demand(expected, np.full(400, size), np.random.default_rng(3))
    assert drawn.mean() == pytest.approx(1.7, rel=0.02)
    # Variance of a compound Poisson sum with geometric sizes: mean x (2 size - 1).
    assert drawn.var() == pytest.approx(1.7 * (2 * size - 1), rel=0.05)


def test_total_demand_and_total_future_agree_with_expectation(shop):
    truth = shop.truth
    assert truth.demand.sum() == pytest.approx(truth.expected[:, :-HORIZON].sum(), rel=0.02)
    assert truth.future_demand.sum() == pytest.approx(truth.expected[:, -HORIZON:].sum(), rel=0.03)


def test_intermittent_items_are_mostly_zero_and_lumpy_ones_come_in_lumps(shop):
    truth = shop.truth
    zeros = {
        kind: (truth.demand[truth.kind == kind] == 0).mean() for kind in ("smooth", "intermittent", "lumpy")
    }
    assert zeros["smooth"] < 0.45 < 0.8 < zeros["intermittent"]
    assert zeros["lumpy"] > 0.9
    lumpy, intermittent = (truth.demand[truth.kind == kind] for kind in ("lumpy", "intermittent"))
    assert lumpy[lumpy > 0].mean() > 3 * intermittent[intermittent > 0].mean()


def test_seasonal_items_swing_more_than_smooth_ones(shop):
    truth = shop.truth

    def swing(kind: str) -> float:
        months = truth.expected[truth.kind == kind, 120:480].reshape(-1, 12, 30).mean(axis=2)
        return float(np.median(months.max(axis=1) / months.min(axis=1)))

    assert swing("seasonal") > 1.8 * swing("smooth")


@pytest.mark.parametrize("kind", ["discount", "banner", "flash", "11.11 sale"])
def test_promotions_lift_as_stated(shop, kind):
    truth = shop.truth
    rows = {key: row for row, key in enumerate(truth.keys.rows())}
    bought, without, stated = 0.0, 0.0, 0.0
    for sku, place, start, end, discount, lift in (
        truth.promotions.filter(pl.col("kind") == kind)
        .select("sku", "location", "start", "end", "discount", "lift")
        .iter_rows()
    ):
        row = rows[sku, place]
        days = slice((start - truth.start).days, min((end - truth.start).days + 1, truth.demand.shape[1]))
        alone = truth.promotion_lift[row, days] == np.float32(lift)
        bought += truth.demand[row, days][alone[: len(truth.demand[row, days])]].sum()
        base = truth.expected[row, days][alone] / np.float32(lift)
        without += base.sum()
        stated += base.sum() * lift
        assert lift >= (1 - discount) ** truth.elasticity[row] - 1e-9
    assert stated / without > 1.1
    assert bought / without == pytest.approx(stated / without, rel=0.06)


def test_promotion_effects_cover_the_table_and_reach_the_horizon(any_shop):
    truth, table = any_shop.truth, any_shop.tables["promotions"]
    assert table["end"].max() >= truth.end
    assert (table["start"] <= table["end"]).all()
    assert "*" in table["sku"]
    lifted = np.ones_like(truth.expected, np.float64)
    rows = {key: row for row, key in enumerate(truth.keys.rows())}
    for sku, place, start, end, lift in truth.promotions.select(
        "sku", "location", "start", "end", "lift"
    ).iter_rows():
        lifted[rows[sku, place], (start - truth.start).days : (end - truth.start).days + 1] *= lift
    np.testing.assert_allclose(truth.promotion_lift, lifted, rtol=1e-5)
    own = truth.promotions.filter(~pl.col("kind").is_in(["618 sale", "11.11 sale", "Double Five"]))
    assert (
        own.select("sku", "start", "kind")
        .unique()
        .sort("sku", "start")
        .equals(
            table.filter(pl.col("sku") != "*").select("sku", "start", "kind").unique().sort("sku", "start")
        )
    )


def test_price_elasticity_is_the_one_stated(shop):
    truth = shop.truth
    days = truth.demand.shape[1]
    steady = np.isin(truth.kind, ["smooth", "seasonal"])
    change = np.log(truth.price / truth.price[:, :1])[steady, :days].astype(np.float64)
    demand = truth.demand[steady].astype(np.float64)
    mean = truth.expected[steady, :days].astype(np.float64)
    assert (np.abs(change) > 0.02).mean() > 0.2

    def score(expected: np.ndarray) -> float:
        """Score of the elasticity in its standard deviations: near 0 where `expected` has the right one."""
        surprise = change * (demand - expected)
        return float(surprise.sum() / np.sqrt((surprise**2).sum()))

    assert abs(score(mean)) < 4
    blind = mean / np.exp(change * truth.elasticity[steady, None])
    assert abs(score(blind)) > 12


def test_prices_table_is_the_price_path(any_shop):
    truth, prices = any_shop.truth, any_shop.tables["prices"]
    path = dict(zip(truth.keys["sku"], truth.price, strict=True))
    for (sku,), rows in prices.group_by("sku"):
        rows = rows.sort("date")
        assert rows["date"].is_unique().all()
        for day, until, price in zip(rows["date"], [*rows["date"][1:], None], rows["price"], strict=True):
            last = None if until is None else (until - truth.start).days
            held = path[str(sku)][(day - truth.start).days : last]
            np.testing.assert_allclose(held, price, rtol=1e-6)
    assert any_shop.tables["items"].height == prices["sku"].n_unique()


def test_some_price_changes_are_known_ahead(shop):
    assert (shop.tables["prices"]["date"] >= shop.truth.end).sum() >= 10


def test_big_days_show_in_demand(shop):
    truth = shop.truth
    by_day = truth.demand.sum(axis=0)
    double_eleven = (date(2025, 11, 11) - truth.start).days
    festival = (date(2026, 2, 17) - truth.start).days
    assert by_day[double_eleven] > 2 * np.median(by_day)
    assert by_day[festival : festival + 7].mean() < 0.75 * np.median(by_day)
