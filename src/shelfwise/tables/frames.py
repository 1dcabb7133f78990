"""`dataset_from_frames`: tables already in memory in, the same checks as for files, a `Dataset` out.

Takes Polars frames (eager or lazy), pandas frames (pyarrow is not needed), Arrow tables and anything else
that speaks the Arrow stream protocol; the long format ``unique_id, ds, y`` is known by its names.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl

from shelfwise.errors import UsageError
from shelfwise.tables.aliases import match_columns
from shelfwise.tables.assembling import assemble
from shelfwise.tables.dataset import Dataset
from shelfwise.tables.pandas_frames import columns_holding_floats, from_pandas
from shelfwise.tables.reading import TableRead, read_table
from shelfwise.tables.rulebook import problem
from shelfwise.tables.schema import SCHEMAS, TableSchema
from shelfwise.tables.settings import Settings

LARGEST_EXACT_FLOAT = 2**53


def dataset_from_frames(
    sales: Any,
    *,
    settings: Mapping[str, Any] | Settings | None = None,
    before: date | None = None,
    **tables: Any,
) -> Dataset:
    """Make a checked `Dataset` from tables in memory.

    Args:
        sales: the sales, in the contract's columns or ones it knows by another name.
        settings: `Settings`, or the nested mapping that ``shelfwise.toml`` would hold.
        before: the first day that is not known yet, see `read_folder`.
        **tables: the contract's other tables by name; None is the same as leaving one out.

    Raises:
        UsageError: an unknown table name, or something that is no table.
        DataRejected: the data or the settings break the contract.

    Example:
        >>> frame = pl.DataFrame({"unique_id": ["0017"], "ds": ["2024-01-01"], "y": [3]})
        >>> dataset_from_frames(frame).table("sales").select("sku", "quantity").rows()
        [('0017', 3.0)]
    """
    unknown = sorted(set(tables) - set(SCHEMAS))
    if unknown:
        raise UsageError(f"unknown table {unknown[0]!r}; the tables are {', '.join(SCHEMAS)}")
    if not isinstance(settings, Settings):
        settings = Settings.from_mapping(settings or {})
    given = {"sales": sales, **{name: table for name, table in tables.items() if table is not None}}
    reads = {name: _read(table, SCHEMAS[name], settings.series.timezone) for name, table in given.items()}
    return assemble(reads, {name: name for name in given}, settings, "frames", before=before)


def to_polars(table: Any, name: str) -> pl.DataFrame:
    """Any supported table as an eager Polars frame; ids that are text stay text.

    Raises:
        UsageError: not a table we know how to read.
    """
    if isinstance(table, pl.DataFrame):
        return table
    if isinstance(table, pl.LazyFrame):
        return table.collect()
    # pandas speaks the Arrow protocol too, but only where pyarrow is installed.
    if _is_pandas(table):
        return from_pandas(table)
    if hasattr(table, "__arrow_c_stream__"):
        return pl.DataFrame(table)
    raise UsageError(
        f"{name} must be a Polars or pandas frame or an Arrow table; got {type(table).__name__}. "
        "Wrap a dict or a list of rows in polars.DataFrame(...)."
    )


def _is_pandas(table: Any) -> bool:
    return type(table).__module__.split(".")[0] == "pandas" and hasattr(table, "columns")


def _read(table: Any, schema: TableSchema, timezone: str) -> TableRead:
    """Read one table, ids first: a float is no sku, because it has lost what made the sku."""
    frame = to_polars(table, schema.name)
    if _is_pandas(table):
        floats = columns_holding_floats(table)
    else:
        floats = {name for name, dtype in frame.schema.items() if dtype.is_float()}
    canonical = dict(zip(frame.columns, match_columns(frame.columns, schema).canonical, strict=True))
    lost = [column for column in frame.columns if column in floats and canonical[column] == "sku"]
    if lost:
        problems = tuple(
            problem("sku.not_text", file=schema.name, column=column, count=frame.height) for column in lost
        )
        return TableRead(frame, problems, rows_read=frame.height)
    ids = {column.name for column in schema.columns if column.kind == "id"}
    for column in (
        name for name, dtype in frame.schema.items() if dtype.is_float() and canonical[name] in ids
    ):
        values = frame[column].fill_nan(None)
        # A float column of whole numbers with a gap is what pandas makes of integer ids.
        if ((values == values.round()) & (values.abs() < LARGEST_EXACT_FLOAT)).all():
            frame = frame.with_columns(values.cast(pl.Int64))
    return read_table(frame, schema, timezone=timezone)
