"""Shopping days fall on the days everybody knows; the lunar calendar agrees with the package `holidays`."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from shelfwise.buckets import Bucket
from shelfwise.demand.coverage import day_edges
from shelfwise.demand.lunar import FIRST_YEAR, LAST_YEAR, lunar_date
from shelfwise.demand.occasions import days_since_last, days_to_nearest, days_to_next
from shelfwise.demand.shopping_days import SHOPPING_DAYS, easter, shopping_covariates

BY_NAME = {day.name: day for day in SHOPPING_DAYS}
FEASTS = {
    "lunar_new_year_date": (1, 1),
    "buddha_birthday_date": (4, 8),
    "dragon_boat_date": (5, 5),
    "mid_autumn_date": (8, 15),
    "double_ninth_date": (9, 9),
}


@pytest.mark.parametrize("feast", FEASTS)
def test_lunar_feasts_are_those_of_the_holidays_package(feast):
    calendars = pytest.importorskip("holidays.calendars")
    theirs = getattr(calendars._ChineseLunisolar(), feast)
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        assert lunar_date(year, *FEASTS[feast]) == theirs(year)[0], year


def test_easter_is_that_of_dateutil():
    theirs = pytest.importorskip("dateutil.easter").easter
    assert all(easter(year) == theirs(year) for year in range(1950, 2100))


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("Spring Festival", date(2020, 1, 25)),
        ("Spring Festival", date(2033, 1, 31)),
        # The year after a leap month late in the year, where simple rules go wrong.
        ("Mid-Autumn Festival", date(2033, 9, 8)),
        ("Qixi", date(2023, 8, 22)),
        ("Lantern Festival", date(2025, 2, 12)),
        ("Mother's Day", date(2024, 5, 12)),
        ("Father's Day", date(2025, 6, 15)),
        ("Black Friday", date(2019, 11, 29)),
        ("Cyber Monday", date(2019, 12, 2)),
        ("Singles' Day", date(2024, 11, 11)),
        ("618", date(2024, 6, 18)),
        ("Double 12", date(2024, 12, 12)),
        ("Valentine's Day", date(2024, 2, 14)),
    ],
)
def test_well_known_days(name, day):
    assert BY_NAME[name].on(day.year) == day


def test_each_day_of_a_feast_is_flagged_and_none_beside():
    edges = day_edges(Bucket("day"), date(2024, 1, 1), 366)
    known = shopping_covariates(edges)
    for name, day in BY_NAME.items():
        flagged = np.flatnonzero(known[f"shopping_day:{name}"])
        first = (day.on(2024) - date(2024, 1, 1)).days
        assert flagged.tolist() == list(range(first, first + day.days)), name


def test_the_distance_counts_down_through_the_new_year_and_is_unknown_far_away():
    edges = day_edges(Bucket("day"), date(2024, 12, 20), 60)
    distance = shopping_covariates(edges)["days_to:Spring Festival"]
    to_feast = np.array([(date(2025, 1, 29) - date(2024, 12, 20)).days - step for step in range(60)], float)
    expected = np.where(np.abs(to_feast) <= 28, to_feast, np.nan)
    np.testing.assert_array_equal(distance, expected)


@pytest.mark.parametrize("name", ["day", "week", "month"])
def test_buckets_hold_the_share_of_their_days(name):
    bucket = Bucket(name)
    edges = day_edges(bucket, date(2023, 1, 8), 20)
    share = shopping_covariates(edges)["shopping_day:Spring Festival"]
    days = [date(2023, 1, 22) + timedelta(days=step) for step in range(7)]
    days += [date(2024, 2, 10) + timedelta(days=step) for step in range(7)]
    starts = [bucket.shift(bucket.floor(date(2023, 1, 8)), step) for step in range(20)]
    expected = [sum(bucket.floor(day) == start for day in days) / bucket.days_in(start) for start in starts]
    np.testing.assert_allclose(share, expected, rtol=1e-6)


def test_distances_look_forward_backward_and_to_the_nearest():
    feasts = [date(1970, 1, 5), date(1970, 1, 11)]
    edges = np.array([0, 3, 6, 9, 12, 40, 43])
    assert days_to_next(feasts, edges).tolist()[:4] == [4, 1, 4, 1]
    assert np.isnan(days_to_next(feasts, edges)[4:]).all()
    assert np.isnan(days_since_last(feasts, edges)[0])
    assert days_since_last(feasts, edges).tolist()[1:] == [1, 4, 1, 29, 32]
    assert days_to_nearest(feasts, edges).tolist()[:5] == [4, 1, -2, 1, -2]
    assert np.isnan(days_to_nearest(feasts, edges)[5])
    assert np.isnan(days_to_nearest([], edges)).all()


def test_years_beyond_the_calendar_are_empty_not_wrong():
    assert BY_NAME["Spring Festival"].dates(date(2120, 1, 1), date(2121, 1, 1)) == []
