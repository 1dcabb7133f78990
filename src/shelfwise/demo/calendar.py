"""The demo shop's window of days, and its calendar: what happens when and what it does to demand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.errors import UsageError

LOCATIONS = ("shanghai", "shenzhen")
HORIZON_DAYS = 60

# Dates of the Chinese lunisolar calendar, which no formula short enough for a demo gives.
SPRING_FESTIVAL = {
    2019: (2, 5), 2020: (1, 25), 2021: (2, 12), 2022: (2, 1), 2023: (1, 22), 2024: (2, 10), 2025: (1, 29),
    2026: (2, 17), 2027: (2, 6), 2028: (1, 26), 2029: (2, 13), 2030: (2, 3), 2031: (1, 23),
}  # fmt: skip
DRAGON_BOAT = {
    2019: (6, 7), 2020: (6, 25), 2021: (6, 14), 2022: (6, 3), 2023: (6, 22), 2024: (6, 10), 2025: (5, 31),
    2026: (6, 19), 2027: (6, 9), 2028: (5, 28), 2029: (6, 16), 2030: (6, 5), 2031: (6, 24),
}  # fmt: skip
MID_AUTUMN = {
    2019: (9, 13), 2020: (10, 1), 2021: (9, 21), 2022: (9, 10), 2023: (9, 29), 2024: (9, 17), 2025: (10, 6),
    2026: (9, 25), 2027: (9, 15), 2028: (10, 3), 2029: (9, 22), 2030: (9, 12), 2031: (10, 1),
}  # fmt: skip
FIRST_YEAR, LAST_YEAR = min(SPRING_FESTIVAL), max(SPRING_FESTIVAL)


@dataclass(frozen=True, slots=True)
class Window:
    """`days` days of history up to `end` (not included), then `horizon` days that are known only ahead.

    Raises:
        UsageError: if the window reaches years the calendar has no lunar dates for.

    Example:
        >>> Window(end=date(2026, 6, 1), days=730).start
        datetime.date(2024, 6, 1)
    """

    end: date
    days: int
    horizon: int = HORIZON_DAYS

    def __post_init__(self) -> None:
        last = self.end + timedelta(days=self.horizon)
        if self.start.year < FIRST_YEAR or last.year > LAST_YEAR:
            raise UsageError(
                f"the demo shop's calendar knows {FIRST_YEAR} to {LAST_YEAR}; got {self.start} to {last}. "
                "Choose another `end` or fewer `days`."
            )

    @property
    def start(self) -> date:
        """First day of history."""
        return self.end - timedelta(days=self.days)

    @property
    def total(self) -> int:
        """History and horizon together, in days."""
        return self.days + self.horizon

    def index(self, day: date) -> int:
        """Days from the start of the window; negative before it."""
        return (day - self.start).days

    def day(self, index: int) -> date:
        """The date of that index."""
        return self.start + timedelta(days=int(index))

    def dates(self) -> npt.NDArray[np.datetime64]:
        """All days, history and horizon, as datetime64[D]."""
        return np.datetime64(self.start, "D") + np.arange(self.total)


@dataclass(frozen=True, slots=True)
class Occasion:
    """A day or a few that come round every year.

    `dates` is (month, day), or such a pair by year. `lift` multiplies expected demand by days from the date.
    `listed` days from the date on stand in the events table. None in `location` means everywhere.
    """

    name: str
    kind: str
    dates: tuple[int, int] | Mapping[int, tuple[int, int]]
    lift: Mapping[int, float]
    listed: range = field(default_factory=lambda: range(1))
    location: str | None = None

    def on(self, year: int) -> date:
        """Its date in that year."""
        month, day = self.dates if isinstance(self.dates, tuple) else self.dates[year]
        return date(year, month, day)


def _black_friday(year: int) -> tuple[int, int]:
    """The day after the fourth Thursday of November."""
    first_thursday = 1 + (3 - date(year, 11, 1).weekday()) % 7
    return 11, first_thursday + 22


def _days(first: int, last: int, lift: float) -> dict[int, float]:
    return dict.fromkeys(range(first, last + 1), lift)


OCCASIONS = (
    Occasion("New Year", "holiday", (1, 1), {0: 1.2}),
    # Before the festival people stock up, then couriers stop.
    Occasion(
        "Spring Festival",
        "holiday",
        SPRING_FESTIVAL,
        _days(-16, -5, 1.3) | _days(-4, -2, 0.8) | _days(-1, 6, 0.4),
        range(-1, 7),
    ),
    Occasion("Women's Day", "shopping", (3, 8), {-1: 1.15, 0: 1.4}),
    Occasion("Labour Day", "holiday", (5, 1), _days(0, 4, 1.15), range(5)),
    Occasion("Double Five", "shopping", (5, 5), {0: 1.5}, location="shanghai"),
    Occasion("Dragon Boat Festival", "holiday", DRAGON_BOAT, _days(-3, -1, 1.15) | {0: 0.85}),
    Occasion("618", "shopping", (6, 18), {-2: 0.9, -1: 1.1, 0: 2.2, 1: 1.2, 2: 0.9}),
    Occasion("Mid-Autumn Festival", "holiday", MID_AUTUMN, _days(-7, -1, 1.15) | {0: 0.85}),
    Occasion("National Day", "holiday", (10, 1), _days(0, 6, 1.2), range(7)),
    Occasion("11.11", "shopping", (11, 11), {-2: 0.8, -1: 0.75, 0: 2.8, 1: 1.4, 2: 0.9}),
    Occasion(
        "Black Friday",
        "shopping",
        {year: _black_friday(year) for year in range(FIRST_YEAR, LAST_YEAR + 1)},
        {0: 1.8, 1: 1.4, 2: 1.3, 3: 1.2},
    ),
    Occasion("12.12", "shopping", (12, 12), {-1: 0.9, 0: 1.6}),
    Occasion("Christmas", "shopping", (12, 25), {-1: 1.2, 0: 1.1}),
)


def occurrences(window: Window) -> Iterator[tuple[Occasion, date]]:
    """Every occasion of the window's years, and of the ends of the years beside them that reach in."""
    for year in range(max(window.start.year - 1, FIRST_YEAR), min(window.end.year + 1, LAST_YEAR) + 1):
        for occasion in OCCASIONS:
            yield occasion, occasion.on(year)


