"""Lost sales: what the default policy costs above the exact optimum, on Zipkin's cells and on others.

Every state that the policy can lead to is decided on by `order_up_to` itself, on scenarios of the true demand; its
long-run cost is then computed exactly and set beside the optimum, the textbook's order-up-to level and the one-review
order without a weight. ``zipkin`` are the 16 cells of Zipkin (2008); ``others`` are other means, a negative
binomial and a geometric demand. The weight was fitted on ``--fit``, which reports every candidate on instances that are
neither. Run with ``python -m benchmarks.bench_zipkin``.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import date

import numpy as np

from benchmarks.results_log import REPOSITORY, append_rows
from shelfwise.demand.panel import Panel
from shelfwise.forecast.scenarios import Scenarios
from shelfwise.replenish import shortage_weight as weights
from shelfwise.replenish.exact.discrete import Pmf, negative_binomial_pmf, poisson_pmf
from shelfwise.replenish.exact.lost_sales import LostSales, lost_sales_cost, lost_sales_optimum
from shelfwise.replenish.exact.lost_sales_policies import base_stock, myopic
from shelfwise.replenish.order_up_to import ScenarioOrderUpTo
from shelfwise.replenish.situation import Situation
from shelfwise.simulate import Costs, SupplyTerms

SAMPLES, PLAN_SAMPLES, PLAN_DRAWS = 10_000, 256, 3
CHUNK_FLOATS = 4_000_000
CANDIDATES = (0.12, 0.15, 0.18, 0.2, 0.22, 0.25)


@dataclass(frozen=True)
class Cell:
    """One instance: a demand by name, its probabilities, lead time and shortage cost; holding costs 1."""

    family: str
    demand: str
    pmf: Pmf
    lead_time_buckets: int
    shortage: float

    @property
    def model(self) -> LostSales:
        return LostSales(self.pmf, self.lead_time_buckets, 1.0, self.shortage)


def cells(family: str) -> list[Cell]:
    """All instances of a family."""
    poisson = {f"Poisson {mean:g}": poisson_pmf(mean) for mean in (0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 10.0)}
    # A geometric demand is a negative binomial one whose variance is mean + mean squared.
    geometric = {f"geometric {mean:g}": negative_binomial_pmf(mean, mean + mean**2) for mean in (2.0, 5.0)}
    binomial = {"negative binomial 2, var 4": negative_binomial_pmf(2.0, 4.0),
                "negative binomial 5, var 10": negative_binomial_pmf(5.0, 10.0)}  # fmt: skip
    every = poisson | geometric | binomial
    chosen = {
        "zipkin": (("Poisson 5",), (1, 2, 3, 4), (4, 9, 19, 39)),
        "others": (
            ("Poisson 1", "Poisson 8", "geometric 5", "negative binomial 5, var 10"),
            (1, 2, 3),
            (4, 19, 49),
        ),
        "fit": (
            ("Poisson 2", "Poisson 3", "Poisson 10", "geometric 2", "negative binomial 2, var 4"),
            (1, 2, 3, 4),
            (2, 4, 9, 19, 39, 99),
        ),
    }
    names, lead_times, shortages = chosen[family]
    return [
        Cell(family, name, every[name], lead, float(shortage))
        for name in names
        for lead in lead_times
        for shortage in shortages
        # The pipeline of a large demand over a long lead time has too many states.
        if not (name in ("Poisson 8", "Poisson 10", "geometric 5") and lead > 2)
    ]


class DefaultPolicy:
    """The default policy as a rule from states (M, L) to orders (M,), on `samples` scenarios."""

    def __init__(self, cell: Cell, samples: int, seed: int = 0) -> None:
        self.cell, self.policy = cell, ScenarioOrderUpTo()
        rng = np.random.default_rng(seed)
        shape = (samples, cell.lead_time_buckets + 1)
        self.paths = rng.choice(len(cell.pmf), size=shape, p=cell.pmf).astype(np.float32)

    def __call__(self, states: np.ndarray) -> np.ndarray:
        size = max(1, CHUNK_FLOATS // self.paths.size)
        parts = [self._decide(states[first : first + size]) for first in range(0, len(states), size)]
        return np.concatenate(parts)

    def _decide(self, states: np.ndarray) -> np.ndarray:
        n_states, lead = states.shape
        panel = Panel.from_arrays(np.zeros((n_states, 1)), start=date(2024, 1, 1))
        paths = np.repeat(self.paths[None], n_states, axis=0)
        receipts = np.zeros((n_states, lead + 1))
        receipts[:, 1:lead] = states[:, 1:]
        decision = self.policy.decide(
            Situation(
                panel=panel,
                scenarios=Scenarios(panel.keys, panel.bucket, panel.as_of, paths),
                on_hand=states[:, 0].astype(np.float64),
                backorders=np.zeros(n_states),
                receipts=receipts,
                receipts_later=np.zeros(n_states),
                terms=SupplyTerms.same(n_states, lead_time_buckets=lead),
                costs=Costs.same(n_states, holding=1.0, shortage=self.cell.shortage),
                lead_time_sd=np.zeros(n_states),
            )
        )
        return decision.quantity.astype(np.int64)


def measure(cell: Cell) -> dict[str, str | float | int]:
    """One row: the optimum, our cost, and how far each rule lies above the optimum, in per cent."""
    model = cell.model
    best = lost_sales_optimum(model).cost

    def gap(cost: float) -> float:
        return round(100.0 * (cost / best - 1.0), 3)

    cost = lost_sales_cost(model, DefaultPolicy(cell, SAMPLES)).cost
    planned = [
        lost_sales_cost(model, DefaultPolicy(cell, PLAN_SAMPLES, seed)).cost for seed in range(PLAN_DRAWS)
    ]
    textbook = lost_sales_cost(model, base_stock(model.newsvendor_level(cell.lead_time_buckets + 1))).cost
    return {
        "family": cell.family,
        "demand": cell.demand,
        "lead_time": cell.lead_time_buckets,
        "shortage": cell.shortage,
        "optimal_cost": round(best, 4),
        "order_up_to_cost": round(cost, 4),
        "order_up_to_gap_percent": gap(cost),
        f"gap_percent_{PLAN_SAMPLES}_scenarios": gap(float(np.mean(planned))),
        "one_review_gap_percent": gap(lost_sales_cost(model, myopic(model)).cost),
        "textbook_gap_percent": gap(textbook),
    }


def fit() -> None:
    """Print mean and worst gap of every candidate for the weight's one constant."""
    gaps = {candidate: [] for candidate in CANDIDATES}
    used = weights.CARRIED_HOLDING
    for cell in cells("fit"):
        best = lost_sales_optimum(cell.model).cost
        for candidate in CANDIDATES:
            weights.CARRIED_HOLDING = candidate
            cost = lost_sales_cost(cell.model, DefaultPolicy(cell, SAMPLES)).cost
            gaps[candidate].append(100.0 * (cost / best - 1.0))
        weights.CARRIED_HOLDING = used
        print(
            cell.demand,
            cell.lead_time_buckets,
            cell.shortage,
            [round(g[-1], 2) for g in gaps.values()],
            flush=True,
        )
    for candidate, values in gaps.items():
        print(f"{candidate}: mean {np.mean(values):.3f} %, worst {np.max(values):.2f} % of {len(values)}")


def main() -> None:
    """Measure both families, print them and add them to the results."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--fit", action="store_true", help="compare candidates for the weight instead")
    parser.add_argument("--family", choices=("zipkin", "others"), action="append")
    options = parser.parse_args()
    if options.fit:
        fit()
        return
    rows = []
    for family in options.family or ("zipkin", "others"):
        for cell in cells(family):
            rows.append(measure(cell))
            print(*rows[-1].values(), sep="  ", flush=True)
        gaps = [float(row["order_up_to_gap_percent"]) for row in rows if row["family"] == family]
        print(f"{family}: mean {np.mean(gaps):.3f} %, worst {np.max(gaps):.3f} %", flush=True)
    append_rows(REPOSITORY / "benchmarks" / "results" / "zipkin.csv", rows)


if __name__ == "__main__":
    main()
