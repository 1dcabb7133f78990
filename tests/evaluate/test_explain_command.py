"""`explain` tells the plan's notes, fails where its series failed, and names the locations there are."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from shelfwise import planner
from shelfwise.cli import main
from shelfwise.errors import UsageError
from shelfwise.forecast.moving_average import MovingAverage
from shelfwise.forecast.register import FORECASTERS

SALES = pl.DataFrame(
    [
        (sku, place, date(2023, 1, 2) + timedelta(weeks=week), 4.0 + week % 3)
        for sku, place in (("s0", "east"), ("s1", "east"), ("s1", "west"), ("a@b", "east"))
        for week in range(40)
    ],
    schema=["sku", "location", "date", "quantity"],
    orient="row",
)
AS_OF = "2023-10-09"


class Lame(MovingAverage):
    """Has no paths for its first series."""

    name = "lame"

    def _sample_rows(self, *given):
        paths, expected = super()._sample_rows(*given)
        paths[given[0] == 1] = float("nan")
        return paths, expected


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SHELFWISE_LANG", "en")
    monkeypatch.setitem(FORECASTERS, "lame", f"{__name__}:Lame")
    SALES.write_csv(tmp_path / "sales.csv")
    return tmp_path


def explained(folder, series, model, as_of=AS_OF):
    return main(["explain", str(folder), series, "--as-of", as_of, "--model", model])


def test_notes_are_told_on_standard_error(folder, capsys):
    assert explained(folder, "s0", "moving_average", "2023-10-05") == 0
    told = capsys.readouterr()
    assert "s0" in told.out
    assert "lies within the bucket that begins on 2023-10-02" in told.err
    assert "note:" not in told.out


def test_only_the_series_asked_for_decides_the_exit_code(folder, capsys):
    # Rows are sorted by sku and location: row 1 is s0.
    assert explained(folder, "s0@east", "lame") == 4
    assert "lame gave no usable paths" in capsys.readouterr().err
    assert explained(folder, "s1@east", "lame") == 0


def test_an_unknown_location_of_a_known_sku_is_named(folder, capsys):
    assert explained(folder, "s0@nowhere", "moving_average") == 2
    told = capsys.readouterr().err
    assert "'nowhere'" in told
    assert "east" in told


@pytest.mark.parametrize(("series", "location"), [("a@b", "east"), ("a@b@east", "east"), ("s1@west", "west")])
def test_an_at_sign_may_belong_to_the_sku(series, location):
    made = planner.plan(SALES, as_of=AS_OF, model="moving_average")
    assert planner.explain_planned(made, series).location == location


def test_an_unknown_sku_is_still_the_sku_that_is_unknown():
    made = planner.plan(SALES, as_of=AS_OF, model="moving_average")
    with pytest.raises(UsageError, match="no sku 's9@east'"):
        planner.explain_planned(made, "s9@east")
