"""Rows of the yardstick table: our value, the listed one, the gap, and whether that is within what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.results_log import Cell

RELATIVE = 1e-3


@dataclass(frozen=True)
class Row:
    """One value of one instance.

    `listed` is kept as it is printed, for its digits say how exactly it is known. With `limit_percent` the row is a
    policy beside the optimum and may cost that much more; without, it must be the listed value itself.
    `ours` None: the row is not claimed, and `note` says why.
    """

    section: int
    instance: str
    quantity: str
    ours: float | None
    listed: str
    limit_percent: float | None = None
    note: str = ""

    @property
    def gap_percent(self) -> float:
        """How far ours is above the listed value; in points where the value itself is in percent."""
        listed = float(self.listed)
        assert self.ours is not None
        return self.ours - listed if self.quantity.endswith("%") else 100.0 * (self.ours - listed) / listed

    @property
    def within(self) -> bool:
        """1e-3 of the listed value or one unit of its last printed digit; or the row's own limit."""
        if self.limit_percent is not None:
            return self.gap_percent <= self.limit_percent
        assert self.ours is not None
        decimals = len(self.listed.partition(".")[2])
        allowed = max(RELATIVE * abs(float(self.listed)), 10.0**-decimals if decimals else 0.0)
        return abs(self.ours - float(self.listed)) <= allowed + 1e-12

    @property
    def verdict(self) -> str:
        """What the last column says."""
        if self.ours is None:
            return self.note
        if self.limit_percent is None:
            return "as listed" if self.within else "DIFFERS"
        return f"{'within' if self.within else 'NOT WITHIN'} {self.limit_percent:g} % of the optimum"

    def line(self) -> str:
        """The row as it is printed."""
        ours, gap = "-", "-"
        if self.ours is not None:
            ours, gap = (
                f"{self.ours:.6g}" if self.ours >= 1e6 else f"{self.ours:.4f}",
                f"{self.gap_percent:+.3f} %",
            )
        return f"  {self.instance:38s} {self.quantity:34s} {ours:>12s} {self.listed:>12s} {gap:>10s}  {self.verdict}"

    def cells(self) -> dict[str, Cell]:
        """The row as it is kept; only for rows that are claimed."""
        assert self.ours is not None
        return {
            "section": self.section,
            "instance": self.instance,
            "quantity": self.quantity,
            "ours": round(self.ours, 6),
            "listed": float(self.listed),
            "gap_percent": round(self.gap_percent, 4),
            "verdict": self.verdict,
        }


def print_section(number: int, title: str, rows: Sequence[Row], seconds: float) -> None:
    """One section of the table, and how long its solvers took."""
    print(f"\n{number}. {title} ({seconds:.1f} s)")
    print(f"  {'instance':38s} {'quantity':34s} {'ours':>12s} {'listed':>12s} {'gap':>10s}")
    for row in rows:
        print(row.line())
