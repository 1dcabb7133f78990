"""`Shop`: the tables that came in whole, as the checks between tables look at them, and how they tell of faults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl

from shelfwise.errors import Problem
from shelfwise.tables.settings import Settings

EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class Shop:
    """What the checks look at: the tables that were read without an error, their files, the settings.

    `broken` names the tables that were given but had errors, so that their absence proves nothing.
    """

    tables: Mapping[str, pl.DataFrame]
    files: Mapping[str, str]
    settings: Settings
    broken: frozenset[str] = field(default_factory=frozenset)

    def has(self, table: str, *columns: str) -> bool:
        """Whether the table came in whole and has these columns."""
        return table in self.tables and set(columns) <= set(self.tables[table].columns)

    def has_value(self, table: str, column: str) -> bool:
        """Whether the table has this column, and anything in it."""
        return self.has(table, column) and self.tables[table][column].count() > 0


def row_problem(
    shop: Shop, table: str, bad: pl.DataFrame, code: str, rule: str, fix: str, column: str,
    shown: tuple[str, ...], *, warning: bool = False,
) -> Problem:  # fmt: skip
    """One problem for the rows of `bad`, the first ones named by sku with the values at fault."""
    present = [name for name in shown if name in bad.columns]
    shown_rows = (
        f"{row['sku']}: " + ", ".join(f"{name}={row[name]}" for name in present)
        for row in bad.head(EXAMPLES).iter_rows(named=True)
    )
    return Problem(
        code=code,
        rule=rule,
        fix=fix,
        severity="warning" if warning else "error",
        file=shop.files[table],
        column=column,
        value=examples(shown_rows),
        count=bad.height,
    )


def examples(values: Iterable[str]) -> str:
    """Values at fault, in one text."""
    return "; ".join(values)
