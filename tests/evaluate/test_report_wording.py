"""Numbers, money and dates as people of each language write them."""

from __future__ import annotations

import math
from datetime import date

import pytest

from shelfwise.evaluate.report.wording import MISSING, Wording, clean, shorten

EN, ZH, BARE = Wording("en", "CNY"), Wording("zh", "CNY"), Wording("en")


def plain(text):
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("value", "english", "chinese", "bare"),
    [
        (0.0, "CNY 0", "0 元", "0"),
        (3.456, "CNY 3.46", "3.46 元", "3.46"),
        (1234567.8, "CNY 1,234,568", "1,234,568 元", "1,234,568"),
        (-250.0, "−CNY 250", "−250 元", "−250"),
        (-0.001, "CNY 0.00", "0.00 元", "0.00"),
        (None, MISSING, MISSING, MISSING),
        (math.nan, MISSING, MISSING, MISSING),
        (math.inf, MISSING, MISSING, MISSING),
    ],
)
def test_money(value, english, chinese, bare):
    assert [plain(words.money(value)) for words in (EN, ZH, BARE)] == [english, chinese, bare]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (7.0, "7"), (7.26, "7.3"), (0.04, "0"), (98765.4, "98,765"), (None, MISSING)],
)
def test_counts(value, text):
    assert EN.count(value) == text


def test_percent_and_dates_follow_the_language():
    assert (plain(EN.percent(0.052)), ZH.percent(0.052)) == ("5.2 %", "5.2%")
    assert (EN.day(date(2026, 6, 1)), ZH.day(date(2026, 6, 1))) == ("1 Jun 2026", "2026年6月1日")
    assert (EN.tick(date(2026, 6, 1)), ZH.tick(date(2026, 6, 1))) == ("1 Jun", "6月1日")
    assert EN.day(None) == MISSING


def test_unknown_names_keep_their_own_word():
    assert EN.say_or("policy.my_rule", "my_rule") == "my_rule"
    assert EN.say_or("policy.textbook", "x") == "textbook formula"


@pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\u200f", "\x00", "\x1b", "\x85", "\ud83d"])
def test_marks_that_act_unseen_become_visible(mark):
    assert clean(f"a{mark}b") == "a\ufffdb"


def test_ordinary_text_of_any_script_is_untouched():
    text = "云杉 保温杯\n☕ שלום مرحبا e\u0301 👨\u200d👩\u200d👧"
    assert clean(text) == text


def test_shortening_marks_the_cut():
    assert shorten("abc", 3) == "abc"
    assert shorten("abcd", 3) == "ab…"
    assert len(shorten("长" * 10_000)) == 60
