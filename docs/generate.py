"""The parts of the documentation that are read out of the code; `python docs/generate.py` brings them up to date.

A part stands between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``; `tests/test_docs.py` compares each
with what the code says today.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shelfwise.replenish.plan import Plan

DOCS = Path(__file__).parent
PART = re.compile(r"<!-- begin (\w+) -->\n(.*?)<!-- end \1 -->", re.DOTALL)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def columns() -> str:
    """Every known column of every table."""
    from shelfwise.tables.numbers import bounds_text
    from shelfwise.tables.schema import SCHEMAS

    def rows() -> Iterator[tuple[str, str, str, str, str]]:
        for schema in SCHEMAS.values():
            choice = {name for group in schema.one_of for name in group}
            for column in schema.columns:
                needed = "yes" if column.needed else "one of the two" if column.name in choice else ""
                bounded = any(bound is not None for bound in (column.minimum, column.maximum, column.above))
                allowed = bounds_text(column) if bounded else ""
                yield f"`{schema.name}`", f"`{column.name}`", column.kind, needed, allowed

    return table(["table", "column", "kind", "needed", "allowed"], list(rows()))


def settings() -> str:
    """Every key of shelfwise.toml."""
    from shelfwise.tables.settings import CONTRACT_HOLDING, Settings

    def default(key: str, value: object) -> str:
        if key == "costs.holding":
            return f"`{CONTRACT_HOLDING}`"
        if isinstance(value, bool):
            return f"`{str(value).lower()}`"
        return "none" if value is None else f"`{value!r}`".replace("'", '"')

    rows = []
    for section, fields in Settings.model_fields.items():
        for name, field in type(fields.default).model_fields.items():
            key = f"{section}.{name}"
            rows.append((f"`{key}`", default(key, field.default), field.description or ""))
    return table(["key", "default", "what may stand there"], rows)


def aliases() -> str:
    """The names under which files call the columns."""
    from shelfwise.tables.aliases import COLUMN_ALIASES, TABLE_ALIASES

    rows = [(f"`{name}`", "all", _words(words)) for name, words in COLUMN_ALIASES.items()]
    rows += [
        (f"`{name}`", f"`{owner}` only", _words(words)) for (owner, name), words in TABLE_ALIASES.items()
    ]
    return table(["column", "tables that have it", "also read as"], rows)


def _words(text: str) -> str:
    return " ".join(f"`{word}`" for word in text.split())


def rules() -> str:
    """What the reader of one table complains about."""
    from shelfwise.tables.rulebook import RULES

    rows = []
    for code, texts in RULES.items():
        rule, fix = (text.format(column="COLUMN") for text in texts)
        rows.append((f"`{code}`", rule, fix))
    return table(["code", "rule", "way out"], rows)


def options() -> str:
    """Every command with its arguments and options."""
    import typer.main

    from shelfwise.cli.app import app

    group = typer.main.get_command(app)
    parts = []
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        rows = []
        for parameter in command.params:
            if parameter.param_type_name == "argument":
                called = f"`{parameter.metavar}`"
            else:
                value = "" if getattr(parameter, "is_flag", False) else f" {parameter.metavar or 'N'}"
                called = f"`{', '.join(parameter.opts)}{value}`"
            default = "needed" if parameter.required else _shown(parameter.default)
            rows.append((called, default, parameter.help or ""))
        purpose = " ".join((command.help or "").split("Example:")[0].split())
        parts.append(f"### `{name}`\n\n{purpose}\n\n" + table(["option", "default", "meaning"], rows))
    return "\n\n".join(parts)


def _shown(default: object) -> str:
    return "" if default is None else f"`{default}`"


def models() -> str:
    """Every registered forecaster, by the first line of its docstring."""
    from shelfwise.forecast.register import AUTO, AUTO_PLACE, DEFAULT_MODEL, FORECASTERS

    rows = []
    for name, place in {AUTO: AUTO_PLACE, **FORECASTERS}.items():
        module, _, attribute = place.partition(":")
        purpose = inspect.getdoc(getattr(import_module(module), attribute)) or ""
        first = " ".join(purpose.split("\n\n")[0].split())
        note = " (default)" if name == DEFAULT_MODEL else ""
        rows.append((f"`{name}`{note}", first, f"`{module.removeprefix('shelfwise.')}`"))
    return table(["model", "what it is", "module"], rows)


def policies() -> str:
    """Every registered policy, by the first paragraph of its docstring."""
    from shelfwise.replenish.register import DEFAULT_POLICY, POLICIES

    rows = []
    for name, place in POLICIES.items():
        module, _, attribute = place.partition(":")
        policy = getattr(import_module(module), attribute)
        first = " ".join((inspect.getdoc(policy) or "").split("\n\n")[0].split())
        note = " (default)" if name == DEFAULT_POLICY else ""
        rows.append((f"`{name}`{note}", first, "scenarios" if policy.needs_scenarios else "history alone"))
    return table(["policy", "rule", "decides on"], rows)


def reasons() -> str:
    """Every code a plan may give for a line."""
    from shelfwise.messages import codes, say

    groups = ("plan.reason.", "plan.blocked.", "plan.warning.")
    chosen = [code for group in groups for code in codes("en") if code.startswith(group)]
    from shelfwise.replenish.plan import PRICE_COLUMNS, SUPPLY_COLUMNS, WASTE_COLUMNS

    optional = (*WASTE_COLUMNS, *PRICE_COLUMNS, *SUPPLY_COLUMNS)
    # A figure stands in its text by its name, which is the column of the plan that holds it.
    figures = {name: f"{{{name}}}" for name in (*_example_plan().table.columns, *optional, "bucket")}
    texts = [say(code, "en", **figures) for code in chosen]
    statuses = [code for code in codes("en") if code.startswith("plan.status.")]
    return (
        table(["code", "text"], [(f"`{code}`", text) for code, text in zip(chosen, texts, strict=True)])
        + "\n\n"
        + table(
            ["status", "in words"],
            [(f"`{code.removeprefix('plan.status.')}`", say(code, "en")) for code in statuses],
        )
    )


def sample() -> str:
    """The explanation of the first series of the built-in example."""
    return f"```text\n{_example_plan().explain('s0000000')}\n```"


def _example_plan() -> Plan:
    from shelfwise.replenish.example import small_situation
    from shelfwise.replenish.order_up_to import ScenarioOrderUpTo
    from shelfwise.replenish.plan import make_plan

    situation = small_situation()
    return make_plan(situation, ScenarioOrderUpTo().decide(situation))


PARTS: dict[str, Callable[[], str]] = {
    part.__name__: part
    for part in (columns, settings, aliases, rules, options, models, policies, reasons, sample)
}


def up_to_date(text: str) -> str:
    """`text` with every generated part as the code has it."""

    def filled(found: re.Match[str]) -> str:
        name = found.group(1)
        return f"<!-- begin {name} -->\n{PARTS[name]()}\n<!-- end {name} -->"

    return PART.sub(filled, text)


def main() -> None:
    """Rewrite every page whose generated parts have changed."""
    os.environ["SHELFWISE_LANG"] = "en"
    for page in sorted(DOCS.rglob("*.md")):
        before = page.read_text(encoding="utf-8")
        after = up_to_date(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(f"updated {page.relative_to(DOCS)}")


if __name__ == "__main__":
    main()
