"""Every flag is counted, listed and can be taken back."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from shelfwise.demand import Panel, build_panel_with_report
from shelfwise.errors import UsageError
from shelfwise.messages import retold

START = date(2024, 1, 1)
AS_OF = START + timedelta(days=60)


@pytest.fixture
def lines(sale):
    usual = [
        sale(str(START + timedelta(days=day)), 4 + day % 3, order_id=f"u{day}", customer=f"c{day}")
        for day in range(60)
    ]
    usual.append(sale("2024-02-10", 10_000, order_id="B2B", customer="firm"))
    bot = [sale("2024-01-20", 1, order_id=f"b{number}", customer="bot") for number in range(50)]
    return usual + bot


def test_flags_are_counted_listed_and_undone(make_dataset, lines):
    panel, report = build_panel_with_report(make_dataset("day", sales=lines), AS_OF)
    cleaning = report.cleaning
    assert cleaning.counts == {"bots": 1, "spikes": 1, "level_shifts": 0}
    assert cleaning.to_frame().rows() == [
        ("bot", "a", "main", date(2024, 1, 20), 50.0, 1.0),
        ("spike", "a", "main", date(2024, 2, 10), 10_005.0, 6.0),
    ]
    assert not np.array_equal(panel.demand, panel.sold)
    np.testing.assert_array_equal(cleaning.undone(panel).demand, panel.sold)
    np.testing.assert_array_equal(cleaning.undone(panel).sold, panel.sold)


def test_each_rule_has_a_switch(make_dataset, lines):
    for asked, counts in (
        ({"spikes": False}, {"bots": 1, "spikes": 0, "level_shifts": 0}),
        ({"bots": False}, {"bots": 0, "spikes": 1, "level_shifts": 0}),
        ({"bots": False, "spikes": False}, {"bots": 0, "spikes": 0, "level_shifts": 0}),
    ):
        panel, report = build_panel_with_report(make_dataset("day", sales=lines, demand=asked), AS_OF)
        assert report.cleaning.counts == counts
    np.testing.assert_array_equal(panel.demand, panel.sold)


def test_flags_of_another_panel_are_refused(make_dataset, lines):
    _, report = build_panel_with_report(make_dataset("day", sales=lines), AS_OF)
    with pytest.raises(UsageError, match="a@main on 2024-01-20"):
        report.cleaning.undone(Panel.from_arrays([[1.0, 2.0]]))


def test_an_empty_report_has_the_columns_all_the_same(make_dataset, sale):
    _, report = build_panel_with_report(make_dataset("day", sales=[sale("2024-01-01", 2)]), AS_OF)
    frame = report.cleaning.to_frame()
    assert frame.height == 0
    assert frame.schema["date"] == pl.Date


def test_notes_are_told_in_both_languages(make_dataset, lines):
    _, report = build_panel_with_report(make_dataset("day", sales=lines), AS_OF + timedelta(days=3))
    told = report.cleaning.notes()
    assert len(told) == 2
    assert all(retold(note, "zh") != note for note in report.notes())
