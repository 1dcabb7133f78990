"""Stock-outs told from zeros alone, and when zeros are left alone."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from shelfwise.demand import build_panel
from shelfwise.demand.inferred_stockouts import infer_stockouts, mask_inferred
from shelfwise.demand.panel import Panel
from shelfwise.demo import make_shop
from shelfwise.errors import UsageError
from shelfwise.tables import dataset_from_frames


def inferred(sold, stock=None, **options):
    panel = Panel.from_arrays(sold, start=date(2024, 1, 1))
    return infer_stockouts(panel, stock, infer=True, **options)


def steady(seed=0, mean=5.0, shape=(3, 80)):
    return np.random.default_rng(seed).poisson(mean, shape).astype(float) + 1


def test_it_is_off_unless_asked_for():
    sold = steady()
    sold[0, 30:40] = 0
    panel = Panel.from_arrays(sold)
    share, found = infer_stockouts(panel)
    assert np.array_equal(share, panel.on_sale)
    assert (found.inferred, found.buckets, found.runs.height) == (False, 0, 0)


def test_a_long_run_in_a_steady_series_is_marked_and_reported():
    sold = steady()
    sold[1, 30:40] = 0
    share, found = inferred(sold)
    assert np.flatnonzero(share[1] == 0).tolist() == list(range(30, 40))
    assert (share[[0, 2]] == 1).all()
    run = found.runs.row(0, named=True)
    assert (run["sku"], run["first"], run["buckets"]) == ("s0000001", date(2024, 7, 29), 10)
    assert run["probability"] < 1e-3
    assert found.lost_units == pytest.approx(60, rel=0.25)
    assert (found.series, found.buckets, found.inferred) == (1, 10, True)


def test_the_end_counts_only_with_a_stock_of_zero_and_the_start_never():
    sold = steady()
    sold[:, 70:] = 0
    sold[:, :10] = 0
    assert inferred(sold)[1].buckets == 0
    stock = pl.DataFrame(
        {
            "sku": ["s0000000", "s0000001", "s0000002"],
            "location": "main",
            "on_hand": [0, 8, 3],
            "reserved": [0, 0, 3],
        }
    )
    share, found = inferred(sold, stock)
    assert (share == 0).sum(axis=1).tolist() == [10, 0, 10]
    assert found.runs["stock_says_zero"].all()


def test_a_stock_of_zero_makes_a_weak_sign_do():
    sold = steady(mean=0.6, shape=(1, 80)) - 1
    sold[0, 60], sold[0, 71:] = 2, 0
    assert inferred(sold)[1].buckets == 0
    stock = pl.DataFrame({"sku": ["s0000000"], "on_hand": [0]})
    share, _ = inferred(sold, stock)
    assert (share[0, 71:] == 0).all()


def test_a_stock_table_without_the_series_says_nothing():
    sold = steady()
    sold[0, 70:] = 0
    stock = pl.DataFrame({"sku": ["other"], "location": ["main"], "on_hand": [0]})
    assert inferred(sold, stock)[1].buckets == 0


@pytest.mark.parametrize("size", [1.0, 9.0])
def test_ordinary_demand_is_rarely_accused(size):
    rng = np.random.default_rng(4)
    mean = rng.gamma(1.0, 0.7, (200, 1))
    purchases = rng.poisson(np.repeat(mean / size, 300, axis=1))
    sold = rng.negative_binomial(np.maximum(purchases, 1), 1 / size) + purchases if size > 1 else purchases
    sold = np.where(purchases > 0, sold, 0)
    _, found = inferred(sold)
    assert found.candidates > 1000
    assert found.runs.height <= 4


def test_true_stockouts_of_ordinary_sellers_are_mostly_found():
    rng = np.random.default_rng(5)
    sold = rng.poisson(rng.gamma(4.0, 0.75, (100, 1)), (100, 250)).astype(float)
    out = np.zeros(sold.shape, bool)
    for row, begin in enumerate(rng.integers(20, 200, 100)):
        out[row, begin : begin + 14] = True
    sold[out] = 0
    share, _ = inferred(sold)
    marked = share == 0
    assert (marked & out).sum() > 0.85 * out.sum()
    assert (marked & ~out).sum() < 0.05 * marked.sum()


def test_zeros_that_all_neighbours_share_are_no_stockout():
    sold = steady(mean=6.0, shape=(30, 100))
    sold[:, 40:44] = 0
    assert inferred(sold)[1].buckets == 0


def test_known_stockouts_are_left_as_they_are():
    sold = steady()
    sold[0, 30:40] = np.nan
    share, found = inferred(sold)
    assert found.buckets == 0
    assert (share[0, 30:40] == 0).all()


def test_where_a_series_stands_does_not_matter():
    rng = np.random.default_rng(6)
    sold = rng.poisson(1.5, (40, 150)).astype(float)
    sold[::4, 60:75] = 0
    panel = Panel.from_arrays(sold)
    order = rng.permutation(40)
    share, _ = infer_stockouts(panel, infer=True)
    moved, _ = infer_stockouts(panel.take(order), infer=True)
    assert (share == 0).any()
    assert np.array_equal(moved, share[order])


def test_masking_hides_the_marked_buckets_alone():
    sold = steady()
    sold[1, 30:40] = 0
    panel = Panel.from_arrays(sold)
    share, _ = infer_stockouts(panel, infer=True)
    masked = mask_inferred(panel, share)
    assert np.array_equal(np.isnan(masked.demand), share == 0)
    assert np.array_equal(masked.on_sale, share)
    assert np.array_equal(masked.demand[share > 0], panel.demand[share > 0])
    assert masked.sold is panel.sold


def test_on_the_demo_shop_without_its_availability_table_hardly_any_mark_is_wrong():
    shop = make_shop(seed=11, n_skus=40, days=400)
    tables = {name: table for name, table in shop.tables.items() if name != "availability"}
    settings = {
        "series": {"bucket": "day", "timezone": "Asia/Shanghai"},
        "demand": {"infer_stockouts": "off"},
    }
    panel = build_panel(dataset_from_frames(settings=settings, **tables), shop.truth.end)
    share, found = infer_stockouts(panel, shop.tables["stock"], infer=True)
    marked = share == 0
    marked &= np.isfinite(panel.sold)
    out = (shop.truth.on_sale <= 0) & np.isfinite(panel.sold)
    assert found.runs.height > 10
    assert (marked & out).sum() > 0.9 * marked.sum()
    assert shop.truth.lost[marked & out].sum() > 0.25 * shop.truth.lost[out].sum()


@pytest.mark.parametrize("options", [{"least_buckets": 0}, {"probability": 0.0}, {"probability": 1.0}])
def test_limits_out_of_range_are_refused(options):
    with pytest.raises(UsageError, match="least_buckets must be 1 or more"):
        inferred(steady(), **options)
