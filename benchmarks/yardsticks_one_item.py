"""Yardsticks 3 and 4: serial systems, and closed forms and dynamic programmes of one item."""

from __future__ import annotations

from math import sqrt

from benchmarks.yardsticks_table import Row
from shelfwise.replenish.exact import (
    eoq,
    eoq_all_units,
    joint_replenishment,
    joint_replenishment_silver,
    min_max,
    newsvendor_normal,
    newsvendor_poisson,
    reorder_lots_normal,
    serial_system,
    wagner_whitin,
)
from shelfwise.replenish.exact.discrete import poisson_pmf

# Name, arguments of `serial_system`, listed levels, listed cost.
SERIAL = (
    ("example 6.1", ([3, 2, 2], [1, 1, 2], 37.12, 5.0, 1.0), "6.49 12.02 22.705", "47.660"),
    ("problem 6.1", ([1, 1], [1, 1], 15.0, 100.0, 15.0), "123.45 228.40", "166.251"),
    ("problem 6.16", ([5, 2], [8, 3], 24.0, 20.0, 4.0), "171.20 232.16", "438.185"),
    ("Shang-Song 1", ([0.25] * 4, [0.25] * 4, 9.0, 16.0), "8 13 18 22", "12.688"),
    ("Shang-Song 17", ([0.25] * 4, [0.25] * 4, 99.0, 16.0), "11 17 22 27", "16.206"),
)
JOINT = (10.0, [1.87, 5.27, 7.94, 8.19, 8.87], 0.2, [1736, 656, 558, 170, 142])


def serial_rows() -> list[Row]:
    """Echelon levels and cost of the five systems."""
    rows = []
    for name, arguments, levels, cost in SERIAL:
        best = serial_system(*arguments)
        for stage, (ours, listed) in enumerate(
            zip(best.echelon_levels, levels.split(), strict=True), start=1
        ):
            rows.append(Row(3, name, f"echelon level of stage {stage}", float(ours), listed))
        rows.append(Row(3, name, "optimal cost", best.cost, cost))
    return rows


def one_item_rows() -> list[Row]:
    """Everything in section 4."""
    normal = newsvendor_normal(50.0, 8.0, 0.18, 0.70)
    poisson = newsvendor_poisson(6.0, 1.0, 4.0)
    lot = eoq(8.0, 0.225, 1300.0)
    discount = eoq_all_units(8.0, 0.3, 1300.0, [0, 400, 800], [0.75, 0.72, 0.68])
    pair = reorder_lots_normal(8.0, 0.225, 7.5, 1300.0, 150.0 * sqrt(1 / 12), 1 / 12)
    rows = [
        Row(4, "newsvendor, normal", "level", normal.level.item(), "56.60395593"),
        Row(4, "newsvendor, normal", "cost", normal.cost.item(), "1.997605193"),
        Row(4, "newsvendor, Poisson", "cost", poisson.cost.item(), "3.570106946"),
        Row(4, "EOQ", "lot", lot.quantity.item(), "304.04678"),
        Row(4, "EOQ", "cost", lot.cost.item(), "68.410526"),
        Row(4, "EOQ, all-units discount", "lot", discount.quantity.item(), "800"),
        Row(4, "EOQ, all-units discount", "cost", discount.cost.item(), "978.60"),
        Row(4, "(r, Q)", "r", pair.reorder_point.item(), "126.867"),
        Row(4, "(r, Q)", "Q", pair.lot.item(), "328.449"),
    ]
    for mean, low, high, cost in (
        (10, "6", "40", "35.0216"),
        (25, "19", "56", "54.2622"),
        (64, "55", "74", "78.4023"),
    ):
        best = min_max(poisson_pmf(mean), 64.0, 1.0, 9.0)
        name = f"(s, S), Poisson {mean}"
        rows += [
            Row(4, name, "s", best.reorder_point.item(), low),
            Row(4, name, "S", best.order_up_to.item(), high),
            Row(4, name, "cost", best.cost.item(), cost),
        ]
    first = wagner_whitin([90, 120, 80, 70], 500.0, 2.0)
    second = wagner_whitin([730, 580, 445, 650, 880], 100.0, 0.1)
    rows += [
        Row(4, "Wagner-Whitin, 4 buckets", "order in bucket 1", float(first.orders[0, 0]), "210"),
        Row(4, "Wagner-Whitin, 4 buckets", "order in bucket 3", float(first.orders[0, 2]), "150"),
        Row(4, "Wagner-Whitin, 4 buckets", "cost", first.cost.item(), "1380"),
        Row(4, "Wagner-Whitin, 5 buckets", "cost", second.cost.item(), "423"),
    ]
    joint = joint_replenishment(*JOINT)
    rows.append(Row(4, "joint replenishment", "base period", joint.base_period, "0.245558"))
    for item, (ours, listed) in enumerate(
        zip(joint.multiples, ["1", "1", "2", "3", "3"], strict=True), start=1
    ):
        rows.append(Row(4, "joint replenishment", f"multiple of item {item}", float(ours), listed))
    rows.append(Row(4, "joint replenishment", "optimal cost", joint.cost, "218.2516"))
    silver = joint_replenishment_silver(*JOINT).cost
    return [*rows, Row(4, "joint replenishment", "Silver's heuristic: cost", silver, "218.6863")]
