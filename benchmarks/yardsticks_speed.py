"""Yardstick 7: how fast others are, measured again in this run where they are installed."""

from __future__ import annotations

from benchmarks.simulate_peers import peer_timings
from benchmarks.yardsticks_table import Row

SKUS, DAYS, FEW_SKUS = 100_000, 364, 200
ELSEWHERE = (
    ("gym-invmgmt 0.2.1", "link-periods a second", "35,000", "not a dependency of the benchmarks: not run"),
    ("linear plan, 10,000 SKUs x 8 weeks", "seconds: simplex / interior", "115 / 104", "not run here"),
    ("the same by pricing shared rows", "seconds", "14", "not run here"),
    ("statsforecast 2.1.1, one core", "AutoETS series a second", "6-8", "see make bench-classical"),
    ("statsforecast 2.1.1, one core", "AutoTheta series a second", "21", "see make bench-classical"),
    ("statsforecast 2.1.1, one core", "AutoARIMA series a second", "1.5", "see make bench-classical"),
    ("statsforecast 2.1.1, one core", "CrostonSBA series a second", "9,500", "see make bench-classical"),
)


def speed_rows() -> list[Row]:
    """No row here is claimed as a value: speeds belong to a machine. Each says what this run measured."""
    many, loop, few, cast, pyl = peer_timings(SKUS, DAYS, FEW_SKUS)

    def measured(theirs: float, mine: float) -> str:
        times = f"{mine / theirs:,.1f}" if mine < 100.0 * theirs else f"{mine / theirs:,.0f}"
        return f"measured now, a core: {theirs:,.0f}; ours {mine:,.0f}, {times} times"

    million = 1e6
    rows = [
        ("stockpyl simulation", "node-periods a second", "400-1,000", measured(pyl.speed, many.speed)),
        ("stockcast", "SKU-days a second", "33,000", measured(cast.speed, few.speed)),
        (
            "NumPy loop, 100,000 SKUs, one core",
            "million SKU-days a second",
            "48-59",
            measured(loop.speed / million, many.speed / million) + "; the loop keeps no books",
        ),
        (
            "numba kernel, two cores",
            "million SKU-days a second",
            "85-119",
            f"ours, measured now, a core: {many.speed / million:,.0f}",
        ),
        *ELSEWHERE,
    ]
    return [Row(7, name, unit, None, listed, note=note) for name, unit, listed, note in rows]
