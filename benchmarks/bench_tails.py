"""Upper quantiles of the simple models: how often demand is at or below them, and their pinball loss.

VN2: six origins in the known weeks, four weeks each. M5: three windows of 28 days before d_1942, N series spread evenly
over the file. The share of demand at or below a quantile should reach its level; the loss is over demand.
`--build` names the code that was measured, so that one table holds before and after.

    python -m benchmarks.bench_tails --build NAME [--series 500] [--models moving_average seasonal_naive …]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import timedelta

import numpy as np

from benchmarks.m5_data import dates_of, read_calendar, read_sales
from benchmarks.raw_data import raw_folder, run_command
from benchmarks.results_log import REPOSITORY, Cell, append_rows
from benchmarks.vn2_folder import read_history
from shelfwise.buckets import Bucket
from shelfwise.demand.panel import Panel
from shelfwise.forecast.register import make_forecaster

RESULTS = REPOSITORY / "benchmarks" / "results" / "tails.csv"
MODELS = ("moving_average", "seasonal_naive", "ets", "theta", "croston", "sba", "tsb", "adida", "imapa")
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99)
TOLD = (0.9, 0.975, 0.99)
SAMPLES = 300


def vn2_panel() -> Panel:
    """All known weeks of VN2; a week out of stock is unknown."""
    history = read_history(raw_folder("vn2"))
    demand = np.where(history.in_stock, history.sold, np.nan).astype(np.float32)
    start = history.as_of - timedelta(weeks=demand.shape[1])
    return Panel.from_arrays(demand, start=start, keys=history.keys.select("sku", "location"))


def m5_panel(series: int) -> Panel:
    """Sales of some M5 series from their first sale on."""
    source = raw_folder("m5")
    sales = read_sales(source)
    rows = np.linspace(0, len(sales.keys) - 1, series).astype(np.intp)
    demand = sales.values[rows].astype(np.float32)
    first = np.argmax(demand > 0, axis=1)
    demand[np.arange(demand.shape[1])[None, :] < first[:, None]] = np.nan
    keys = sales.keys[rows].select(sku="item_id", location="store_id")
    start = dates_of(read_calendar(source), sales.first_day, sales.first_day)[0]
    return Panel.from_arrays(demand, start=start, bucket=Bucket("day"), keys=keys)


def cases(series: int) -> Iterator[tuple[str, Panel, list[int], int]]:
    """Name, panel, origins and horizon of what is forecast."""
    vn2 = vn2_panel()
    yield "vn2", vn2, [vn2.n_buckets - 8 * back - 4 for back in range(6)], 4
    m5 = m5_panel(series)
    yield "m5", m5, [m5.n_buckets - 28 * back for back in (1, 2, 3)], 28


def measured(name: str, panel: Panel, origins: list[int], horizon: int) -> dict[str, Cell]:
    """Loss and coverage of a model over all origins."""
    loss = demand = cells = 0.0
    below = np.zeros(len(LEVELS))
    for origin in origins:
        scenarios = (
            make_forecaster(name).fit(panel.until(origin)).sample(horizon, SAMPLES, np.random.default_rng(0))
        )
        actual = panel.demand[:, origin : origin + horizon]
        known = np.isfinite(actual)
        outcome, said = actual[known][:, None], scenarios.quantile(LEVELS)[known]
        gap = outcome - said
        loss += float(np.maximum(np.array(LEVELS) * gap, (np.array(LEVELS) - 1) * gap).mean(axis=1).sum())
        demand, cells = demand + float(outcome.sum()), cells + len(outcome)
        below += (outcome <= said).sum(axis=0)
    told = {f"covered_{level:g}": round(float(below[LEVELS.index(level)] / cells), 4) for level in TOLD}
    return {"pinball": round(loss / demand, 4), **told}


def main() -> None:
    """Measure, print, add to the results."""
    parser = argparse.ArgumentParser(description="coverage of simple models' upper quantiles")
    parser.add_argument("--build", required=True)
    parser.add_argument("--series", type=int, default=500)
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    asked = parser.parse_args()
    rows: list[dict[str, Cell]] = []
    for data, panel, origins, horizon in cases(asked.series):
        for name in asked.models:
            row: dict[str, Cell] = {
                "build": asked.build,
                "data": data,
                "series": panel.n_series,
                "model": name,
            }
            rows.append(row | measured(name, panel, origins, horizon))
            print(rows[-1], flush=True)
    append_rows(RESULTS, rows)


if __name__ == "__main__":
    run_command(main)
