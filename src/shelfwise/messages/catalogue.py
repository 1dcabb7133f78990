"""The texts of one language, read once from the package's own TOML files and addressed by dotted code."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from shelfwise.errors import UsageError
from shelfwise.messages.language import LANGUAGES


def say(code: str, lang: str = "en", **values: object) -> str:
    """The text of a code, its ``{placeholders}`` filled from `values`.

    Raises:
        KeyError: no text has this code, or a placeholder is given no value.
        UsageError: an unknown language.

    Example:
        >>> say("check.ready", "en")
        'These data can be used.'
    """
    return _texts(lang)[code].format_map(values)


def codes(lang: str = "en") -> tuple[str, ...]:
    """All codes of a language, sorted."""
    return tuple(sorted(_texts(lang)))


@cache
def _texts(lang: str) -> Mapping[str, str]:
    if lang not in LANGUAGES:
        raise UsageError(f"language must be one of {', '.join(LANGUAGES)}; got {lang!r}")
    return merged(files("shelfwise.messages").joinpath(lang))


def merged(folder: Traversable) -> dict[str, str]:
    """All texts of a folder of TOML files by dotted code; a code that two files claim is an error."""
    texts: dict[str, str] = {}
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".toml"):
            continue
        for code, text in _flat(tomllib.loads(file.read_text(encoding="utf-8")), ""):
            if code in texts:
                raise ValueError(f"{file.name}: message code {code!r} is already taken by another file")
            texts[code] = text
    return texts


def _flat(table: Mapping[str, object], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)
