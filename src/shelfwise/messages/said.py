"""`Said`: a sentence that can be said again in another language."""

from __future__ import annotations

from typing import Any

from shelfwise.errors import MissingExtra, ShelfwiseError
from shelfwise.messages.catalogue import say


class Said(str):
    """A text in English wherever a text is wanted, which keeps the code and the values it was made of.

    Values may be such texts themselves.

    Attributes:
        code: of the message; values: what fills its placeholders.

    Raises:
        KeyError: no text has this code, or a placeholder is given no value.

    Example:
        >>> note = Said("check.title", source="my-shop")
        >>> note, retold(note, "zh"), retold("a text of nobody's", "zh")
        ('Data check: my-shop', '数据检查：my-shop', "a text of nobody's")
    """

    code: str
    values: dict[str, object]

    def __new__(cls, code: str, **values: object) -> Said:
        text = super().__new__(cls, say(code, "en", **values))
        text.code, text.values = code, values
        return text

    def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self.code,), self.values


def retold(text: str, lang: str) -> str:
    """The text in a language, if it is known where it came from; else as it is.

    Raises:
        UsageError: an unknown language.
    """
    if not isinstance(text, Said):
        return text
    values = {
        name: retold(value, lang) if isinstance(value, str) else value for name, value in text.values.items()
    }
    return say(text.code, lang, **values)


def said_of(error: Exception) -> str:
    """What an error says, to be said again in another language; only what others threw stays in their words.

    An error of ours may be raised with a `Said` for its text.

    Example:
        >>> from shelfwise.errors import UsageError
        >>> retold(said_of(UsageError(Said("forecast.no_history"))), "zh")
        '没有历史：采用本店新品的水平'
        >>> said_of(ValueError("no convergence"))
        'ValueError: no convergence'
    """
    if isinstance(error, MissingExtra):
        return Said("error.missing_extra", package=error.package, extra=error.extra)
    if isinstance(error, ShelfwiseError):
        told = error.args[0] if error.args else ""
        return told if isinstance(told, Said) else str(error)
    return f"{type(error).__name__}: {error}"
