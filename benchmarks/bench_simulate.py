"""How many SKU-days a second the simulator runs, case by case, and others beside it; appends rows to a CSV.

The peers stockpyl and stockcast come with the extra `bench`; `--no-peers` leaves them out.

python -m benchmarks.bench_simulate --skus 100000 --days 364
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.results_log import append_rows
from benchmarks.simulate_peers import Timing, peer_timings
from shelfwise.simulate import Costs, Ledger, Levels, StockState, SupplyTerms, draw_lead_times, simulate

RESULTS = Path(__file__).parent / "results" / "simulate.csv"
REPEATS = 3
PEER_SKUS = 1000


def made_demand(skus: int, days: int, rng: np.random.Generator) -> np.ndarray:
    """Poisson demand (N, T) of very unequal SKUs, filled in blocks to keep memory low."""
    demand = np.empty((skus, days), dtype=np.float32)
    rates = rng.lognormal(0.0, 1.0, skus)
    for start in range(0, skus, 5000):
        block = rates[start : start + 5000, None]
        demand[start : start + 5000] = rng.poisson(block, (len(block), days))
    return demand


def cases(skus: int, days: int) -> dict[str, Callable[[], Ledger | np.ndarray]]:
    """What is timed: each entry runs all SKUs over all days once."""
    rng = np.random.default_rng(0)
    demand = made_demand(skus, days, rng)
    daily = demand.mean(axis=1, dtype=np.float64)
    lead_time = rng.integers(1, 15, skus)
    spread = 0.3 * lead_time
    review = rng.choice([1, 7], skus)
    cover = lead_time + review
    up_to = np.ceil(daily * cover + 2.0 * np.sqrt(daily * cover))
    reorder_point = np.ceil(daily * lead_time + 2.0 * np.sqrt(daily * lead_time))
    costs = Costs.same(skus, holding=0.01, shortage=1.0, order=2.0)
    start = StockState(up_to)
    every_day = SupplyTerms.same(skus, lead_time_buckets=lead_time)
    lots = {"moq": np.ceil(7 * daily), "multiple": rng.choice([1.0, 6.0, 12.0], skus), "max_quantity": 5000.0}
    in_lots = SupplyTerms.same(skus, lead_time_buckets=lead_time, review_period_buckets=review, **lots)
    owed = SupplyTerms.same(
        skus, lead_time_buckets=lead_time, review_period_buckets=review, unmet="backorder", **lots
    )
    min_max = Levels.min_max(reorder_point, reorder_point + np.ceil(7 * daily))
    draws = draw_lead_times(lead_time, spread, 1, days)
    base_stock = Levels.base_stock(up_to)
    return {
        "base-stock, reviewed daily": lambda: simulate(demand, every_day, costs, start, base_stock),
        "(s,S), moq and multiples": lambda: simulate(demand, in_lots, costs, start, min_max),
        "(s,S), moq, multiples, random lead times": lambda: simulate(
            demand, in_lots, costs, start, min_max, lead_times=draws
        ),
        "(s,S), moq, multiples, backorders": lambda: simulate(demand, owed, costs, start, min_max),
        "drawing the random lead times": lambda: draw_lead_times(lead_time, spread, 1, days),
    }


def main() -> None:
    """Time every case, print it, append it."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--skus", type=int, default=100_000)
    options.add_argument("--days", type=int, default=364)
    options.add_argument("--peers", action=argparse.BooleanOptionalAction, default=True)
    options.add_argument("--output", type=Path, default=RESULTS)
    chosen = options.parse_args()
    sku_days = chosen.skus * chosen.days
    # A small run first, so that compiling is not timed.
    for warm_up in cases(10, 5).values():
        warm_up()
    timings = []
    for case, run in cases(chosen.skus, chosen.days).items():
        seconds = float("inf")
        for _ in range(REPEATS):
            begun = time.perf_counter()
            run()
            seconds = min(seconds, time.perf_counter() - begun)
        timings.append(Timing(case, sku_days, seconds))
    if chosen.peers:
        timings += peer_timings(chosen.skus, chosen.days, min(chosen.skus, PEER_SKUS))
    rows = []
    for timing in timings:
        print(f"{timing.case:52s} {timing.seconds:8.3f} s  {timing.speed / 1e6:10.4f} million SKU-days/s")
        rows.append(
            {
                "case": timing.case,
                "sku_days": timing.sku_days,
                "seconds": round(timing.seconds, 4),
                "sku_days_per_second": round(timing.speed),
            }
        )
    append_rows(chosen.output, rows)


if __name__ == "__main__":
    main()