def events_table(window: Window) -> pl.DataFrame:
    """`date, name, location, kind` of all listed days, horizon included; location null means everywhere."""
    rows = [
        (day + timedelta(days=offset), occasion.name, occasion.location, occasion.kind)
        for occasion, day in occurrences(window)
        for offset in occasion.listed
        if 0 <= window.index(day) + offset < window.total
    ]
    schema = {"date": pl.Date, "name": pl.String, "location": pl.String, "kind": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").sort("date", "name")


def event_lift(window: Window) -> npt.NDArray[np.float64]:
    """(locations, T + H) the factor by which occasions multiply the demand of an item of sensitivity 1."""
    lift = np.ones((len(LOCATIONS), window.total))
    for occasion, day in occurrences(window):
        rows = slice(None) if occasion.location is None else LOCATIONS.index(occasion.location)
        for offset, factor in occasion.lift.items():
            index = window.index(day) + offset
            if 0 <= index < window.total:
                lift[rows, index] *= factor
    return lift


def no_delivery(window: Window, days: int) -> npt.NDArray[np.bool_]:
    """(days,) from the window's start: days of the Spring Festival, when nothing is delivered."""
    closed = np.zeros(days, np.bool_)
    for occasion, day in occurrences(window):
        if occasion.name == "Spring Festival":
            for offset in occasion.listed:
                if 0 <= window.index(day) + offset < days:
                    closed[window.index(day) + offset] = True
    return closed
