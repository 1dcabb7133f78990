"""Weekly retail data: our models beside statsforecast and mlforecast, with promotions told and not.

Every model gets the same series of the same origins (see `retail_tasks`), learns from these alone and is judged on all
of them: WAPE of the mean and of the median, bias, pinball loss over nine quantiles as a share of what was sold and as
a share of each series' weekly change, crossing, negative and not finite numbers. Models that can take promotions are
run with them and without; each row is also split into weeks under promotion and other weeks. ``promotions`` of a row
is ``told``, ``not told`` (to this model, though they exist) or ``none exist``. Seconds are the processor's, of one
fit and one forecast. ``settings`` says what was not left as it is by default: ``auto`` is given a budget, and where
the processor is slow the networks can be trained for fewer rounds and draw fewer paths.

    python -m benchmarks.bench_retail_peers [--data online_retail complete_journey] [--models gbm mlforecast ...]
        [--origins 4] [--network-rounds N] [--network-paths N] [--results DIR]
    python -m benchmarks.bench_retail_peers --table [--results DIR]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks.bench_demo import RESULTS
from benchmarks.bench_m5 import QUANTILES
from benchmarks.raw_data import run_command
from benchmarks.results_log import Cell, append_rows
from benchmarks.retail_scores import errors, faults, naive_change
from benchmarks.retail_tasks import ORIGINS, TASKS, Task
from shelfwise.demand.panel import Panel
from shelfwise.errors import ShelfwiseError, UsageError
from shelfwise.forecast.deep.settings import TrainingSettings
from shelfwise.forecast.register import AUTO, make_forecaster
from shelfwise.forecast.result import samples_for

FILE = "retail_peers.csv"
LEVELS = list(QUANTILES)
AUTO_BUDGET_SECONDS = 60.0
Arrays = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
# Whether a model can take promotions; those that cannot are run once, without.
OURS = {"seasonal_naive": False, "ets": False, "gbm": True, AUTO: True, "lstm": True, "gru": True}
PEERS = {"statsforecast_ets": False, "statsforecast_sba": False, "mlforecast": True}
MODELS = OURS | PEERS
NETWORKS = ("lstm", "gru")


@dataclass(frozen=True)
class Effort:
    """How much networks may do: rounds of training and sampled paths; None = as they would by themselves."""

    rounds: int | None = None
    paths: int | None = None

    def told(self, model: str) -> str:
        """What a row says of it."""
        if model == AUTO:
            return f"budget of {AUTO_BUDGET_SECONDS:g} s"
        asked = [f"{n} {name} at most" for n, name in ((self.rounds, "rounds"), (self.paths, "paths")) if n]
        return ", ".join(asked) if model in NETWORKS and asked else "default"


def our_forecast(name: str, panel: Panel, horizon: int, effort: Effort) -> Arrays:
    """(N, H) means and (N, H, 9) quantiles of a registered model."""
    options: dict[str, Any] = {"time_budget_seconds": AUTO_BUDGET_SECONDS} if name == AUTO else {}
    paths = samples_for(LEVELS)
    if name in NETWORKS:
        paths = min(effort.paths or paths, paths)
        if effort.rounds is not None:
            options["training"] = TrainingSettings(rounds=effort.rounds)
    said = make_forecaster(name, **options).fit(panel).sample(horizon, paths, np.random.default_rng(0))
    return said.mean(), said.quantile(LEVELS)


def peer_forecast(name: str, panel: Panel, horizon: int) -> Arrays:
    """The same of a peer."""
    # The libraries are heavy, and only some runs ask for them.
    from benchmarks.peers_weekly import WeeklyData, mlforecast_forecast, statsforecast_forecast

    data = WeeklyData.of(panel, horizon)
    if name == "mlforecast":
        return mlforecast_forecast(data, horizon, LEVELS)
    return statsforecast_forecast(data, name.removeprefix("statsforecast_"), horizon, LEVELS)


def views(task: Task, model: str) -> Iterator[tuple[str, Panel]]:
    """What the model is told of promotions, and the panel that tells it."""
    if task.without is None:
        yield "none exist", task.panel
        return
    yield "not told", task.without
    if MODELS[model]:
        yield "told", task.panel


def measure(task: Task, model: str, promotions: str, panel: Panel, effort: Effort) -> list[dict[str, Cell]]:
    """A row for all buckets, and where there are promotions one for those under them and one for the others."""
    began = time.process_time()
    if model in OURS:
        mean, quantiles = our_forecast(model, panel, task.horizon, effort)
    else:
        mean, quantiles = peer_forecast(model, panel, task.horizon)
    seconds = round(time.process_time() - began, 1)
    scale = naive_change(panel.sold)
    parts: dict[str, npt.NDArray[np.bool_] | None] = {"all": None}
    if task.without is not None:
        parts |= {"promoted": task.promoted, "not promoted": ~task.promoted}
    about: dict[str, Cell] = {
        "data": task.data,
        "origin": str(task.origin),
        "weeks": task.horizon,
        "series": panel.n_series,
        "selection": task.selection,
        "model": model,
        "promotions": promotions,
        "settings": effort.told(model),
    }
    wrong = faults(mean, quantiles)
    return [
        {
            **about,
            "part": part,
            **errors(task.actual, mean, quantiles, LEVELS, scale, judged),
            **wrong,
            "cpu_seconds": seconds,
        }
        for part, judged in parts.items()
    ]


def mean_of_origins(rows: pl.DataFrame) -> pl.DataFrame:
    """A row a data set, part, model and what it was told: means of each origin's newest row, best pinball first."""
    key = ["data", "part", "model", "promotions"]
    newest = rows.unique([*key, "origin"], keep="last", maintain_order=True)
    means = newest.group_by(key, maintain_order=True).agg(
        pl.len().alias("origins"),
        pl.col("wape", "wape_of_median", "bias", "pinball", "scaled_pinball", "cpu_seconds").mean(),
        pl.col("crossings", "negatives", "nonfinite").sum(),
    )
    return means.sort("data", "part", "pinball")


