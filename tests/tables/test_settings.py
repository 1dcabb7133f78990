"""Settings: the contract's example, its defaults, and every way of getting a key wrong."""

import pytest
from pydantic import ValidationError

from shelfwise.errors import DataRejected
from shelfwise.tables.settings import Settings

CONTRACT_EXAMPLE = """
[series]
bucket = "week"            # "day" | "week" | "month"
timezone = "UTC"
[supply]
lead_time = 2              # in buckets
lead_time_sd = 0.0
review_period = 1
moq = 0
multiple = 1
unmet = "lost"
[costs]
holding = 0.2
shortage = 1.0
order = 0.0
[objective]
minimise = "cost"
service_level = 0.95
[limits]
budget = 50000.0
volume = 120.0
[forecast]
model = "auto"
"""


def load(tmp_path, text):
    (tmp_path / "shelfwise.toml").write_text(text, encoding="utf-8")
    return Settings.load(tmp_path)


def rejected(tmp_path, text):
    with pytest.raises(DataRejected) as caught:
        load(tmp_path, text)
    return caught.value.problems


def test_the_contracts_example_loads(tmp_path):
    settings = load(tmp_path, CONTRACT_EXAMPLE)
    assert (settings.limits.budget, settings.limits.volume) == (50000.0, 120.0)
    assert settings.supply.lead_time == 2


def test_without_a_file_the_defaults_are_the_contracts_and_nothing_is_limited(tmp_path):
    settings = Settings.load(tmp_path)
    assert settings == load(tmp_path, CONTRACT_EXAMPLE.split("[limits]")[0])
    assert settings.limits.budget is None
    assert settings.costs.holding == 0.2


def test_alternatives_of_the_costs(tmp_path):
    costs = load(tmp_path, '[costs]\nholding_rate = 0.25\nshortage = "margin"\n').costs
    assert (costs.holding, costs.holding_rate, costs.shortage) == (None, 0.25, "margin")


def test_settings_are_frozen():
    with pytest.raises(ValidationError):
        Settings().supply.lead_time = 3


def test_a_whole_number_written_with_a_point_is_whole(tmp_path):
    assert load(tmp_path, "[supply]\nlead_time = 3.0\n").supply.lead_time == 3


@pytest.mark.parametrize(
    ("text", "column", "value"),
    [
        ("[supply]\nlead_time = -1", "supply.lead_time", "-1"),
        ("[supply]\nlead_time = 2.5", "supply.lead_time", "2.5"),
        ("[supply]\nlead_time = true", "supply.lead_time", "True"),
        ("[supply]\nlead_time_sd = nan", "supply.lead_time_sd", "nan"),
        ("[supply]\nreview_period = 0", "supply.review_period", "0"),
        ("[supply]\nmultiple = 0", "supply.multiple", "0"),
        ('[supply]\nmoq = "12"', "supply.moq", "12"),
        ('[supply]\nunmet = "wait"', "supply.unmet", "wait"),
        ('[series]\nbucket = "hour"', "series.bucket", "hour"),
        ('[series]\ntimezone = "Asia/Shangai"', "series.timezone", "Asia/Shangai"),
        ("[costs]\nholding = -0.1", "costs.holding", "-0.1"),
        ('[costs]\nshortage = "margins"', "costs.shortage", "margins"),
        ("[costs]\nshortage = -1", "costs.shortage", "-1"),
        ("[objective]\nservice_level = 1.0", "objective.service_level", "1.0"),
        ("[objective]\nservice_level = 0.0", "objective.service_level", "0.0"),
        ('[objective]\nminimise = "stock"', "objective.minimise", "stock"),
        ("[limits]\nbudget = inf", "limits.budget", "inf"),
        ('[forecast]\nmodel = ""', "forecast.model", ""),
    ],
)
def test_an_impossible_value_names_line_key_value_and_rule(tmp_path, text, column, value):
    (problem,) = rejected(tmp_path, text)
    assert (problem.file, problem.line, problem.column, problem.value) == ("shelfwise.toml", 2, column, value)
    assert problem.code == "settings.bad_value"
    assert column in problem.rule
    assert problem.fix


def test_unknown_keys_suggest_the_nearest(tmp_path):
    first, second = rejected(tmp_path, "[supply]\nlead_tme = 3\n[serie]\nbucket = 'week'\n")
    assert (first.code, first.line, first.fix) == ("settings.unknown_key", 2, "Did you mean lead_time?")
    assert (second.column, second.line, second.fix) == ("serie", 3, "Did you mean series?")


def test_an_unknown_key_far_from_all_lists_them(tmp_path):
    (problem,) = rejected(tmp_path, "[limits]\nxyz = 3\n")
    assert problem.fix == "Use one of: budget, volume"


def test_a_misspelt_zone_is_suggested(tmp_path):
    (problem,) = rejected(tmp_path, '[series]\ntimezone = "Asia/Shangai"\n')
    assert problem.fix == "Did you mean Asia/Shanghai?"


def test_two_holding_costs_exclude_each_other(tmp_path):
    (problem,) = rejected(tmp_path, "[costs]\nholding = 1\nholding_rate = 0.2\n")
    assert problem.code == "settings.two_holding_costs"


def test_a_section_that_is_a_value(tmp_path):
    (problem,) = rejected(tmp_path, "supply = 3\n")
    assert (problem.column, problem.line) == ("supply", 1)


def test_broken_toml_names_the_line(tmp_path):
    (problem,) = rejected(tmp_path, "[supply]\nlead_time = = 3\n")
    assert (problem.code, problem.line) == ("settings.syntax", 2)


def test_a_file_that_is_not_utf8(tmp_path):
    (tmp_path / "shelfwise.toml").write_bytes("# 设置\n".encode("gbk"))
    with pytest.raises(DataRejected, match="UTF-8"):
        Settings.load(tmp_path)


def test_a_byte_order_mark_is_no_harm(tmp_path):
    (tmp_path / "shelfwise.toml").write_bytes(b"\xef\xbb\xbf[supply]\nlead_time = 4\n")
    assert Settings.load(tmp_path).supply.lead_time == 4


def test_all_problems_come_at_once(tmp_path):
    problems = rejected(tmp_path, "[supply]\nlead_time = -1\nmoq = -1\n[limits]\nbudget = -1\n")
    assert [problem.column for problem in problems] == ["supply.lead_time", "supply.moq", "limits.budget"]
