"""Texts: both languages complete, placeholders equal, problems translated by code."""

import re
import string
from pathlib import Path

import pytest

import shelfwise
from shelfwise.errors import Problem, UsageError
from shelfwise.messages import codes, pick_language, problem_text, say
from shelfwise.messages.catalogue import _texts, merged
from shelfwise.tables.key_checks import NAMING_SKUS, UNIQUE_BY
from shelfwise.tables.rulebook import RULES

CHINESE = re.compile(r"[\u4e00-\u9fff]")
SOURCES = Path(shelfwise.__path__[0])


def placeholders(text):
    return {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}


def translated(lang):
    return {code for code in codes(lang) if not code.startswith("problem.")}


def test_both_languages_have_the_same_codes():
    assert translated("en") == translated("zh")
    assert translated("en")


@pytest.mark.parametrize("code", sorted(translated("en")))
def test_both_languages_fill_the_same_placeholders(code):
    assert placeholders(_texts("en")[code]) == placeholders(_texts("zh")[code])


@pytest.mark.parametrize("code", codes("zh"))
def test_chinese_texts_are_chinese(code):
    text = _texts("zh")[code]
    # A fix such as "例如 400:0.72" still explains itself; only texts without any Chinese are slips.
    assert CHINESE.search(text), text


def test_english_texts_hold_no_chinese():
    assert not [code for code in codes("en") if CHINESE.search(_texts("en")[code])]


def test_a_problem_translation_has_a_rule_and_a_fix_and_uses_only_what_a_problem_carries():
    problems = {code for code in codes("zh") if code.startswith("problem.")}
    for code in problems:
        assert code.rsplit(".", 1)[1] in ("rule", "fix"), code
        assert code.replace(".rule", ".fix") in problems
        assert code.replace(".fix", ".rule") in problems
        assert placeholders(_texts("zh")[code]) <= {"file", "column", "value", "count"}, code


def codes_in_the_source():
    found = set()
    for path in (SOURCES / "tables").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        found |= set(re.findall(r'code="([a-z_]+\.[a-z_]+)"', text))
        found |= set(re.findall(r'"(terms\.[a-z_]+|settings\.[a-z_]+)"', text))
    found |= set(RULES)
    found |= {f"{table}.repeated" for table in UNIQUE_BY} | {f"{table}.unknown_sku" for table in NAMING_SKUS}
    return found


def test_every_problem_of_the_tables_is_translated():
    known = {code.removeprefix("problem.").rsplit(".", 1)[0] for code in codes("zh")}
    assert len(codes_in_the_source()) > 30
    assert sorted(codes_in_the_source() - known) == []


def test_say_fills_placeholders_and_leaves_braces_in_values_alone():
    assert say("check.title", source="{shop}") == "Data check: {shop}"
    assert say("check.title", "zh", source="x") == "数据检查：x"


def test_unknown_code_is_a_key_error_with_the_code():
    with pytest.raises(KeyError, match=r"no\.such"):
        say("no.such")


def test_unknown_language_is_a_usage_error():
    with pytest.raises(UsageError, match="en, zh"):
        say("check.ready", "de")


def test_files_of_a_language_merge_and_a_code_claimed_twice_is_an_error(tmp_path):
    (tmp_path / "a.toml").write_text("[plan]\norder_nothing = 'A'\n[plan.deep]\nx = 'B'\n", encoding="utf-8")
    (tmp_path / "b.toml").write_text("[report]\ntitle = 'C'\n", encoding="utf-8")
    (tmp_path / "note.md").write_text("not a text", encoding="utf-8")
    assert merged(tmp_path) == {"plan.order_nothing": "A", "plan.deep.x": "B", "report.title": "C"}
    (tmp_path / "c.toml").write_text("plan.order_nothing = 'D'\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"c\.toml.*plan\.order_nothing"):
        merged(tmp_path)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "SHELFWISE_LANG": "zh"}, "zh"),
    ],
)
def test_language_follows_the_environment(monkeypatch, environment, expected):
    for variable in ("SHELFWISE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert pick_language() == expected
    assert pick_language("en-GB") == "en"


def test_a_language_asked_for_in_so_many_words_must_be_known(monkeypatch):
    with pytest.raises(UsageError, match=r"language.*'fr'"):
        pick_language("fr")
    monkeypatch.setenv("SHELFWISE_LANG", "klingon")
    with pytest.raises(UsageError, match=r"SHELFWISE_LANG.*klingon"):
        pick_language()


def test_problem_text_keeps_place_value_count_and_code():
    problem = Problem(
        "stock.repeated", "a rule", "a fix", file="stock.csv", column="sku", value="a/b", count=3
    )
    text = problem_text(problem, "zh")
    assert CHINESE.search(text)
    assert all(part in text for part in ("stock.csv:sku", "a/b", "3", "[stock.repeated]"))
    assert problem_text(problem, "en") == str(problem)


def test_problem_without_a_translation_is_shown_in_english():
    problem = Problem("new.kind", "a rule", "a fix", value="{x}")
    assert problem_text(problem, "zh") == str(problem)
