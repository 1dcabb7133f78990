"""Learned orders: exact cost above the exact optimum, in Zipkin's 16 lost-sales cells and six of dual sourcing.

One network serves all lost-sales cells, one pair of networks all dual-sourcing cells. Each is trained on paths of the
demand, for all cells at once, and then asked about every state it can lead to; its long-run cost is computed exactly.
``--road gradient`` trains the first by differentiating through the simulator instead of by roll-outs. Run with
``python -m benchmarks.bench_learned [--problem NAME] [--seed N]``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from benchmarks.bench_zipkin import Cell, cells
from benchmarks.results_log import REPOSITORY, append_rows
from shelfwise.replenish.exact import (
    DualSourcing,
    dual_sourcing_cost,
    dual_sourcing_optimum,
    lost_sales_cost,
    lost_sales_optimum,
)
from shelfwise.replenish.exact.discrete import uniform_pmf
from shelfwise.replenish.learned import (
    DualOrders,
    Effort,
    OrderNetwork,
    control_dual_orders,
    control_orders,
    dual_contexts,
    train_orders,
)
from shelfwise.replenish.learned.context import context_of
from shelfwise.simulate import Costs, SupplyTerms

N_PATHS, CONTEXT_PATHS, CONTEXT_BUCKETS = 10_000, 20_000, 8
GRADIENT_PATHS, GRADIENT_BUCKETS, GRADIENT_STEPS, GRADIENT_RATE = 2000, 40, 1200, 6e-3
LONGEST_WINDOW = 5
EFFORT = Effort()
# Lead time of the regular supplier and premium of the express one, as in the yardsticks.
DUAL_CELLS = tuple((lead, premium) for lead in (2, 3, 4) for premium in (5.0, 10.0))
Made = TypeVar("Made")
Row = dict[str, str | int | float]
DIGITS = 4


def paths_of(pmf: np.ndarray, n_paths: int, n_buckets: int, seed: int) -> np.ndarray:
    """(S, T) demand."""
    rng = np.random.default_rng(seed)
    return rng.choice(len(pmf), size=(n_paths, n_buckets), p=pmf).astype(np.float64)


def terms_of(chosen: list[Cell]) -> tuple[SupplyTerms, Costs]:
    """Terms and costs of the lost-sales cells as series."""
    terms = SupplyTerms(np.array([cell.lead_time_buckets for cell in chosen]))
    return terms, Costs(np.ones(len(chosen)), np.array([cell.shortage for cell in chosen]))


def exact_gap(network: OrderNetwork, cell: Cell) -> tuple[float, float]:
    """Exact cost of the network's orders, and of the optimum."""
    terms, costs = terms_of([cell])
    paths = paths_of(cell.pmf, CONTEXT_PATHS, CONTEXT_BUCKETS, seed=2)
    known = context_of(paths[None], terms, costs, 1)

    def rule(states: np.ndarray) -> np.ndarray:
        stock = np.zeros((len(states), network.n_slots))
        stock[:, : states.shape[1]] = states
        context = np.tile(known.values[0, 0], (len(states), 1))
        return np.rint(network.orders(stock / known.scale[0], context) * known.scale[0]).astype(np.int64)

    return lost_sales_cost(cell.model, rule).cost, lost_sales_optimum(cell.model).cost


@dataclass(frozen=True)
class DualCells:
    """Dual-sourcing cells as series: holding 5, backorder 495, express at once, demand uniform on 0 … 4."""

    chosen: tuple[tuple[int, float], ...]

    @property
    def pmf(self) -> np.ndarray:
        return uniform_pmf(0, 4)

    @property
    def suppliers(self) -> tuple[SupplyTerms, SupplyTerms, Costs, np.ndarray]:
        """Express terms, regular terms, costs, premium."""
        n_cells = len(self.chosen)
        return (
            SupplyTerms.same(n_cells, lead_time_buckets=0, unmet="backorder"),
            SupplyTerms(np.array([lead for lead, _ in self.chosen]), unmet="backorder"),
            Costs.same(n_cells, holding=5.0, shortage=495.0),
            np.array([premium for _, premium in self.chosen]),
        )


