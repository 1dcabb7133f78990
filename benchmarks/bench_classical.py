"""Our classical kernels beside statsforecast: series a second on one core, and errors of 28-day forecasts.

Both see the same series in the same process, one thread each; seconds are those of the processor, not of the
clock, so that a busy machine does not blur them, and the least of several runs where a run is short. Ours include
making the panel and drawing a path. Rows are appended to results/classical.csv; `target` says what is asked of a
model and `met` whether this run has it.

    python -m benchmarks.bench_classical --series 2000 --slow-series 300
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import statsforecast.models as library

from benchmarks.results_log import Cell, append_rows
from shelfwise.buckets import Bucket
from shelfwise.demand.panel import Panel
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.classical.ets import ETS
from shelfwise.forecast.classical.intermittent import ADIDA, IMAPA, SBA, TSB, Croston
from shelfwise.forecast.classical.theta import Theta

RESULTS = Path(__file__).parent / "results" / "classical.csv"
DAYS, HORIZON, SEASON = 400, 28, 7
# Short runs are repeated until they have taken so long, the least counts.
LEAST_SECONDS, MOST_RUNS = 1.0, 25
LEAST_ETS_SPEED, MOST_ETS_ERROR = 1000.0, 1.02
Values = npt.NDArray[np.float64]


def retail_series(n: int, rng: np.random.Generator) -> Values:
    """(n, DAYS + HORIZON) of four kinds in turn: drifting, trending, ETS(A,Ad,A), slow sellers."""
    days = np.arange(DAYS + HORIZON)
    out = np.empty((n, len(days)))
    for i in range(n):
        level = rng.gamma(2, 25) + 5
        week = np.exp(rng.uniform(0.05, 0.4) * rng.standard_normal(SEASON))
        pattern = (week / week.mean())[days % SEASON]
        kind = i % 4
        if kind == 0:
            drift = np.exp(np.cumsum(rng.normal(0, rng.uniform(0.003, 0.04), len(days))))
            out[i] = rng.poisson(level * pattern * drift)
        elif kind == 1:
            year = 1 + 0.3 * np.sin(2 * np.pi * (days / 365 + rng.random()))
            rate = level * pattern * year * np.exp(rng.normal(0, 0.0008) * days)
            out[i] = rng.poisson(rate * rng.gamma(20, 1 / 20, len(days)))
        elif kind == 2:
            out[i] = simulated_ets(len(days), rng)
        else:
            drift = np.exp(np.cumsum(rng.normal(0, 0.01, len(days))))
            out[i] = rng.poisson(rng.uniform(0.8, 6) * pattern * drift)
    return out


def simulated_ets(length: int, rng: np.random.Generator) -> Values:
    """(length,) one path of an ETS(A,Ad,A) with random smoothing, clipped at zero."""
    alpha, beta, gamma = rng.uniform(0.05, 0.6), rng.uniform(0, 0.02), rng.uniform(0, 0.2)
    level, slope, season = 200.0, rng.normal(0, 0.1), 30 * rng.standard_normal(SEASON)
    path = np.empty(length)
    for t in range(length):
        e = rng.normal(0, 12)
        path[t] = max(0.0, level + slope + season[t % SEASON] + e)
        level, slope = level + slope + alpha * e, 0.98 * slope + beta * e
        season[t % SEASON] += gamma * e
    return path


def sparse_series(n: int, rng: np.random.Generator) -> Values:
    """(n, DAYS + HORIZON) of intermittent demand: 3 to 60 % of the days sell, sizes negative binomial."""
    sells = rng.random((n, DAYS + HORIZON)) < rng.uniform(0.03, 0.6, (n, 1))
    return (sells * (1 + rng.negative_binomial(2, 0.3, sells.shape))).astype(np.float64)


def scaled_errors(forecast: Values, actual: Values, history: Values) -> tuple[float, float]:
    """MAE, and the mean over series of RMSSE, forecasts clipped at zero."""
    missed = np.maximum(forecast, 0) - actual
    scale = np.sqrt((np.diff(history, axis=1) ** 2).mean(axis=1))
    rmsse = np.sqrt((missed**2).mean(axis=1)) / np.where(scale > 0, scale, 1.0)
    return float(np.abs(missed).mean()), float(rmsse.mean())


def run_ours(make: Callable[[], Forecaster], history: Values) -> tuple[Values, float]:
    """Point forecasts (n, HORIZON) and processor seconds for fit and forecast, compiled before."""
    bucket = Bucket("day")

    def once(values: Values) -> Values:
        panel = Panel.from_arrays(values, start=date(2024, 1, 1), bucket=bucket)
        return make().fit(panel).sample(HORIZON, 1, np.random.default_rng(0)).mean().astype(np.float64)

    once(history[:8])
    return timed(lambda: once(history))


def run_theirs(make: Callable[[], Any], history: Values) -> tuple[Values, float]:
    """The same from the library, a series at a time, as it does itself with one job."""
    make().forecast(history[0], HORIZON)
    return timed(lambda: np.stack([make().forecast(row, HORIZON)["mean"] for row in history]))


def timed(run: Callable[[], Values]) -> tuple[Values, float]:
    """What `run` gives, and the processor seconds of its quickest run."""
    taken: list[float] = []
    while sum(taken) < LEAST_SECONDS and len(taken) < MOST_RUNS:
        begun = time.process_time()
        forecast = run()
        taken.append(time.process_time() - begun)
    return forecast, min(taken)


def target_of(name: str, row: dict[str, Cell]) -> tuple[str, str]:
    """What is asked of a model, and whether a row has it; theta has no target of its own."""
    if name == "theta":
        return "none", "none"
    if name == "ets":
        errors = max(float(row["mae_ratio"]), float(row["rmsse_ratio"]))
        fine = float(row["series_per_second"]) >= LEAST_ETS_SPEED and errors <= MOST_ETS_ERROR
        return f"{LEAST_ETS_SPEED:.0f} series a second, errors within 2 %", "yes" if fine else "no"
    return "speed of statsforecast", "yes" if float(row["speed_ratio"]) >= 1.0 else "no"


CASES: dict[str, tuple[Callable[[], Forecaster], Callable[[], Any], bool]] = {
    "ets": (ETS, lambda: library.AutoETS(season_length=SEASON), True),
    "theta": (Theta, lambda: library.DynamicOptimizedTheta(season_length=SEASON), True),
    "croston": (Croston, library.CrostonClassic, False),
    "croston_optimised": (lambda: Croston(smoothing=None), library.CrostonOptimized, False),
    "sba": (SBA, library.CrostonSBA, False),
    "tsb": (TSB, lambda: library.TSB(alpha_d=0.1, alpha_p=0.1), False),
    "adida": (ADIDA, library.ADIDA, False),
    "imapa": (IMAPA, library.IMAPA, False),
}


def measure(name: str, n_fast: int, n_slow: int) -> dict[str, Cell]:
    """One row: `n_fast` series for ours, the first `n_slow` of the smooth ones for the library."""
    ours, theirs, smooth = CASES[name]
    rng = np.random.default_rng(1)
    demand = retail_series(n_fast, rng) if smooth else sparse_series(n_fast, rng)
    history, actual = demand[:, :DAYS], demand[:, DAYS:]
    shared = slice(0, n_slow if smooth else n_fast)
    our_forecast, our_seconds = run_ours(ours, history)
    their_forecast, their_seconds = run_theirs(theirs, history[shared])
    our_mae, our_rmsse = scaled_errors(our_forecast[shared], actual[shared], history[shared])
    their_mae, their_rmsse = scaled_errors(their_forecast, actual[shared], history[shared])
    our_speed, their_speed = n_fast / our_seconds, len(their_forecast) / their_seconds
    row: dict[str, Cell] = {
        "model": name,
        "days": DAYS,
        "series": n_fast,
        "statsforecast_series": len(their_forecast),
        "series_per_second": round(our_speed, 1),
        "statsforecast_series_per_second": round(their_speed, 1),
        "speed_ratio": round(our_speed / their_speed, 2),
        "mae_ratio": round(our_mae / their_mae, 4),
        "rmsse_ratio": round(our_rmsse / their_rmsse, 4),
    }
    if not all(math.isfinite(value) for value in row.values() if isinstance(value, float)):
        raise ArithmeticError(f"{name}: {row}")
    target, met = target_of(name, row)
    return {**row, "target": target, "met": met}


def main() -> None:
    """Measure every case, print it, append it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=2000)
    parser.add_argument("--slow-series", type=int, default=300, help="for statsforecast's ETS and theta")
    parser.add_argument("--model", action="append", choices=list(CASES), help="default: all")
    parser.add_argument("--output", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    numba.set_num_threads(1)
    rows = []
    for name in chosen.model or CASES:
        rows.append(measure(name, chosen.series, min(chosen.slow_series, chosen.series)))
        print(rows[-1])
    append_rows(chosen.output, rows)


if __name__ == "__main__":
    main()
