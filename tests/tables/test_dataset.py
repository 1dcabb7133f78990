"""Dataset: absent tables, and what `until` keeps and drops."""

from datetime import date, datetime

import polars as pl
import pytest

from shelfwise.errors import DataRejected, UsageError
from shelfwise.tables import SCHEMAS, Dataset, Settings

DAYS = [date(2024, 1, 1), date(2024, 1, 8), date(2024, 1, 15)]


def shop():
    tables = {
        "sales": pl.DataFrame({"sku": "a", "location": "main", "date": DAYS, "quantity": [1.0, 2.0, 3.0]}),
        "availability": pl.DataFrame(
            {"sku": "a", "location": "main", "date": DAYS, "in_stock": [1.0, 0.0, 1.0]}
        ),
        "behaviour": pl.DataFrame(
            {
                "customer": "c",
                "sku": "a",
                "timestamp": [datetime(2024, 1, 7, 23, 59), datetime(2024, 1, 8)],
                "action": "view",
                "location": "main",
            }
        ),
        "prices": pl.DataFrame({"sku": "a", "location": "*", "date": DAYS, "price": [1.0, 2.0, 3.0]}),
        "promotions": pl.DataFrame({"sku": "a", "location": "*", "start": DAYS, "end": DAYS}),
        "events": pl.DataFrame({"date": DAYS, "name": "x", "location": "*"}),
    }
    return Dataset(Settings(), tables, source="test")


def test_until_drops_what_was_not_known_and_keeps_what_is_known_ahead():
    known = shop().until(date(2024, 1, 8))
    assert {name: frame.height for name, frame in known.tables.items()} == {
        "sales": 1, "availability": 1, "behaviour": 1, "prices": 3, "promotions": 3, "events": 3,
    }  # fmt: skip
    assert known.as_of == date(2024, 1, 8)
    assert [note.count for note in known.notes if note.code == "as_of.rows_dropped"] == [2, 2, 1]


def test_until_with_zoned_timestamps_cuts_at_local_midnight():
    zoned = pl.col("timestamp").dt.replace_time_zone("Asia/Shanghai")
    tables = {**shop().tables, "behaviour": shop().table("behaviour").with_columns(zoned)}
    assert Dataset(Settings(), tables).until(date(2024, 1, 8)).table("behaviour").height == 1


def test_until_before_the_first_sale_is_rejected():
    with pytest.raises(DataRejected) as caught:
        shop().until(DAYS[0])
    (problem,) = caught.value.problems
    assert problem.code == "as_of.no_history"
    assert problem.value == "as_of 2024-01-01, first sale 2024-01-01"


def test_until_after_everything_changes_no_table():
    known = shop().until(date(2025, 1, 1))
    assert all(known.table(name).equals(frame) for name, frame in shop().tables.items())
    assert not known.notes


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_an_absent_table_is_empty_with_its_needed_columns(name):
    table = Dataset(Settings(), {}).table(name)
    assert table.is_empty()
    assert set(SCHEMAS[name].needed) <= set(table.columns)
    assert not Dataset(Settings(), {}).has(name)


def test_an_unknown_table_is_a_usage_error():
    with pytest.raises(UsageError, match="'orders'"):
        shop().table("orders")


def test_the_bucket_is_the_settings():
    assert Dataset(Settings.from_mapping({"series": {"bucket": "month"}}), {}).bucket.name == "month"
