"""What is made of stock-outs, by setting: estimated, left unknown, or read as zero; and what is told of it."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from shelfwise.demand import build_panel, build_panel_with_report
from shelfwise.demo import make_shop
from shelfwise.messages import retold
from shelfwise.tables import dataset_from_frames
from shelfwise.tables.dataset import Dataset

START = date(2023, 1, 2)
WEEKS = 70
AS_OF = START + timedelta(weeks=WEEKS)
OUT = (30, 31, 32, 33, 50)
PARTLY = (40, 60)


def weekly_sales(sale, silent=(), weeks=WEEKS):
    """Four items that sell about 12 a week; the first has weeks without a row."""
    rng = np.random.default_rng(3)
    sold = rng.poisson(12, (4, weeks)) + 1
    return [
        sale(str(START + timedelta(weeks=week)), int(sold[item, week]), sku=f"s{item}")
        for item in range(4)
        for week in range(weeks)
        if item or week not in silent
    ]


def availability():
    rows = [(week, 0.0) for week in OUT] + [(week, 0.5) for week in PARTLY]
    return [{"sku": "s0", "date": START + timedelta(weeks=week), "in_stock": share} for week, share in rows]


def recorded(make_dataset, sale, how=None, **more) -> Dataset:
    asked = {} if how is None else {"stockouts": how}
    return make_dataset(
        sales=weekly_sales(sale, silent=OUT), availability=availability(), demand={**asked, **more}
    )


def test_by_default_short_buckets_are_estimated_and_the_record_is_kept(make_dataset, sale):
    panel, report = build_panel_with_report(recorded(make_dataset, sale), AS_OF)
    short = [*OUT, *PARTLY]
    assert np.flatnonzero(panel.imputed[0]).tolist() == sorted(short)
    assert not panel.imputed[1:].any()
    assert np.isfinite(panel.demand).all()
    assert (panel.demand == np.rint(panel.demand)).all()
    assert (panel.demand >= panel.sold).all()
    assert 6 < panel.expected[0, list(OUT)].mean() < 20
    assert (panel.sold[0, list(OUT)] == 0).all()
    made = report.stockouts
    assert (made.how, made.out_of_stock, made.partly, made.inferred) == ("censored", 5, 2, None)
    extra = np.nansum(panel.expected - panel.sold)
    assert made.added == pytest.approx(extra, rel=1e-4)
    assert made.low < made.added < made.high


def test_an_item_never_on_sale_gets_no_history_made_up(make_dataset, sale):
    sales = [*weekly_sales(sale, silent=OUT), sale(str(START), 0, sku="never")]
    never = [
        {"sku": "never", "date": START + timedelta(weeks=week), "in_stock": 0.0} for week in range(WEEKS)
    ]
    panel, report = build_panel_with_report(
        make_dataset(sales=sales, availability=[*availability(), *never]), AS_OF
    )
    alone, without = build_panel_with_report(recorded(make_dataset, sale), AS_OF)
    row = panel.keys["sku"].to_list().index("never")
    others = np.array([place for place in range(panel.n_series) if place != row])
    assert np.isnan(panel.demand[row]).all()
    assert not panel.imputed[row].any()
    np.testing.assert_array_equal(panel.demand[others], alone.demand)
    assert report.stockouts == without.stockouts


def test_masked_is_what_the_records_alone_say(make_dataset, sale):
    masked = build_panel(recorded(make_dataset, sale, "mask"), AS_OF)
    assert np.flatnonzero(np.isnan(masked.demand[0])).tolist() == list(OUT)
    assert masked.demand[0, 40] == 2 * masked.sold[0, 40]
    filled = build_panel(recorded(make_dataset, sale), AS_OF)
    np.testing.assert_array_equal(filled.recorded, masked.demand)
    np.testing.assert_array_equal(filled.sold, masked.sold)


def test_raw_reads_sales_as_demand_and_keeps_the_record(make_dataset, sale):
    raw, report = build_panel_with_report(recorded(make_dataset, sale, "raw"), AS_OF)
    np.testing.assert_array_equal(raw.demand, raw.sold)
    masked = build_panel(recorded(make_dataset, sale, "mask"), AS_OF)
    np.testing.assert_array_equal(raw.recorded, masked.demand)
    assert report.stockouts.added == 0


def silent_shop(make_dataset, sale, how="auto", stock=None, **more) -> Dataset:
    shelf = [{"sku": f"s{item}", "on_hand": 5} for item in range(4)] if stock is None else stock
    tables = {"stock": shelf} if shelf else {}
    sales = weekly_sales(sale, silent=(30, 31, 32, 33))
    return make_dataset(sales=sales, demand={"infer_stockouts": how, **more}, **tables)


def test_without_records_a_run_of_zeros_that_is_no_chance_is_found_and_told(make_dataset, sale):
    panel, report = build_panel_with_report(silent_shop(make_dataset, sale), AS_OF)
    assert np.flatnonzero(panel.imputed[0]).tolist() == [30, 31, 32, 33]
    assert panel.shortages.inferred.all()
    made = report.stockouts
    assert (made.inferred_buckets, made.inferred.series, made.out_of_stock) == (4, 1, 0)
    assert made.added == 0
    assert made.added_inferred == pytest.approx(panel.expected[0, 30:34].sum(), rel=1e-4)
    assert any("4 buckets of 1 series" in note for note in report.notes())


def test_inference_can_be_switched_off_and_leaves_recorded_shops_alone(make_dataset, sale):
    off = build_panel(silent_shop(make_dataset, sale, "off"), AS_OF)
    assert not off.imputed.any()
    assert (off.demand[0, 30:34] == 0).all()
    sales = weekly_sales(sale, silent=(30, 31, 32, 33))
    full = [{"sku": "s1", "date": START, "in_stock": 0.9}]
    kept = build_panel(make_dataset(sales=sales, availability=full), AS_OF)
    assert np.flatnonzero(kept.imputed.any(axis=1)).tolist() == [1]
    unstocked = build_panel(silent_shop(make_dataset, sale, stock=[]), AS_OF)
    assert not unstocked.imputed.any(), "a shop that orders nothing is forecast as it sells"
    assert build_panel(silent_shop(make_dataset, sale, "on", stock=[]), AS_OF).imputed.sum() == 4
    on = build_panel(make_dataset(sales=sales, availability=full, demand={"infer_stockouts": "on"}), AS_OF)
    assert np.flatnonzero(on.imputed[0]).tolist() == [30, 31, 32, 33]


def test_inference_and_masking_go_together(make_dataset, sale):
    panel, report = build_panel_with_report(silent_shop(make_dataset, sale, stockouts="mask"), AS_OF)
    assert np.flatnonzero(np.isnan(panel.demand[0])).tolist() == [30, 31, 32, 33]
    assert (panel.on_sale[0, 30:34] == 0).all()
    assert report.stockouts.inferred_buckets == 4
    raw = build_panel(silent_shop(make_dataset, sale, stockouts="raw"), AS_OF)
    assert (raw.demand[0, 30:34] == 0).all()


def test_a_run_at_the_end_needs_a_shelf_that_is_empty_today(make_dataset, sale):
    sales = weekly_sales(sale, silent=range(WEEKS - 4, WEEKS))
    for on_hand, found in ((0, 4), (7, 0)):
        stock = [{"sku": f"s{item}", "on_hand": on_hand if item == 0 else 5} for item in range(4)]
        panel = build_panel(make_dataset(sales=sales, stock=stock), AS_OF)
        assert panel.imputed.sum() == found


def test_rows_from_as_of_on_have_no_say_in_what_is_inferred_or_drawn(make_dataset, sale):
    plain = build_panel(silent_shop(make_dataset, sale), AS_OF)
    later = [
        sale(str(AS_OF + timedelta(days=day)), 500, sku=sku) for day in range(30) for sku in ("s0", "s9")
    ]
    sales = weekly_sales(sale, silent=(30, 31, 32, 33)) + later
    shelf = [{"sku": f"s{item}", "on_hand": 5} for item in range(4)]
    ahead = build_panel(make_dataset(sales=sales, stock=shelf), AS_OF)
    for name in ("demand", "recorded", "expected", "on_sale"):
        np.testing.assert_array_equal(getattr(ahead, name), getattr(plain, name))


def test_a_series_is_told_alike_wherever_it_stands(make_dataset, sale):
    panel = build_panel(recorded(make_dataset, sale), AS_OF)
    renamed = {"s0": "z"}
    sales = [{**row, "sku": renamed.get(row["sku"], row["sku"])} for row in weekly_sales(sale, silent=OUT)]
    short = [{**row, "sku": "z"} for row in availability()]
    moved = build_panel(make_dataset(sales=sales, availability=short), AS_OF)
    assert moved.keys["sku"].to_list() == ["s1", "s2", "s3", "z"]
    np.testing.assert_allclose(moved.expected[3], panel.expected[0], rtol=0.02)
    again = build_panel(recorded(make_dataset, sale), AS_OF)
    np.testing.assert_array_equal(again.demand, panel.demand)


@pytest.mark.parametrize("how", ["censored", "mask", "raw"])
def test_every_way_is_told_in_both_languages(make_dataset, sale, how):
    told = build_panel_with_report(recorded(make_dataset, sale, how), AS_OF)[1].notes()
    assert told
    assert all(retold(note, "zh") != note for note in told)
    inferred = build_panel_with_report(silent_shop(make_dataset, sale, stockouts=how), AS_OF)[1].notes()
    assert all(retold(note, "zh") != note for note in inferred)


@pytest.fixture(scope="module")
def shop():
    return make_shop(seed=5, n_skus=40, days=420)


def test_on_the_demo_shop_the_total_is_right_and_single_buckets_are_closer_than_scaled_ones(shop):
    sales = shop.tables["sales"]
    kept = (pl.col("status") != "returned") & (pl.col("channel") != "wholesale")
    tables = {**shop.tables, "sales": sales.filter(kept)}

    def built(how):
        settings = {
            "series": {"bucket": "day", "timezone": "Asia/Shanghai"},
            "demand": {"stockouts": how},
        }
        return build_panel(dataset_from_frames(settings=settings, **tables), shop.truth.end)

    panel, raw = built("censored"), built("raw")
    truth = np.where(np.isfinite(panel.sold), shop.truth.demand, 0)
    assert np.nansum(raw.demand) / truth.sum() < 0.96
    assert np.nansum(panel.demand) / truth.sum() == pytest.approx(1.0, abs=0.02)
    short = panel.imputed
    seen = ~short & np.isfinite(panel.recorded)
    mean = np.where(seen, panel.recorded, 0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    plain = np.where(np.isnan(panel.recorded), mean[:, None], panel.recorded)
    assert np.abs(panel.expected - truth)[short].sum() < 0.9 * np.abs(plain - truth)[short].sum()
