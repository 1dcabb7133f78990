"""Wrong calls are told before anything is done; outputs that cannot be written leave all as it was."""

from __future__ import annotations

import pytest

from contract.shops import AS_OF

USAGE = {
    "an unknown model": (
        ("forecast", "--as-of", AS_OF, "--horizon", 1, "--model", "gmb"),
        ["'gmb'", "Did you mean 'gbm'?"],
    ),
    "an unknown model for a plan": (
        ("plan", "--as-of", AS_OF, "--model", "gmb"),
        ["'gmb'", "moving_average"],
    ),
    "an unknown model for a replay": (
        ("backtest", "--from", "2024-12-02", "--to", AS_OF, "--model", "gmb"),
        ["'gmb'", "moving_average"],
    ),
    "an unknown policy": (
        ("plan", "--as-of", AS_OF, "--policy", "order_upto"),
        ["'order_upto'", "order_up_to"],
    ),
    "an unknown policy for a replay": (
        ("backtest", "--from", "2024-12-02", "--to", AS_OF, "--policy", "textbok"),
        ["'textbok'", "textbook"],
    ),
    "an unknown option": (("plan", "--as-of", AS_OF, "--fast"), ["--fast"]),
    "no horizon": (("forecast", "--as-of", AS_OF), ["--horizon"]),
    "a horizon of zero": (
        ("forecast", "--as-of", AS_OF, "--horizon", 0),
        ["horizon must be 1 to 1500 buckets; got 0"],
    ),
    "a horizon in words": (("forecast", "--as-of", AS_OF, "--horizon", "four"), ["--horizon", "integer"]),
    "no date": (("plan",), ["--as-of"]),
    "a date that is none": (("plan", "--as-of", "2025-02-30"), ["--as-of", "2025-02-30", "YYYY-MM-DD"]),
    "a date of another country": (("plan", "--as-of", "06/01/2025"), ["--as-of", "06/01/2025", "YYYY-MM-DD"]),
    "quantiles in words": (
        ("forecast", "--as-of", AS_OF, "--horizon", 1, "--quantiles", "0.1,median"),
        ["--quantiles", "median"],
    ),
    "a quantile of one": (
        ("forecast", "--as-of", AS_OF, "--horizon", 1, "--quantiles", "0.5,1"),
        ["--quantiles", "'1'"],
    ),
    "a quantile twice": (
        ("forecast", "--as-of", AS_OF, "--horizon", 1, "--quantiles", "0.5,0.5"),
        ["--quantiles"],
    ),
    "no quantile": (("forecast", "--as-of", AS_OF, "--horizon", 1, "--quantiles", ""), ["--quantiles"]),
    "a quantile that is no number": (
        ("forecast", "--as-of", AS_OF, "--horizon", 1, "--quantiles", "nan"),
        ["--quantiles", "nan"],
    ),
    "a window that ends first": (("backtest", "--from", AS_OF, "--to", "2024-12-02"), ["--from", "--to"]),
    "a negative seed": (("plan", "--as-of", AS_OF, "--seed", "-1"), ["--seed"]),
    "an unknown language": (("plan", "--as-of", AS_OF, "--lang", "tlh"), ["en, zh", "tlh"]),
}


@pytest.mark.parametrize("case", USAGE)
def test_wrong_usage_is_told_before_anything_is_done(shelfwise, plain, tmp_path, case):
    (command, *options), fragments = USAGE[case]
    told = shelfwise(command, plain, *options, "-o", tmp_path / "out.csv")
    assert told.code == 2, told.err
    for fragment in fragments:
        assert fragment in told.err
    assert not list(tmp_path.iterdir())


def test_an_unknown_command(shelfwise):
    told = shelfwise("plann", "shop")
    assert told.code == 2
    assert "plann" in told.err


@pytest.mark.parametrize("series", ["0071", "0017@moon", "@", "17@"])
def test_a_series_that_is_not_there(shelfwise, plain, series):
    told = shelfwise("explain", plain, series, "--as-of", AS_OF, "--model", "moving_average")
    assert told.code == 2
    assert series.partition("@")[0] in told.err


def test_a_series_at_several_places_must_name_one(shelfwise, full):
    told = shelfwise("explain", full, "0017", "--as-of", AS_OF, "--model", "moving_average")
    assert told.code == 2
    assert "east, west" in told.err


@pytest.mark.parametrize("command", ["check", "plan"])
@pytest.mark.parametrize("place", ["missing", "a-file"])
def test_a_folder_that_is_none(shelfwise, tmp_path, command, place):
    (tmp_path / "a-file").write_text("sku,date,quantity\n")
    asked = ("--as-of", AS_OF, "-o", tmp_path / "out.csv") if command == "plan" else ()
    told = shelfwise(command, tmp_path / place, *asked)
    assert told.code == 2
    assert place in told.err
    assert not (tmp_path / "out.csv").exists()


UNWRITABLE = {
    "a folder that is missing": ("nowhere/plan.csv", 1, "does not exist"),
    "a folder for a file": ("folder.csv", 1, "it is a folder"),
    "a path under a file": ("a-file/plan.csv", 1, "a-file"),
    "an ending nobody knows": ("plan.xlsx", 2, ".csv, .parquet, .json"),
    "no ending": ("plan", 2, ".csv, .parquet, .json"),
}


@pytest.mark.parametrize("case", UNWRITABLE)
def test_an_output_that_cannot_be_written(shelfwise, plain, tmp_path, case):
    target, code, fragment = UNWRITABLE[case]
    (tmp_path / "a-file").write_text("mine")
    (tmp_path / "folder.csv").mkdir()
    told = shelfwise("plan", plain, "--as-of", AS_OF, "--model", "moving_average", "-o", tmp_path / target)
    assert told.code == code
    assert fragment in told.err
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a-file", "folder.csv"]
    assert (tmp_path / "a-file").read_text() == "mine"


def test_as_of_before_any_sale(shelfwise, plain, tmp_path):
    told = shelfwise("plan", plain, "--as-of", "2023-06-05", "-o", tmp_path / "out.csv")
    assert told.code == 3
    assert "2023-06-05" in told.err
    assert not (tmp_path / "out.csv").exists()


def test_a_replay_that_begins_before_any_sale(shelfwise, plain, tmp_path):
    told = shelfwise("backtest", plain, "--from", "2023-06-05", "--to", AS_OF, "-o", tmp_path / "out.csv")
    assert told.code == 3
    assert "2023-06-05" in told.err
