"""Lasting shifts of level, told from outliers, ramps, seasons and what the whole shop does."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from shelfwise.buckets import Bucket
from shelfwise.demand import build_panel_with_report
from shelfwise.demand.level_shifts import find_level_shifts
from shelfwise.demand.spikes import find_spikes

WEEK = Bucket("week")
T = 156
AT = 70


def noise(seed=0, mean=20.0, series=12):
    return np.random.default_rng(seed).poisson(mean, (series, T)).astype(np.float32)


def with_first(values, seed=0):
    """Ordinary series, the first of them drawn around `values` (T,)."""
    demand = noise(seed)
    demand[0] = np.random.default_rng(seed + 100).poisson(values)
    return demand


def shifts(demand):
    return [(shift.row, shift.column) for shift in find_level_shifts(demand, WEEK)]


STEP = np.arange(T) >= AT
YEARLY = np.isin(np.arange(T) % 52, np.arange(20, 34))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.where(STEP, 60.0, 20.0), "up"),
        (np.where(STEP, 20.0, 60.0), "down"),
        (np.full(T, 20.0), None),
        (np.where(np.arange(T) == AT, 400.0, 20.0), None),
        (20.0 * np.exp(np.arange(T) / 60), None),
        (20.0 * (1 + 0.6 * np.sin(2 * np.pi * np.arange(T) / 52)), None),
        (np.where(YEARLY, 70.0, 20.0), None),
        (np.where(np.isin(np.arange(T), range(AT, AT + 4)), 60.0, 20.0), None),
    ],
    ids=["up", "down", "flat", "spike", "ramp", "season", "yearly stretch", "short episode"],
)
def test_only_lasting_steps_are_shifts(seed, values, expected):
    found = shifts(with_first(values, seed))
    assert [row for row, _ in found] == ([0] if expected else [])
    if expected:
        assert abs(found[0][1] - AT) <= 1
        (shift,) = find_level_shifts(with_first(values, seed), WEEK)
        assert (shift.after > shift.before) == (expected == "up")
        assert max(shift.before, shift.after) == pytest.approx(60, rel=0.15)


def test_a_shift_of_the_whole_shop_is_none_of_its_series():
    demand = noise()
    demand[:, AT:] *= 3
    assert shifts(demand) == []


def test_two_shifts_of_one_series_are_both_found():
    values = np.select([np.arange(T) < 50, np.arange(T) < 100], [20.0, 70.0], 180.0)
    assert [column for _, column in shifts(with_first(values))] == [50, 100]


def test_unknown_buckets_are_no_obstacle_and_too_few_of_them_no_evidence():
    demand = with_first(np.where(STEP, 60.0, 20.0))
    demand[0, 40:45] = np.nan
    assert shifts(demand) == [(0, AT)]
    demand[0, AT + 3 :] = np.nan
    assert shifts(demand) == []


def test_short_histories_have_none():
    assert find_level_shifts(noise()[:, :20], WEEK) == ()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("factor", [30, 100])
@pytest.mark.parametrize("up", [True, False])
def test_no_bucket_of_a_shift_is_a_spike_once_it_is_two_buckets_old(seed, factor, up):
    """Neither while it is young, nor later; from above as from below."""
    for age in (2, 3, 5, 40):
        values = np.full(T, 10.0)
        values[T - age :] = 10.0 * factor
        demand = with_first(values if up else values[::-1], seed)
        assert find_spikes(demand, year=52)[0].size == 0


def test_the_report_tells_shifts_and_leaves_them_in_the_demand(make_dataset, sale):
    start = date(2022, 1, 3)
    demand = with_first(np.where(STEP, 60.0, 20.0))[:4]
    lines = [
        sale(str(start + timedelta(weeks=week)), demand[item, week], sku=f"s{item}")
        for item in range(4)
        for week in range(T)
    ]
    panel, report = build_panel_with_report(make_dataset(sales=lines), start + timedelta(weeks=T))
    (shift,) = report.cleaning.level_shifts
    assert (shift.sku, shift.date) == ("s0", start + timedelta(weeks=AT))
    np.testing.assert_array_equal(panel.demand, panel.sold)
    assert any("changed their level for good" in note for note in report.notes())
