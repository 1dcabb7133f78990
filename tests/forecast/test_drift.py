"""Drift is found soon, dated well, and raised falsely as often as is stated."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from shelfwise.buckets import Bucket
from shelfwise.errors import UsageError
from shelfwise.forecast.drift import DriftMonitor, cusum_threshold
from shelfwise.forecast.scenarios import Scenarios

START = date(2024, 1, 1)
DAY = Bucket("day")


def keys(n):
    return pl.DataFrame({"sku": [f"s{row:04d}" for row in range(n)], "location": ["main"] * n})


def day(t):
    return START + timedelta(days=t)


def watch(errors, **options):
    """A monitor that has seen errors (T, N)."""
    monitor = DriftMonitor(keys(errors.shape[1]), **options)
    for t, row in enumerate(errors):
        monitor.observe_errors(day(t), row)
    return monitor


@pytest.mark.parametrize("run_length", [200, 1000])
def test_false_alarms_of_steady_errors_are_as_many_as_stated(run_length):
    # Any mean and spread will do: the series' own errors are the measure.
    errors = np.random.default_rng(0).normal(7, 30, (200, 3000))
    monitor = watch(errors, run_length_buckets=run_length)
    assert monitor.drifted.sum() / monitor.expected_false_alarms == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("level", [0.1, 1.0, 40.0])
def test_false_alarms_on_calibrated_forecasts_of_counts_are_as_many_as_stated(level):
    rng = np.random.default_rng(1)
    n, buckets = 2000, 200
    monitor = DriftMonitor(keys(n), run_length_buckets=300)
    names = keys(n)
    for t in range(buckets):
        paths = rng.poisson(level, (n, 60, 1)).astype(np.float32)
        monitor.observe(rng.poisson(level, n), Scenarios(names, DAY, day(t), paths))
    assert monitor.drifted.sum() / monitor.expected_false_alarms == pytest.approx(1, abs=0.2)


def test_errors_that_hang_together_over_time_raise_more():
    # What the docstring warns of, so that nobody takes the stated rate for such errors.
    rng = np.random.default_rng(2)
    errors = rng.normal(size=(200, 1000))
    for t in range(1, 200):
        errors[t] += 0.3 * errors[t - 1]
    monitor = watch(errors)
    assert monitor.drifted.sum() > 2 * monitor.expected_false_alarms


@pytest.mark.parametrize(("shift", "most_delay"), [(1.0, 20), (2.0, 8), (-2.0, 8)])
def test_a_shift_is_found_soon_and_dated_well(shift, most_delay):
    errors = np.random.default_rng(3).normal(size=(120, 400))
    errors[60:, :200] += shift
    report = watch(errors, run_length_buckets=2000).report()
    shifted = report.head(200).filter("drifted")
    assert len(shifted) > 185
    true = shifted.filter(pl.col("alarm") >= day(60))
    assert len(true) > 0.9 * len(shifted)
    delay = (true["alarm"] - day(60)).dt.total_days()
    assert delay.median() <= most_delay
    assert abs((true["since"] - day(60)).dt.total_days().median()) <= 3
    assert set(true["direction"]) == {"above" if shift > 0 else "below"}
    assert report.tail(200)["drifted"].sum() < 20


def test_a_standing_bias_is_no_drift():
    errors = np.random.default_rng(4).normal(50, 1, (100, 300))
    monitor = watch(errors, run_length_buckets=5000)
    assert monitor.drifted.mean() < 0.05


def test_one_freak_bucket_is_no_drift():
    errors = np.random.default_rng(5).normal(size=(60, 200))
    calm = watch(errors, run_length_buckets=5000).drifted.sum()
    errors[40] += 1e6
    assert watch(errors, run_length_buckets=5000).drifted.sum() <= calm + 4


def test_a_demand_that_doubles_is_seen_in_counts():
    rng = np.random.default_rng(6)
    n = 200
    monitor = DriftMonitor(keys(n))
    for t in range(80):
        paths = rng.poisson(3, (n, 100, 2)).astype(np.float32)
        level = np.where((np.arange(n) < 100) & (t >= 40), 6, 3)
        monitor.observe(rng.poisson(level), Scenarios(keys(n), DAY, day(t), paths))
    assert monitor.drifted[:100].mean() > 0.95
    assert monitor.drifted[100:].mean() < 0.12


def test_the_shop_is_seen_to_drift_before_most_series_are():
    errors = np.random.default_rng(7).normal(size=(60, 300))
    errors[40:] += 0.5
    monitor = watch(errors, run_length_buckets=1000)
    row = monitor.shop_report().row(0, named=True)
    assert row["drifted"]
    assert row["direction"] == "above"
    assert abs((row["since"] - day(40)).days) <= 1
    assert (row["alarm"] - day(40)).days <= 4
    assert not watch(errors[:40]).shop_drifted


def test_unknown_buckets_change_nothing():
    errors = np.random.default_rng(8).normal(size=(90, 50))
    gapped = np.full((180, 50), np.nan)
    gapped[::2] = errors
    dense, sparse = watch(errors), watch(gapped)
    assert (dense.drifted == sparse.drifted).all()
    assert np.allclose(dense.report()["statistic"], sparse.report()["statistic"])
    assert dense.report()["observed"].equals(sparse.report()["observed"])


def test_reset_starts_a_series_anew():
    errors = np.random.default_rng(9).normal(size=(60, 2))
    errors[30:] += 6
    monitor = watch(errors)
    assert monitor.drifted.all()
    monitor.reset(np.array([0]))
    assert monitor.drifted.tolist() == [False, True]
    monitor.observe_errors(day(60), np.array([6.0, 6.0]))
    assert monitor.report()["observed"].to_list()[0] == 1
    monitor.reset()
    assert not monitor.drifted.any()
    assert not monitor.shop_drifted


def test_a_new_monitor_reports_nothing():
    report = DriftMonitor(keys(3)).report()
    assert report["drifted"].to_list() == [False] * 3
    assert report["since"].null_count() == 3
    assert DriftMonitor(keys(3)).expected_false_alarms == 0


def test_errors_that_never_differ_are_no_drift():
    errors = np.zeros((50, 2))
    errors[30, 1] = 1
    assert not watch(errors).drifted.any()


def test_rows_may_stand_in_any_order():
    rng = np.random.default_rng(10)
    order = rng.permutation(30)
    straight, shuffled = DriftMonitor(keys(30)), DriftMonitor(keys(30)[order])
    for t in range(40):
        paths, actual = rng.poisson(1, (30, 20, 1)).astype(np.float32), rng.poisson(1, 30)
        straight.observe(actual, Scenarios(keys(30), DAY, day(t), paths))
        shuffled.observe(actual[order], Scenarios(keys(30)[order], DAY, day(t), paths[order]))
    assert straight.report()[order].equals(shuffled.report())


def test_nonsense_is_refused():
    monitor = watch(np.zeros((3, 2)))
    with pytest.raises(UsageError, match="in order"):
        monitor.observe_errors(day(2), np.zeros(2))
    with pytest.raises(UsageError, match=r"\(2,\)"):
        monitor.observe_errors(day(9), np.zeros(3))
    said = Scenarios(keys(2), DAY, day(9), np.ones((2, 5, 1), np.float32))
    with pytest.raises(UsageError, match="step"):
        monitor.observe(np.zeros(2), said, step=1)
    with pytest.raises(UsageError, match="in its order"):
        monitor.observe(np.zeros(1), said.take(np.array([1])))
    with pytest.raises(UsageError, match="at least 20"):
        DriftMonitor(keys(1), run_length_buckets=5)


def test_thresholds_are_those_of_the_tables():
    # Two-sided CUSUM with slack 1/2 (Montgomery, "Introduction to Statistical Quality Control").
    assert cusum_threshold(168) == pytest.approx(4.0, abs=0.03)
    assert cusum_threshold(465) == pytest.approx(5.0, abs=0.03)
