from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from shelfwise.demand import Spike, build_panel_with_report
from shelfwise.demand.panel import Known
from shelfwise.demand.spikes import find_spikes

START = date(2024, 1, 1)


def found(demand, promotion=None) -> list[tuple[int, int, float]]:
    return list(zip(*(part.tolist() for part in find_spikes(np.float32(demand), promotion)), strict=True))


def ordinary(rng, series=1, buckets=120, mean=5):
    return rng.poisson(mean, (series, buckets)).astype(np.float32)


@pytest.mark.parametrize(("buckets", "mean"), [(12, 5), (12, 35), (60, 0.8), (60, 5), (730, 0.8), (730, 5)])
def test_one_order_of_ten_thousand_is_found_wherever_it_falls(buckets, mean):
    rng = np.random.default_rng(buckets)
    for place in (0, buckets // 2, buckets - 1):
        demand = ordinary(rng, buckets=buckets, mean=mean)
        demand[0, place] = 0
        next_largest = demand.max()
        demand[0, place] = 10_000
        assert found(demand) == [(0, place, next_largest)]


def test_two_orders_of_equal_size_do_not_hide_each_other():
    demand = ordinary(np.random.default_rng(1))
    demand[0, [20, 70]] = 10_000, 9_000
    assert [bucket for _, bucket, _ in found(demand)] == [20, 70]


def test_a_huge_order_does_not_make_a_large_one_plausible():
    demand = ordinary(np.random.default_rng(1))
    demand[0, [20, 70]] = 200_000, 10_000
    largest = np.delete(demand, [20, 70]).max()
    assert found(demand) == [(0, 20, largest), (0, 70, largest)]


def test_an_order_that_keeps_coming_back_is_demand():
    demand = ordinary(np.random.default_rng(2))
    demand[0, ::30] = 10_000
    assert found(demand) == []


def test_a_level_that_rises_is_no_spike():
    demand = ordinary(np.random.default_rng(3))
    demand[0, 100:] += 900
    assert found(demand) == []


def test_less_than_fifty_units_are_never_a_spike():
    demand = np.ones((1, 200))
    demand[0, 50] = 49
    assert found(demand) == []


def test_too_few_sales_to_judge_by_are_left_alone():
    demand = np.zeros((1, 200))
    demand[0, [3, 60, 90]] = 2, 1, 500
    assert found(demand) == []


def test_a_bucket_under_promotion_is_left_alone():
    demand = ordinary(np.random.default_rng(4))
    demand[0, [30, 60]] = 10_000
    promotion = np.zeros((1, 130), np.float32)
    promotion[0, 30] = 0.2
    assert [bucket for _, bucket, _ in found(demand, Known(promotion, np.zeros(1, np.int32)))] == [60]


def test_a_jump_many_series_share_is_an_event():
    demand = ordinary(np.random.default_rng(5), series=20)
    demand[:6, 40] = 5_000
    demand[7, 41] = 5_000
    assert [(series, bucket) for series, bucket, _ in found(demand)] == [(7, 41)]


def test_unknown_buckets_are_no_obstacle():
    demand = ordinary(np.random.default_rng(6))
    demand[0, 10:40] = np.nan
    demand[0, 60] = 10_000
    assert [bucket for _, bucket, _ in found(demand)] == [60]


def test_ordinary_lumpy_demand_is_hardly_ever_touched():
    rng = np.random.default_rng(7)
    series, buckets = 1_500, 365
    alarms, years = 0, 0
    for mean in (0.1, 1, 10):
        for dispersion in (0.1, 0.3, 1):
            demand = rng.negative_binomial(dispersion, dispersion / (dispersion + mean), (series, buckets))
            alarms, years = alarms + len(found(demand)), years + series
    for chance in (0.05, 0.2):
        for median in (3, 30):
            sizes = np.ceil(rng.lognormal(np.log(median), 1.0, (series, buckets)))
            demand = (rng.random((series, buckets)) < chance) * sizes
            alarms, years = alarms + len(found(demand)), years + series
    assert alarms / years < 0.001


def spiky(sale, parts: int, order: str | None) -> list[dict[str, object]]:
    named = {} if order is None else {"order_id": "usual"}
    lines = [sale(str(START + timedelta(days=day)), 4 + day % 3, **named) for day in range(60)]
    for part in range(parts):
        named = {} if order is None else {"order_id": order.format(part)}
        lines.append(sale("2024-02-10", 10_000 / parts, **named))
    return lines


@pytest.mark.parametrize(("parts", "order"), [(1, None), (4, None), (1, "B2B"), (4, "B2B")])
def test_a_wholesale_order_is_capped_in_demand_and_kept_in_sold(make_dataset, sale, parts, order):
    data = make_dataset("day", sales=spiky(sale, parts, order))
    panel, report = build_panel_with_report(data, START + timedelta(days=60))
    assert report.spikes == (Spike("a", "main", date(2024, 2, 10), 10_005, 6),)
    assert panel.demand[0, 40] == 6
    assert panel.sold[0, 40] == 10_005
    assert np.array_equal(np.delete(panel.demand, 40), np.delete(panel.sold, 40))


def test_many_orders_on_one_day_are_demand(make_dataset, sale):
    data = make_dataset("day", sales=spiky(sale, 40, "order {}"))
    panel, report = build_panel_with_report(data, START + timedelta(days=60))
    assert report.spikes == ()
    assert panel.demand[0, 40] == 10_005


def peaked(seed, places, buckets=160, mean=10, size=6_000):
    demand = ordinary(np.random.default_rng(seed), series=1, buckets=buckets, mean=mean)
    demand[0, list(places)] = size
    return demand


@pytest.mark.parametrize("seed", range(3))
def test_a_peak_that_comes_again_every_year_is_a_season(seed):
    assert find_spikes(peaked(seed, [30, 83]), year=52)[0].size == 0
    assert find_spikes(peaked(seed, [30, 134]), year=52)[0].size == 0
    assert find_spikes(peaked(seed, [30, 60]), year=52)[1].tolist() == [30, 60]
    assert find_spikes(peaked(seed, [30]), year=52)[1].tolist() == [30]


@pytest.mark.parametrize(("price", "spikes"), [(9.5, 1), (7.0, 0)])
def test_a_price_cut_explains_a_peak(price, spikes):
    paid = np.full((1, 200), 10.0, np.float32)
    paid[0, 80] = price
    found = find_spikes(peaked(1, [80]), price=Known(paid, np.zeros(1, np.int32)))
    assert len(found[0]) == spikes


@pytest.mark.parametrize("places", [(0, 1), (158, 159)])
def test_two_buckets_at_an_end_of_the_record_are_a_level_as_far_as_one_sees(places):
    assert find_spikes(peaked(2, places))[0].size == 0
    assert find_spikes(peaked(2, (80, 81)))[1].tolist() == [80, 81]


def test_a_ramp_has_no_spike():
    steps = 2.0 ** np.linspace(0, 12, 60)
    assert find_spikes(np.random.default_rng(0).poisson(steps, (20, 60)).astype(np.float32))[0].size == 0
