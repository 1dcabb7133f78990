"""What is wrong with ``shelfwise.toml``, said as `Problem`s: file, line, key, value, rule and way out."""

from __future__ import annotations

import difflib
import re
import tomllib
import zoneinfo
from collections.abc import Iterator, Sequence

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from shelfwise.errors import Problem

SETTINGS_FILE = "shelfwise.toml"


def unreadable(error: OSError | UnicodeDecodeError) -> Problem:
    return Problem(
        code="settings.unreadable",
        rule="the settings file must be readable UTF-8 text",
        fix="Save it as UTF-8 and check who may read it",
        file=SETTINGS_FILE,
        value=str(error),
    )


def syntax_broken(error: tomllib.TOMLDecodeError) -> Problem:
    found = re.search(r"at line (\d+)", str(error))
    return Problem(
        code="settings.syntax",
        rule="the settings file must be valid TOML",
        fix='Write one `key = value` a line under its [section]; text stands in "quotes"',
        file=SETTINGS_FILE,
        line=int(found.group(1)) if found else None,
        value=str(error),
    )


def invalid(error: ValidationError, model: type[BaseModel], text: str | None) -> Iterator[Problem]:
    """One problem for every key that breaks a rule; `text` is the file, to find the line in."""
    seen: set[str] = set()
    for detail in error.errors():
        section, *rest = [str(part) for part in detail["loc"]]
        key = rest[0] if rest else None
        # A union such as `shortage` reports once per member; the key is what the user knows.
        column = section if key is None else f"{section}.{key}"
        if column not in seen:
            seen.add(column)
            fields = model.model_fields
            if key is not None:
                fields = _section_fields(model, section)
            line = None if text is None else _line_of(text, section, key)
            yield _problem(detail, column, key or section, fields, line, is_section=key is None)


def _problem(
    detail: ErrorDetails,
    column: str,
    key: str,
    fields: dict[str, FieldInfo],
    line: int | None,
    *,
    is_section: bool,
) -> Problem:
    value = str(detail["input"])
    if detail["type"] == "extra_forbidden":
        code, rule, value = "settings.unknown_key", "every key must be one of the contract's", key
        fix = _suggestion(key, list(fields))
    elif detail["type"] == "value_error" and is_section:
        code, rule = "settings.two_holding_costs", "costs.holding and costs.holding_rate exclude each other"
        fix = "Keep one of the two"
    elif is_section:
        code, rule = "settings.bad_value", f"{column} must be a table of settings"
        fix = f"Write [{key}] and its keys below it"
    elif column == "series.timezone":
        code, rule = "settings.bad_value", f"{column} must be {fields[key].description}"
        fix = _suggestion(value, sorted(zoneinfo.available_timezones()), limit=12)
    else:
        code, rule = "settings.bad_value", f"{column} must be {fields[key].description}"
        example = (fields[key].examples or [fields[key].default])[0]
        # TOML writes true and false in small letters.
        quoted = f'"{example}"' if isinstance(example, str) else str(example).lower()
        fix = f"Write for instance `{key} = {quoted}`"
    return Problem(code=code, rule=rule, fix=fix, file=SETTINGS_FILE, line=line, column=column, value=value)


def _section_fields(model: type[BaseModel], section: str) -> dict[str, FieldInfo]:
    kind = model.model_fields[section].annotation
    assert isinstance(kind, type)
    assert issubclass(kind, BaseModel)
    return dict(kind.model_fields)


def _suggestion(word: str, names: Sequence[str], *, limit: int = 20) -> str:
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]}?"
    listed = ", ".join(names) if len(names) <= limit else f"{', '.join(names[:3])}, ..."
    return f"Use one of: {listed}"


def _line_of(text: str, section: str, key: str | None) -> int | None:
    """The line of a key in the file, or of its section; None when it is written in another way."""
    inside = False
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        header = re.match(r"\[\s*([^\]]+?)\s*\]", stripped)
        if header:
            inside = header.group(1).strip("\"'") == section
            if inside and key is None:
                return number
            continue
        wanted = rf"{re.escape(section)}\s*[=.]" if not inside else rf"\"?{re.escape(key or '')}\"?\s*="
        if re.match(wanted, stripped):
            return number
    return None
