"""Yardsticks 1 and 5: lost sales, without and with a cost for every order."""

from __future__ import annotations

from benchmarks.yardsticks_table import Row
from shelfwise.replenish.exact import LostSales, lost_sales_cost, lost_sales_optimum
from shelfwise.replenish.exact.discrete import poisson_pmf
from shelfwise.replenish.exact.lost_sales_order_cost import best_lots, best_min_max, best_modified_min_max
from shelfwise.replenish.exact.lost_sales_policies import (
    base_stock,
    best_base_stock,
    best_capped_base_stock,
    best_projected_level,
    myopic,
    myopic_two,
)

# Lead time, shortage: optimum; base-stock level and cost; capped level, cap and cost; Myopic-2.
ZIPKIN = """
1 4  4.0407  12 4.1629  12 6 4.0654  4.04
1 9  5.4382  13 5.5474  14 6 5.4812  5.44
1 19 6.6757  15 6.7278  15 8 6.6878  6.68
1 39 7.8359  16 7.8626  16 9 7.8424  7.84
2 4  4.3953  16 4.6386  17 5 4.4057  4.41
2 9  6.0936  19 6.3163  19 6 6.1191  6.10
2 19 7.6644  21 7.8421  21 7 7.7209  7.67
2 39 9.1064  22 9.1903  22 8 9.1326  9.12
3 4  4.5987  20 4.9750  21 5 4.6308  4.64
3 9  6.5314  23 6.8641  24 6 6.6165  6.57
3 19 8.3625  26 8.6045  26 6 8.4010  8.40
3 39 10.0385 28 10.2176 28 7 10.0853 10.07
4 4  4.7285  25 5.1977  26 5 4.7979  4.82
4 9  6.8359  28 7.2709  29 5 6.9123  6.92
4 19 8.8872  31 9.2320  31 6 8.9543  8.96
4 39 10.7944 33 11.0623 34 6 10.8926 10.84
"""
TEXTBOOK = {4: "6.14", 9: "8.37", 19: "9.67", 39: "11.43"}


def zipkin_rows() -> list[Row]:
    """All sixteen cells, each policy at its best parameters, everything evaluated exactly."""
    rows = []
    for line in ZIPKIN.split("\n")[1:-1]:
        lead, shortage, optimum, level, cost, capped_level, cap, capped_cost, myopic_cost = line.split()
        cell = f"L = {lead}, p = {shortage}"
        model = LostSales(poisson_pmf(5.0), int(lead), 1.0, float(shortage))
        plain, capped = best_base_stock(model), best_capped_base_stock(model)
        rows += [
            Row(1, cell, "optimal cost", lost_sales_optimum(model).cost, optimum),
            Row(1, cell, "base-stock: level", plain.parameters[0], level),
            Row(1, cell, "base-stock: cost", plain.cost, cost),
            Row(1, cell, "capped base-stock: level", capped.parameters[0], capped_level),
            Row(1, cell, "capped base-stock: cap", capped.parameters[1], cap),
            Row(1, cell, "capped base-stock: cost", capped.cost, capped_cost),
            Row(1, cell, "Myopic-2: cost", lost_sales_cost(model, myopic_two(model)).cost, myopic_cost),
        ]
        if lead == "4":
            textbook = lost_sales_cost(model, base_stock(model.newsvendor_level(5))).cost
            rows.append(Row(1, cell, "textbook base-stock: cost", textbook, TEXTBOOK[int(shortage)]))
        for name, ours in (
            ("Myopic-1: cost", lost_sales_cost(model, myopic(model)).cost),
            ("projected level: cost", best_projected_level(model).cost),
        ):
            gap = 100.0 * (ours / float(optimum) - 1.0)
            note = f"not listed; ours {ours:.4f}, {gap:.2f} % above the optimum"
            rows.append(Row(1, cell, name, None, "-", note=note))
    rows.append(Row(1, "all cells", "default policy: gap %", None, "-", note="see make bench-zipkin"))
    published = "published learner, not ours: not claimed"
    rows.append(Row(1, "all cells", "A3C: gap %", None, "3-6", note=published))
    rows.append(Row(1, "all cells", "Deep Controlled Learning: gap %", None, "0.1", note=published))
    return rows


def order_cost_rows() -> list[Row]:
    """The one instance with an order cost."""
    model = LostSales(poisson_pmf(5.0), 2, 1.0, 14.0, order_cost=5.0)
    cell = "L = 2, p = 14, K = 5"
    rows = [Row(5, cell, "optimal cost", lost_sales_optimum(model).cost, "11.46")]
    for name, best, parameters, cost in (
        ("(s, S)", best_min_max(model), {"s": "17", "S": "23"}, "11.62"),
        ("(s, nQ)", best_lots(model), {"s": "17", "Q": "7"}, "11.56"),
        ("(s, S, q)", best_modified_min_max(model), {"s": "17", "S": "23", "q": "7"}, "11.50"),
    ):
        values = zip(parameters.items(), best.parameters, strict=True)
        rows += [Row(5, cell, f"{name}: {letter}", ours, listed) for (letter, listed), ours in values]
        rows.append(Row(5, cell, f"{name}: cost", best.cost, cost))
    return rows
