"""What the contract's eleven tables must look like: columns, kinds, bounds.

Schemas are data, not code: the reader, the documentation and the error texts all read from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from shelfwise.tables.aliases import aliases_of

ColumnKind = Literal["sku", "id", "text", "number", "date", "timestamp", "share"]
FLOAT_KINDS: tuple[ColumnKind, ...] = ("number", "share")
TEXT_KINDS: tuple[ColumnKind, ...] = ("sku", "id", "text")


@dataclass(frozen=True, slots=True)
class ColumnSchema:
    """One known column of a table.

    Args:
        name: the canonical name, as the contract writes it.
        kind: ``sku`` and ``id`` are identifiers (exact text), ``text`` is free text, ``number`` is Float64,
            ``share`` is Float64 in 0…1 (also true/false, 20 %), ``date`` is Date, ``timestamp`` is Datetime
            in the shop's time zone.
        needed: whether the column must be there and filled in every row.
        minimum: the smallest value allowed.
        maximum: the largest value allowed.
        above: the value must be greater than this one (not equal).
        bound_fix: what to do about a value out of bounds, where there is better advice than "correct it".
        aliases: other names the column is known by in English, Chinese and some shops' exports.

    Example:
        >>> SCHEMAS["stock"]["on_hand"].minimum
        0.0
    """

    name: str
    kind: ColumnKind
    needed: bool = False
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    bound_fix: str | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableSchema:
    """The columns of one table.

    Args:
        name: the table's name, which is also its file's stem.
        columns: known columns; any other column is kept as text.
        one_of: groups of columns of which at least one must be there and filled in every row.
        may_be_empty: whether a header without rows says something (nothing inbound), or is a mistake.
    """

    name: str
    columns: tuple[ColumnSchema, ...]
    one_of: tuple[tuple[str, ...], ...] = ()
    may_be_empty: bool = True

    def __getitem__(self, column: str) -> ColumnSchema:
        for known in self.columns:
            if known.name == column:
                return known
        raise KeyError(column)

    def __contains__(self, column: str) -> bool:
        return any(known.name == column for known in self.columns)

    @property
    def needed(self) -> tuple[str, ...]:
        """Names of the columns that must be there whatever else is."""
        return tuple(column.name for column in self.columns if column.needed)

    @property
    def names(self) -> tuple[str, ...]:
        """Canonical names of all known columns, in the contract's order."""
        return tuple(column.name for column in self.columns)


def _table(name: str, *columns: ColumnSchema, one_of: tuple[tuple[str, ...], ...] = ()) -> TableSchema:
    """A schema whose columns carry the aliases that hold in this table."""
    named = tuple(
        ColumnSchema(
            name=column.name,
            kind=column.kind,
            needed=column.needed,
            minimum=column.minimum,
            maximum=column.maximum,
            above=column.above,
            bound_fix=column.bound_fix,
            aliases=aliases_of(name, column.name),
        )
        for column in columns
    )
    return TableSchema(name, named, one_of, may_be_empty=name != "sales")


_SKU = ColumnSchema("sku", "sku", needed=True)
_LOCATION = ColumnSchema("location", "id")
_PRICE = ColumnSchema("price", "number", minimum=0.0)
_UNIT_COST = ColumnSchema("unit_cost", "number", minimum=0.0)

