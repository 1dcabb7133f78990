"""Holidays of any country as covariates; a shop asks for them by a column `country` in `locations`."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from shelfwise.buckets import Bucket
from shelfwise.demand.build import build_panel, build_panel_with_report
from shelfwise.demand.coverage import day_edges
from shelfwise.demand.holidays import calendar_covariates, holiday_covariates, with_calendar
from shelfwise.demand.panel import Panel
from shelfwise.errors import MissingExtra, UsageError
from shelfwise.messages import retold

holidays = pytest.importorskip("holidays")
YEAR = day_edges(Bucket("day"), date(2024, 1, 1), 366)


def flagged(values: np.ndarray, first: date = date(2024, 1, 1)) -> list[date]:
    return [first + timedelta(days=int(step)) for step in np.flatnonzero(values)]


@pytest.mark.parametrize("country", ["DE", "US", "JP", "IN", "BR", "TR", "CN"])
def test_every_holiday_that_comes_again_is_flagged_under_its_name(country):
    found = holiday_covariates(YEAR, country)
    truth = holidays.country_holidays(country, years=2024)
    assert set(flagged(found["holiday:any"])) <= set(truth)
    assert len(flagged(found["holiday:any"])) >= 0.8 * len(truth)
    named = np.max(
        [row for name, row in found.items() if name.startswith("holiday:") and name != "holiday:any"], 0
    )
    np.testing.assert_array_equal(named, found["holiday:any"])


def test_moving_feasts_move_and_the_observed_day_bears_the_same_name():
    two_years = day_edges(Bucket("day"), date(2021, 1, 1), 730)
    christmas = flagged(holiday_covariates(two_years, "US")["holiday:Christmas Day"], date(2021, 1, 1))
    assert christmas == [date(2021, 12, 24), date(2021, 12, 25), date(2022, 12, 25), date(2022, 12, 26)]
    eid = flagged(holiday_covariates(two_years, "TR")["holiday:Eid al-Fitr"], date(2021, 1, 1))
    assert eid[0] == date(2021, 5, 13)
    assert date(2022, 5, 2) in eid


def test_a_holiday_of_one_year_alone_was_known_to_nobody():
    year = day_edges(Bucket("day"), date(2022, 1, 1), 365)
    truth = holidays.country_holidays("GB", subdiv="ENG", years=2022)
    assert "Funeral" in truth[date(2022, 9, 19)]
    found = holiday_covariates(year, "GB-ENG")
    assert not any("Funeral" in name for name in found)
    assert date(2022, 9, 19) not in flagged(found["holiday:any"], date(2022, 1, 1))


def test_distances_reach_over_the_edges_of_the_panel():
    days = day_edges(Bucket("day"), date(2024, 12, 27), 4)
    found = holiday_covariates(days, "DE")
    assert found["days_to_holiday"].tolist() == [5, 4, 3, 2]
    assert found["days_since_holiday"].tolist() == [1, 2, 3, 4]
    week = holiday_covariates(day_edges(Bucket("week"), date(2024, 12, 23), 1), "DE")
    assert (week["days_to_holiday"][0], week["days_since_holiday"][0]) == (2, 3)
    assert week["holiday:any"][0] == pytest.approx(2 / 7)


@pytest.mark.parametrize("spelled", ["DE", "de", "DEU", "Germany", "germany"])
def test_a_country_may_be_a_code_or_a_name(spelled):
    assert "holiday:German Unity Day" in holiday_covariates(YEAR, spelled)


def test_a_subdivision_has_its_own_holidays():
    bavaria, berlin = holiday_covariates(YEAR, "DE-BY"), holiday_covariates(YEAR, "DE", "BE")
    assert "holiday:Epiphany" in bavaria
    assert "holiday:Epiphany" not in berlin
    assert "holiday:Women's Day" in berlin


@pytest.mark.parametrize(("country", "said"), [("Germny", "Germany"), ("", "''"), ("DE-XX", "'XX'")])
def test_an_unknown_country_is_refused_with_the_way_out(country, said):
    with pytest.raises(UsageError, match=said):
        holiday_covariates(YEAR, country)


@pytest.mark.parametrize("country", ["Germny", "Atlantis", "DE-XX", "SG-XX"])
def test_why_holidays_are_left_out_is_said_in_both_languages(country):
    (note,) = calendar_covariates(YEAR, ["main"], {"main": country}).notes()
    with pytest.raises(UsageError) as refused:
        holiday_covariates(YEAR, country)
    assert str(refused.value) in note
    told = retold(note, "zh")
    assert country.partition("-")[0] in told
    assert not any(word in told for word in ("must", "got", "left out", "has no"))


def test_without_the_package_the_pip_line_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "holidays", None)
    with pytest.raises(MissingExtra, match=r"shelfwise\[calendar\]"):
        holiday_covariates(YEAR, "DE")
    panel = Panel.from_arrays(np.ones((1, 3)))
    with pytest.raises(MissingExtra):
        with_calendar(panel, {"main": "DE"})
    found = calendar_covariates(YEAR, ["main"], {"main": "DE"})
    assert "shopping_day:Black Friday" in found.known
    assert "holidays of DE left out: holidays is not installed" in found.notes()[0]
    assert "未安装 holidays" in retold(found.notes()[0], "zh")


def test_series_get_the_calendar_of_their_own_location():
    panel = Panel.from_arrays(np.ones((3, 60)), start=date(2024, 9, 1), bucket=Bucket("day"), horizon=5)
    keys = panel.keys.with_columns(
        location=panel.keys["location"].set(panel.keys["sku"] == "s0000001", "munich")
    )
    panel = with_calendar(replace(panel, keys=keys), {"main": "CN", "munich": "DE"})
    unity, national = (
        panel.known["holiday:German Unity Day"].rows(),
        panel.known["holiday:National Day"].rows(),
    )
    assert unity.shape == (3, 65)
    assert unity.sum(axis=1).tolist() == [0, 1, 0]
    assert (national[[0, 2]].sum(axis=1) >= 3).all()
    assert national[1].sum() == 0
    assert panel.known["days_to:Mid-Autumn Festival"].values.shape[0] == 1


def test_a_location_without_a_country_has_no_calendar():
    known = calendar_covariates(YEAR, ["here", "there"], {"here": "DE"}).known
    assert known["holiday:any"].rows()[1].sum() == 0
    assert np.isnan(known["days_to_holiday"].rows()[1]).all()
    assert calendar_covariates(YEAR, ["here"], {}).known == {}


def test_one_bad_country_does_not_stop_the_rest():
    found = calendar_covariates(YEAR, ["here", "there"], {"here": "Atlantis", "there": "DE"})
    assert "Atlantis" in found.notes()[0]
    assert found.known["holiday:any"].rows().sum(axis=1).tolist() == [0.0, 9.0]


def test_a_column_country_in_locations_is_how_a_shop_asks(make_dataset, sale):
    sales = [sale("2024-01-08", 3), sale("2024-03-25", 2)]
    plain = make_dataset(sales=sales, locations=[{"location": "main", "size": 3}])
    asked = make_dataset(sales=sales, locations=[{"location": "main", "country": " CN "}])
    as_of = date(2024, 4, 1)
    assert not any("day" in name for name in build_panel(plain, as_of, 4).known)
    panel = build_panel(asked, as_of, 4)
    share = panel.known["holiday:Chinese New Year (Spring Festival)"].rows()[0]
    assert len(share) == panel.n_buckets + 4
    assert [day for day, part in zip(panel.dates, share, strict=True) if part] == [
        date(2024, 2, 5),
        date(2024, 2, 12),
    ]
    assert "shopping_day:Spring Festival" in panel.known
    odd = make_dataset(sales=sales, locations=[{"location": "main", "country": "Atlantis"}])
    assert "Atlantis" in " ".join(build_panel_with_report(odd, as_of, 4)[1].notes())
