"""A folder of the kind shops really send, to show what `check` says about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shelfwise.demo.writing import SETTINGS, write_files

HEADER = "order_id,line_id,sku,location,date,quantity,price,currency"
GOOD_DAYS = 28


@dataclass(frozen=True, slots=True)
class Fault:
    """One spoilt row of the dirty file: its line (the header is line 1), column and value as written."""

    line: int
    column: str
    value: str
    what: str


# Spoilt fields by column: what a row says instead, and what happened to it.
SPOILT = (
    ("date", "2026-02-30", "a day that does not exist"),
    ("date", "31/13/2026", "no month 13"),
    ("date", "昨天", "a word for a date"),
    ("date", "", "no date"),
    ("quantity", "nan", "not a number"),
    ("quantity", "1.2万", "12,000 as people write it"),
    ("quantity", "abc", "text for a number"),
    ("quantity", "inf", "infinite"),
    ("sku", "6.93217E+12", "a 13-digit code after a spreadsheet"),
    ("sku", "", "no SKU"),
    ("sku", "   ", "only blanks for a SKU"),
    ("price", "-5", "a price below 0"),
)
REPEATED = 3


def write_dirty_folder(folder: Path) -> list[Path]:
    """Write `sales.csv` with a fault of each kind between good rows, and `shelfwise.toml`.

    Raises:
        OutputNotWritable: if the folder or a file cannot be written.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     print([path.name for path in write_dirty_folder(Path(folder))])
        ['sales.csv', 'shelfwise.toml']
    """
    lines, _ = _dirty_lines()
    text = "\n".join([HEADER, *lines]) + "\n"
    return write_files(folder, {"sales.csv": text.encode(), "shelfwise.toml": SETTINGS.encode()})


def dirty_faults() -> list[Fault]:
    """The faults of the dirty file, by line; a repeated line has the whole line as its value."""
    return _dirty_lines()[1]


def _dirty_lines() -> tuple[list[str], list[Fault]]:
    """Good rows with a spoilt one after every fourth, then some rows twice."""
    columns = HEADER.split(",")
    lines: list[str] = []
    faults: list[Fault] = []
    spoilt = iter(SPOILT)
    for number in range(GOOD_DAYS * 2):
        row = _good_row(number)
        lines.append(",".join(row))
        if number % 4 == 3 and (fault := next(spoilt, None)):
            column, value, what = fault
            broken = dict(zip(columns, row, strict=True)) | {"order_id": f"E{1000 + number}", column: value}
            lines.append(",".join(broken.values()))
            faults.append(Fault(len(lines) + 1, column, value, what))
    for line in lines[:REPEATED]:
        lines.append(line)
        faults.append(Fault(len(lines) + 1, "order_id", line, "the same line again"))
    return lines, faults


def _good_row(number: int) -> list[str]:
    sku = ("0017", "TEA-1006")[number % 2]
    day = f"2026-05-{number // 2 + 1:02d}"
    return [f"D{1000 + number}", "1", sku, "shanghai", day, str(1 + number % 3), "39.9", "CNY"]