SCHEMAS: dict[str, TableSchema] = {
    table.name: table
    for table in (
        _table(
            "sales",
            _SKU,
            ColumnSchema("date", "date"),
            ColumnSchema("timestamp", "timestamp"),
            ColumnSchema("quantity", "number", needed=True),
            _LOCATION,
            ColumnSchema("order_id", "id"),
            ColumnSchema("line_id", "id"),
            ColumnSchema("source", "id"),
            ColumnSchema("channel", "id"),
            ColumnSchema("customer", "id"),
            _PRICE,
            ColumnSchema("net_amount", "number"),
            ColumnSchema("currency", "text"),
            ColumnSchema("status", "text"),
            one_of=(("date", "timestamp"),),
        ),
        _table(
            "availability",
            _SKU,
            ColumnSchema("date", "date", needed=True),
            ColumnSchema(
                "in_stock",
                "share",
                needed=True,
                minimum=0.0,
                maximum=1.0,
                bound_fix="Write the share of the bucket on sale as 0 to 1 (1 = all of it), or 0 % to 100 %",
            ),
            _LOCATION,
        ),
        _table(
            "stock",
            _SKU,
            ColumnSchema(
                "on_hand",
                "number",
                needed=True,
                minimum=0.0,
                bound_fix="Write 0 here and put what is owed to customers into the column `backorders`",
            ),
            _LOCATION,
            ColumnSchema("reserved", "number", minimum=0.0),
            ColumnSchema("backorders", "number", minimum=0.0),
        ),
        _table(
            "inbound",
            _SKU,
            ColumnSchema("quantity", "number", needed=True, minimum=0.0),
            ColumnSchema("due", "date", needed=True),
            _LOCATION,
            ColumnSchema("supplier", "id"),
            ColumnSchema("po_id", "id"),
            ColumnSchema("line_id", "id"),
        ),
        _table(
            "items",
            _SKU,
            ColumnSchema("name", "text"),
            ColumnSchema("description", "text"),
            ColumnSchema("image", "text"),
            ColumnSchema("category", "text"),
            ColumnSchema("brand", "text"),
            _PRICE,
            _UNIT_COST,
            ColumnSchema("volume", "number", minimum=0.0),
            ColumnSchema("shelf_life", "number", above=0.0),
            ColumnSchema("launched", "date"),
            ColumnSchema("ends", "date"),
            ColumnSchema("substitutes", "text"),
        ),
        _table("locations", ColumnSchema("location", "id", needed=True)),
        _table(
            "terms",
            _SKU,
            _LOCATION,
            ColumnSchema("supplier", "id"),
            ColumnSchema(
                "lead_time",
                "number",
                minimum=0.0,
                maximum=1500.0,
                bound_fix="Write the lead time in buckets (0 = at once, at most 1500)",
            ),
            ColumnSchema(
                "lead_time_sd",
                "number",
                minimum=0.0,
                maximum=1500.0,
                bound_fix="Write the standard deviation of the lead time in buckets (at most 1500)",
            ),
            ColumnSchema("review_period", "number", minimum=1.0),
            ColumnSchema("moq", "number", minimum=0.0),
            ColumnSchema(
                "multiple",
                "number",
                above=0.0,
                bound_fix="Write the pack size (1 = any whole number of pieces), or leave the cell empty",
            ),
            ColumnSchema("max_quantity", "number", minimum=0.0),
            _UNIT_COST,
            ColumnSchema("order_cost", "number", minimum=0.0),
            ColumnSchema("price_breaks", "text"),
        ),
        _table(
            "prices",
            _SKU,
            ColumnSchema("date", "date", needed=True),
            ColumnSchema("price", "number", needed=True, minimum=0.0),
            _LOCATION,
        ),
        _table(
            "promotions",
            _SKU,
            ColumnSchema("start", "date", needed=True),
            ColumnSchema("end", "date", needed=True),
            _LOCATION,
            ColumnSchema("kind", "text"),
            ColumnSchema(
                "discount",
                "share",
                minimum=0.0,
                maximum=1.0,
                bound_fix="Write the discount as a share of the price: 0.2 or 20 % for a fifth off",
            ),
        ),
        _table(
            "events",
            ColumnSchema("date", "date", needed=True),
            ColumnSchema("name", "text", needed=True),
            _LOCATION,
            ColumnSchema("kind", "text"),
        ),
        _table(
            "behaviour",
            ColumnSchema("customer", "id", needed=True),
            _SKU,
            ColumnSchema("timestamp", "timestamp", needed=True),
            ColumnSchema("action", "text", needed=True),
            ColumnSchema("value", "number"),
            _LOCATION,
        ),
    )
}
