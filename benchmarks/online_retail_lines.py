"""Online Retail II: both raw files as one table of lines, each with the reason it is left out, or none.

The rules, in the order they are asked; a line is counted under the first that holds:

1. ``in_both_files``: lines of the second file whose invoice stands in the first too (1-9 December 2010).
2. ``bad_debt``: invoices ``A…``.
3. ``not_a_product``: stock codes that do not begin with five digits - postage, carriage, manual entries,
   discounts, samples, fees, bank charges, vouchers, adjustments, tests, pads - except the shop's own
   products under ``DCGS…`` and ``SP…``.
4. ``stock_adjustment``: price 0 without a customer, or a negative quantity on an invoice that is no
   cancellation: found, lost, thrown away, checked.
5. ``repeated_in_invoice``: the same invoice, SKU, quantity, price and minute again, all but the first line.
   Most users of these files take such copies for lines booked twice. Some may be pieces scanned one by
   one (one invoice has a cup 20 times), so this can take real demand away; the report tells how many
   lines and units it took, and what that may cost is bounded by them.
6. ``cancelled_sale`` and ``cancellation``: a cancellation (``C…``) and the latest earlier sale, not cancelled
   yet, of the same customer, SKU and quantity. Both go. A cancellation without such a sale (another
   quantity, no customer, a sale before the file begins) stays as a negative quantity.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from benchmarks.raw_data import raw_file
from shelfwise.errors import ShelfwiseError

FILES = ("year_2009_2010.parquet", "year_2010_2011.parquet")
# The two files name the same eight columns differently, in the same order.
COLUMNS = ("order_id", "code", "description", "quantity", "timestamp", "price", "customer", "country")
PRODUCT_CODE = r"^(\d{5}|DCGS|SP\d)"
REASONS = (
    "in_both_files",
    "bad_debt",
    "not_a_product",
    "stock_adjustment",
    "repeated_in_invoice",
    "cancelled_sale",
    "cancellation",
)


def read_lines(source: Path) -> pl.DataFrame:
    """All raw lines of both files: the columns above, `file` (0, 1), `line_id` within the invoice, `sku`.

    A SKU is the stock code in capitals, without blanks at its ends: ``85123a`` is ``85123A``.
    """
    parts = []
    for number, name in enumerate(FILES):
        frame = pl.read_parquet(raw_file(source, name))
        if frame.width != len(COLUMNS):
            raise ShelfwiseError(f"{name} must have {len(COLUMNS)} columns; it has {frame.columns}")
        frame.columns = list(COLUMNS)
        parts.append(frame.with_columns(file=pl.lit(number, pl.Int8)))
    return pl.concat(parts).with_columns(
        line_id=pl.int_range(1, pl.len() + 1).over("file", "order_id"),
        sku=pl.col("code").str.strip_chars().str.to_uppercase(),
        customer=pl.col("customer").cast(pl.String),
    )


def _rule_reasons(lines: pl.DataFrame) -> pl.Expr:
    """The first of reasons 1 to 4 that holds for a line, or null."""
    in_first_file = lines.filter(pl.col("file") == 0)["order_id"].unique().implode()
    cancels = pl.col("order_id").str.starts_with("C")
    nobody_pays = (pl.col("price") == 0) & pl.col("customer").is_null()
    return (
        pl.when((pl.col("file") == 1) & pl.col("order_id").is_in(in_first_file))
        .then(pl.lit("in_both_files"))
        .when(pl.col("order_id").str.starts_with("A"))
        .then(pl.lit("bad_debt"))
        .when(~pl.col("sku").str.contains(PRODUCT_CODE))
        .then(pl.lit("not_a_product"))
        .when(nobody_pays | ((pl.col("quantity") < 0) & ~cancels))
        .then(pl.lit("stock_adjustment"))
    )


def cancelled_pairs(lines: pl.DataFrame) -> pl.DataFrame:
    """`row` and `reason` of the cancellations and the sales they cancel, matched as brackets are.

    Per customer, SKU and quantity, a sale opens and a cancellation closes the latest one still open; in the
    same minute a sale comes before its cancellation. The depth of the nesting finds the partner without a
    loop: at one depth, openings and closings take turns, so a closing belongs to the row before it.

    Args:
        lines: `row`, `customer`, `sku`, `quantity`, `timestamp`.

    Example:
        >>> from datetime import datetime
        >>> pairs = cancelled_pairs(pl.DataFrame({
        ...     "row": [0, 1, 2], "customer": ["7"] * 3, "sku": ["A"] * 3, "quantity": [5, 5, -5],
        ...     "timestamp": [datetime(2011, 1, day) for day in (1, 2, 3)]}))
        >>> pairs.rows()
        [(1, 'cancelled_sale'), (2, 'cancellation')]
    """
    key = ["customer", "sku", "size"]
    moves = (
        lines.filter(pl.col("customer").is_not_null() & (pl.col("quantity") != 0))
        .with_columns(size=pl.col("quantity").abs(), closes=pl.col("quantity") < 0)
        .filter(pl.col("closes").any().over(key))
        .sort("timestamp", "closes", "row")
        .with_columns(step=pl.when("closes").then(-1).otherwise(1))
        .with_columns(balance=pl.col("step").cum_sum().over(key))
    )
    # A cancellation that finds nothing open must not lower the depth: take the lowest balance so far off.
    lowest = pl.min_horizontal(pl.col("balance").cum_min().over(key), pl.lit(0))
    depth = (
        moves.with_columns(after=pl.col("balance") - lowest)
        .with_columns(before=pl.col("after").shift(fill_value=0).over(key))
        .filter(~pl.col("closes") | (pl.col("before") > 0))
        .with_columns(depth=pl.when("closes").then("before").otherwise("after"))
    )
    nested = [*key, "depth"]
    closed_next = pl.col("closes").shift(-1, fill_value=False).over(nested)
    return (
        depth.with_columns(closed=~pl.col("closes") & closed_next)
        .filter(pl.col("closes") | pl.col("closed"))
        .select(
            "row", reason=pl.when("closes").then(pl.lit("cancellation")).otherwise(pl.lit("cancelled_sale"))
        )
        .sort("row")
    )


def sort_out(lines: pl.DataFrame) -> pl.DataFrame:
    """The lines with `reason`: why a line is left out, null where it is kept. No line is lost."""
    marked = lines.with_row_index("row").with_columns(reason=_rule_reasons(lines))
    same = ["order_id", "sku", "quantity", "price", "timestamp"]
    copy = pl.int_range(pl.len()).over(same) > 0
    repeated = (
        marked.filter(pl.col("reason").is_null())
        .filter(copy)
        .select("row", repeated=pl.lit("repeated_in_invoice"))
    )
    marked = marked.join(repeated, on="row", how="left", maintain_order="left")
    marked = marked.with_columns(reason=pl.coalesce("reason", "repeated")).drop("repeated")
    pairs = cancelled_pairs(marked.filter(pl.col("reason").is_null())).rename({"reason": "paired"})
    marked = marked.join(pairs, on="row", how="left", maintain_order="left")
    return marked.with_columns(reason=pl.coalesce("reason", "paired")).drop("paired")
