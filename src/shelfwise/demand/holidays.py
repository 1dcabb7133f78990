"""Public holidays of any country as covariates, through the `holidays` package (extra ``calendar``)."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np

from shelfwise.demand.coverage import Floats, Numbers, day_edges
from shelfwise.demand.groups import stored_once
from shelfwise.demand.occasions import days_since_last, days_to_next, shares, span
from shelfwise.demand.panel import Known, Panel
from shelfwise.demand.shopping_days import shopping_covariates
from shelfwise.errors import MissingExtra, ShelfwiseError, UsageError
from shelfwise.messages import Said, said_of

# Years looked at on each side: a distance needs the next holiday, a name needs to come round again.
MARGIN_YEARS = 2
LANGUAGE = "en_US"
# "Christmas Day (observed)" is Christmas Day; "Chinese New Year (Spring Festival)" keeps its name.
QUALIFIER = re.compile(r"\s*\((?:observed|estimated|substituted)[^)]*\)")


def holiday_covariates(edges: Numbers, country: str, subdivision: str | None = None) -> dict[str, Floats]:
    """What each bucket sees of a country's public holidays.

    Args:
        edges: (C + 1,) bucket starts in days since 1970-01-01.
        country: ISO 3166 code or English name, with a subdivision if wanted: ``CN``, ``DE-BY``, ``Japan``.
        subdivision: ISO 3166-2 part behind the hyphen; beats one in `country`.

    Returns:
        (C,) float32 by name: ``holiday:any`` and ``holiday:NAME`` (shares of the bucket's days),
        ``days_to_holiday`` from its first day and ``days_since_holiday`` to its last (NaN if there is
        none). A holiday that came in one year alone, a royal wedding, say, is left out: it was known to
        nobody in time, and nothing can be learnt of it.

    Raises:
        MissingExtra: the package `holidays` is not installed.
        UsageError: an unknown country or subdivision.

    Example:
        >>> from shelfwise.buckets import Bucket
        >>> edges = day_edges(Bucket("day"), date(2024, 9, 30), 3)
        >>> holiday_covariates(edges, "CN")["holiday:National Day"].tolist()
        [0.0, 1.0, 1.0]
    """
    first, end = span(edges)
    days = _holidays(country, subdivision, first.year - MARGIN_YEARS, end.year + MARGIN_YEARS)
    every = frozenset(day for named in days.values() for day in named)
    inside = {name: named for name, named in days.items() if any(first <= day < end for day in named)}
    share = shares({"any": every, **inside}, edges)
    covariates = {f"holiday:{name}": row for name, row in zip(["any", *inside], share, strict=True)}
    covariates["days_to_holiday"] = days_to_next(every, edges)
    covariates["days_since_holiday"] = days_since_last(every, edges)
    return covariates


@dataclass(frozen=True, slots=True)
class Calendar:
    """Covariates of a panel's locations, and by country why it has no holidays."""

    known: dict[str, Known]
    failures: dict[str, ShelfwiseError] = field(default_factory=dict)

    def notes(self) -> tuple[str, ...]:
        """What a user should know."""
        return tuple(
            Said("demand.holidays_left_out", country=country, error=said_of(error))
            for country, error in self.failures.items()
        )


def calendar_covariates(
    edges: Numbers, locations: list[str], country_by_location: Mapping[str, str | None]
) -> Calendar:
    """Holidays of each location's country and the shopping days, for the series at `locations`.

    Args:
        edges: (C + 1,) bucket starts in days.
        locations: (N,) location of each series.
        country_by_location: as `holiday_covariates` reads it; a location without one has no holidays.

    A country nobody knows, or the package missing, costs the holidays and is told; shopping days stay.
    """
    named = {location: country_by_location.get(location) or "" for location in dict.fromkeys(locations)}
    countries = sorted({country for country in named.values() if country})
    if not countries:
        return Calendar({})
    failures: dict[str, ShelfwiseError] = {}
    by_country: dict[str, dict[str, Floats]] = {}
    for country in countries:
        try:
            by_country[country] = holiday_covariates(edges, country)
        except (MissingExtra, UsageError) as error:
            failures[country] = error
    shopping = shopping_covariates(edges)
    place = {country: row for row, country in enumerate(["", *countries])}
    group = np.array([place[named[location]] for location in locations], np.int32)
    known = {}
    for name in sorted({name for own in by_country.values() for name in own} | set(shopping)):
        missing = np.nan if name.startswith("days_") else 0.0
        values = np.full((len(place), len(edges) - 1), missing, np.float32)
        for country, row in place.items():
            if country and name in shopping:
                values[row] = shopping[name]
            elif name in by_country.get(country, {}):
                values[row] = by_country[country][name]
        known[name] = stored_once(values, group)
    return Calendar(known, failures)


def with_calendar(panel: Panel, country_by_location: Mapping[str, str | None]) -> Panel:
    """The panel with holidays of each location's country and shopping days among what is known ahead.

    Raises:
        MissingExtra: the package `holidays` is not installed.
        UsageError: a country nobody knows.

    Example:
        >>> panel = Panel.from_arrays([[3.0, 4.0]], start=date(2024, 2, 5), horizon=1)
        >>> known = with_calendar(panel, {"main": "CN"}).known
        >>> (7 * known["shopping_day:Spring Festival"].rows()).tolist()
        [[2.0, 5.0, 0.0]]
    """
    edges = day_edges(panel.bucket, panel.start, panel.n_buckets + panel.horizon)
    found = calendar_covariates(edges, panel.keys["location"].to_list(), country_by_location)
    for error in found.failures.values():
        raise error
    return replace(panel, known={**panel.known, **found.known})


def _package() -> Any:
    try:
        import holidays
    except ImportError:
        raise MissingExtra("holidays", "calendar") from None
    return holidays


def _holidays(country: str, subdivision: str | None, first: int, last: int) -> dict[str, frozenset[date]]:
    """Days by name from year `first` to `last`, of the names that come in more than one year."""
    package = _package()
    name, _, part = country.partition("-")
    entity = getattr(package, _class_name(package, name))
    part = subdivision or part
    if part and part not in entity.subdivisions and part not in entity.subdivisions_aliases:
        if not entity.subdivisions:
            raise UsageError(Said("demand.no_subdivisions", country=name, subdivision=repr(part)))
        known = ", ".join(entity.subdivisions)
        raise UsageError(
            Said("demand.unknown_subdivision", country=name, known=known, subdivision=repr(part))
        )
    language = LANGUAGE if LANGUAGE in entity.supported_languages else None
    found = entity(subdiv=part or None, years=range(first, last + 1), language=language)
    days: defaultdict[str, set[date]] = defaultdict(set)
    for day in found:
        for label in found.get_list(day):
            days[QUALIFIER.sub("", label)].add(day)
    kept = {label: frozenset(own) for label, own in days.items() if len({day.year for day in own}) > 1}
    return dict(sorted(kept.items()))


def _class_name(package: Any, country: str) -> str:
    """The package's name of a country given by ISO code or English name."""
    from holidays.registry import COUNTRIES

    spelled: dict[str, str] = {}
    for module, names in COUNTRIES.items():
        spelled |= {_plain(text): names[0] for text in (module, *names)}
    asked = _plain(country)
    if asked not in spelled or not hasattr(package, spelled[asked]):
        close = difflib.get_close_matches(asked, spelled, n=1)
        if close:
            raise UsageError(Said("demand.misspelt_country", country=repr(country), close=spelled[close[0]]))
        raise UsageError(Said("demand.unknown_country", country=repr(country)))
    return spelled[asked]


def _plain(text: str) -> str:
    return re.sub(r"[\s_]", "", text).casefold()
