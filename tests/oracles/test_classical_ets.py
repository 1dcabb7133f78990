"""The ETS kernels against slow plain twins and against statsforecast's AutoETS."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest

from shelfwise.buckets import Bucket
from shelfwise.demand.panel import Panel
from shelfwise.forecast.classical.ets import ETS
from shelfwise.forecast.kernels.ets import refine_start, smooth
from shelfwise.forecast.kernels.ets_fit import fit_panel
from shelfwise.forecast.kernels.ets_paths import ets_paths, spread_growth


def retail(n: int, buckets: int, seed: int) -> np.ndarray:
    """Weekly pattern on Poisson rates: half drifting, a quarter with a trend, a quarter slow."""
    rng = np.random.default_rng(seed)
    t = np.arange(buckets)
    week = np.exp(rng.uniform(0.05, 0.4, (n, 1)) * rng.standard_normal((n, 7)))
    level = rng.gamma(2, 25, (n, 1)) + 5
    level[::4] = rng.uniform(0.8, 6, (len(level[::4]), 1))
    drift = np.exp(np.cumsum(rng.normal(0, rng.uniform(0.003, 0.03, (n, 1)), (n, buckets)), axis=1))
    drift[1::4] = np.exp(rng.normal(0, 0.0008, (len(level[1::4]), 1)) * t)
    return rng.poisson(level * week[:, t % 7] * drift).astype(np.float32)


def likelihood_twin(y: np.ndarray, model: tuple[str, str], par: list[float], state: list[float]) -> float:
    """HKOS 2008, tables 2.2 and 2.3 and eq. 5.3, in the book's own relative-error form."""
    alpha, beta, gamma, phi = par
    level, slope, *effects = state
    m, squares, logs, count = len(effects), 0.0, 0.0, 0
    for t, value in enumerate(y):
        base, effect = level + phi * slope, effects[t % m]
        fit = base * effect if model[1] == "M" else base + effect
        if math.isnan(value):
            level, slope = base, phi * slope
            continue
        count += 1
        if model == ("M", "M"):
            e = (value - fit) / fit
            level, slope = base * (1 + alpha * e), phi * slope + beta * base * e
            effects[t % m] = effect * (1 + gamma * e)
        else:
            e = (value - fit) / fit if model[0] == "M" else value - fit
            times = fit if model[0] == "M" else 1.0
            level, slope = base + alpha * times * e, phi * slope + beta * times * e
            effects[t % m] = effect + gamma * times * e
        squares += e * e
        logs += math.log(fit) if model[0] == "M" else 0.0
    return count * math.log(squares) + 2 * logs


@pytest.mark.parametrize("model", [("A", "A"), ("M", "A"), ("M", "M")])
def test_the_filter_is_the_books(model: tuple[str, str]) -> None:
    rng = np.random.default_rng(3)
    y = rng.gamma(20, 1 / 20, 150)
    y[rng.random(150) < 0.2] = np.nan
    par = np.array([0.2, 0.02, 0.1, 0.95])
    neutral = 1.0 if model[1] == "M" else 0.0
    state = np.concatenate([[1.0, 0.01], neutral + 0.1 * np.array([-2, -1, 0, 1, 2, 1, -1])])
    twin = likelihood_twin(y, model, par.tolist(), state.tolist())
    error, season = "AM".index(model[0]), "NAM".index(model[1])
    ours = smooth(y, error, season, 7, par, state, np.empty(150), False)
    assert np.isclose(ours, twin, rtol=1e-9)


def test_first_states_of_an_additive_model_are_the_least_squares_ones() -> None:
    rng = np.random.default_rng(4)
    y = rng.gamma(20, 1 / 20, 90)
    par, start, work = np.array([0.1, 0.0, 0.05, 1.0]), np.zeros(9), np.empty((10, 90))
    best = refine_start(y, 0, 0, 1, 7, par, start, work)
    for j in (0, 2, 5, 8):
        for move in (-0.02, 0.02):
            other = start.copy()
            other[j] += move
            assert smooth(y, 0, 1, 7, par, other, work[0], False) >= best - 1e-6


def test_spread_of_simulated_paths_is_the_books() -> None:
    growth = np.empty(15)
    alpha, gamma = 0.3, 0.2
    spread_growth(7, np.array([alpha, 0.0, gamma, 1.0]), True, growth)
    steps = np.arange(1, 16)
    seasons = (steps - 1) // 7
    book = 1 + alpha**2 * (steps - 1) + gamma * seasons * (2 * alpha + gamma)
    assert np.allclose(growth**2, book)


def test_paths_spread_as_the_formula_says() -> None:
    rng = np.random.default_rng(5)
    demand = (1000 + np.cumsum(rng.normal(0, 10, (1, 300)), axis=1) + rng.normal(0, 10, (1, 300))).astype(
        np.float32
    )
    kinds, pars, starts = fit_panel(demand, 1)
    series, whole = np.zeros(1, np.uint64), np.zeros(1, np.bool_)
    paths, _ = ets_paths(demand, kinds, pars, starts, whole, series, np.uint64(0), 12, 6000)
    growth = np.empty(12)
    spread_growth(1, pars[0], False, growth)
    spread = paths[0].std(axis=0)
    assert np.allclose(spread / spread[0], growth, rtol=0.06)


def test_errors_are_within_two_percent_of_autoets() -> None:
    auto = pytest.importorskip("statsforecast.models").AutoETS
    demand = retail(24, 256, seed=1)
    history, future = demand[:, :-28], demand[:, -28:]
    panel = Panel.from_arrays(history, bucket=Bucket("day"), start=date(2024, 1, 1))
    ours = ETS().fit(panel).sample(28, 2, np.random.default_rng(0)).mean()
    theirs = [auto(season_length=7).forecast(row.astype(np.float64), 28)["mean"] for row in history]
    scale = np.sqrt((np.diff(history, axis=1) ** 2).mean(axis=1))

    def errors(forecast: np.ndarray) -> tuple[float, float]:
        missed = np.maximum(forecast, 0) - future
        return float(np.abs(missed).mean()), float((np.sqrt((missed**2).mean(axis=1)) / scale).mean())

    (our_mae, our_rmsse), (mae, rmsse) = errors(ours), errors(np.array(theirs))
    assert our_mae <= 1.02 * mae
    assert our_rmsse <= 1.02 * rmsse