def exact_dual_gap(orders: DualOrders, lead: int, premium: float) -> tuple[float, float]:
    """Exact cost of the pair's orders, purchases included, and of the optimum."""
    cell = DualCells(((lead, premium),))
    paths = paths_of(cell.pmf, CONTEXT_PATHS, CONTEXT_BUCKETS, seed=2)
    express, regular = dual_contexts(paths[None], *cell.suppliers, 1)

    def rule(states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        stock = np.zeros((len(states), orders.express.n_slots))
        stock[:, : states.shape[1]] = states
        return orders.orders(stock, express, regular, 0)

    model = DualSourcing(cell.pmf, lead, 100.0, 100.0 + premium, 5.0, 495.0)
    return dual_sourcing_cost(model, rule).cost, dual_sourcing_optimum(model).cost


def timed(train: Callable[[], Made]) -> tuple[Made, float]:
    """What `train` returns, and seconds of clock; processor seconds are printed."""
    begun, used = time.perf_counter(), time.process_time()
    trained = train()
    seconds = time.perf_counter() - begun
    print(f"trained in {seconds:.0f} s, {time.process_time() - used:.0f} processor seconds", flush=True)
    return trained, seconds


def tell(step: str, done: int, total: int) -> None:
    """Rounds as they begin."""
    print(f"{step} {done}/{total}", flush=True)


def row(
    problem: str, road: str, rounds: int, seed: int, seconds: float, cell: tuple, costs: tuple[float, float]
) -> Row:
    """One line of the table; `cell` is demand, lead time, shortage and express premium."""
    demand, lead, shortage, premium = cell
    cost, best = costs
    made: Row = {
        "problem": problem,
        "road": road,
        "networks": "one for all cells",
        "rounds": rounds,
        "seed": seed,
        "training_seconds": round(seconds, 1),
        "demand": demand,
        "lead_time": lead,
        "shortage": shortage,
        "express_premium": premium,
        "optimal_cost": round(best, DIGITS),
        "learned_cost": round(cost, DIGITS),
        "gap_percent": round(100.0 * (cost / best - 1.0), 3),
    }
    print(*made.values(), sep="  ", flush=True)
    return made


def lost_sales_rows(road: str, seed: int) -> list[Row]:
    """Train one network for the 16 cells and measure each."""
    chosen = cells("zipkin")
    terms, costs = terms_of(chosen)
    gradient = road == "gradient"
    n_buckets = GRADIENT_BUCKETS if gradient else EFFORT.buckets + LONGEST_WINDOW
    # All cells have the same demand, so the same paths serve them all.
    shared = paths_of(chosen[0].pmf, GRADIENT_PATHS if gradient else N_PATHS, n_buckets, seed=1)
    demand = np.broadcast_to(shared, (len(chosen), *shared.shape))

    def train() -> OrderNetwork:
        if gradient:
            return train_orders(
                demand, terms, costs, steps=GRADIENT_STEPS, learning_rate=GRADIENT_RATE, seed=seed
            ).network
        return control_orders(demand, terms, costs, effort=EFFORT, seed=seed, progress=tell).network

    network, seconds = timed(train)
    rounds = GRADIENT_STEPS if gradient else EFFORT.rounds
    return [
        row("lost sales", road, rounds, seed, seconds,
            (cell.demand, cell.lead_time_buckets, cell.shortage, 0.0), exact_gap(network, cell))
        for cell in chosen
    ]  # fmt: skip


def dual_sourcing_rows(seed: int) -> list[Row]:
    """Train one pair of networks for the six cells and measure each."""
    every = DualCells(DUAL_CELLS)
    shared = paths_of(every.pmf, N_PATHS, EFFORT.buckets + LONGEST_WINDOW, seed=1)
    demand = np.broadcast_to(shared, (len(DUAL_CELLS), *shared.shape))
    orders, seconds = timed(
        lambda: control_dual_orders(demand, *every.suppliers, effort=EFFORT, seed=seed, progress=tell).orders
    )
    return [
        row("dual sourcing", "roll-outs", EFFORT.rounds, seed, seconds,
            ("uniform 0-4", lead, 495.0, premium), exact_dual_gap(orders, lead, premium))
        for lead, premium in DUAL_CELLS
    ]  # fmt: skip


def main() -> None:
    """Train, measure every cell, print and append."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--problem", choices=("lost-sales", "dual-sourcing"), action="append")
    parser.add_argument("--road", choices=("roll-outs", "gradient"), default="roll-outs")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for problem in options.problem or ("lost-sales", "dual-sourcing"):
        lost = problem == "lost-sales"
        rows = lost_sales_rows(options.road, options.seed) if lost else dual_sourcing_rows(options.seed)
        gaps = [float(row["gap_percent"]) for row in rows]
        print(f"{problem}: mean {np.mean(gaps):.3f} %, worst {np.max(gaps):.3f} % of {len(gaps)} cells")
        append_rows(REPOSITORY / "benchmarks" / "results" / "learned.csv", rows)


if __name__ == "__main__":
    main()
