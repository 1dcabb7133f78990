"""Reconciliation of 30,490 series under 12,350 upper nodes (the twelve levels of M5): seconds, memory, error.

The first part needs no data: base forecasts of made-up series, 28 steps, that disagree with those of the
upper nodes. Each method runs in a process of its own; `peak_gib` is that process' high-water mark, what was
there before the method (`before_gib`) included.

The second part, where ``SHELFWISE_DATA`` is set, forecasts d_1914 to d_1941 of M5 from the days before, with
a cheap model for the series and another for the upper nodes, and scores what each method makes of the two.
Weights and scales are from before the window (`m5_levels`). With ``--upper-levels 9`` only the 154 nodes of
levels 1 to 9 are forecast and reconciled.

    python -m benchmarks.bench_reconcile [--part speed|m5|all] [--leaf NAME ...] [--upper NAME]
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks.m5_data import HORIZON_DAYS, dates_of, read_calendar, read_sales
from benchmarks.m5_levels import LEVELS, OFFICIAL_LEVELS, scoring_basis
from benchmarks.m5_score import wrmsse
from benchmarks.raw_data import DATA_VARIABLE, raw_folder, run_command
from benchmarks.results_log import Cell, append_rows
from shelfwise.buckets import Bucket
from shelfwise.demand.hierarchy import Hierarchy
from shelfwise.demand.panel import Panel
from shelfwise.forecast import Scenarios, make_forecaster
from shelfwise.forecast.reconcile import METHODS, reconcile, reconcile_paths
from shelfwise.forecast.reconcile.draws import draw_base
from shelfwise.forecast.reconcile.held_out import held_out_errors

RESULTS = Path(__file__).parent / "results"
NAMES = {"item_id": "sku", "store_id": "location"}
UPPER = [
    tuple(NAMES.get(name, name) for name in columns) or "total" for columns in list(LEVELS.values())[:11]
]
Floats = npt.NDArray[np.float64]
SKUS, STATES = 3049, ("CA",) * 4 + ("TX",) * 3 + ("WI",) * 3
# Levels 11 and 12 have groups without a scale in some windows.
SCORED_LEVELS = (*OFFICIAL_LEVELS, 10)
RESIDUALS, SAMPLES, LAST_DAY = 100, 100, 1913
PATHS_CASE = f"paths, {SAMPLES} samples"


def made_up_panel(skus: int, rng: np.random.Generator) -> Panel:
    """Intermittent counts of `skus` x 10 series with M5's attributes."""
    stores = len(STATES)
    department = np.repeat(rng.integers(0, 7, skus), stores)
    keys = pl.DataFrame(
        {
            "sku": np.repeat([f"i{number:05d}" for number in range(skus)], stores),
            "location": [f"{state}_{number}" for number, state in enumerate(STATES)] * skus,
        }
    )
    static = pl.DataFrame(
        {
            "state_id": list(STATES) * skus,
            "dept_id": [f"d{number}" for number in department],
            "cat_id": [f"c{number // 3}" for number in department],
        }
    )
    level = rng.gamma(0.6, 2.0, (len(keys), 1)) * rng.lognormal(0.0, 0.2, (1, RESIDUALS))
    demand = rng.poisson(level).astype(np.float32)
    return replace(Panel.from_arrays(demand, keys=keys, bucket=Bucket("day")), static=static)


