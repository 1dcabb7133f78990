"""Which language to speak: asked for, else the environment's, else English."""

from __future__ import annotations

import os

from shelfwise.errors import UsageError

LANGUAGES = ("en", "zh")
ENVIRONMENT = ("SHELFWISE_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


def pick_language(requested: str | None = None) -> str:
    """The language to use: the argument, else ``SHELFWISE_LANG``, else the system's, else ``en``.

    Only what was asked for in so many words must be known; a system language we lack becomes English.

    Raises:
        UsageError: an unknown language was asked for by argument or ``SHELFWISE_LANG``.

    Example:
        >>> pick_language("zh-CN")
        'zh'
    """
    if requested:
        return _known(requested, "language")
    for variable in ENVIRONMENT:
        value = os.environ.get(variable, "")
        if value and variable == "SHELFWISE_LANG":
            return _known(value, variable)
        if value:
            # POSIX: the first of these that is set decides, also when it names a language we lack.
            return _prefix(value) if _prefix(value) in LANGUAGES else "en"
    return "en"


def _known(value: str, origin: str) -> str:
    if _prefix(value) not in LANGUAGES:
        raise UsageError(f"{origin} must be one of {', '.join(LANGUAGES)}; got {value!r}")
    return _prefix(value)


def _prefix(value: str) -> str:
    return value.replace("-", "_").split("_")[0].split(".")[0].lower()
