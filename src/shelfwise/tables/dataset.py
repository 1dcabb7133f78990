"""`Dataset`: the contract's tables as of a date, checked and typed; folder and database both give one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import polars as pl

from shelfwise.buckets import Bucket
from shelfwise.errors import DataRejected, Problem, UsageError
from shelfwise.tables.place_checks import CLOSURE, closure_problems
from shelfwise.tables.schema import SCHEMAS, ColumnKind
from shelfwise.tables.settings import Settings

DEFAULT_LOCATION = "main"
EVERY = "*"
# Tables whose rows belong to one location; in the other ones a blank location means every location.
LOCATED = ("sales", "availability", "stock", "inbound", "behaviour")
# What happened; everything else is known ahead or a state and survives `until`.
HAPPENED = {"sales": "date", "availability": "date", "behaviour": "timestamp"}

DTYPES: Mapping[ColumnKind, pl.DataType] = {
    "sku": pl.String(),
    "id": pl.String(),
    "text": pl.String(),
    "number": pl.Float64(),
    "share": pl.Float64(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us"),
}


@dataclass(frozen=True, slots=True)
class TableFacts:
    """How a table came in: what `check` shows beside the data themselves."""

    name: str
    file: str
    rows: int
    columns: tuple[str, ...]
    encoding: str | None = None
    delimiter: str | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dataset:
    """The tables of one shop.

    Attributes:
        settings: what ``shelfwise.toml`` says.
        tables: frame by table name, canonical columns and types; a table that was not given is not in
            it. `location` is always present: ``main`` where sales, availability, stock, inbound and
            behaviour name none, ``*`` (every location) in terms, prices, promotions and events.
        notes: warnings found on the way.
        source: where the data came from, for people.
        facts: one entry a table that was read.
        as_of: the first date that is not known yet, once `until` was called.

    Example:
        >>> from datetime import date
        >>> sales = pl.DataFrame({"sku": ["a", "a"], "date": [date(2024, 1, 1), date(2024, 2, 1)],
        ...                       "quantity": [1.0, 2.0], "location": ["main", "main"]})
        >>> data = Dataset(Settings(), {"sales": sales}, source="example")
        >>> data.until(date(2024, 2, 1)).table("sales").height
        1
        >>> data.table("stock").columns
        ['sku', 'on_hand', 'location']
    """

    settings: Settings
    tables: Mapping[str, pl.DataFrame]
    notes: tuple[Problem, ...] = ()
    source: str = ""
    facts: tuple[TableFacts, ...] = ()
    as_of: date | None = None

    def has(self, name: str) -> bool:
        """Whether the table was given."""
        return _known(name) in self.tables

    def table(self, name: str) -> pl.DataFrame:
        """The table, or an empty one with its needed columns and types when it was not given.

        Raises:
            UsageError: no such table in the contract.
        """
        return self.tables[name] if self.has(name) else empty_table(name)

    def file_of(self, name: str) -> str:
        """The name of the file a table came from, or the table's own name."""
        return next((facts.file for facts in self.facts if facts.name == name), name)

    @property
    def bucket(self) -> Bucket:
        """The time step."""
        return Bucket(self.settings.series.bucket)

    def until(self, as_of: date) -> Dataset:
        """What is known before `as_of`: later sales, availability and behaviour are dropped and counted.

        Prices, promotions and events stay, being known ahead; stock, inbound, items and terms are
        states and stay too.

        Raises:
            DataRejected: no sales row is left.
        """
        tables = dict(self.tables)
        notes = list(self.notes)
        for name, column in HAPPENED.items():
            if name in tables:
                tables[name] = self.tables[name].filter(pl.col(column).dt.date() < as_of)
                dropped = self.tables[name].height - tables[name].height
                if dropped:
                    notes.append(_dropped(self.file_of(name), column, as_of, dropped))
        if tables["sales"].is_empty():
            raise DataRejected([_nothing_left(self.tables["sales"], self.file_of("sales"), as_of)])
        # A row far ahead of the others makes no closure of the time until then.
        closed = list(closure_problems(tables["sales"], self.bucket, self.file_of("sales")))
        notes = [kept for note in notes for kept in (closed if note.code == CLOSURE else [note])]
        return replace(self, tables=tables, notes=tuple(notes), as_of=as_of)


def empty_table(name: str) -> pl.DataFrame:
    """A table without rows: its needed columns (one of each choice) and `location`, typed.

    Example:
        >>> empty_table("events").columns
        ['date', 'name', 'location']
    """
    table = SCHEMAS[_known(name)]
    # Of columns that stand in for each other, such as date and timestamp, the first is what a read gives.
    chosen = {*table.needed, *(group[0] for group in table.one_of), "location"}
    columns = [column for column in table.columns if column.name in chosen]
    return pl.DataFrame(schema={column.name: DTYPES[column.kind] for column in columns})


def _known(name: str) -> str:
    if name not in SCHEMAS:
        raise UsageError(f"table must be one of {', '.join(SCHEMAS)}; got {name!r}")
    return name


def _dropped(file: str, column: str, as_of: date, count: int) -> Problem:
    return Problem(
        code="as_of.rows_dropped",
        rule="rows dated on or after as_of are not known yet and are left out",
        fix="Nothing to do, unless as_of is too early",
        severity="warning",
        file=file,
        column=column,
        value=as_of.isoformat(),
        count=count,
    )


def _nothing_left(sales: pl.DataFrame, file: str, as_of: date) -> Problem:
    return Problem(
        code="as_of.no_history",
        rule="at least one sales row must be dated before as_of",
        fix="Choose an as_of after the first sale",
        file=file,
        column="date",
        value=f"as_of {as_of}, first sale {sales['date'].min()!s}",
    )
