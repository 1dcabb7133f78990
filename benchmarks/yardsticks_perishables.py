"""Yardstick 6: perishables."""

from __future__ import annotations

from typing import Literal

from benchmarks.yardsticks_table import Row
from shelfwise.replenish.exact import Perishable, perishable_cost, perishable_optimum
from shelfwise.replenish.exact.discrete import rounded_gamma_pmf
from shelfwise.replenish.exact.perishables_policies import (
    best_base_stock,
    best_capped_base_stock,
    best_projected_level,
)

# Shelf life, lead time, issuing: cost (the listed return, its sign turned) of the optimum and of base-stock.
CELLS: tuple[tuple[int, int, Literal["fifo", "lifo"], str, str], ...] = (
    (2, 1, "lifo", "1553", "1565"),
    (2, 1, "fifo", "1457", "1474"),
    (2, 2, "lifo", "1551", "1590"),
    (2, 2, "fifo", "1461", "1495"),
    (3, 1, "lifo", "1490", "1500"),
    (3, 1, "fifo", "1424", "1435"),
    (3, 2, "lifo", "1513", "1533"),
    (3, 2, "fifo", "1435", "1456"),
)


def perishable_rows() -> list[Row]:
    """All eight cells, exact in place of simulated, and two heuristics beside the optimum."""
    rows = []
    demand = rounded_gamma_pmf(4.0, 0.5)
    for life, lead, issuing, optimum, level_cost in CELLS:
        cell = f"life {life}, L = {lead}, {issuing.upper()}"
        model = Perishable(demand, life, lead, 1.0, 5.0, 7.0, 3.0, issuing, 10)
        least = perishable_cost(model, perishable_optimum(model))
        exact = f"{least:.6f}"
        rows += [
            Row(6, cell, "optimal cost", least, optimum),
            Row(6, cell, "base-stock: cost", best_base_stock(model).cost, level_cost),
            Row(6, cell, "capped base-stock: cost", best_capped_base_stock(model).cost, exact, 1.0),
            Row(6, cell, "projected usable stock: cost", best_projected_level(model).cost, exact, 1.0),
        ]
    return rows
