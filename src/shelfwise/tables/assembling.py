"""From tables as they were read to a `Dataset`: locations filled, sales lines settled, everything checked.

Folder and frames both end here, so both doors apply the same rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

import polars as pl

from shelfwise.errors import DataRejected, Problem
from shelfwise.tables.checking import check_tables
from shelfwise.tables.dataset import Dataset, TableFacts
from shelfwise.tables.locations import with_locations
from shelfwise.tables.reading import TableRead
from shelfwise.tables.rejects import no_rejects
from shelfwise.tables.sales_lines import countable_lines
from shelfwise.tables.schema import SCHEMAS
from shelfwise.tables.settings import Settings
from shelfwise.tables.whole_shop import Shop


class TablesRejected(DataRejected):
    """The tables break the contract; `rejects` holds the rows that were left out, for `write_rejects`."""

    def __init__(self, problems: Sequence[Problem], rejects: pl.DataFrame) -> None:
        super().__init__(problems)
        self.rejects = rejects


def assemble(
    reads: Mapping[str, TableRead],
    files: Mapping[str, str],
    settings: Settings,
    source: str,
    problems: Sequence[Problem] = (),
    before: date | None = None,
) -> Dataset:
    """Check what was read and make a `Dataset` of it.

    Args:
        reads: what `read_table` gave, by table name.
        files: the name to call each table by in messages.
        settings: the shop's settings.
        source: where the data came from, for people.
        problems: found before reading.
        before: the first day whose rows must not decide anything, see `with_locations`.

    Raises:
        TablesRejected: any problem is an error; it carries all problems of all tables.
    """
    found = list(problems)
    tables: dict[str, pl.DataFrame] = {}
    broken: set[str] = set()
    for name in (name for name in SCHEMAS if name in reads):
        table_problems = [_placed(problem, files[name]) for problem in reads[name].problems]
        found += table_problems
        if any(problem.severity == "error" for problem in table_problems):
            broken.add(name)
        else:
            tables[name] = reads[name].frame
    if "sales" in tables:
        lines = countable_lines(tables["sales"], files["sales"])
        tables["sales"] = lines.frame
        found += lines.problems
        if lines.frame.is_empty():
            found.append(_no_sales(files["sales"]))
    if "sales" not in broken:
        tables, location_problems = with_locations(tables, files, before)
        found += location_problems
        found += check_tables(Shop(tables, files, settings, frozenset(broken)))
    if any(problem.severity == "error" for problem in found):
        rejects = [reads[name].rejects for name in SCHEMAS if name in reads]
        raise TablesRejected(found, pl.concat([no_rejects(), *rejects]))
    facts = tuple(_facts(name, reads[name], files[name]) for name in tables)
    return Dataset(settings, tables, tuple(found), source, facts)


def _placed(problem: Problem, file: str) -> Problem:
    return problem if problem.file else replace(problem, file=file)


def _facts(name: str, read: TableRead, file: str) -> TableFacts:
    return TableFacts(
        name=name,
        file=file,
        rows=read.rows_read,
        columns=tuple(read.frame.columns),
        encoding=read.encoding,
        delimiter=read.delimiter,
        renamed=dict(read.renamed),
    )


def _no_sales(file: str) -> Problem:
    return Problem(
        code="sales.empty",
        rule="at least one sales line must count",
        fix="Add sales rows; lines with a status such as cancelled or refunded do not count",
        file=file,
    )
