"""Learned orders: one network for Zipkin's 16 lost-sales cells, its exact cost above the exact optimum.

The network is trained on Poisson(5) paths of all cells at once and then asked about every state it can lead to;
its long-run cost is computed exactly. Run with
``python -m benchmarks.bench_learned [--steps N]``.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from benchmarks.bench_zipkin import Cell, cells
from benchmarks.results_log import REPOSITORY, append_rows
from shelfwise.replenish.exact.lost_sales import lost_sales_cost, lost_sales_optimum
from shelfwise.replenish.learned import OrderNetwork, train_orders
from shelfwise.replenish.learned.context import context_of
from shelfwise.simulate import Costs, SupplyTerms

N_PATHS, N_BUCKETS, CONTEXT_PATHS = 2000, 40, 20_000
STEPS, BATCH, LEARNING_RATE = 1200, 512, 6e-3


def paths_of(cell: Cell, n_paths: int, n_buckets: int, seed: int) -> np.ndarray:
    """(S, T) demand of a cell."""
    rng = np.random.default_rng(seed)
    return rng.choice(len(cell.pmf), size=(n_paths, n_buckets), p=cell.pmf).astype(np.float64)


def terms_of(chosen: list[Cell]) -> tuple[SupplyTerms, Costs]:
    """Terms and costs of the cells as series."""
    terms = SupplyTerms(np.array([cell.lead_time_buckets for cell in chosen]))
    return terms, Costs(np.ones(len(chosen)), np.array([cell.shortage for cell in chosen]))


def exact_gap(network: OrderNetwork, cell: Cell) -> tuple[float, float, float]:
    """Exact cost of the network's orders, of the optimum, and the gap in per cent."""
    terms, costs = terms_of([cell])
    known = context_of(paths_of(cell, CONTEXT_PATHS, 8, seed=2)[None], terms, costs, 1)

    def rule(states: np.ndarray) -> np.ndarray:
        stock = np.zeros((len(states), network.n_slots))
        stock[:, : states.shape[1]] = states
        context = np.tile(known.values[0, 0], (len(states), 1))
        return np.rint(network.orders(stock / known.scale[0], context) * known.scale[0]).astype(np.int64)

    cost, best = lost_sales_cost(cell.model, rule).cost, lost_sales_optimum(cell.model).cost
    return cost, best, 100.0 * (cost / best - 1.0)


def main() -> None:
    """Train, measure every cell, print and append."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    trained_on = cells("zipkin")
    terms, costs = terms_of(trained_on)
    # All cells have the same demand, so the same paths serve them all.
    shared = paths_of(trained_on[0], N_PATHS, N_BUCKETS, seed=1)
    begun = time.perf_counter()
    network = train_orders(
        np.repeat(shared[None], len(trained_on), axis=0),
        terms,
        costs,
        steps=options.steps,
        batch=BATCH,
        learning_rate=LEARNING_RATE,
        seed=options.seed,
    ).network
    seconds = time.perf_counter() - begun
    rows = []
    for cell in trained_on:
        cost, best, gap = exact_gap(network, cell)
        rows.append(
            {
                "networks": "one for all cells",
                "steps": options.steps,
                "seed": options.seed,
                "training_seconds": round(seconds, 1),
                "demand": cell.demand,
                "lead_time": cell.lead_time_buckets,
                "shortage": cell.shortage,
                "optimal_cost": round(best, 4),
                "learned_cost": round(cost, 4),
                "gap_percent": round(gap, 3),
            }
        )
        print(*rows[-1].values(), sep="  ", flush=True)
    gaps = [float(row["gap_percent"]) for row in rows]
    print(f"mean {np.mean(gaps):.3f} %, worst {np.max(gaps):.3f} % of {len(gaps)} cells")
    append_rows(REPOSITORY / "benchmarks" / "results" / "learned.csv", rows)


if __name__ == "__main__":
    main()