def print_table(results: Path) -> None:
    """The means over the origins."""
    path = results / FILE
    if not path.exists():
        raise UsageError(f"{path} must be there to be shown; run the benchmark without --table first")
    with pl.Config(
        tbl_rows=-1, tbl_cols=-1, tbl_width_chars=200, tbl_hide_dataframe_shape=True, float_precision=4
    ):
        print(mean_of_origins(pl.read_csv(path)))


def main() -> None:
    """Run every data set, origin and model, appending each as soon as it is there; then show the table."""
    parser = argparse.ArgumentParser(
        description="Weekly retail data: shelfwise, mlforecast and statsforecast"
    )
    parser.add_argument("--data", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--origins", type=int, default=ORIGINS, help="the last so many; default 4")
    parser.add_argument("--network-rounds", type=int, help="rounds that lstm and gru are trained for at most")
    parser.add_argument("--network-paths", type=int, help="paths that lstm and gru draw at most")
    parser.add_argument("--results", type=Path, default=RESULTS, help=f"folder of {FILE}")
    parser.add_argument("--table", action="store_true", help="show the rows there are; run nothing")
    options = parser.parse_args()
    if options.origins < 1:
        raise UsageError(f"--origins must be at least 1; got {options.origins}")
    effort = Effort(options.network_rounds, options.network_paths)
    faulty: list[str] = []
    if not options.table:
        with tempfile.TemporaryDirectory() as temporary:
            for data in options.data:
                for task in TASKS[data](None, Path(temporary), options.origins):
                    faulty += run_task(task, options.models, effort, options.results)
    print_table(options.results)
    if faulty:
        raise ShelfwiseError(
            "a forecast must be finite, never negative, its quantiles in order; not so: " + ", ".join(faulty)
        )


def run_task(task: Task, models: list[str], effort: Effort, results: Path) -> list[str]:
    """Append the rows of these models; returns which of them forecast what cannot be."""
    faulty = []
    for model in models:
        for promotions, panel in views(task, model):
            rows = measure(task, model, promotions, panel, effort)
            append_rows(results / FILE, rows)
            first = rows[0]
            print(
                *(first[name] for name in ("data", "origin", "model", "promotions", "wape", "bias")), end=" "
            )
            print(*(first[name] for name in ("pinball", "scaled_pinball", "cpu_seconds")), flush=True)
            if any(first[name] for name in ("crossings", "negatives", "nonfinite")):
                faulty.append(f"{model} at {task.origin}")
    return faulty


if __name__ == "__main__":
    run_command(main)
