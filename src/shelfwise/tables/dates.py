"""Text to dates and moments: one format per column, and nothing guessed.

``03/04/2026`` is read only if another value of the column shows which part is the day. Moments with an
offset are carried to the shop's time zone; a moment without one is already the shop's. The business day is
the day on the shop's clock.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from shelfwise.tables.clock_times import FIRST_YEAR, LAST_YEAR, even_moments, local_moment
from shelfwise.tables.parsing import NO_VALUE, Finding, Parsed, distinct_texts, no_bad_rows, spread

_CLOCK = r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?"
_OFFSET = r"(Z|z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2}|[+-][0-9]{2})"
_TIME = rf"(?:[T\s]\s*{_CLOCK}\s*{_OFFSET}?)?"
# Layout, its pattern, and which captured group is the year, the month and the day.
_LAYOUTS: tuple[tuple[str, str, tuple[int, int, int]], ...] = (
    ("YYYY-MM-DD", r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})", (1, 2, 3)),
    ("YYYY/MM/DD", r"([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})", (1, 2, 3)),
    ("YYYY.MM.DD", r"([0-9]{4})\.([0-9]{1,2})\.([0-9]{1,2})", (1, 2, 3)),
    ("YYYYMMDD", r"([0-9]{4})([0-9]{2})([0-9]{2})", (1, 2, 3)),
    ("YYYY年MM月DD日", r"([0-9]{4})年\s*([0-9]{1,2})月\s*([0-9]{1,2})[日号]", (1, 2, 3)),
    ("DD.MM.YYYY", r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})", (3, 2, 1)),
    ("??/??/YYYY", r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})", (3, 2, 1)),
    ("??-??-YYYY", r"([0-9]{1,2})-([0-9]{1,2})-([0-9]{4})", (3, 2, 1)),
)
_EXCEL_SERIAL = r"^[0-9]{5}(?:\.[0-9]+)?$"
_PARTS = ("year", "month", "day", "hour", "minute", "second")


def parse_moments(
    texts: pl.Series, *, needed: bool, timezone: str, want: Literal["date", "timestamp"]
) -> Parsed:
    """A column of dates or moments.

    Args:
        texts: the raw cells.
        needed: whether an empty cell is an error.
        timezone: the shop's time zone (IANA name).
        want: ``date`` for the business day (Date), ``timestamp`` for the moment (Datetime in `timezone`).

    Example:
        >>> import polars as pl
        >>> cells = pl.Series(["2025-10-07 23:50:26 +0000", "2025-10-08 09:00:00 +0200"])
        >>> parse_moments(cells, needed=True, timezone="Asia/Shanghai", want="date").values.to_list()
        [datetime.date(2025, 10, 8), datetime.date(2025, 10, 8)]
    """
    even = even_moments(texts, timezone)
    if even is not None:
        parsed = _around_even(texts, even[want], needed=needed, timezone=timezone, want=want)
        if parsed is not None:
            return parsed
    outcome, details = _judge(distinct_texts(texts), needed=needed, timezone=timezone, want=want)
    values, bad = spread(texts, outcome)
    return Parsed(values, bad, details=details)


def _around_even(
    texts: pl.Series, even: pl.Series, *, needed: bool, timezone: str, want: Literal["date", "timestamp"]
) -> Parsed | None:
    """Judge only the cells that the quick way left open, beside one that stands for all it read.

    None if the even form is not the one to keep, so that every cell has to be judged.
    """
    rest = even.is_null().arg_true()
    if rest.is_empty():
        return Parsed(even, no_bad_rows())
    if len(rest) == len(texts):
        return None
    witness = int(even.is_not_null().arg_max() or 0)
    rows = pl.concat([rest.cast(pl.UInt32), pl.Series([witness], dtype=pl.UInt32)]).sort()
    cells = texts.gather(rows)
    distinct = distinct_texts(cells)
    # Rows among the open cells become rows of the table; the witness counts for all it stands for.
    distinct = distinct.with_columns(rows.gather(distinct["first"]).alias("first")).with_columns(
        pl.when(pl.col("first") == witness).then(len(texts) - len(rest)).otherwise("count").alias("count")
    )
    outcome, details = _judge(distinct, needed=needed, timezone=timezone, want=want)
    if outcome.filter((pl.col("first") == witness) & pl.col("code").is_not_null()).height:
        return None
    values, bad = spread(cells, outcome)
    bad = bad.with_columns(rows.gather(bad["row"]).alias("row"))
    return Parsed(even.clone().scatter(rows, values), bad, details=details)


def _judge(
    distinct: pl.DataFrame, *, needed: bool, timezone: str, want: Literal["date", "timestamp"]
) -> tuple[pl.DataFrame, dict[str, Finding]]:
    """Every distinct cell with its ``parsed`` value or the ``code`` of what is wrong with it."""
    frame, undecided = _decide_order(_with_parts(distinct))
    frame = _with_moment(frame, timezone, want)
    empty = pl.col("text").is_null() | pl.col("text").is_in(NO_VALUE)
    missing = pl.lit("value.missing" if needed else None, dtype=pl.String)
    in_range = pl.col("year").is_between(FIRST_YEAR, LAST_YEAR)
    code = (
        pl.when(empty)
        .then(missing)
        .when(pl.col("text").str.contains(_EXCEL_SERIAL))
        .then(pl.lit("date.excel_serial"))
        .when(pl.col("layout").is_null())
        .then(pl.lit("date.unparsable"))
        .when(pl.col("order_code").is_not_null())
        .then("order_code")
        .when(~pl.col("valid"))
        .then(pl.lit("date.invalid"))
        .when(~in_range)
        .then(pl.lit("date.out_of_range"))
        .otherwise(pl.lit(None, dtype=pl.String))
    )
    frame, mixed = _keep_one_format(frame.with_columns(code.alias("code")), undecided)
    frame = frame.with_columns(
        pl.when(pl.col("code").is_null() & pl.col("valid")).then("parsed").alias("parsed")
    )
    return frame, {} if mixed is None else {"date.mixed_formats": mixed}


def _with_parts(distinct: pl.DataFrame) -> pl.DataFrame:
    """Distinct texts with ``layout``, year to second, ``nanos`` as text and ``offset`` as text."""
    text = pl.col("text")
    empty_parts = [pl.lit(None, dtype=pl.Int32).alias(part) for part in _PARTS]
    pieces: list[pl.DataFrame] = []
    rest = distinct
    for layout, pattern, (year, month, day) in _LAYOUTS:
        full = f"^{pattern}{_TIME}$"
        matches = rest.select(text.str.contains(full).fill_null(False))["text"]
        found = rest.filter(matches)
        if found.is_empty():
            continue
        rest = rest.filter(~matches)
        groups = text.str.extract_groups(full)
        order = (year, month, day, 4, 5, 6)
        pieces.append(
            found.with_columns(groups.alias("groups"))
            .with_columns(
                pl.lit(layout).alias("layout"),
                *(
                    pl.col("groups").struct.field(str(group)).cast(pl.Int32).alias(part)
                    for part, group in zip(_PARTS, order, strict=True)
                ),
                pl.col("groups").struct.field("7").alias("fraction"),
                pl.col("groups").struct.field("8").alias("offset"),
            )
            .drop("groups")
        )
    no_text = pl.lit(None, dtype=pl.String)
    pieces.append(
        rest.with_columns(
            no_text.alias("layout"), *empty_parts, no_text.alias("fraction"), no_text.alias("offset")
        )
    )
    return pl.concat(pieces).sort("first")


def _decide_order(frame: pl.DataFrame) -> tuple[pl.DataFrame, bool]:
    """Settle day-first or month-first for each layout that leaves it open, over the whole column.

    Parts come in as day-first. The flag says that both orders are proved, so neither can be used.
    """
    frame = frame.with_columns(pl.lit(None, dtype=pl.String).alias("order_code"))
    both = False
    for layout in ("??/??/YYYY", "??-??-YYYY"):
        here = pl.col("layout") == layout
        # 14/13/2024 is no day in either order and proves nothing.
        possible = here & ((pl.col("day") <= 12) | (pl.col("month") <= 12))
        seen = frame.filter(possible)
        if seen.is_empty():
            continue
        separator = layout[2]
        day_first = bool((seen["day"] > 12).any())
        month_first = bool((seen["month"] > 12).any())
        names = {"day": f"DD{separator}MM{separator}YYYY", "month": f"MM{separator}DD{separator}YYYY"}
        if day_first and month_first:
            both = True
            name = (
                pl.when(pl.col("month") > 12)
                .then(pl.lit(names["month"]))
                .when(pl.col("day") > 12)
                .then(pl.lit(names["day"]))
                .otherwise(pl.lit(layout))
            )
            order_code = pl.lit("date.mixed_formats")
        else:
            name = pl.lit(names["month" if month_first else "day"])
            undecidable = not day_first and not month_first and bool((seen["day"] != seen["month"]).any())
            order_code = pl.lit("date.ambiguous" if undecidable else None, dtype=pl.String)
        swap = here & month_first & (not day_first)
        frame = frame.with_columns(
            pl.when(here).then(name).otherwise(pl.col("layout")).alias("layout"),
            pl.when(possible).then(order_code).otherwise(pl.col("order_code")).alias("order_code"),
            pl.when(swap).then(pl.col("day")).otherwise(pl.col("month")).alias("month"),
            pl.when(swap).then(pl.col("month")).otherwise(pl.col("day")).alias("day"),
        )
    return frame, both


def _with_moment(frame: pl.DataFrame, timezone: str, want: Literal["date", "timestamp"]) -> pl.DataFrame:
    """Add ``valid`` (the day and time exist on some calendar) and ``parsed``."""
    year, month, day = pl.col("year"), pl.col("month"), pl.col("day")
    hour, minute, second = (pl.col(part).fill_null(0) for part in ("hour", "minute", "second"))
    leap = ((year % 4 == 0) & (year % 100 != 0)) | (year % 400 == 0)
    month_days = (
        pl.when(month == 2)
        .then(28 + leap.cast(pl.Int32))
        .when(month.is_in((4, 6, 9, 11)))
        .then(30)
        .otherwise(31)
    )
    valid = (
        year.is_between(1, 9999)
        & month.is_between(1, 12)
        & (day >= 1)
        & (day <= month_days)
        & (hour < 24)
        & (minute < 60)
        & (second < 60)
    ).fill_null(False)
    micros = pl.col("fraction").str.pad_end(6, "0").str.slice(0, 6).cast(pl.Int32).fill_null(0)
    # Invalid parts would raise, so they are replaced by a day that is never used.
    safe = {
        part: pl.when("valid").then(value).otherwise(1)
        for part, value in zip(_PARTS[:3], (year, month, day), strict=True)
    }
    clock = {
        part: pl.when("valid").then(value).otherwise(0)
        for part, value in zip(_PARTS[3:], (hour, minute, second), strict=True)
    }
    wall = pl.datetime(
        safe["year"], safe["month"], safe["day"], clock["hour"], clock["minute"], clock["second"], micros
    )
    frame = frame.with_columns(valid.alias("valid")).with_columns(
        wall.alias("wall"), _offset_minutes().alias("minutes")
    )
    if want == "date" and not frame["minutes"].is_not_null().any():
        return frame.with_columns(pl.col("wall").dt.date().alias("parsed"))
    with_offset = pl.col("minutes").is_not_null()
    moved = (pl.col("wall") - pl.duration(minutes=pl.col("minutes"))).dt.replace_time_zone("UTC")
    moment = (
        pl.when(with_offset)
        .then(moved.dt.convert_time_zone(timezone))
        .otherwise(local_moment(pl.col("wall"), timezone))
    )
    if want == "timestamp":
        return frame.with_columns(moment.alias("parsed"))
    day_there = pl.when(with_offset).then(moment.dt.date()).otherwise(pl.col("wall").dt.date())
    return frame.with_columns(day_there.alias("parsed"))


def _offset_minutes() -> pl.Expr:
    offset = pl.col("offset")
    digits = offset.str.replace(":", "", literal=True).str.slice(1)
    size = digits.str.slice(0, 2).cast(pl.Int32, strict=False) * 60 + digits.str.slice(2).cast(
        pl.Int32, strict=False
    ).fill_null(0)
    return (
        pl.when(offset.str.starts_with("+"))
        .then(size)
        .when(offset.str.starts_with("-"))
        .then(-size)
        .when(offset.is_not_null())
        .then(0)
    )


def _keep_one_format(frame: pl.DataFrame, both_orders: bool) -> tuple[pl.DataFrame, Finding | None]:
    """Keep the format that most rows have; the rows of all others are rejected, with an example of each."""
    named = pl.col("layout") + pl.when(pl.col("offset").is_null()).then(pl.lit("")).otherwise(
        pl.lit(" with offset")
    )
    frame = frame.with_columns(named.alias("format"))
    dated = pl.col("format").is_not_null()
    usable = frame.filter(dated & (pl.col("code").is_null() | (pl.col("code") == "date.mixed_formats")))
    formats = (
        usable.group_by("format", maintain_order=True)
        .agg(pl.col("count").sum(), pl.col("first").min(), pl.col("text").first())
        .sort("count", "first", descending=[True, False])
    )
    if formats.height < 2 and not both_orders:
        return frame, None
    kept = formats["format"][0]
    other = pl.col("code").is_null() & (pl.col("format") != kept)
    frame = frame.with_columns(
        pl.when(other).then(pl.lit("date.mixed_formats")).otherwise(pl.col("code")).alias("code")
    )
    examples = tuple(
        (str(name), int(first), str(text))
        for name, first, text in formats.select("format", "first", "text").iter_rows()
        if not name.startswith("??")
    )
    return frame, Finding("date.mixed_formats", examples=examples)
