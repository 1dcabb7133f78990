"""Errors become exit codes in one place; results are written whole or not at all."""

from __future__ import annotations

import os
from datetime import date

import polars as pl
import pytest

from contract.shops import AS_OF, plain_shop
from shelfwise import planner
from shelfwise.cli import main
from shelfwise.cli.telling import tell_failures
from shelfwise.errors import (
    DataRejected,
    MissingExtra,
    OutputNotWritable,
    Problem,
    ShelfwiseError,
    UsageError,
)
from shelfwise.tables.output import prepare_output, replace_file, write_frame

ERRORS = [
    (ShelfwiseError("it did not work"), 1, "it did not work"),
    (OutputNotWritable("no room"), 1, "no room"),
    (MissingExtra("torch", "deep"), 1, "pip install 'shelfwise[deep]'"),
    (UsageError("not like this"), 2, "not like this"),
    (
        DataRejected([Problem("a.b", "a rule", "a way out", file="sales.csv", line=3)]),
        3,
        "sales.csv:3: a rule",
    ),
    (KeyboardInterrupt(), 130, "interrupted"),
    (MemoryError(), 1, "not enough memory"),
    (ZeroDivisionError("division by zero"), 1, "ZeroDivisionError: division by zero"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return plain_shop().write(tmp_path_factory.mktemp("shop") / "shop")


@pytest.mark.parametrize(("error", "code", "said"), ERRORS, ids=lambda value: type(value).__name__)
def test_every_error_has_its_exit_code_and_leaves_the_old_file(
    monkeypatch, capfd, folder, tmp_path, error, code, said
):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setenv("SHELFWISE_LANG", "en")
    monkeypatch.setattr(planner, "plan", fail)
    target = tmp_path / "plan.csv"
    target.write_bytes(b"yesterday")
    assert main(["plan", str(folder), "--as-of", str(AS_OF), "-o", str(target)]) == code
    out, err = capfd.readouterr()
    assert out == ""
    assert said in err
    assert "Traceback" not in err
    assert target.read_bytes() == b"yesterday"
    assert os.listdir(tmp_path) == ["plan.csv"]


def test_a_fault_of_ours_can_be_traced(monkeypatch, folder, tmp_path):
    def fail(*args, **kwargs):
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(planner, "plan", fail)
    monkeypatch.setenv("SHELFWISE_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        main(["plan", str(folder), "--as-of", str(AS_OF), "-o", str(tmp_path / "plan.csv")])


def test_failed_series_are_listed_and_counted(capfd):
    assert tell_failures([]) == 0
    assert tell_failures([(f"s{number}", "main", "no cost") for number in range(12)]) == 4
    _, err = capfd.readouterr()
    assert "12 series failed" in err
    assert "s0@main: no cost" in err
    assert "2 more" in err


def test_rejections_are_told_in_the_users_language(monkeypatch, capfd, tmp_path):
    (tmp_path / "sales.csv").write_text("sku,date,quantity\nA,2024-01-01,nan\n")
    monkeypatch.setenv("SHELFWISE_LANG", "zh")
    assert main(["check", str(tmp_path)]) == 3
    _, err = capfd.readouterr()
    assert "sales.csv:2:quantity" in err
    assert any("\u4e00" <= letter <= "\u9fff" for letter in err)


def test_a_plan_speaks_the_language_asked_for(capfd, folder, tmp_path):
    reasons = {}
    for lang in ("en", "zh"):
        target = tmp_path / f"{lang}.parquet"
        asked = ["--as-of", str(AS_OF), "--model", "moving_average", "--lang", lang, "-o", str(target)]
        assert main(["plan", str(folder), *asked]) == 0
        reasons[lang] = pl.read_parquet(target)
    assert reasons["en"].drop("reason").equals(reasons["zh"].drop("reason"))
    assert all("\u4e00" <= reason[0] <= "\u9fff" for reason in reasons["zh"]["reason"])
    assert all(reason.isascii() for reason in reasons["en"]["reason"])


FRAME = pl.DataFrame({"sku": ["0017", "=x"], "date": [date(2025, 1, 6)] * 2, "mean": [1.5, float("nan")]})


def test_csv_is_guarded_and_rounded(tmp_path):
    write_frame(FRAME, str(tmp_path / "out.csv"))
    assert (
        tmp_path / "out.csv"
    ).read_text() == "sku,date,mean\n0017,2025-01-06,1.500000\n'=x,2025-01-06,NaN\n"


def test_json_knows_no_nan(tmp_path):
    write_frame(FRAME, str(tmp_path / "out.json"))
    assert (tmp_path / "out.json").read_text() == (
        '[{"sku":"0017","date":"2025-01-06","mean":1.5},{"sku":"=x","date":"2025-01-06","mean":null}]'
    )


def test_parquet_keeps_texts_and_types_as_they_are(tmp_path):
    write_frame(FRAME, str(tmp_path / "out.parquet"))
    assert pl.read_parquet(tmp_path / "out.parquet").equals(FRAME)


def test_a_write_that_fails_midway_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "plan.csv"
    target.write_bytes(b"yesterday")

    def full_disk(out):
        out.write(b"half of it")
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputNotWritable, match="No space left on device"):
        replace_file(target, full_disk)
    assert target.read_bytes() == b"yesterday"
    assert os.listdir(tmp_path) == ["plan.csv"]


def test_a_new_file_has_the_rights_the_umask_leaves(tmp_path):
    old = os.umask(0o027)
    try:
        write_frame(FRAME, str(tmp_path / "out.csv"))
    finally:
        os.umask(old)
    assert (tmp_path / "out.csv").stat().st_mode & 0o777 == 0o640


def test_an_output_is_tried_before_any_work(tmp_path):
    prepare_output("-")
    prepare_output(str(tmp_path / "new.CSV"))
    assert not list(tmp_path.iterdir())
    with pytest.raises(UsageError, match=r"\.csv, \.parquet, \.json"):
        prepare_output(str(tmp_path / "new.txt"))
