"""`auto` beside the boosted model: cost of orders, error of the forecast, seconds, on VN2's folds and the demo shop.

VN2: the six folds of `vn2_folds`, weeks 3 to 8, every model behind the same policy from the same stock; pinball loss
of the three-week sum at 0.833, the quantile that VN2's costs ask for. Demo: the last 28 days of the built-in shop,
replayed as `shelfwise backtest` does. Models are fitted once, at the start of a fold, and take new weeks after.

    python -m benchmarks.bench_auto [--folds 109 117 125 133 141 149] [--models gbm auto auto_cost] [--no-demo]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks import vn2_folds
from benchmarks.bench_vn2 import HORIZON, SAMPLES, weekly_cost
from benchmarks.raw_data import raw_folder, run_command
from benchmarks.results_log import REPOSITORY, Cell, append_rows
from benchmarks.vn2_folder import read_history, write_vn2_folder
from shelfwise.demand.build import build_panel
from shelfwise.demand.panel import Panel
from shelfwise.demo import make_shop, write_shop
from shelfwise.evaluate.backtest import run_backtest
from shelfwise.evaluate.decision_cost import DecisionCost
from shelfwise.evaluate.metrics import pinball_loss
from shelfwise.evaluate.replay import Shop, replay
from shelfwise.evaluate.rolling import RollingForecast, aligned
from shelfwise.forecast.auto import AutoForecaster
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.register import make_forecaster
from shelfwise.forecast.scenarios import Scenarios
from shelfwise.preparation import judge_maker
from shelfwise.replenish.register import make_policy
from shelfwise.simulate import Costs, SupplyTerms
from shelfwise.tables import Dataset, read_folder

RESULTS = REPOSITORY / "benchmarks" / "results" / "auto.csv"
MODELS = ("gbm", "auto", "auto_cost")
SUM_WEEKS, SUM_LEVEL = 3, 0.833
DEMO_DAYS = 28


class Watched:
    """What a rolling forecast said of the three-week sum, and the seconds of both cores its first origin took."""

    def __init__(self, rolling: RollingForecast, truth: npt.NDArray[np.float64]) -> None:
        self.rolling, self.truth = rolling, truth
        self.losses: list[float] = []
        self.seconds = 0.0

    def __call__(self, t: int) -> tuple[Panel, Scenarios | None]:
        began = time.process_time()
        panel, scenarios = self.rolling(t)
        if t == 0:
            self.seconds = time.process_time() - began
        assert scenarios is not None  # every model here makes them
        if t + SUM_WEEKS <= self.truth.shape[1]:
            actual = self.truth[:, t : t + SUM_WEEKS].sum(axis=1)
            said = np.quantile(scenarios.total(0, SUM_WEEKS), SUM_LEVEL, axis=1)
            self.losses.append(float(pinball_loss(actual, said, SUM_LEVEL).mean()))
        return panel, scenarios


class Maker:
    """Makes a model by its label, and remembers it."""

    def __init__(self, label: str, judge: Callable[[Panel], DecisionCost]) -> None:
        self.label, self._judge = label, judge
        self.made: Forecaster | None = None

    def __call__(self) -> Forecaster:
        if self.label == "auto":
            self.made = AutoForecaster()
        elif self.label == "auto_cost":
            self.made = AutoForecaster(by="cost", judge=self._judge)
        else:
            self.made = make_forecaster(self.label)
        return self.made

    def tell(self) -> None:
        """Print what was chosen, where there was a choice."""
        if isinstance(self.made, AutoForecaster):
            print("   ", self.made.report().sentence, flush=True)


def run_vn2_fold(
    dataset: Dataset, fold: vn2_folds.Fold, keys: list[tuple[str, str]], models: list[str]
) -> list[dict[str, Cell]]:
    """A row a model."""
    begin = dataset.table("sales")["date"].min()
    assert isinstance(begin, date)
    panels: dict[int, Panel] = {}

    def panel_at(t: int) -> Panel:
        if t not in panels:
            day = dataset.bucket.shift(begin, fold.first_week + t)
            panels[t] = aligned(build_panel(dataset.until(day), day, HORIZON), keys)
        return panels[t]

    n = len(keys)
    terms = SupplyTerms.same(n, lead_time_buckets=vn2_folds.LEAD_TIME_WEEKS)
    shop = Shop(terms, Costs.same(n, holding=vn2_folds.HOLDING, shortage=vn2_folds.SHORTAGE), np.zeros(n))
    rows: list[dict[str, Cell]] = []
    for label in models:
        make = Maker(
            label, lambda panel: DecisionCost(aligned(panel, keys), shop, make_policy("order_up_to"))
        )
        rolling = RollingForecast(panel_at, make, horizon=HORIZON, n_samples=SAMPLES)
        watched = Watched(rolling, fold.demand)
        policies = {"order_up_to": make_policy("order_up_to")}
        ledger = replay(fold.demand.astype(np.float32), watched, policies, shop, fold.start)
        errors = rolling.errors(fold.demand)
        rows.append(
            {
                "data": "vn2",
                "fold": str(fold.first_week),
                "model": label,
                "cost": round(float(weekly_cost(ledger)[0, vn2_folds.COMPARED].sum()), 1),
                "wape": round(errors["wape"], 4),
                "pinball": round(errors["pinball"], 4),
                "pinball_sum": round(float(np.mean(watched.losses)), 4),
                "core_seconds": round(watched.seconds, 1),
            }
        )
        print(rows[-1], flush=True)
        make.tell()
    return rows


def run_demo_shop(models: list[str]) -> list[dict[str, Cell]]:
    """A row a model: the default policy on the built-in shop, a four-week replay."""
    rows: list[dict[str, Cell]] = []
    with tempfile.TemporaryDirectory() as folder:
        shop = make_shop(seed=7)
        write_shop(shop, Path(folder))
        dataset = read_folder(Path(folder))
        end = shop.truth.end
        start = end - timedelta(days=DEMO_DAYS)
        for label in models:
            make = Maker(label, judge_maker(dataset, make_policy("order_up_to")))
            began = time.process_time()
            board = run_backtest(dataset, start, end, {"order_up_to": make_policy("order_up_to")}, make)
            seconds = time.process_time() - began
            table = board.table.row(0, named=True)
            rows.append(
                {
                    "data": "demo",
                    "fold": str(start),
                    "model": label,
                    "cost": round(float(table["cost"]), 1),
                    "wape": round(float(table["wape"]), 4),
                    "pinball": round(float(table["pinball"]), 4),
                    "core_seconds": round(seconds, 1),
                }
            )
            print(rows[-1], flush=True)
            make.tell()
    return rows


def main() -> None:
    """Run what is asked for, print it and add it to the results."""
    parser = argparse.ArgumentParser(description="auto beside gbm: cost, error, seconds")
    parser.add_argument("--folds", type=int, nargs="*", default=list(vn2_folds.FIRST_WEEKS))
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--no-demo", action="store_true")
    parser.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args()
    if asked.folds:
        source = raw_folder("vn2")
        history = read_history(source)
        keys = list(history.keys.iter_rows())
        with tempfile.TemporaryDirectory() as folder:
            dataset = read_folder(write_vn2_folder(source, Path(folder)))
            rows: list[dict[str, Cell]] = []
            for week in asked.folds:
                fold = run_vn2_fold(dataset, vn2_folds.make_fold(history, week), keys, asked.models)
                # A long run that is cut off leaves the folds that were done.
                append_rows(asked.results, [line for row in fold for line in lines(row)])
                rows += fold
        append_rows(asked.results, [line for row in means(rows, asked.models) for line in lines(row)])
    if not asked.no_demo:
        append_rows(asked.results, [line for row in run_demo_shop(asked.models) for line in lines(row)])


def lines(row: dict[str, Cell]) -> list[dict[str, Cell]]:
    """A line a measure, since not everything is measured everywhere."""
    names = ("data", "fold", "model")
    return [
        {**{name: row[name] for name in names}, "measure": measure, "value": value}
        for measure, value in row.items()
        if measure not in names
    ]


def means(rows: list[dict[str, Cell]], models: list[str]) -> list[dict[str, Cell]]:
    """The mean of the folds of each model."""
    measured = ("cost", "wape", "pinball", "pinball_sum", "core_seconds")
    found: list[dict[str, Cell]] = []
    for label in models:
        mine = [row for row in rows if row["model"] == label]
        mean = {name: round(float(np.mean([row[name] for row in mine])), 4) for name in measured}
        found.append({"data": "vn2", "fold": f"mean of {len(mine)}", "model": label, **mean})
        print(found[-1])
    return found


if __name__ == "__main__":
    run_command(main)
