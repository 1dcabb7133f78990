"""`Wording`: texts, numbers, money and dates as a merchant of one language writes them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from markupsafe import Markup

from shelfwise.messages import say

MISSING = "–"
NO_BREAK = "\u00a0"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
CURRENCY_LABELS = {
    "zh": {"CNY": "元", "RMB": "元", "USD": "美元", "EUR": "欧元", "HKD": "港元", "JPY": "日元"}
}
# Controls, lone surrogates and marks that turn the direction of text: none may reach the page.
UNSHOWABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\ud800-\udfff\ufffe\uffff]"
)


def clean(value: Any) -> Any:
    """Text without anything that is invisible and yet acts, such as a right-to-left override.

    Example:
        >>> clean("cup\\u202eexe") == "cup\\ufffdexe"
        True
    """
    if isinstance(value, str) and not isinstance(value, Markup):
        return UNSHOWABLE.sub("\ufffd", value)
    return value


def shorten(text: str, most: int = 60) -> str:
    """At most `most` characters; what was cut is marked.

    Example:
        >>> shorten("thermos cup", 8)
        'thermos…'
    """
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def capitalised(text: str) -> str:
    """The text as a label that stands alone: its first letter large.

    Example:
        >>> capitalised("rule of thumb (VN2)")
        'Rule of thumb (VN2)'
    """
    return text[:1].upper() + text[1:]


@dataclass(frozen=True)
class Wording:
    """One language and one currency.

    Example:
        >>> words = Wording("en", "CNY")
        >>> words.money(1234.4), words.money(-5), words.percent(0.1234), words.count(12.5)
        ('CNY\\xa01,234', '−CNY\\xa05.00', '12.3\\xa0%', '12.5')
        >>> Wording("zh", "CNY").money(12000)
        '12,000\\xa0元'
    """

    lang: str
    currency: str = ""

    def say(self, code: str, **values: object) -> str:
        """The text of ``report.<code>``."""
        return say(f"report.{code}", self.lang, **values)

    def say_or(self, code: str, fallback: str) -> str:
        """The text of ``report.<code>``, or the fallback where nobody wrote one."""
        try:
            return self.say(code)
        except KeyError:
            return fallback

    def count(self, value: float | None, digits: int | None = None) -> str:
        """A number with thousands separators; up to one decimal unless told otherwise."""
        if value is None or not math.isfinite(value):
            return MISSING
        if digits is None:
            digits = 0 if abs(value - round(value)) < 0.05 or abs(value) >= 1000 else 1
        return _signed(f"{abs(value):,.{digits}f}", value)

    def money(self, value: float | None) -> str:
        """An amount with its currency; small ones to the cent."""
        if value is None or not math.isfinite(value):
            return MISSING
        amount = f"{abs(value):,.{0 if abs(value) >= 100 or value == 0 else 2}f}"
        label = CURRENCY_LABELS.get(self.lang, {}).get(self.currency, self.currency)
        if label:
            amount = f"{amount}{NO_BREAK}{label}" if self.lang == "zh" else f"{label}{NO_BREAK}{amount}"
        return _signed(amount, value)

    def percent(self, share: float | None, digits: int = 1) -> str:
        """A share of 1 in percent."""
        if share is None or not math.isfinite(share):
            return MISSING
        space = "" if self.lang == "zh" else NO_BREAK
        return _signed(f"{abs(share) * 100:.{digits}f}{space}%", share)

    def day(self, day: date | None) -> str:
        """A whole date."""
        if day is None:
            return MISSING
        if self.lang == "zh":
            return f"{day.year}年{day.month}月{day.day}日"
        return f"{day.day} {MONTHS[day.month - 1]} {day.year}"

    def tick(self, day: date) -> str:
        """A date under an axis."""
        return f"{day.month}月{day.day}日" if self.lang == "zh" else f"{day.day} {MONTHS[day.month - 1]}"


def _signed(text: str, value: float) -> str:
    return f"−{text}" if value < 0 and any(digit in text for digit in "123456789") else text
