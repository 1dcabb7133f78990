"""Every row of the literature's yardsticks beside our own solvers: our value, the listed one, the gap.

Rows are appended to results/yardsticks.csv; rows that are not claimed are printed alone, with the reason. Ends with
exit code 1 if a claimed row is outside what is allowed.

    python -m benchmarks.bench_yardsticks [--section 1 --section 6]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.results_log import append_rows
from benchmarks.yardsticks_dual_sourcing import dual_sourcing_rows
from benchmarks.yardsticks_lost_sales import order_cost_rows, zipkin_rows
from benchmarks.yardsticks_one_item import one_item_rows, serial_rows
from benchmarks.yardsticks_perishables import perishable_rows
from benchmarks.yardsticks_speed import speed_rows
from benchmarks.yardsticks_table import Row, print_section

RESULTS = Path(__file__).parent / "results" / "yardsticks.csv"
SECTIONS: dict[int, tuple[str, Callable[[], list[Row]]]] = {
    1: ("Lost sales, one item (Zipkin 2008)", zipkin_rows),
    2: ("Dual sourcing (Gijsbrechts et al. 2022)", dual_sourcing_rows),
    3: ("Serial systems (Clark-Scarf)", serial_rows),
    4: ("One item, exact", one_item_rows),
    5: ("Lost sales with a fixed order cost (Bijvank, Bhulai & Huh 2015)", order_cost_rows),
    6: ("Perishables (De Moor, Gijsbrechts & Boute 2022, scenario A)", perishable_rows),
    7: ("Speed of what exists", speed_rows),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Solve, print, append; the exit code."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--section", type=int, action="append", choices=sorted(SECTIONS))
    options.add_argument("--output", type=Path, default=RESULTS)
    chosen = options.parse_args(arguments)
    claimed: list[Row] = []
    for number in chosen.section or sorted(SECTIONS):
        title, solve = SECTIONS[number]
        begun = time.perf_counter()
        rows = solve()
        print_section(number, title, rows, time.perf_counter() - begun)
        claimed += [row for row in rows if row.ours is not None]
    outside = [row for row in claimed if not row.within]
    print(f"\n{len(claimed)} rows claimed, {len(outside)} outside what is allowed")
    if claimed:
        append_rows(chosen.output, [row.cells() for row in claimed])
    return 1 if outside else 0


if __name__ == "__main__":
    sys.exit(main())
