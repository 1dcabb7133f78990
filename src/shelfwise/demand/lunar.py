"""The Chinese lunisolar calendar from the sky: new moons and the sun's longitude, reckoned in Beijing time.

New moons after Meeus 1998, "Astronomical Algorithms", chapter 49 (good to half a minute), the sun after
its chapter 25 (a quarter of an hour). Months begin on the day of the new moon, the one that holds the winter
solstice is the eleventh, and of thirteen months between two solstices the first without a principal
term is the leap month (Aslaksen 2010, "The mathematics of the Chinese calendar").
"""

from __future__ import annotations

import math
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

FIRST_YEAR, LAST_YEAR = 1950, 2099
J2000 = 2451545.0
# Julian day of the midnight (UT) that begins 1970-01-01.
EPOCH_JULIAN = 2440587.5
BEIJING = 8 / 24
SYNODIC = 29.530588861
# Amplitude in days, then multiples of: eccentricity factor, sun's anomaly, moon's anomaly, argument of latitude.
PHASE_TERMS = (
    (-0.40720, 0, 0, 1, 0), (0.17241, 1, 1, 0, 0), (0.01608, 0, 0, 2, 0), (0.01039, 0, 0, 0, 2),
    (0.00739, 1, -1, 1, 0), (-0.00514, 1, 1, 1, 0), (0.00208, 2, 2, 0, 0), (-0.00111, 0, 0, 1, -2),
    (-0.00057, 0, 0, 1, 2), (0.00056, 1, 1, 2, 0), (-0.00042, 0, 0, 3, 0), (0.00042, 1, 1, 0, 2),
    (0.00038, 1, 1, 0, -2), (-0.00024, 1, -1, 2, 0),
)  # fmt: skip


def lunar_date(year: int, month: int, day: int) -> date:
    """The Gregorian date of a day of the Chinese year that begins in `year` (leap months are skipped).

    Args:
        year: 1950 to 2099.
        month: 1 to 12.
        day: 1 to 30.

    Example:
        >>> lunar_date(2024, 1, 1), lunar_date(2024, 8, 15)
        (datetime.date(2024, 2, 10), datetime.date(2024, 9, 17))
    """
    return _month_starts(year)[month - 1] + timedelta(days=day - 1)


@lru_cache(maxsize=256)
def _month_starts(year: int) -> tuple[date, ...]:
    """First days of months 1 … 12 of the Chinese year that begins in `year`."""
    before, after = _sui(year - 1), _sui(year)
    # A sui runs from month 11 on: months 1 … 10 stand in the first, 11 and 12 in the second.
    return (*before[2:], *after[:2])


@lru_cache(maxsize=256)
def _sui(year: int) -> tuple[date, ...]:
    """First days of the 12 regular months from the one with the winter solstice of `year` on."""
    first = _moon_at_or_before(_winter_solstice(year))
    last = _moon_at_or_before(_winter_solstice(year + 1))
    moons = [_moon_day(number) for number in range(first, last + 1)]
    months = list(pairwise(moons))
    if len(months) == 13:
        leap = next(
            place
            for place, (start, end) in enumerate(months)
            if _principal_term(start) == _principal_term(end)
        )
        del months[leap]
    return tuple(start for start, _ in months)


def _winter_solstice(year: int) -> date:
    """The day in Beijing within which the sun reaches 270 degrees."""
    return next(
        day
        for day in (date(year, 12, 20) + timedelta(days=step) for step in range(4))
        if _principal_term(day) == 8 and _principal_term(day + timedelta(days=1)) == 9
    )


def _principal_term(day: date) -> int:
    """Which twelfth of its circle the sun is in when the day begins in Beijing."""
    return int(_sun_longitude(_dynamical(_julian(day) - BEIJING)) // 30)


def _moon_at_or_before(day: date) -> int:
    """The number of the last new moon whose day is not after `day`; moon 0 is that of 6 January 2000."""
    number = math.floor((_julian(day) - 2451550.1) / SYNODIC) + 1
    while _moon_day(number) > day:
        number -= 1
    return number


@lru_cache(maxsize=4096)
def _moon_day(number: int) -> date:
    """The day in Beijing on which new moon `number` falls."""
    universal = _new_moon(number) - _delta_t(_new_moon(number))
    return date(1970, 1, 1) + timedelta(days=math.floor(universal + BEIJING - EPOCH_JULIAN))


def _new_moon(number: int) -> float:
    """Julian day (dynamical time) of a new moon."""
    t = number / 1236.85
    eccentricity = 1 - 0.002516 * t - 0.0000074 * t**2
    sun = math.radians(2.5534 + 29.10535670 * number - 0.0000014 * t**2)
    moon = math.radians(201.5643 + 385.81693528 * number + 0.0107582 * t**2)
    latitude = math.radians(160.7108 + 390.67050284 * number - 0.0016118 * t**2)
    node = math.radians(124.7746 - 1.56375588 * number + 0.0020672 * t**2)
    correction = -0.00017 * math.sin(node) + 0.000325 * math.sin(math.radians(299.77 + 0.107408 * number))
    for amplitude, power, of_sun, of_moon, of_latitude in PHASE_TERMS:
        angle = of_sun * sun + of_moon * moon + of_latitude * latitude
        correction += amplitude * eccentricity**power * math.sin(angle)
    return 2451550.09766 + SYNODIC * number + 0.00015437 * t**2 + correction


def _sun_longitude(julian: float) -> float:
    """Apparent longitude of the sun in degrees, 0 … 360, at a Julian day of dynamical time."""
    t = (julian - J2000) / 36525
    anomaly = math.radians(357.52911 + 35999.05029 * t - 0.0001537 * t**2)
    centre = (
        (1.914602 - 0.004817 * t) * math.sin(anomaly)
        + (0.019993 - 0.000101 * t) * math.sin(2 * anomaly)
        + 0.000289 * math.sin(3 * anomaly)
    )
    node = math.radians(125.04 - 1934.136 * t)
    true = 280.46646 + 36000.76983 * t + 0.0003032 * t**2 + centre
    return (true - 0.00569 - 0.00478 * math.sin(node)) % 360


def _delta_t(julian: float) -> float:
    """Days by which dynamical time is ahead of universal time, near enough for these years."""
    since = (julian - J2000) / 365.25
    return (62.92 + 0.32217 * since + 0.005589 * since**2) / 86400


def _dynamical(universal: float) -> float:
    return universal + _delta_t(universal)


def _julian(day: date) -> float:
    """Julian day of the midnight (UT) that begins `day`."""
    return EPOCH_JULIAN + (day - date(1970, 1, 1)).days
