"""Forecasts of VN2's folds: the boosted model beside every classical one, judged as the orders would use them.

From the first and the fifth week of each fold (see `vn2_folds`) every model is fitted anew on the weeks before, with
the shop's default demand, and forecasts four weeks. What is judged is what the raw files say was sold, in weeks in
stock alone: `pinball_sum` is the loss of the 0.833 quantile of the first three weeks' sum, in units a series, over
series in stock in all three; `scaled_pinball` the loss of single weeks over nineteen levels and over the series' mean
week-to-week change, as M5 scales it; `wape` and `bias` are those of the weeks' means. The rows `mean` say of how many
folds; `against_gbm` divides `pinball_sum` by that of gbm on the same folds. Seconds are the processor's, of fits and
draws; a model that has used more than `--most-seconds` starts no further fold.

    python -m benchmarks.bench_vn2_forecast [--fold 109 ...] [--model ets ...] [--most-seconds 1800]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.bench_vn2 import HORIZON, SAMPLES
from benchmarks.raw_data import raw_folder, run_command
from benchmarks.results_log import REPOSITORY, Cell, append_rows
from benchmarks.vn2_folder import Vn2History, read_history, write_vn2_folder
from benchmarks.vn2_folds import FIRST_WEEKS, FOLD_WEEKS, HOLDING, LEAD_TIME_WEEKS, SHORTAGE
from shelfwise.demand.build import build_panel
from shelfwise.demand.panel import Panel
from shelfwise.evaluate.metrics import bias, pinball_loss, wape
from shelfwise.evaluate.rolling import aligned
from shelfwise.forecast.auto.held_out import LEVELS
from shelfwise.forecast.register import FORECASTERS, make_forecaster
from shelfwise.forecast.scenarios import Scenarios
from shelfwise.tables import Dataset, read_folder

RESULTS = REPOSITORY / "benchmarks" / "results" / "vn2_forecast.csv"
BASE = "gbm"
SIMPLE = ("seasonal_naive", "moving_average")
CLASSICAL = tuple(name for name, place in FORECASTERS.items() if ".classical." in place)
SUM_WEEKS = LEAD_TIME_WEEKS + 1
SUM_LEVEL = SHORTAGE / (SHORTAGE + HOLDING)
ORIGINS = tuple(range(0, FOLD_WEEKS, HORIZON))
MEASURES = ("pinball_sum", "scaled_pinball", "wape", "bias")
Found = dict[str, dict[int, dict[str, float]]]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Origin:
    """What a model is given and judged by: (N, 4) units sold, NaN out of stock, and (N,) scales, NaN without."""

    panel: Panel
    actual: Doubles
    scale: Doubles


def origin_at(dataset: Dataset, history: Vn2History, week: int) -> Origin:
    """As week `week` (0-based) of the history begins."""
    panel = build_panel(dataset.until(history.weeks[week]), history.weeks[week], HORIZON)
    seen = np.where(history.in_stock, history.sold, np.nan)
    change = np.abs(np.diff(seen[:, :week], axis=1))
    pairs = np.isfinite(change).sum(axis=1)
    mean = np.divide(np.nansum(change, axis=1), pairs, out=np.zeros(len(seen)), where=pairs > 0)
    scale = np.where(mean > 0, mean, np.nan)
    return Origin(
        aligned(panel, list(history.keys.iter_rows())),
        seen[:, week : week + HORIZON].astype(np.float64),
        scale,
    )


def scores(said: Scenarios, actual: Doubles, scale: Doubles) -> dict[str, float]:
    """The measures of one forecast."""
    whole = np.isfinite(actual[:, :SUM_WEEKS]).all(axis=1)
    total = actual[whole, :SUM_WEEKS].sum(axis=1)
    at_level = np.quantile(said.total(0, SUM_WEEKS)[whole], SUM_LEVEL, axis=1)
    quantiles = said.quantile(LEVELS)
    by_level = [pinball_loss(actual, quantiles[..., q], level) for q, level in enumerate(LEVELS)]
    return {
        "pinball_sum": float(pinball_loss(total, at_level, SUM_LEVEL).mean()),
        "scaled_pinball": float(np.nanmean(np.mean(by_level, axis=0) / scale[:, None])),
        "wape": wape(actual, said.mean()),
        "bias": bias(actual, said.mean()),
    }


def measure(name: str, origins: Sequence[Origin], clock: Callable[[], float]) -> dict[str, float]:
    """Means over the origins of one fold, series left to a stand-in, and seconds."""
    found: list[dict[str, float]] = []
    for origin in origins:
        begun = clock()
        model = make_forecaster(name).fit(origin.panel)
        said = model.sample(HORIZON, SAMPLES, np.random.default_rng([0, origin.panel.n_buckets]))
        seconds = clock() - begun
        found.append(
            {
                **scores(said, origin.actual, origin.scale),
                "stand_ins": len(model.failures),
                "seconds": seconds,
            }
        )
    totals = {key: sum(one[key] for one in found) for key in found[0]}
    return {**totals, **{key: totals[key] / len(found) for key in MEASURES}}


def means(found: Found) -> list[dict[str, Cell]]:
    """A row a model, the best first, beside gbm on the same folds."""
    rows = []
    for name, folds in found.items():
        mean = {key: float(np.mean([one[key] for one in folds.values()])) for key in (*MEASURES, "seconds")}
        mean["stand_ins"] = sum(one["stand_ins"] for one in folds.values())
        base = float(np.mean([found[BASE][fold]["pinball_sum"] for fold in folds]))
        rows.append(row_of("mean", len(folds), name, mean, base))
    return sorted(rows, key=lambda row: float(row["against_gbm"]))


def row_of(fold: str, folds: int, name: str, measures: dict[str, float], base: float) -> dict[str, Cell]:
    """A row of the results."""
    return {
        "fold": fold,
        "folds": folds,
        "model": name,
        **{key: round(measures[key], 4) for key in MEASURES},
        "against_gbm": round(measures["pinball_sum"] / base, 4),
        "stand_ins": int(measures["stand_ins"]),
        "cpu_seconds": round(measures["seconds"], 1),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure gbm and every model asked for on every fold; print and append as it comes, the means last."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    everyone = (*SIMPLE, *CLASSICAL)
    parser.add_argument("--source", type=Path)
    parser.add_argument("--fold", type=int, action="append", choices=FIRST_WEEKS, help="default: all six")
    parser.add_argument("--model", action="append", choices=everyone, help="beside gbm; default: all")
    parser.add_argument("--most-seconds", type=float, default=1800.0, help="of the processor, a model")
    parser.add_argument("--output", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    source = raw_folder("vn2", asked.source)
    history = read_history(source)
    names = [BASE, *(name for name in everyone if name in (asked.model or everyone))]
    found: Found = {name: {} for name in names}
    with tempfile.TemporaryDirectory() as folder:
        dataset = read_folder(write_vn2_folder(source, Path(folder)))
        for fold in asked.fold or FIRST_WEEKS:
            origins = [origin_at(dataset, history, fold + later) for later in ORIGINS]
            for name in names:
                spent = sum(one["seconds"] for one in found[name].values())
                if spent > asked.most_seconds:
                    print(f"{fold} {name}: left out after {spent:.0f} s", flush=True)
                    continue
                found[name][fold] = measure(name, origins, time.process_time)
                shown = " ".join(f"{key} {value:.4g}" for key, value in found[name][fold].items())
                print(f"{fold} {name}: {shown}", flush=True)
            base = found[BASE][fold]["pinball_sum"]
            done = {name: folds[fold] for name, folds in found.items() if fold in folds}
            # Fold by fold, so that a run that is cut off keeps what it has measured.
            append_rows(asked.output, [row_of(str(fold), 1, name, one, base) for name, one in done.items()])
    for row in means(found):
        print(*row.values())
    append_rows(asked.output, means(found))


if __name__ == "__main__":
    run_command(main)