def speed_case(task: tuple[str, int]) -> dict[str, Cell]:
    """One method on made-up forecasts; runs in a process of its own."""
    case, skus = task
    rng = np.random.default_rng(0)
    panel = made_up_panel(skus, rng)
    begun = time.perf_counter()
    tree = Hierarchy.of(panel, UPPER)
    totals = tree.aggregate(panel)
    aggregate_seconds = time.perf_counter() - begun
    residuals = np.concatenate([totals.demand, panel.demand])
    residuals -= residuals.mean(axis=1, keepdims=True)
    # Models of totals err in ways of their own too.
    residuals[: tree.n_nodes] *= rng.normal(1.0, 0.3, (tree.n_nodes, RESIDUALS)).astype(np.float32)
    expected = panel.demand.mean(axis=1, keepdims=True) * rng.gamma(2.0, 0.5, (tree.n_leaves, HORIZON_DAYS))
    nodes = tree.sums(expected) * rng.normal(0.9, 0.1, (tree.n_nodes, HORIZON_DAYS))
    # A small run first, so that neither imports nor compiling are timed.
    prepared(case, *small_case())(True)
    work = prepared(case, tree, panel, expected, nodes, residuals)
    before = peak_gib()
    begun = time.perf_counter()
    free = work(False)
    free_seconds = time.perf_counter() - begun
    begun = time.perf_counter()
    leaves = work(True)
    nonnegative_seconds = time.perf_counter() - begun
    return {
        "case": case,
        "leaves": tree.n_leaves,
        "nodes": tree.n_nodes + tree.n_leaves,
        "steps": HORIZON_DAYS,
        "aggregate_seconds": round(aggregate_seconds, 3),
        "free_seconds": round(free_seconds, 3),
        "nonnegative_seconds": round(nonnegative_seconds, 3),
        "share_below_zero_if_free": round(float((free < 0).mean()), 4),
        "least_leaf": float(leaves.min()),
        "before_gib": round(before, 3),
        "peak_gib": round(peak_gib(), 3),
    }


def small_case() -> tuple[Hierarchy, Panel, Floats, Floats, Floats]:
    """Tree, panel, base forecasts and residuals of 20 SKUs."""
    panel = made_up_panel(20, np.random.default_rng(1))
    tree = Hierarchy.of(panel, UPPER)
    expected = np.ones((tree.n_leaves, HORIZON_DAYS))
    residuals = np.random.default_rng(1).normal(size=(tree.n_nodes + tree.n_leaves, RESIDUALS))
    return tree, panel, expected, 0.5 * tree.sums(expected), residuals


def prepared(
    case: str,
    tree: Hierarchy,
    panel: Panel,
    expected: Floats,
    nodes: Floats,
    residuals: npt.NDArray[np.floating],
) -> Callable[[bool], npt.NDArray[np.floating]]:
    """What is timed: given whether leaves must not be negative, their means (N, H) or paths (N, S, H)."""
    if case != PATHS_CASE:
        given = {"residuals": residuals, "history": panel.demand}
        return lambda bound: reconcile(tree, expected, nodes, case, nonnegative=bound, **given).leaves
    rng = np.random.default_rng(2)
    paths = np.empty((tree.n_leaves, SAMPLES, HORIZON_DAYS), np.float32)
    for first in range(0, tree.n_leaves, 2048):
        mean = expected[first : first + 2048, None, :]
        paths[first : first + 2048] = rng.poisson(mean, (len(mean), SAMPLES, HORIZON_DAYS))
    top = np.empty((tree.n_nodes, SAMPLES, HORIZON_DAYS), np.float32)
    top[:] = nodes[:, None, :] * rng.lognormal(0.0, 0.05, (tree.n_nodes, SAMPLES, 1))
    leaves = Scenarios(panel.keys, panel.bucket, panel.as_of, paths)
    upper = Scenarios(tree.nodes.select(sku="name", location="level"), panel.bucket, panel.as_of, top)
    made = reconcile(tree, expected, nodes, "wls_variance", residuals=residuals)
    return lambda _: reconcile_paths(tree, leaves, upper, made, series_ids=panel.series_ids).paths


