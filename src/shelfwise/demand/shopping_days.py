"""Days on which people shop: Singles' Day, 618, Black Friday, Mother's Day, the feasts of the lunar year.

Computed from rules, without any package; public holidays of a country are in `holidays`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial

import numpy as np

from shelfwise.demand.coverage import Floats, Numbers
from shelfwise.demand.lunar import FIRST_YEAR, LAST_YEAR, lunar_date
from shelfwise.demand.occasions import days_to_nearest, shares, span

MONDAY, THURSDAY, SUNDAY = 0, 3, 6


@dataclass(frozen=True, slots=True)
class ShoppingDay:
    """A day of the year that moves demand.

    Attributes:
        name: as in covariates and reports.
        on: its date in a Gregorian year.
        days: how many days it lasts.
        run_up: whether what happens in the weeks before and after depends on the distance to it.
    """

    name: str
    on: Callable[[int], date]
    days: int = 1
    run_up: bool = False

    def dates(self, first: date, end: date) -> list[date]:
        """Its days from `first` to before `end`, in order; none in years the calendar does not reach."""
        years = range(max(first.year - 1, FIRST_YEAR), min(end.year, LAST_YEAR) + 1)
        days = (self.on(year) + timedelta(days=step) for year in years for step in range(self.days))
        return [day for day in days if first <= day < end]


def fixed(month: int, day: int) -> Callable[[int], date]:
    """The same date each year."""
    return lambda year: date(year, month, day)


def nth_weekday(month: int, weekday: int, nth: int, plus_days: int = 0) -> Callable[[int], date]:
    """The `nth` weekday (0 = Monday) of a month, and so many days later.

    Example:
        >>> nth_weekday(11, THURSDAY, 4, plus_days=1)(2024)
        datetime.date(2024, 11, 29)
    """

    def on(year: int) -> date:
        to_first = (weekday - date(year, month, 1).weekday()) % 7
        return date(year, month, 1) + timedelta(days=to_first + 7 * (nth - 1) + plus_days)

    return on


def lunar(month: int, day: int) -> Callable[[int], date]:
    """A day of the Chinese lunar year."""
    return partial(lunar_date, month=month, day=day)


def easter(year: int) -> date:
    """Easter Sunday (Meeus 1991, "Astronomical Algorithms", chapter 8).

    Example:
        >>> easter(2024)
        datetime.date(2024, 3, 31)
    """
    golden, century, rest = year % 19, year // 100, year % 100
    correction = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - century // 4 - correction + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


SHOPPING_DAYS = (
    ShoppingDay("Spring Festival", lunar(1, 1), days=7, run_up=True),
    ShoppingDay("Lantern Festival", lunar(1, 15)),
    ShoppingDay("Valentine's Day", fixed(2, 14), run_up=True),
    ShoppingDay("Women's Day", fixed(3, 8)),
    ShoppingDay("Easter", easter, run_up=True),
    ShoppingDay("Mother's Day", nth_weekday(5, SUNDAY, 2), run_up=True),
    ShoppingDay("Dragon Boat Festival", lunar(5, 5)),
    ShoppingDay("618", fixed(6, 18), run_up=True),
    ShoppingDay("Father's Day", nth_weekday(6, SUNDAY, 3)),
    ShoppingDay("Qixi", lunar(7, 7)),
    ShoppingDay("Mid-Autumn Festival", lunar(8, 15), run_up=True),
    ShoppingDay("Double Ninth", lunar(9, 9)),
    ShoppingDay("Halloween", fixed(10, 31)),
    ShoppingDay("Singles' Day", fixed(11, 11), run_up=True),
    ShoppingDay("Black Friday", nth_weekday(11, THURSDAY, 4, plus_days=1), run_up=True),
    ShoppingDay("Cyber Monday", nth_weekday(11, THURSDAY, 4, plus_days=4)),
    ShoppingDay("Double 12", fixed(12, 12)),
    ShoppingDay("Christmas", fixed(12, 25), run_up=True),
)


def shopping_covariates(edges: Numbers) -> dict[str, Floats]:
    """``shopping_day:NAME`` (share of each bucket) and ``days_to:NAME`` where the run-up matters.

    Args:
        edges: (C + 1,) bucket starts in days since 1970-01-01.

    Returns:
        (C,) float32 by name. A distance is NaN farther than 28 days away. Days that do not occur in these
        buckets are left out.

    Example:
        >>> from shelfwise.buckets import Bucket
        >>> from shelfwise.demand.coverage import day_edges
        >>> week = day_edges(Bucket("week"), date(2024, 11, 4), 2)
        >>> shopping_covariates(week)["days_to:Singles' Day"].tolist()
        [7.0, 0.0]
    """
    first, end = span(edges)
    around = timedelta(days=60)
    covariates: dict[str, Floats] = {}
    for day in SHOPPING_DAYS:
        inside = day.dates(first, end)
        if inside:
            covariates[f"shopping_day:{day.name}"] = shares({day.name: inside}, edges)[0]
        if day.run_up:
            starts = [on for on in day.dates(first - around, end + around) if on == day.on(on.year)]
            distance = days_to_nearest(starts, edges)
            if np.isfinite(distance).any():
                covariates[f"days_to:{day.name}"] = distance
    return covariates
