"""Which buckets a backtest replays: none that the records hold only in part."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.buckets import Bucket
from shelfwise.errors import UsageError
from shelfwise.evaluate.backtest import run_backtest
from shelfwise.evaluate.window import Window, stops_midway
from shelfwise.messages import retold
from shelfwise.replenish.register import make_policy
from shelfwise.tables.opening import open_dataset

MONDAY = date(2024, 1, 1)
WEEK = Bucket("week")


def days(*offsets):
    return pl.Series([MONDAY + timedelta(days=int(offset)) for offset in offsets], dtype=pl.Date)


def daily(until, units=2.0, closed=()):
    sold = [MONDAY + timedelta(days=day) for day in range(until)]
    sold = [day for day in sold if day.weekday() not in closed]
    return pl.DataFrame({"sku": ["s"] * len(sold), "date": sold, "quantity": [units] * len(sold)})


def board(sales, start, end, **settings_):
    policies = {"days_of_cover": make_policy("days_of_cover", cover_buckets=2.0)}
    settings_ = settings_ or {"supply": {"lead_time": 1}, "costs": {"holding": 1.0, "shortage": 5.0}}
    return run_backtest(open_dataset(sales, settings_, {}), start, end, policies, lambda: None)


@pytest.mark.parametrize("weekday", range(1, 7))
def test_a_week_that_the_records_cut_is_left_out_and_said(weekday):
    sales = daily(20 * 7 + weekday)
    start, cut = MONDAY + timedelta(weeks=16), MONDAY + timedelta(weeks=20)
    asked, whole = board(sales, start, cut + timedelta(weeks=1)), board(sales, start, cut)
    assert asked.table.equals(whole.table)
    note = next(note for note in asked.notes if "left out" in note)
    assert str(cut) in note
    assert str(cut + timedelta(days=weekday - 1)) in note
    assert not any("left out" in told for told in whole.notes)
    assert asked.notes[0].startswith(f"1 series over 4 week buckets from {start} to before {cut}")


def test_what_was_recorded_later_changes_nothing_before_it():
    start, end = MONDAY + timedelta(weeks=16), MONDAY + timedelta(weeks=21)
    cut, complete = (
        board(daily(20 * 7 + 2), start, end),
        board(daily(21 * 7), start, end - timedelta(weeks=1)),
    )
    assert cut.table.equals(complete.table)
    assert board(daily(21 * 7), start, end).table["units_ordered"][0] > cut.table["units_ordered"][0]


def test_a_week_recorded_to_its_end_stays():
    start, end = MONDAY + timedelta(weeks=16), MONDAY + timedelta(weeks=20)
    assert not any("left out" in note for note in board(daily(20 * 7), start, end).notes)


def test_a_shop_closed_on_weekends_ends_its_week_on_friday():
    start, end = MONDAY + timedelta(weeks=16), MONDAY + timedelta(weeks=20)
    closed = {"closed": (5, 6)}
    assert not any("left out" in note for note in board(daily(20 * 7, **closed), start, end).notes)
    cut = board(daily(20 * 7 + 2, **closed), start, end + timedelta(weeks=1))
    assert any("left out" in note for note in cut.notes)


def test_a_window_that_is_cut_away_is_refused_with_a_way_out():
    sales = daily(20 * 7 + 3)
    cut = MONDAY + timedelta(weeks=20)
    with pytest.raises(UsageError, match=rf"nothing is left to replay from {cut} on.*earlier --from"):
        board(sales, cut, cut + timedelta(weeks=1))


def test_an_empty_window_is_refused():
    with pytest.raises(UsageError, match="at least one week before --to"):
        Window.of(open_dataset(daily(100), {}, {}), MONDAY + timedelta(days=15), MONDAY + timedelta(days=17))


@settings(max_examples=60, deadline=None)
@given(weeks=st.integers(9, 80), day=st.integers(0, 6))
def test_weeks_recorded_under_one_day_are_whole_whatever_day_that_is(weeks, day):
    assert not stops_midway(days(*(7 * np.arange(weeks) + day)), WEEK)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), weeks=st.integers(9, 60), name=st.sampled_from(["week", "month", "day"]))
def test_records_up_to_the_end_are_whole_however_they_lie(seed, weeks, name):
    rng = np.random.default_rng(seed)
    bucket = Bucket(name)
    end = bucket.floor(MONDAY + timedelta(weeks=weeks * 4))
    sold = [MONDAY + timedelta(days=int(day)) for day in rng.integers(0, (end - MONDAY).days, 3 * weeks)]
    assert not stops_midway(pl.Series([*sold, end - timedelta(days=1)]), bucket)


def test_too_few_weeks_to_compare_with_are_taken_as_they_are():
    assert not stops_midway(days(*range(7 * 8 + 1 - 7)), WEEK)
    assert stops_midway(days(*range(7 * 8 + 1)), WEEK)


def test_a_slow_shops_last_week_counts_unless_it_is_unusually_short():
    rng = np.random.default_rng(3)
    last_days = 7 * np.arange(40) + rng.integers(2, 7, 40)
    assert not stops_midway(days(*last_days, 7 * 40 + 2), WEEK)
    assert stops_midway(days(*last_days, 7 * 40), WEEK)


def test_notes_are_told_in_chinese_too():
    notes = board(daily(143), MONDAY + timedelta(weeks=16), MONDAY + timedelta(weeks=21)).notes
    told = [retold(note, "zh") for note in notes]
    assert "未计入" in told[1]
    assert "按周" in told[0]
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in note) for note in told)