def peak_gib() -> float:
    """The most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def m5_panel(source: Path, last_day: int) -> Panel:
    """The days up to `last_day`; unknown before a series' first sale. Rows as the scorer's series."""
    sales = read_sales(source, last_day=last_day)
    units = sales.values.astype(np.float32)
    launched = np.where(units.any(axis=1), (units > 0).argmax(axis=1), units.shape[1]).astype(np.int32)
    units[np.arange(units.shape[1]) < launched[:, None]] = np.nan
    start = dates_of(read_calendar(source), sales.first_day, sales.first_day)[0]
    keys = sales.keys.select(sku="item_id", location="store_id")
    panel = Panel.from_arrays(units, start=start, bucket=Bucket("day"), keys=keys)
    return replace(panel, launched=launched, static=sales.keys.select("dept_id", "cat_id", "state_id"))


def m5_rows(leaf: str, upper: str, upper_levels: int, last_day: int) -> list[dict[str, Cell]]:
    """WRMSSE of every method on one pair of base models, and the seconds each step took."""
    source = raw_folder("m5")
    panel = m5_panel(source, last_day)
    tree = Hierarchy.of(panel, UPPER[:upper_levels])
    totals = tree.aggregate(panel)

    base, seconds = {}, {}
    for role, name, of in (("leaf", leaf, panel), ("upper", upper, totals)):
        begun = time.perf_counter()
        base[role] = draw_base(
            make_forecaster(name).fit(of), np.arange(of.n_series), HORIZON_DAYS, SAMPLES, 0
        )
        seconds[role] = time.perf_counter() - begun
    begun = time.perf_counter()
    residuals = held_out_errors(make_forecaster(leaf), make_forecaster(upper), panel, totals)
    seconds["held_out"] = time.perf_counter() - begun
    basis = scoring_basis(source, last_day=last_day)
    actual = read_sales(source, first_day=last_day + 1, last_day=last_day + HORIZON_DAYS).values
    variance = np.concatenate([base["upper"].variance, base["leaf"].variance])
    cases: dict[str, dict[str, object]] = {
        method: {"method": method, "variance": variance} for method in METHODS
    }
    cases["wls_variance, held-out errors"] = {"method": "wls_variance"}
    rows = []
    for case, options in cases.items():
        begun = time.perf_counter()
        made = reconcile(
            tree,
            base["leaf"].mean,
            base["upper"].mean,
            residuals=residuals,
            history=np.where(np.isnan(panel.demand), 0.0, panel.demand)[:, -HORIZON_DAYS:],
            **options,  # type: ignore[arg-type]
        )
        took = time.perf_counter() - begun
        scores = wrmsse(made.leaves, actual, basis, SCORED_LEVELS)
        rows.append(
            {
                "window": f"d_{last_day + 1}",
                "leaf": leaf,
                "upper": upper,
                "upper_levels": upper_levels,
                "case": case,
                "wrmsse_1_9": round(float(np.mean([scores[level] for level in OFFICIAL_LEVELS])), 4),
                "wrmsse_1": round(scores[1], 4),
                "wrmsse_9": round(scores[9], 4),
                "wrmsse_10": round(scores[10], 4),
                "leaf_seconds": round(seconds["leaf"], 1),
                "upper_seconds": round(seconds["upper"], 1),
                "held_out_seconds": round(seconds["held_out"], 1),
                "reconcile_seconds": round(took, 2),
            }
        )
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    """Measure, print, append."""
    parser = argparse.ArgumentParser(description="reconciliation at the size of M5")
    parser.add_argument("--part", choices=["speed", "m5", "all"], default="all")
    parser.add_argument("--skus", type=int, default=SKUS)
    parser.add_argument("--leaf", nargs="+", default=["moving_average", "seasonal_naive"])
    parser.add_argument("--upper", default="ets")
    parser.add_argument("--upper-levels", type=int, choices=[9, 11], default=11)
    parser.add_argument("--last-day", type=int, default=LAST_DAY)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    if options.part != "m5":
        rows = []
        for case in (*METHODS, PATHS_CASE):
            with get_context("spawn").Pool(1) as pool:
                rows.append(pool.apply(speed_case, ((case, options.skus),)))
            print(rows[-1], flush=True)
        append_rows(options.results / "reconcile.csv", rows)
    if options.part == "m5" or (options.part == "all" and os.environ.get(DATA_VARIABLE)):
        for leaf in options.leaf:
            rows = m5_rows(leaf, options.upper, options.upper_levels, options.last_day)
            append_rows(options.results / "reconcile_m5.csv", rows)


if __name__ == "__main__":
    run_command(main)
