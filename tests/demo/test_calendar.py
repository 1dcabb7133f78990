"""The calendar: right dates, stated lifts, and a clear error outside its years."""

from __future__ import annotations

from datetime import date, timedelta

import holidays
import numpy as np
import polars as pl
import pytest

from shelfwise.demo.calendar import (
    DRAGON_BOAT,
    MID_AUTUMN,
    OCCASIONS,
    SPRING_FESTIVAL,
    Window,
    event_lift,
    events_table,
    no_delivery,
)
from shelfwise.errors import UsageError


@pytest.mark.parametrize(
    ("table", "name"),
    [
        (SPRING_FESTIVAL, "Chinese New Year"),
        (DRAGON_BOAT, "Dragon Boat Festival"),
        (MID_AUTUMN, "Mid-Autumn Festival"),
    ],
)
def test_lunar_dates_agree_with_the_holidays_package(table, name):
    for year, (month, day) in table.items():
        names = holidays.country_holidays("CN", years=year, language="en_US").get(date(year, month, day), "")
        assert name in names, f"{name} {year}"


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("Black Friday", date(2024, 11, 29)),
        ("Black Friday", date(2025, 11, 28)),
        ("11.11", date(2025, 11, 11)),
        ("Spring Festival", date(2026, 2, 17)),
    ],
)
def test_occasions_fall_on_known_days(name, day):
    (occasion,) = [one for one in OCCASIONS if one.name == name]
    assert occasion.on(day.year) == day


def test_events_reach_the_horizon_and_one_belongs_to_one_location():
    window = Window(date(2026, 6, 1), 730)
    events = events_table(window)
    assert date(2026, 6, 18) in events.filter(pl.col("name") == "618")["date"].to_list()
    assert events["date"].min() >= window.start
    assert events["date"].max() < window.end + timedelta(days=60)
    assert events["location"].drop_nulls().unique().to_list() == ["shanghai"]


def test_lift_is_the_one_stated_and_reaches_over_the_turn_of_the_year():
    window = Window(date(2026, 1, 20), 20)
    lift = event_lift(window)
    new_year = window.index(date(2026, 1, 1))
    assert lift[0, new_year] == pytest.approx(1.2)
    # The run-up to a festival that lies beyond the window's last day of history.
    assert lift[0, window.index(date(2026, 2, 5))] == pytest.approx(1.3)
    assert lift[0, window.index(date(2026, 1, 10))] == pytest.approx(1.0)


def test_local_event_lifts_its_location_alone():
    window = Window(date(2026, 6, 1), 60)
    day = window.index(date(2026, 5, 5))
    shanghai, shenzhen = event_lift(window)[:, day]
    assert shanghai / shenzhen == pytest.approx(1.5)


def test_nothing_is_delivered_over_the_spring_festival():
    window = Window(date(2026, 3, 1), 60)
    closed = np.flatnonzero(no_delivery(window, 90))
    assert [window.day(index) for index in closed] == [
        date(2026, 2, 16) + timedelta(days=k) for k in range(8)
    ]


def test_years_without_lunar_dates_are_refused():
    with pytest.raises(UsageError, match="2019 to 2031"):
        Window(date(2040, 1, 1), 100)
