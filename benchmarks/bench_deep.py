"""Recurrent networks on VN2: errors beside simpler models, and what each augmentation of the data is worth.

Forecasts of the eight weeks of a fold (see `vn2_folds`) from the weeks before it, judged on weeks in stock alone:
WAPE of the mean, pinball loss over nineteen levels over demand, and pinball loss at 0.833 of the sum of the first
three weeks over what was demanded in them. Networks are trained anew for every seed; the other models learn
nothing at random, so their seed is only that of the paths. Seconds are the processor's.

    python -m benchmarks.bench_deep [--fold 133 ...] [--seed 0 ...] [--case lstm ...]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.raw_data import raw_folder, run_command
from benchmarks.results_log import Cell, append_rows
from benchmarks.vn2_folder import WEEKS, read_history, write_vn2_folder
from benchmarks.vn2_folds import FIRST_WEEKS, FOLD_WEEKS
from shelfwise.demand.build import build_panel
from shelfwise.demand.panel import Panel
from shelfwise.evaluate.metrics import pinball_loss, wape
from shelfwise.forecast.auto.held_out import LEVELS
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.deep import GRU, LSTM, Augmentation
from shelfwise.forecast.register import make_forecaster
from shelfwise.tables import read_folder

RESULTS = Path(__file__).parent / "results" / "deep.csv"
SAMPLES = 200
SUM_WEEKS, SUM_LEVEL = 3, 0.833
FOLDS = FIRST_WEEKS[1::2]
Make = Callable[[int], Forecaster]


def augmented(seed: int, **how: float) -> Forecaster:
    return LSTM(seed=seed, augmentation=Augmentation(**how))


# Case -> a forecaster by seed; the augmentations are those of the plain LSTM beside them.
CASES: dict[str, Make] = {
    "seasonal_naive": lambda _: make_forecaster("seasonal_naive"),
    "ets": lambda _: make_forecaster("ets"),
    "gbm": lambda seed: make_forecaster("gbm", seed=seed),
    "lstm": lambda seed: LSTM(seed=seed),
    "gru": lambda seed: GRU(seed=seed),
    "lstm mse": lambda seed: LSTM("mse", seed=seed),
    "lstm quantile": lambda seed: LSTM("quantile", seed=seed),
    "lstm + jitter 0.1": partial(augmented, jitter=0.1),
    "lstm + scaling 0.3": partial(augmented, scaling=0.3),
    "lstm + mixing 0.3": partial(augmented, mixing=0.3),
    "lstm + synthetic 0.2": partial(augmented, synthetic=0.2),
}


def vn2_panels(first_week: int) -> tuple[Panel, Panel]:
    """The panel as the fold begins, and a later one that knows what then happened."""
    source = raw_folder("vn2")
    begin = read_history(source, weeks=first_week).as_of
    with tempfile.TemporaryDirectory() as folder:
        dataset = read_folder(write_vn2_folder(source, Path(folder), weeks=WEEKS))
        end = read_history(source, weeks=first_week + FOLD_WEEKS).as_of
        then = build_panel(dataset.until(begin), begin, FOLD_WEEKS)
        later = build_panel(dataset.until(end), end)
    return then, later


def truth_of(then: Panel, later: Panel) -> np.ndarray:
    """(N, 8) what was demanded in the fold's weeks, in the order of `then`; NaN out of stock."""
    place = {key: row for row, key in enumerate(later.keys.iter_rows())}
    rows = np.array([place[key] for key in then.keys.iter_rows()])
    return later.recorded[rows, later.n_buckets - FOLD_WEEKS :].astype(np.float64)


def measure(make: Make, seed: int, then: Panel, actual: np.ndarray) -> dict[str, Cell]:
    """Errors and seconds of one fit and one set of paths."""
    begun = time.process_time()
    model = make(seed).fit(then)
    fitted = time.process_time()
    said = model.sample(FOLD_WEEKS, SAMPLES, np.random.default_rng([seed, then.n_buckets]))
    drawn = time.process_time()
    known = np.isfinite(actual)
    quantiles = said.quantile(LEVELS)
    losses = np.mean(
        [pinball_loss(actual, quantiles[..., q], level) for q, level in enumerate(LEVELS)], axis=0
    )
    whole = known[:, :SUM_WEEKS].all(axis=1)
    total = actual[whole, :SUM_WEEKS].sum(axis=1)
    at_level = np.quantile(said.total(0, SUM_WEEKS)[whole], SUM_LEVEL, axis=1)
    return {
        "wape": round(wape(actual, said.mean()), 4),
        "pinball": round(float(losses[known].sum() / actual[known].sum()), 4),
        "pinball_3_weeks_833": round(float(pinball_loss(total, at_level, SUM_LEVEL).sum() / total.sum()), 4),
        "bias": round(float(said.mean()[known].sum() / actual[known].sum() - 1.0), 4),
        "fit_cpu_seconds": round(fitted - begun, 1),
        "sample_cpu_seconds": round(drawn - fitted, 1),
    }


def main() -> None:
    """Measure every case on every fold and seed; print each row, append all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--fold", type=int, action="append", choices=FIRST_WEEKS, help="default: three of six"
    )
    parser.add_argument("--case", action="append", choices=list(CASES), help="default: all")
    parser.add_argument("--seed", type=int, action="append", help="default: 0 and 1")
    parser.add_argument("--output", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    for fold in chosen.fold or FOLDS:
        then, later = vn2_panels(fold)
        actual = truth_of(then, later)
        for name in chosen.case or CASES:
            for seed in chosen.seed or (0, 1):
                found = measure(CASES[name], seed, then, actual)
                row: dict[str, Cell] = {"fold": fold, "case": name, "seed": seed, **found}
                print(*row.values(), flush=True)
                # One at a time: a run that is cut off has measured what it has measured.
                append_rows(chosen.output, [row])


if __name__ == "__main__":
    run_command(main)
