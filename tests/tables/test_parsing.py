"""Cells: identifiers, numbers and dates, one table of cases each."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelfwise.tables.dates import parse_moments
from shelfwise.tables.numbers import decimal_style, parse_number, prepared
from shelfwise.tables.parsing import Parsed, distinct_texts, parse_identifier, parse_text
from shelfwise.tables.rulebook import RULES
from shelfwise.tables.schema import ColumnSchema


def identifiers(*cells: str | None, needed: bool = True) -> Parsed:
    return parse_identifier(pl.Series(cells, dtype=pl.String), needed=needed)


def numbers(
    *cells: str | None, delimiter: str | None = ",", kind: str = "number", **schema: object
) -> Parsed:
    series = pl.Series(cells, dtype=pl.String)
    frame = prepared(distinct_texts(series), share=kind == "share")
    column = ColumnSchema("quantity", kind, **schema)  # type: ignore[arg-type]
    return parse_number(series, frame, column, decimal_style([frame], delimiter))


def dates(*cells: str | None, needed: bool = True, timezone: str = "UTC") -> Parsed:
    return parse_moments(pl.Series(cells, dtype=pl.String), needed=needed, timezone=timezone, want="date")


def codes(parsed: Parsed) -> list[str | None]:
    """The code of each row, None where it is good."""
    found: list[str | None] = [None] * len(parsed.values)
    for row, code, _ in parsed.bad.iter_rows():
        found[row] = code
    return found


KEPT_IDS = [
    "0017",
    "90.750",
    "1E5",
    "2E3",
    "06932169358293",
    "NULL",
    "NA",
    "nan",
    "TRUE",
    "2-1",
    "*",
    "1.",
    "#N/A",
]


@pytest.mark.parametrize("sku", KEPT_IDS)
def test_identifiers_stay_text_exactly(sku: str) -> None:
    parsed = identifiers(sku)
    assert parsed.values.to_list() == [sku]
    assert parsed.bad.is_empty()


CLEANED_IDS = [
    (" A1 ", "A1"),
    ("A1\t", "A1"),
    ("'0017", "0017"),
    ("'0017\t", "0017"),
    ("''x", "'x"),
    ('="0017"', "0017"),
    ("\u200bA1\ufeff", "A1"),
    ("\u3000红色\u00a0", "红色"),
    ("Cafe\u0301", "Caf\u00e9"),
    ("A\u200bB", "A\u200bB"),
    ("=", "="),
    ('="', '="'),
]


@pytest.mark.parametrize(("given_text", "kept"), CLEANED_IDS)
def test_identifiers_lose_what_the_eye_does_not_see(given_text: str, kept: str) -> None:
    assert identifiers(given_text).values.to_list() == [kept]


@pytest.mark.parametrize("sku", ["6.93217E+12", "6.93E+12", "6.93217e12", "7E+12", "-1.5E+9"])
def test_ids_a_spreadsheet_destroyed_are_rejected(sku: str) -> None:
    parsed = identifiers("A", sku)
    assert codes(parsed) == [None, "sku.destroyed"]
    assert parsed.bad["value"].to_list() == [sku]


@pytest.mark.parametrize("blank", [None, "", "  ", "\u200b", "'", "\t"])
def test_blank_id_is_an_error_only_where_needed(blank: str | None) -> None:
    assert codes(identifiers("A", blank)) == [None, "value.missing"]
    assert codes(identifiers("A", blank, needed=False)) == [None, None]
    assert identifiers("A", blank, needed=False).values.to_list() == ["A", None]


LOOK_ALIKES = [("0017", "17"), ("ab-1", "AB-1"), ("A1", "A\u200b1"), ("007", "0007")]


@pytest.mark.parametrize("pair", LOOK_ALIKES)
def test_look_alike_ids_are_kept_apart_and_reported_once(pair: tuple[str, str]) -> None:
    parsed = identifiers(*pair, "other", *pair)
    assert parsed.values.to_list() == [*pair, "other", *pair]
    assert [(found.code, found.count, found.row) for found in parsed.warnings] == [("sku.look_alike", 1, 0)]
    assert all(repr(sku) in (parsed.warnings[0].value or "") for sku in pair)


def test_one_id_written_with_and_without_edges_is_no_look_alike() -> None:
    assert identifiers("A1", " A1", "'A1").warnings == ()


def test_ids_that_went_through_floating_point_are_reported() -> None:
    assert [found.code for found in identifiers("17.0", "18.0").warnings] == ["sku.float_like"]
    assert identifiers("90.0", "A").warnings == ()


def test_free_text_is_trimmed_and_null_when_empty() -> None:
    parsed = parse_text(pl.Series([" red\u00a0", "", None, "NULL"]), needed=False)
    assert parsed.values.to_list() == ["red", None, None, "NULL"]
    assert codes(parse_text(pl.Series(["a", " "]), needed=True)) == [None, "value.missing"]


GOOD_NUMBERS = [
    (",", ["1", "-2", "+3", "0.5", ".5", "7.", "1e3", "1E-3"], [1, -2, 3, 0.5, 0.5, 7, 1000, 0.001]),
    (",", ["1,234", "1,234.5", "1,234,567"], [1234, 1234.5, 1234567]),
    (",", ["1 234", "1\u00a0234.5", "1'234.5", "1\u202f234"], [1234, 1234.5, 1234.5, 1234]),
    (",", ["1.234", "12.345"], [1.234, 12.345]),
    (",", ["1,5", "2,25"], [1.5, 2.25]),
    (";", ["1,5", "1.234,5", "1.234"], [1.5, 1234.5, 1234]),
    (";", ["1,234"], [1.234]),
    (";", ["1.5", "2.25", "1,234"], [1.5, 2.25, 1234]),
    ("\t", ["1.234.567", "1,234"], [1234567, 1.234]),
    (",", ["１２", "３．５"], [12, 3.5]),
    (",", ["'12", " 13\t"], [12, 13]),
    (",", ["1e12", "-1e12"], [1e12, -1e12]),
]


@pytest.mark.parametrize(("delimiter", "cells", "values"), GOOD_NUMBERS)
def test_numbers_are_read(delimiter: str, cells: list[str], values: list[float]) -> None:
    parsed = numbers(*cells, delimiter=delimiter)
    assert codes(parsed) == [None] * len(cells)
    assert parsed.values.to_list() == pytest.approx(values)
    assert parsed.values.dtype == pl.Float64


BAD_NUMBERS = [
    ("nan", "number.unparsable"),
    ("NaN", "number.unparsable"),
    ("inf", "number.unparsable"),
    ("-inf", "number.unparsable"),
    ("0x10", "number.unparsable"),
    ("1.2万", "number.unparsable"),
    ("١٢٣", "number.unparsable"),
    ("12 pcs", "number.unparsable"),
    ("¥12", "number.unparsable"),
    ("20%", "number.unparsable"),
    ("1,2,3", "number.unparsable"),
    ("1.2.3", "number.unparsable"),
    ("--5", "number.unparsable"),
    ("1_000", "number.unparsable"),
    ("true", "number.unparsable"),
    ("1e308", "number.too_large"),
    ("1e999", "number.too_large"),
    ("9999999999999999", "number.too_large"),
    ("-1e13", "number.too_large"),
    ("", "value.missing"),
    (None, "value.missing"),
    ("NULL", "value.missing"),
    ("-", "value.missing"),
]


@pytest.mark.parametrize(("cell", "code"), BAD_NUMBERS)
def test_what_is_no_number_is_rejected_with_its_value(cell: str | None, code: str) -> None:
    parsed = numbers("5", cell, needed=True)
    assert codes(parsed) == [None, code]
    assert parsed.values.to_list() == [5.0, None]
    assert parsed.bad["value"].to_list() == [cell]


@pytest.mark.parametrize("empty", ["", " ", None, "NULL", "N/A", "\\N", "--"])
def test_optional_number_may_be_empty_but_never_becomes_zero(empty: str | None) -> None:
    parsed = numbers("5", empty)
    assert parsed.values.to_list() == [5.0, None]
    assert parsed.bad.is_empty()


def test_two_decimal_styles_reject_the_rarer_one() -> None:
    parsed = numbers("1.5", "2.5", "3,5", "1,234")
    assert codes(parsed) == [None, None, "number.mixed_styles", "number.ambiguous"]


def test_without_evidence_a_tab_file_does_not_guess() -> None:
    assert codes(numbers("1,234", "7", delimiter="\t")) == ["number.ambiguous", None]


def test_thousands_or_decimals_in_a_semicolon_file_are_not_guessed() -> None:
    assert codes(numbers("1.234", "7", delimiter=";")) == ["number.ambiguous", None]


BOUNDS = [
    ({"minimum": 0.0}, ["0", "-0.1"], [None, "number.out_of_bounds"]),
    ({"maximum": 1.0}, ["1", "1.1"], [None, "number.out_of_bounds"]),
    ({"above": 0.0}, ["0.1", "0"], [None, "number.out_of_bounds"]),
]


@pytest.mark.parametrize(("bounds", "cells", "wanted"), BOUNDS)
def test_bounds_hold(bounds: dict[str, float], cells: list[str], wanted: list[str | None]) -> None:
    assert codes(numbers(*cells, **bounds)) == wanted


def test_shares_are_also_words_and_per_cent() -> None:
    cells = ["true", "No", "是", "否", "1", "0", "0.25", "50%", "12.5 %", "YES", "0,5"]
    parsed = numbers(*cells[:-1], kind="share", minimum=0.0, maximum=1.0)
    assert parsed.values.to_list() == [1, 0, 1, 0, 1, 0, 0.25, 0.5, 0.125, 1]
    assert codes(numbers("1.5", "150%", "maybe", kind="share", maximum=1.0)) == [
        "number.out_of_bounds",
        "number.out_of_bounds",
        "number.unparsable",
    ]


def test_full_width_digits_are_reported() -> None:
    assert [(found.code, found.count) for found in numbers("１", "１", "2").warnings] == [
        ("number.full_width", 2)
    ]


@given(st.lists(st.floats(-1e11, 1e11), min_size=1, max_size=20))
@settings(max_examples=40, deadline=None)
def test_numbers_written_by_python_come_back(values: list[float]) -> None:
    assert numbers(*(repr(value) for value in values)).values.to_list() == values


DAY = date(2024, 4, 8)
GOOD_DATES = [
    "2024-04-08",
    "2024-4-8",
    "2024-04-08 09:50",
    "2024-04-08T09:50:26",
    "2024-04-08 09:50:26.123456789",
    "2024-04-08T09:50:26Z",
    "2024-04-08 09:50:26 +0200",
    "2024-04-08T09:50:26+02:00",
    "2024/04/08",
    "2024/4/8 9:50:26",
    "2024.04.08",
    "20240408",
    "08.04.2024",
    "2024年4月8日",
    "2024年04月08日 09:50:26",
    " 2024-04-08\t",
    "'2024-04-08",
]


@pytest.mark.parametrize("cell", GOOD_DATES)
def test_dates_are_read(cell: str) -> None:
    parsed = dates(cell)
    assert parsed.bad.is_empty()
    assert parsed.values.to_list() == [DAY]
    assert parsed.values.dtype == pl.Date


BAD_DATES = [
    ("2026-13-01", "date.invalid"),
    ("2026-02-30", "date.invalid"),
    ("2023-02-29", "date.invalid"),
    ("0000-00-00", "date.invalid"),
    ("2024-04-08 24:30:00", "date.invalid"),
    ("1970-01-01", "date.out_of_range"),
    ("1899-12-31", "date.out_of_range"),
    ("9999-12-31", "date.out_of_range"),
    ("46054", "date.excel_serial"),
    ("46054.5", "date.excel_serial"),
    ("20260-01-01", "date.unparsable"),
    ("1712534400", "date.unparsable"),
    ("yesterday", "date.unparsable"),
    ("2024-W15", "date.unparsable"),
    ("08/04", "date.unparsable"),
    ("", "value.missing"),
    (None, "value.missing"),
]


@pytest.mark.parametrize(("cell", "code"), BAD_DATES)
def test_what_is_no_date_is_rejected(cell: str | None, code: str) -> None:
    parsed = dates("2024-04-08", "2024-04-09", cell)
    assert codes(parsed) == [None, None, code]
    assert parsed.values.to_list() == [DAY, date(2024, 4, 9), None]


def test_leap_days_exist_in_leap_years_only() -> None:
    assert dates("2024-02-29", "2000-02-29").bad.is_empty()
    assert codes(dates("2100-02-29")) == ["date.invalid"]


def test_day_first_is_proved_by_one_value() -> None:
    assert dates("03/04/2024", "13/04/2024").values.to_list() == [date(2024, 4, 3), date(2024, 4, 13)]


def test_month_first_is_proved_by_one_value() -> None:
    assert dates("03-04-2024", "04-13-2024").values.to_list() == [date(2024, 3, 4), date(2024, 4, 13)]


def test_undecidable_order_is_rejected() -> None:
    assert codes(dates("03/04/2024", "05/06/2024")) == ["date.ambiguous"] * 2


def test_order_does_not_matter_where_both_read_the_same() -> None:
    assert dates("04/04/2024", "05/05/2024").values.to_list() == [date(2024, 4, 4), date(2024, 5, 5)]


def test_what_is_a_day_in_no_order_proves_none() -> None:
    assert codes(dates("03/04/2024", "14/13/2024")) == ["date.ambiguous", "date.invalid"]
    assert codes(dates("13/04/2024", "14/13/2024")) == [None, "date.invalid"]
    assert codes(dates("14/13/2024")) == ["date.invalid"]


def test_optional_date_may_be_empty() -> None:
    parsed = dates("2024-04-08", "", None, "NULL", needed=False)
    assert parsed.values.to_list() == [DAY, None, None, None]
    assert parsed.bad.is_empty()


def test_both_orders_in_a_column_reject_it() -> None:
    parsed = dates("13/04/2024", "04/13/2024", "01/02/2024")
    assert codes(parsed) == ["date.mixed_formats"] * 3
    assert [what for what, _, _ in parsed.details["date.mixed_formats"].examples] == [
        "DD/MM/YYYY",
        "MM/DD/YYYY",
    ]


def test_other_formats_than_the_commonest_are_rejected_with_an_example_each() -> None:
    parsed = dates("2024-04-08", "2024-04-09", "10.04.2024", "2024/04/11")
    assert codes(parsed) == [None, None, "date.mixed_formats", "date.mixed_formats"]
    assert parsed.details["date.mixed_formats"].examples == (
        ("YYYY-MM-DD", 0, "2024-04-08"),
        ("DD.MM.YYYY", 2, "10.04.2024"),
        ("YYYY/MM/DD", 3, "2024/04/11"),
    )


@pytest.mark.parametrize(
    "even", ["2024-04-{:02d} 10:00:00", "2024-04-{:02d}T10:00:00Z", "2024/04/{:02d} 10:00"]
)
def test_quick_and_careful_ways_agree(even: str) -> None:
    """A column that is mostly even takes the quick way; the odd cells are judged as if it were not there."""
    cells: list[str | None] = [even.format(day) for day in range(1, 21)]
    cells[3:6] = ["2024-02-30 10:00:00", None, "46054"]
    cells[9] = "10.04.2024"
    parsed = dates(*cells, timezone="America/New_York")
    slow = [dates(cell, timezone="America/New_York").values[0] for cell in cells]
    assert codes(parsed)[3:6] == ["date.invalid", "value.missing", "date.excel_serial"]
    assert codes(parsed)[9] == "date.mixed_formats"
    slow[9] = None
    assert parsed.values.to_list() == slow
    assert [row for _, row, _ in parsed.details["date.mixed_formats"].examples] == [0, 9]


def test_even_form_that_is_not_the_commonest_format_is_rejected() -> None:
    cells = ["2024-04-08 10:00:00"] * 60 + ["09.04.2024"] * 100
    parsed = dates(*cells)
    assert codes(parsed) == ["date.mixed_formats"] * 60 + [None] * 100


ZONES = [
    ("2025-10-07 23:50:26 +0000", "Asia/Shanghai", date(2025, 10, 8)),
    ("2025-10-07T23:50:26Z", "America/New_York", date(2025, 10, 7)),
    ("2025-10-08T01:00:00Z", "America/New_York", date(2025, 10, 7)),
    ("2025-10-07 23:50:26", "Asia/Shanghai", date(2025, 10, 7)),
    ("2024-02-29T23:30:00-0500", "UTC", date(2024, 3, 1)),
    ("2025-03-30T02:30:00", "Europe/Berlin", date(2025, 3, 30)),
]


@pytest.mark.parametrize(("cell", "timezone", "day"), ZONES)
@pytest.mark.parametrize("others", [0, 5])
def test_business_day_is_the_one_on_the_shops_clock(cell: str, timezone: str, day: date, others: int) -> None:
    parsed = dates(*[cell] * (others + 1), timezone=timezone)
    assert parsed.values.to_list() == [day] * (others + 1)


def test_clock_changes_lose_no_moment() -> None:
    """Berlin skips 02:30 on 31 March and has it twice on 27 October."""
    cells = pl.Series(["2024-03-31 02:30:00", "2024-10-27 02:30:00"])
    parsed = parse_moments(cells, needed=True, timezone="Europe/Berlin", want="timestamp")
    assert parsed.values.dtype == pl.Datetime("us", "Europe/Berlin")
    berlin = ZoneInfo("Europe/Berlin")
    assert parsed.values.to_list() == [
        datetime(2024, 3, 31, 3, 30, tzinfo=berlin),
        datetime(2024, 10, 27, 2, 30, tzinfo=berlin, fold=0),
    ]


@given(st.lists(st.dates(date(1990, 1, 1), date(2100, 12, 31)), min_size=1, max_size=30))
@settings(max_examples=40, deadline=None)
def test_iso_and_compact_dates_come_back(days: list[date]) -> None:
    assert dates(*(day.isoformat() for day in days)).values.to_list() == days
    assert dates(*(day.strftime("%Y%m%d") for day in days)).values.to_list() == days


def test_every_code_has_its_texts() -> None:
    for code, (rule, fix) in RULES.items():
        assert code.count(".") == 1
        assert rule[0] != " "
        assert not fix.endswith(".")
