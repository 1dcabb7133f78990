"""Yardstick 2: two suppliers."""

from __future__ import annotations

from benchmarks.yardsticks_table import Row
from shelfwise.replenish.exact import DualSourcing, dual_sourcing_optimum
from shelfwise.replenish.exact.discrete import uniform_pmf
from shelfwise.replenish.exact.dual_sourcing_policies import (
    best_capped_dual_index,
    best_dual_index,
    best_single_index,
    best_tailored_base_surge,
)

# Regular lead time, express cost: optimum; gaps in percent of capped dual index, dual index, single index, tailored
# base-surge, A3C.
LISTED = """
2 105 216.7698 0.00 0.11 0.56 0.06 0.52
2 110 219.7333 0.03 0.18 1.03 0.99 0.80
3 105 216.8767 0.00 0.27 0.98 0.01 0.82
3 110 220.3411 0.06 0.36 2.11 0.71 0.51
4 105 216.8930 0.00 0.36 1.43 0.00 1.85
4 110 220.6122 0.11 0.49 2.44 0.58 1.33
"""


def dual_sourcing_rows() -> list[Row]:
    """All six cells; the gaps in percent of the optimum are values here, compared as printed."""
    rows = []
    for line in LISTED.split("\n")[1:-1]:
        lead, price, optimum, capped, dual, single, surge, a3c = line.split()
        cell = f"l_r = {lead}, c_e = {price}"
        model = DualSourcing(uniform_pmf(0, 4), int(lead), 100.0, float(price), 5.0, 495.0)
        least = dual_sourcing_optimum(model).cost
        rows.append(Row(2, cell, "optimal cost", least, optimum))
        best_capped = best_capped_dual_index(model).cost
        rows.append(Row(2, cell, "capped dual index: cost", best_capped, optimum, limit_percent=0.15))
        for name, cost, listed in (
            ("capped dual index: gap %", best_capped, capped),
            ("dual index: gap %", best_dual_index(model).cost, dual),
            ("single index: gap %", best_single_index(model).cost, single),
            ("tailored base-surge: gap %", best_tailored_base_surge(model).cost, surge),
        ):
            rows.append(Row(2, cell, name, 100.0 * (cost / least - 1.0), listed))
        rows.append(Row(2, cell, "A3C: gap %", None, a3c, note="published learner, not ours: not claimed"))
    return rows
