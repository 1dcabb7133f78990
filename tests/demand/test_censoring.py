"""`CensoredDemandEstimator` on simulated shops whose true demand is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from shelfwise.buckets import Bucket
from shelfwise.demand import build_panel
from shelfwise.demand.censoring import CensoredDemandEstimator
from shelfwise.demand.panel import Known, Panel
from shelfwise.demo import make_shop
from shelfwise.errors import UsageError
from shelfwise.tables import dataset_from_frames


def panel_of(sold, on_sale, *, locations=1, bucket="day", known=None, horizon=0, category=None):
    """A panel in which unknown demand is masked as `build_panel` would."""
    sold = np.asarray(sold, np.float32)
    on_sale = np.asarray(on_sale, np.float32)
    count = len(sold)
    return Panel(
        keys=pl.DataFrame(
            {
                "sku": [f"sku{row // locations:05d}" for row in range(count)],
                "location": [f"shop{row % locations}" for row in range(count)],
            }
        ),
        bucket=Bucket(bucket),
        start=date(2024, 1, 1),
        sold=sold,
        on_sale=on_sale,
        demand=np.where(on_sale >= 0.999, sold, np.nan).astype(np.float32),
        known=known or {},
        static=pl.DataFrame({"category": category}) if category is not None else pl.DataFrame(),
        horizon=horizon,
    )


def random_stockouts(rng, shape, chance=0.01, longest=12):
    out = np.zeros(shape, bool)
    for row, step in zip(*np.nonzero(rng.random(shape) < chance), strict=True):
        out[row, step : step + rng.integers(1, longest)] = True
    return out


def simulate(seed, count, buckets, variance_over_mean=1.0):
    """True demand (count, buckets) and a panel with whole-bucket stock-outs."""
    rng = np.random.default_rng(seed)
    mean = np.repeat(rng.gamma(2.0, 1.5, count)[:, None], buckets, axis=1)
    if variance_over_mean > 1:
        demand = rng.negative_binomial(mean / (variance_over_mean - 1), 1 / variance_over_mean)
    else:
        demand = rng.poisson(mean)
    out = random_stockouts(rng, demand.shape)
    return demand, out, panel_of(np.where(out, 0, demand), ~out)


@pytest.mark.parametrize("variance_over_mean", [1.0, 2.5])
def test_totals_are_unbiased_and_imputations_cover_them(variance_over_mean):
    demand, out, panel = simulate(1, 300, 200, variance_over_mean)
    estimator = CensoredDemandEstimator().fit(panel)
    lost = demand[out].sum()
    assert lost > 0.04 * demand.sum()
    assert estimator.expected().sum() == pytest.approx(demand.sum(), rel=0.005)
    imputed = estimator.impute(200, np.random.default_rng(0))
    low, high = np.quantile(imputed.sum(axis=2), [0.05, 0.95], axis=0)
    short = out.any(axis=1)
    covered = (demand.sum(axis=1) >= low) & (demand.sum(axis=1) <= high)
    assert 0.85 <= covered[short].mean() <= 0.97
    assert imputed.mean(axis=0).sum() == pytest.approx(estimator.expected().sum(), rel=0.003)


def test_running_out_on_good_days_does_not_bias_the_estimate():
    rng = np.random.default_rng(3)
    count, days, rate, filled_up_every, order_up_to = 400, 120, 5.0, 4, 20
    demand = rng.poisson(rate, (count, days))
    sold, share = demand.copy(), np.ones(demand.shape)
    for row in range(count):
        stock = 0
        for day in range(days):
            stock = order_up_to if day % filled_up_every == 0 else stock
            if demand[row, day] > stock:
                arrivals = np.sort(rng.random(demand[row, day]))
                share[row, day] = arrivals[stock - 1] if stock else 0.0
                sold[row, day] = stock
            stock -= sold[row, day]
    panel = panel_of(sold, share)
    whole = share >= 1
    assert demand[whole].mean() < 0.97 * rate
    expected = CensoredDemandEstimator().fit(panel).expected()
    assert sold.sum() < 0.97 * demand.sum()
    # Only days with a customer turned away are short here, and that leaves its trace: 1 %.
    assert expected.sum() == pytest.approx(demand.sum(), rel=0.015)


def test_a_bucket_partly_on_sale_has_the_gamma_poisson_posterior():
    rng = np.random.default_rng(5)
    demand = rng.negative_binomial(4, 0.4, (50, 100))
    share = np.ones(demand.shape)
    share[:, 50] = 0.4
    sold = np.where(share < 1, rng.binomial(demand, 0.4), demand)
    estimator = CensoredDemandEstimator().fit(panel_of(sold, share))
    rates = estimator.rates
    mean = rates.mean[:, 50].astype(float)
    size = 1 / (np.maximum(rates.noise - 1, 0) / mean + 1 / rates.certainty[:, 50])
    given_sold, exposed = size + sold[:, 50], size / mean + 0.4
    expected = estimator.expected()[:, 50]
    assert expected == pytest.approx(sold[:, 50] + 0.6 * given_sold / exposed, rel=1e-4)
    rest = estimator.impute(4000, np.random.default_rng(1), rows=[7])[:, 0, 50] - sold[7, 50]
    law = stats.nbinom(given_sold[7], exposed[7] / (exposed[7] + 0.6))
    assert rest.mean() == pytest.approx(law.mean(), rel=0.06)
    assert rest.var() == pytest.approx(law.var(), rel=0.12)


def test_what_was_sold_in_a_short_while_says_much_where_demand_varies_and_little_where_not():
    rng = np.random.default_rng(6)
    share = np.ones((2, 400))
    share[:, 200] = 0.5
    steady, wild = rng.poisson(10, 400), rng.negative_binomial(1, 1 / 11, 400)
    sold = np.stack([steady, wild])
    sold[:, 200] = 20
    rest = CensoredDemandEstimator(neighbours=False).fit(panel_of(sold, share)).expected()[:, 200] - 20
    assert rest[0] == pytest.approx(5, rel=0.25)
    assert rest[1] > 11


def test_the_stockout_of_a_busy_week_is_told_from_the_neighbours():
    rng = np.random.default_rng(7)
    mean = np.full(150, 6.0)
    mean[60:67] = 18.0
    demand = rng.poisson(mean, (40, 150))
    out = np.zeros(demand.shape, bool)
    out[4, 60:67] = True
    panel = panel_of(np.where(out, 0, demand), ~out)
    with_neighbours = CensoredDemandEstimator().fit(panel).expected()[4, 60:67]
    alone = CensoredDemandEstimator(neighbours=False).fit(panel).expected()[4, 60:67]
    assert with_neighbours.mean() == pytest.approx(18, rel=0.15)
    assert alone.mean() < 10


def test_the_same_item_elsewhere_tells_of_its_own_boom():
    rng = np.random.default_rng(8)
    mean = np.full((60, 200), 10.0)
    mean[:6, 100:140] = 30.0
    demand = rng.poisson(mean)
    out = np.zeros(demand.shape, bool)
    out[0, 100:140] = True
    panel = panel_of(np.where(out, 0, demand), ~out, locations=6)
    found = CensoredDemandEstimator().fit(panel).expected()[0, 105:135].mean()
    assert found > 20


def test_promotion_price_and_weekday_of_the_bucket_itself_count():
    rng = np.random.default_rng(9)
    count, days = 60, 210
    promoted = np.zeros((count, days), np.float32)
    for row in range(count):
        for begin in rng.integers(0, days - 5, 4):
            promoted[row, begin : begin + 5] = 1
    weekday = np.array([0.6, 0.6, 0.6, 0.6, 1.2, 1.7, 1.7])[np.arange(days) % 7]
    price = np.where(np.arange(days) < 100, 10.0, 8.0) * np.ones((count, 1), np.float32)
    mean = 5 * weekday * np.where(promoted > 0, 2.0, 1.0) * (price / 10) ** -1.5
    demand = rng.poisson(mean)
    out = random_stockouts(rng, demand.shape, chance=0.01, longest=8)
    every = np.arange(count, dtype=np.int32)
    known = {"promotion": Known(promoted, every), "price": Known(price.astype(np.float32), every)}
    panel = panel_of(np.where(out, 0, demand), ~out, known=known)
    expected = CensoredDemandEstimator(neighbours=False).fit(panel).expected()
    for chosen in (promoted > 0, np.broadcast_to(weekday > 1.5, out.shape), price < 9):
        cells = out & chosen
        assert expected[cells].sum() == pytest.approx(mean[cells].sum(), rel=0.12)


def test_a_series_never_on_sale_gets_its_familys_mean_and_is_unsure():
    rng = np.random.default_rng(10)
    demand = rng.poisson(np.repeat([2.0, 20.0], 30)[:, None], (60, 80))
    out = np.zeros(demand.shape, bool)
    out[[3, 40]] = True
    panel = panel_of(np.where(out, 0, demand), ~out, category=["a"] * 30 + ["b"] * 30)
    estimator = CensoredDemandEstimator().fit(panel)
    expected = estimator.expected()
    assert expected[3].mean() == pytest.approx(2, rel=0.25)
    assert expected[40].mean() == pytest.approx(20, rel=0.25)
    totals = estimator.impute(300, np.random.default_rng(0), rows=[40])[:, 0].sum(axis=1)
    assert totals.std() > 0.1 * totals.mean()


def test_one_stockout_is_as_unsure_as_a_level_shared_by_its_buckets():
    _, _, panel = simulate(11, 40, 60, 2.0)
    sold, on_sale = panel.sold.copy(), panel.on_sale.copy()
    sold[0, 20:50], on_sale[0, 20:50] = 0, 0
    estimator = CensoredDemandEstimator().fit(panel_of(sold, on_sale))
    draws = estimator.impute(800, np.random.default_rng(0), rows=[0])[:, 0, 20:50]
    assert draws.sum(axis=1).var() > 1.5 * draws.var(axis=0).sum()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6), st.integers(1, 40), st.booleans())
def test_known_buckets_stay_and_nothing_falls_below_what_was_sold(seed, count, buckets, fractional):
    rng = np.random.default_rng(seed)
    sold = rng.poisson(rng.gamma(1, 3, (count, 1)), (count, buckets)).astype(np.float32)
    sold = sold * np.float32(0.37) if fractional else sold
    share = rng.choice([0.0, 0.0, 0.3, 1.0, 1.0, 1.0], (count, buckets)).astype(np.float32)
    sold[share == 0] = 0
    panel = panel_of(sold, share)
    dead = rng.random((count, buckets)) < 0.1
    panel = replace(
        panel,
        sold=np.where(dead, np.nan, sold).astype(np.float32),
        demand=np.where(dead, np.nan, panel.demand).astype(np.float32),
        on_sale=np.where(dead, 0, share).astype(np.float32),
    )
    estimator = CensoredDemandEstimator().fit(panel)
    expected, imputed = estimator.expected(), estimator.impute(3, rng)
    whole = (share >= 1) & ~dead
    assert np.array_equal(estimator.censored, ~whole & ~dead)
    assert np.array_equal(np.isnan(expected), dead)
    for found in (expected, *imputed):
        assert np.array_equal(found[whole], sold[whole])
        assert (found[~dead] >= sold[~dead]).all()
        assert np.isfinite(found[~dead]).all()
    if not fractional:
        assert np.array_equal(imputed[:, ~dead], np.rint(imputed[:, ~dead]))


def test_neither_order_nor_chunks_nor_a_second_run_change_a_byte():
    _, _, panel = simulate(12, 60, 90, 2.0)
    panel = replace(panel, static=pl.DataFrame({"category": [f"c{row % 3}" for row in range(60)]}))
    estimator = CensoredDemandEstimator().fit(panel)
    order = np.random.default_rng(0).permutation(60)
    moved = CensoredDemandEstimator().fit(panel.take(order))
    assert np.array_equal(moved.expected(), estimator.expected()[order])
    whole = estimator.impute(4, np.random.default_rng(5))
    assert np.array_equal(moved.impute(4, np.random.default_rng(5)), whole[:, order])
    root = int(np.random.default_rng(5).integers(0, 2**63 - 1))
    parts = [estimator.impute_rows(rows, 4, root) for rows in panel.chunks(17)]
    assert np.array_equal(np.concatenate(parts, axis=1), whole)
    assert not np.array_equal(estimator.impute(4, np.random.default_rng(6)), whole)


def test_nothing_beyond_the_panels_history_is_used():
    demand, out, _ = simulate(13, 30, 80)
    rng = np.random.default_rng(0)
    values = rng.random((30, 100)).astype(np.float32)
    scrambled = values.copy()
    scrambled[:, 60:] = rng.random((30, 40))
    later = np.where(np.arange(80) < 60, demand, rng.poisson(50, demand.shape))
    found = []
    for sales, promotion in ((demand, values), (later, scrambled)):
        known = {"promotion": Known(promotion, np.arange(30, dtype=np.int32))}
        panel = panel_of(np.where(out, 0, sales), ~out, known=known, horizon=20).until(60)
        found.append(CensoredDemandEstimator().fit(panel).expected())
    assert np.array_equal(found[0], found[1])


def test_weekly_and_monthly_seasons_come_from_earlier_years():
    rng = np.random.default_rng(14)
    for bucket, season in (("week", 52), ("month", 12)):
        wave = 1 + 0.8 * np.sin(2 * np.pi * np.arange(4 * season) / season)
        demand = rng.poisson(12 * wave, (30, 4 * season))
        out = np.zeros(demand.shape, bool)
        out[:, -season // 2 :][:15] = True
        panel = panel_of(np.where(out, 0, demand), ~out, bucket=bucket)
        expected = CensoredDemandEstimator().fit(panel).expected()
        assert expected[out].sum() == pytest.approx(demand[out].sum(), rel=0.08)


def test_sold_while_never_on_sale_and_capped_spikes_are_taken_as_the_panel_has_them():
    sold = np.full((1, 30), 4.0, np.float32)
    sold[0, 10], sold[0, 20] = 900, 7
    share = np.ones((1, 30), np.float32)
    share[0, 20] = 0
    panel = panel_of(sold, share)
    demand = panel.demand.copy()
    demand[0, 10], demand[0, 20] = 5, 7
    estimator = CensoredDemandEstimator().fit(replace(panel, demand=demand))
    assert not estimator.censored.any()
    assert estimator.expected()[0, [10, 20]].tolist() == [5, 7]


def test_the_bias_report_adds_up():
    _, out, panel = simulate(15, 40, 100)
    estimator = CensoredDemandEstimator().fit(panel)
    report = estimator.bias_report()
    assert (report.buckets, report.out_of_stock, report.partly) == (4000, int(out.sum()), 0)
    assert report.sold == panel.sold.sum()
    assert report.expected == pytest.approx(estimator.expected().sum(dtype=np.float64))
    assert report.low < report.expected < report.high
    assert report.raw_bias == pytest.approx(report.sold / report.expected - 1)
    assert report.by_family.select("buckets", "censored").sum().row(0) == (4000, int(out.sum()))
    totals = estimator.impute(300, np.random.default_rng(0)).sum(axis=(1, 2))
    assert np.quantile(totals, 0.95) - np.quantile(totals, 0.05) == pytest.approx(
        report.high - report.low, rel=0.25
    )


def test_fill_replaces_demand_alone():
    _, out, panel = simulate(16, 10, 40)
    estimator = CensoredDemandEstimator().fit(panel)
    filled = estimator.fill(panel)
    assert np.array_equal(filled.demand, estimator.expected())
    assert filled.sold is panel.sold
    assert filled.on_sale is panel.on_sale
    assert np.isnan(panel.demand[out]).all()
    with pytest.raises(UsageError, match="the panel that was fitted"):
        estimator.fill(panel.take(np.arange(5)))


def test_no_series_and_no_stockouts_are_fine():
    panel = panel_of(np.ones((3, 5)), np.ones((3, 5)))
    estimator = CensoredDemandEstimator().fit(panel)
    assert np.array_equal(estimator.expected(), panel.sold)
    assert estimator.bias_report().raw_bias == 0
    empty = CensoredDemandEstimator().fit(panel.take(np.zeros(0, int)))
    assert empty.expected().shape == (0, 5)
    assert empty.impute(2, np.random.default_rng(0)).shape == (2, 0, 5)
    assert empty.bias_report().buckets == 0


def test_wrong_use_is_said():
    panel = panel_of(np.ones((2, 5)), np.ones((2, 5)))
    with pytest.raises(UsageError, match="call fit"):
        CensoredDemandEstimator().expected()
    with pytest.raises(UsageError, match="family must be one of"):
        CensoredDemandEstimator(family="colour").fit(panel)
    with pytest.raises(UsageError, match="at least one imputation"):
        CensoredDemandEstimator().fit(panel).impute(0, np.random.default_rng(0))


def test_on_the_demo_shop_the_total_is_right_and_each_bucket_closer_than_the_series_mean():
    shop = make_shop(seed=11, n_skus=60, days=500)
    tables = dict(shop.tables)
    plain = (pl.col("status") != "returned") & (pl.col("channel") != "wholesale")
    tables["sales"] = tables["sales"].filter(plain)
    settings = {"series": {"bucket": "day", "timezone": "Asia/Shanghai"}}
    panel = build_panel(dataset_from_frames(settings=settings, **tables), shop.truth.end)
    alive = np.isfinite(panel.sold)
    truth = np.where(alive, shop.truth.demand, 0)
    sold = np.nan_to_num(panel.sold)
    assert sold.sum() < 0.95 * truth.sum()
    estimator = CensoredDemandEstimator().fit(panel)
    expected = np.nan_to_num(estimator.expected())
    assert expected.sum(dtype=np.float64) == pytest.approx(truth.sum(), rel=0.01)
    short = estimator.censored
    known = np.where(short, 0, sold).sum(axis=1) / np.maximum((alive & ~short).sum(axis=1), 1)
    by_mean = np.maximum(known[:, None], sold)

    def error(estimate):
        return np.abs(estimate - truth)[short].sum()

    assert error(expected) < 0.9 * error(by_mean) < 0.9 * error(sold)
