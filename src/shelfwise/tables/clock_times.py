"""The quick way for timestamps: a column that is written evenly is parsed in one pass, cell by cell.

Timestamps hardly repeat, so nothing is won by parsing distinct values, and taking each apart by pattern is
slow. What does not fit the even form is left null, for the careful way to judge.
"""

from __future__ import annotations

import polars as pl

FIRST_YEAR, LAST_YEAR = 1990, 2100
_SAMPLE = 100
_DAYS = ("%Y-%m-%dT", "%Y-%m-%d ", "%Y/%m/%d ")
# Clock reading and offset; the first pattern that fits most of a sample is taken.
_CLOCKS = ("%H:%M:%S%.f", "%H:%M:%S%.fZ", "%H:%M:%S%.f%z", "%H:%M")


def even_moments(texts: pl.Series, timezone: str) -> pl.DataFrame | None:
    """Moments of a column that is mostly in one even form; None if it is not.

    Returns:
        ``timestamp`` (Datetime in `timezone`) and ``date`` (the business day there), null where a cell is
        empty or in another form.
    """
    sample = texts.drop_nulls().head(_SAMPLE)
    for pattern in (day + clock for day in _DAYS for clock in _CLOCKS):
        if sample.str.to_datetime(pattern, strict=False, time_unit="us").count() * 2 > len(sample):
            break
    else:
        return None
    wall = pl.col("wall")
    in_range = wall.dt.year().is_between(FIRST_YEAR, LAST_YEAR)
    parsed = texts.str.to_datetime(pattern, strict=False, time_unit="us").alias("wall").to_frame()
    if pattern.endswith(("z", "Z")):
        moment = (wall if pattern.endswith("z") else wall.dt.replace_time_zone("UTC")).dt.convert_time_zone(
            timezone
        )
        day = moment.dt.date()
    else:
        moment = local_moment(wall, timezone)
        day = wall.dt.date()
    return parsed.select(
        pl.when(in_range).then(moment).alias("timestamp"), pl.when(in_range).then(day).alias("date")
    )


def local_moment(wall: pl.Expr, timezone: str) -> pl.Expr:
    """Clock readings of the shop as moments: the earlier one of an hour that comes twice.

    An hour that the clock skips is read as the hour after it.

    Example:
        >>> from datetime import datetime
        >>> night = pl.DataFrame({"wall": [datetime(2024, 3, 31, 2, 30)]})
        >>> night.select(local_moment(pl.col("wall"), "Europe/Berlin").dt.to_string("%H:%M %z")).item()
        '03:30 +0200'
    """
    there = wall.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
    later = wall.dt.offset_by("1h").dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
    return pl.coalesce(there, later)
