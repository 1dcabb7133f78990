"""Whatever the user hands over, a folder, a `Dataset` or frames, becomes a checked `Dataset`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from numbers import Integral
from pathlib import Path
from typing import Any

from shelfwise.errors import UsageError
from shelfwise.tables.clock_times import FIRST_YEAR, LAST_YEAR
from shelfwise.tables.dataset import Dataset
from shelfwise.tables.folder import read_folder
from shelfwise.tables.frames import dataset_from_frames
from shelfwise.tables.settings import Settings


def open_dataset(
    source: Any,
    settings: Mapping[str, Any] | Settings | None = None,
    tables: Mapping[str, Any] | None = None,
    before: date | None = None,
) -> Dataset:
    """A folder's path, a `Dataset`, or the sales as a frame with the other tables by name.

    `before` is the first day that is not known yet, see `read_folder`. Beside a folder, `settings` is a mapping
    whose keys go before those of its file.

    Raises:
        UsageError: tables beside a folder, which has its own; whole `Settings` beside it, or any settings
            beside a `Dataset`.
        DataRejected: the data break the contract.
    """
    given = {name: table for name, table in (tables or {}).items() if table is not None}
    if isinstance(source, (str, Path, Dataset)):
        if given:
            raise UsageError("tables go with frames; a folder has its own files")
        if isinstance(source, Dataset) and settings is None:
            return source
        if isinstance(source, Dataset) or isinstance(settings, Settings):
            raise UsageError(
                "a folder has its own shelfwise.toml, a Dataset its settings; beside a folder, settings are a "
                f"mapping of the keys that go before the file's; got {type(settings).__name__} and "
                f"{type(source).__name__}"
            )
        return read_folder(Path(source), before, settings)
    return dataset_from_frames(source, settings=settings, before=before, **given)


def as_seed(value: int) -> int:
    """A seed that random numbers can be drawn from.

    Raises:
        UsageError: no whole number of at least 0.

    Example:
        >>> as_seed(7)
        7
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 0:
        raise UsageError(f"seed must be a whole number of at least 0; got {value!r}")
    return int(value)


def as_date(value: date | datetime | str, name: str) -> date:
    """A date from a date, a datetime or ISO text.

    Raises:
        UsageError: none of these, or a year in which no row may be dated either.

    Example:
        >>> as_date("2026-06-01", "as_of")
        datetime.date(2026, 6, 1)
    """
    if isinstance(value, datetime):
        day = value.date()
    elif isinstance(value, date):
        day = value
    else:
        try:
            day = date.fromisoformat(str(value))
        except ValueError:
            raise UsageError(f"{name} takes a date as YYYY-MM-DD; got {value!r}") from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise UsageError(f"{name} must lie in the years {FIRST_YEAR} to {LAST_YEAR}; got {day}")
    return day
