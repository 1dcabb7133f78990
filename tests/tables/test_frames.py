"""dataset_from_frames: Polars, pandas and Arrow in; the same checks and the same tables as from files."""

import datetime as dt
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from shelfwise.errors import DataRejected, UsageError
from shelfwise.tables import Dataset, Settings, dataset_from_frames, read_folder

DAY = dt.date(2024, 1, 1)
FRAME = pl.DataFrame({"sku": ["0017", "B"], "date": [DAY, DAY], "quantity": [1, 2], "location": ["x", "x"]})
ROWS = [("0017", DAY, 1.0, "x"), ("B", DAY, 2.0, "x")]


def rows(data):
    return data.table("sales").select("sku", "date", "quantity", "location").rows()


def pandas_frame():
    # Built by hand because to_pandas would need pyarrow, which this door must not.
    return pd.DataFrame({name: FRAME[name].to_list() for name in FRAME.columns})


@pytest.mark.parametrize(
    "make",
    [lambda: FRAME, FRAME.lazy, lambda: FRAME.to_arrow(), pandas_frame],
    ids=["eager", "lazy", "arrow", "pandas"],
)
def test_every_kind_of_table_gives_the_same(make):
    assert rows(dataset_from_frames(make())) == ROWS


def test_frames_and_files_give_the_same(tmp_path):
    FRAME.write_csv(tmp_path / "sales.csv")
    from_file, from_frame = read_folder(tmp_path), dataset_from_frames(FRAME)
    assert from_file.table("sales").equals(from_frame.table("sales"))


def test_the_long_format():
    long = pd.DataFrame(
        {"unique_id": ["a", "a"], "ds": pd.to_datetime(["2024-01-01", "2024-01-08"]), "y": [1.5, 2]}
    )
    table = dataset_from_frames(long).table("sales")
    assert table.select("sku", "date", "quantity").rows() == [
        ("a", DAY, 1.5),
        ("a", dt.date(2024, 1, 8), 2.0),
    ]
    assert dataset_from_frames(long.set_index("unique_id")).table("sales").equals(table)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"sku": [17.0, 18.0], "date": [DAY, DAY], "quantity": [1, 2]}),
        pd.DataFrame({"sku": ["A", 18.0], "date": [DAY, DAY], "quantity": [1, 2]}),
        pd.DataFrame({"sku": [17.0, None], "date": [DAY, DAY], "quantity": [1, 2]}),
        pl.DataFrame({"商品编码": [17.0, 18.0], "date": [DAY, DAY], "quantity": [1, 2]}),
        pa.table({"sku": [17.0, 18.0], "date": [DAY, DAY], "quantity": [1, 2]}),
    ],
)
def test_a_sku_that_is_a_float_is_rejected(frame):
    with pytest.raises(DataRejected) as caught:
        dataset_from_frames(frame)
    (problem,) = caught.value.problems
    assert problem.code == "sku.not_text"
    assert problem.file == "sales"


def test_pandas_odds_and_ends():
    frame = pd.DataFrame(
        {
            "sku": pd.Series(["0017", 18, "x"], dtype=object),
            "timestamp": pd.to_datetime(["2024-01-01 20:00", "2024-01-01 01:00", None]).tz_localize("UTC"),
            "date": [DAY, DAY, DAY],
            "quantity": pd.Series([1, 2, 3], dtype="Int64"),
            "order_id": [1001.0, np.nan, 1003.0],
            "price": pd.Series([1.5, pd.NA, 2.5], dtype="Float64"),
            "channel": pd.Categorical(["web", "shop", None]),
        }
    )
    table = dataset_from_frames(frame.drop(columns="timestamp")).table("sales")
    assert table["sku"].to_list() == ["0017", "18", "x"]
    assert table["order_id"].to_list() == ["1001", None, "1003"]
    assert table["price"].to_list() == [1.5, None, 2.5]
    assert table["channel"].to_list() == ["web", "shop", None]
    zoned = frame.drop(columns="date").head(2)
    shanghai = dataset_from_frames(zoned, settings={"series": {"timezone": "Asia/Shanghai"}}).table("sales")
    assert shanghai["date"].to_list() == [dt.date(2024, 1, 2), dt.date(2024, 1, 1)]


def test_pandas_needs_no_pyarrow(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert rows(dataset_from_frames(pandas_frame())) == ROWS


def test_settings_as_a_mapping_or_as_settings():
    mapping = {"supply": {"lead_time": 7}}
    assert dataset_from_frames(FRAME, settings=mapping).settings.supply.lead_time == 7
    settings = Settings.from_mapping(mapping)
    assert dataset_from_frames(FRAME, settings=settings).settings is settings
    with pytest.raises(DataRejected, match=r"supply\.lead_time"):
        dataset_from_frames(FRAME, settings={"supply": {"lead_time": -7}})


def test_other_tables_are_checked_as_well():
    with pytest.raises(DataRejected) as caught:
        dataset_from_frames(FRAME, stock=pl.DataFrame({"sku": ["C"], "on_hand": [1]}))
    assert [problem.code for problem in caught.value.problems] == ["stock.unknown_sku"]


def test_none_is_the_same_as_leaving_a_table_out():
    data = dataset_from_frames(FRAME, stock=None)
    assert isinstance(data, Dataset)
    assert not data.has("stock")


def test_what_is_no_table_is_a_usage_error():
    with pytest.raises(UsageError, match=r"sales must be .* got dict"):
        dataset_from_frames({"sku": ["a"]})
    with pytest.raises(UsageError, match="'orders'"):
        dataset_from_frames(FRAME, orders=FRAME)


def test_bad_values_in_a_frame_are_rejected_like_in_a_file():
    with pytest.raises(DataRejected) as caught:
        dataset_from_frames(FRAME.with_columns(quantity=pl.Series([1.0, float("nan")])))
    assert {problem.file for problem in caught.value.problems} == {"sales"}
