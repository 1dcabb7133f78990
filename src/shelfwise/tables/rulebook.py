"""Every complaint the reader can make: a stable code, the rule that was broken and the way out.

Texts may use ``{column}``; whatever else varies is in the problem's `value`, so that a translation needs
the code alone.
"""

from __future__ import annotations

from typing import Literal

from shelfwise.errors import Problem

RULES: dict[str, tuple[str, str]] = {
    # the file as a whole
    "file.missing": ("the file must exist", "Check the name and the folder"),
    "file.unreadable": ("the file must be readable", "Check who may read it and that it is a plain file"),
    "file.unknown_type": ("a table is NAME.csv or NAME.parquet", "Save it as CSV (UTF-8) or Parquet"),
    "file.too_large": (
        "the file must fit into memory with room to work",
        "Split it by month, write it as Parquet, or raise SHELFWISE_MAX_FILE_BYTES",
    ),
    "file.empty": (
        "the file must hold a header and rows",
        "Export it again, or remove it to use the default",
    ),
    "file.header_only": ("the table has a header but no rows", "Export it again, or remove it"),
    "file.gzip": (
        "a .csv must be plain text; this is gzip",
        "Unpack it first (gunzip) and point to the result",
    ),
    "file.zip": (
        "a .csv must be plain text; this is a zip archive",
        "Unpack it first and point to the CSV inside",
    ),
    "file.xlsx": ("a .csv must be plain text; this is an Excel workbook", "In Excel: Save as, CSV UTF-8"),
    "file.packed": ("a .csv must be plain text; this is a compressed file", "Unpack it first"),
    "file.pdf": ("a .csv must be plain text; this is a PDF", "Export the data as CSV, not as a document"),
    "file.html": (
        "a .csv must be plain text; this is a web page",
        "It may be a login page: sign in and download the export again",
    ),
    "file.json": ("a .csv must be a table; this is JSON", "Convert it to CSV with one row per record"),
    "file.parquet": ("a .csv must be plain text; this is Parquet", "Rename it to end in .parquet"),
    "file.not_parquet": ("a .parquet file must be Parquet", "Rename it after what it is, or export it again"),
    "file.corrupt_parquet": ("the Parquet file must be whole", "Copy or export it again"),
    "file.binary": ("a .csv must be plain text; this is binary data", "Export the data as CSV (UTF-8)"),
    "encoding.ambiguous": (
        "the text encoding must be certain, and these fit about equally well",
        "Save the file as UTF-8, or name the encoding",
    ),
    "encoding.unknown": ("the text must be UTF-8 or a known encoding", "Save the file as CSV UTF-8"),
    "encoding.mismatch": (
        "the text must be in the encoding that was named",
        "Name the right one, or leave it out",
    ),
    # rows
    "row.fields": (
        "every row must have as many fields as the header",
        "Put text that holds the delimiter into double quotes",
    ),
    "row.damaged": ("a row must be text; this one holds bytes that are not", "Export the row again"),
    "csv.unclosed_quote": ("a double quote that opens a field must be closed", "Close it, or remove it"),
    "csv.stray_quote": (
        "a double quote inside a field must be written twice, in a quoted field",
        'Write "5"" pipe" for 5" pipe',
    ),
    "csv.unreadable": ("the file must be a regular CSV (RFC 4180)", "Export it again as CSV UTF-8"),
    # columns
    "columns.duplicate": ("column names must differ", "Rename or remove one of them"),
    "columns.rivals": (
        "only one column may stand for `{column}`, and it is not guessed which",
        "Rename the right one to `{column}`",
    ),
    "columns.missing": ("the column `{column}` is needed", "Add it, or rename the column that holds it"),
    "columns.too_many": (
        "a table may have at most 3000 columns",
        "Write one row per item and date instead of one column per date",
    ),
    "columns.type": ("the column `{column}` has a type that cannot be used here", "Write it as text"),
    # cells
    "value.missing": ("`{column}` must be filled in", "Fill it in or remove the row"),
    "sku.not_text": (
        "ids must be text, and `{column}` holds floating-point numbers",
        "Write the column as text",
    ),
    "sku.destroyed": (
        "a spreadsheet has destroyed this id",
        "Export it again with the column formatted as text; the digits are lost in this file",
    ),
    "sku.float_like": (
        "every value of `{column}` ends in .0, as if ids had been read as numbers",
        "Check that leading zeros are not lost; the values are kept as they are",
    ),
    "sku.look_alike": (
        "values of `{column}` differ only in case, leading zeros or invisible characters",
        "They are kept apart; correct them if they mean the same item",
    ),
    "text.damaged": (
        "text in `{column}` holds replacement characters",
        "It was damaged before it came here; export it again as UTF-8 if it matters",
    ),
    "number.unparsable": (
        "`{column}` must be a number",
        "Write digits with a point or comma for decimals: no unit, currency or exponent word",
    ),
    "number.mixed_styles": (
        "decimals must be written one way in a file",
        "Write every number with a point for decimals, and nothing between thousands",
    ),
    "number.ambiguous": (
        "it is not certain whether this comma or point is for thousands or decimals",
        "Write 1234 or 1.234 without thousands separators, and decimals with a point",
    ),
    "number.too_large": ("`{column}` must be within ±1e12", "Correct the value"),
    "number.out_of_bounds": ("`{column}` is out of bounds", "Correct the value"),
    "number.not_finite": ("`{column}` must be a finite number", "Correct the value or leave it empty"),
    "number.full_width": (
        "numbers in `{column}` are written with full-width digits",
        "They were read as ordinary digits; nothing to do if that is right",
    ),
    "date.unparsable": ("`{column}` must be a date", "Write YYYY-MM-DD"),
    "date.invalid": ("`{column}` must be a day that exists", "Write YYYY-MM-DD"),
    "date.out_of_range": ("`{column}` must lie in the years 1990 to 2100", "Correct the year"),
    "date.excel_serial": (
        "`{column}` must be a date; this looks like a spreadsheet's day number",
        "Format the column as a date (YYYY-MM-DD) before saving as CSV",
    ),
    "date.ambiguous": (
        "it is ambiguous whether the day or the month comes first in `{column}`",
        "Write YYYY-MM-DD",
    ),
    "date.mixed_formats": ("`{column}` must have one date format", "Write YYYY-MM-DD in every row"),
}


def problem(
    code: str,
    *,
    file: str | None = None,
    line: int | None = None,
    column: str | None = None,
    value: str | None = None,
    count: int = 1,
    severity: Literal["error", "warning"] = "error",
    rule: str | None = None,
    fix: str | None = None,
) -> Problem:
    """A `Problem` with the rulebook's texts, unless better ones are given.

    Example:
        >>> print(problem("value.missing", file="sales.csv", line=3, column="sku"))
        sales.csv:3:sku: `sku` must be filled in. Fill it in or remove the row [value.missing]
    """
    known_rule, known_fix = RULES[code]
    return Problem(
        code=code,
        rule=rule or known_rule.format(column=column or ""),
        fix=fix or known_fix.format(column=column or ""),
        severity=severity,
        file=file,
        line=line,
        column=column,
        value=value,
        count=count,
    )
