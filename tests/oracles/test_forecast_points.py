"""Seasonal naive and moving average against slow plain twins, today and at past origins."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from shelfwise.buckets import Bucket
from shelfwise.demand.panel import Panel
from shelfwise.forecast.moving_average import MovingAverage
from shelfwise.forecast.naive import SeasonalNaive

WINDOW = {"day": 28, "week": 13, "month": 6}


def patchy(seed: int, buckets: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    demand = rng.poisson(rng.gamma(2, 3, (12, 1)), (12, buckets)).astype(np.float64)
    demand[rng.random(demand.shape) < rng.uniform(0, 0.8, (12, 1))] = np.nan
    demand[3, : buckets - 4] = np.nan
    demand[4, : buckets // 2] = np.nan
    return demand


def average_twin(history: np.ndarray, window: int) -> float:
    return float(pd.Series(history).dropna().tail(window).mean())


def seasonal_twin(history: np.ndarray, horizon: int, season: int, window: int) -> list[float]:
    """The rule in words: last season; one more back; neighbours of the lag; the level."""
    series = pd.Series(history)
    level = average_twin(history, window)
    first = series.first_valid_index()
    if first is None or len(series) - first < season + 1:
        return [level] * horizon
    forecasts = []
    for h in range(horizon):
        lag = len(series) + h - season * math.ceil((h + 1) / season)
        candidates = [series.get(lag, np.nan), series.get(lag - season, np.nan)]
        candidates += [series.reindex([lag - 1, lag + 1]).mean(), level]
        forecasts.append(next(float(value) for value in candidates if not np.isnan(value)))
    return forecasts


def expected_of(model: MovingAverage | SeasonalNaive, panel: Panel, horizon: int) -> np.ndarray:
    return model.fit(panel).sample(horizon, 3, np.random.default_rng(0)).mean()


@pytest.mark.parametrize("name", ["day", "week", "month"])
@pytest.mark.parametrize("buckets", [5, 30, 130])
def test_moving_average(name: str, buckets: int) -> None:
    demand = patchy(1, buckets)
    demand = demand[~np.isnan(demand).all(axis=1)]
    panel = Panel.from_arrays(demand, bucket=Bucket(name))
    twin = [[average_twin(row, WINDOW[name])] * 3 for row in demand]
    assert np.allclose(expected_of(MovingAverage(), panel, 3), twin, rtol=1e-6)
    twin = [[average_twin(row, 4)] * 3 for row in demand]
    assert np.allclose(expected_of(MovingAverage(window=4), panel, 3), twin, rtol=1e-6)


@pytest.mark.parametrize("season", [1, 3, 7, 12, 52])
@pytest.mark.parametrize("buckets", [5, 30, 130])
def test_seasonal_naive(season: int, buckets: int) -> None:
    demand = patchy(2, buckets)
    demand = demand[~np.isnan(demand).all(axis=1)]
    panel = Panel.from_arrays(demand, bucket=Bucket("week"))
    twin = [seasonal_twin(row, 17, season, 13) for row in demand]
    assert np.allclose(expected_of(SeasonalNaive(season), panel, 17), twin, rtol=1e-6)


@pytest.mark.parametrize("model", [MovingAverage(), SeasonalNaive(7)])
def test_a_past_origin_forecasts_as_if_history_ended_there(model: MovingAverage | SeasonalNaive) -> None:
    panel = Panel.from_arrays(patchy(3, 60))
    origins = np.array([1, 9, 25, 59])
    rows = np.arange(panel.n_series)
    past, _ = model.fit(panel)._forecasts(rows, origins, 5)
    for o, origin in enumerate(origins):
        then = panel.until(int(origin))
        seen = ~np.isnan(then.demand).all(axis=1)
        assert np.isnan(past[~seen, o]).all()
        assert np.array_equal(past[seen, o], expected_of(model, then, 5)[seen])
        model.fit(panel)
