"""The stated rules of the seasonal naive and the moving average, on histories small enough to read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shelfwise.buckets import Bucket
from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.forecast import make_forecaster
from shelfwise.forecast.moving_average import MovingAverage
from shelfwise.forecast.naive import SeasonalNaive
from shelfwise.forecast.seasonal_index import seasonal_index

NAN = float("nan")


def mean_of(model: MovingAverage | SeasonalNaive, history: list[float], horizon: int = 3) -> list[float]:
    units = np.array([history], dtype=np.float32)
    panel = replace(Panel.from_arrays(np.abs(units)), sold=units, demand=units)
    return model.fit(panel).sample(horizon, 2, np.random.default_rng(0)).mean()[0].tolist()


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([1, 2, 3, 4, 5, 6], [4, 5, 6]),
        ([1, 2, 3, 4, NAN, 6], [4, 2, 6]),
        ([NAN, NAN, NAN, 4, NAN, 6, 7], [5, 6, 7]),
        ([9, NAN, NAN, NAN, NAN, 8], [9, 8, 8]),
        ([9, NAN, NAN, NAN, NAN, NAN, NAN], [9, 9, 9]),
        ([4, 5, 9], [6, 6, 6]),
        ([4, 5, 9, 1], [5, 9, 1]),
    ],
    ids=[
        "season",
        "another season back",
        "neighbours",
        "neighbour and level",
        "level",
        "short",
        "just enough",
    ],
)
def test_seasonal_naive_falls_back_step_by_step(history: list[float], expected: list[float]) -> None:
    assert mean_of(SeasonalNaive(3), history) == expected


def test_moving_average_skips_masked_buckets() -> None:
    assert mean_of(MovingAverage(window=3), [50, 2, NAN, 4, NAN, NAN, 6]) == [4, 4, 4]


def test_net_returns_do_not_make_demand_negative() -> None:
    assert mean_of(MovingAverage(window=2), [5, -3, -2]) == [0, 0, 0]
    assert mean_of(SeasonalNaive(2), [5, 1, -3, 4], horizon=2) == [0, 4]


@pytest.mark.parametrize("options", [{"window": 0}, {"window": -3}])
def test_moving_average_refuses_an_empty_window(options: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="window must be at least 1"):
        make_forecaster("moving_average", **options)


def test_seasonal_naive_refuses_an_empty_season() -> None:
    with pytest.raises(UsageError, match="season must be at least 1"):
        make_forecaster("seasonal_naive", season=0)


def weekday_shop(n: int = 30, buckets: int = 70) -> tuple[np.ndarray, np.ndarray]:
    shape = np.array([0.6, 0.6, 0.8, 1.0, 1.2, 1.8, 1.0])
    mean = np.linspace(2, 60, n)[:, None] * shape[np.arange(buckets) % 7]
    return np.random.default_rng(3).poisson(mean).astype(np.float32), shape


def test_seasonal_moving_average_finds_the_weekday() -> None:
    demand, shape = weekday_shop()
    panel = Panel.from_arrays(demand, bucket=Bucket("day"))
    flat = MovingAverage().fit(panel).sample(14, 20, np.random.default_rng(0)).mean()
    seasonal = MovingAverage(seasonal=True).fit(panel).sample(14, 20, np.random.default_rng(0))
    found = (seasonal.mean() / flat).mean(axis=0)
    assert np.allclose(found, np.tile(shape, 2), atol=0.12)
    assert np.ptp(flat, axis=1).max() == 0
    assert np.allclose(
        seasonal.paths[20:].mean(axis=(0, 1)) / seasonal.paths[20:].mean(), np.tile(shape, 2), atol=0.15
    )


def test_a_short_history_takes_the_shops_index() -> None:
    demand, shape = weekday_shop()
    demand[5, :-8] = np.nan
    demand[6] = 0
    ids = np.arange(30, dtype=np.uint64)
    index = seasonal_index(demand, 0, 7, ids)
    assert np.allclose(index.mean(axis=1), 1)
    assert np.allclose(index[5], shape, atol=0.25)
    shop = index[20:].mean(axis=0)
    assert np.abs(index[6] - shop).max() < 0.05


def test_index_depends_neither_on_the_order_of_series_nor_on_where_history_starts() -> None:
    demand, _ = weekday_shop()
    ids = np.random.default_rng(0).permutation(30).astype(np.uint64)
    index = seasonal_index(demand, 0, 7, ids)
    order = np.random.default_rng(1).permutation(30)
    assert np.array_equal(seasonal_index(demand[order], 0, 7, ids[order]), index[order])
    assert np.allclose(seasonal_index(demand, 3, 7, ids), np.roll(index, 3, axis=1))


def test_index_needs_a_season_of_history() -> None:
    assert (seasonal_index(np.ones((2, 6), np.float32), 0, 7, np.arange(2, dtype=np.uint64)) == 1).all()
