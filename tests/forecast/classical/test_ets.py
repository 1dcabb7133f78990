"""What ETS and theta are chosen for, and what they must not do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pytest

from shelfwise.buckets import Bucket
from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.classical.ets import ETS
from shelfwise.forecast.classical.intermittent import Croston
from shelfwise.forecast.classical.theta import Theta


def days(demand: np.ndarray) -> Panel:
    return Panel.from_arrays(demand, bucket=Bucket("day"), start=date(2024, 1, 1))


def weekly(n: int, buckets: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Demand (n, buckets) around a rate with a peak on every sixth day, and that rate."""
    rng = np.random.default_rng(seed)
    rate = rng.uniform(20, 90, (n, 1)) * (1 + 0.8 * (np.arange(buckets) % 7 == 5))
    return rng.poisson(rate).astype(np.float32), rate


def test_the_form_follows_the_data() -> None:
    rng = np.random.default_rng(1)
    t = np.arange(210)
    flat = 50 + rng.normal(0, 5, 210)
    rising = 20 + 0.6 * t + rng.normal(0, 4, 210)
    additive = 60 + 20 * (t % 7 == 5) + rng.normal(0, 4, 210)
    growing_waves = (20 + 0.6 * t) * (1 + 0.6 * (t % 7 == 5)) * rng.normal(1, 0.05, 210)
    models = ETS().fit(days(np.stack([flat, rising, additive, growing_waves]))).models
    assert models[0].endswith("N,N)")
    assert models[1][6] == "A"
    assert models[1].endswith(",N)")
    assert models[2][-2] in "AM"
    assert models[3].startswith("ETS(M,A")
    assert models[3].endswith("M)")


@pytest.mark.parametrize("make", [ETS, Theta])
def test_the_season_survives_a_fifth_of_unknown_buckets(make: Callable[[], Forecaster]) -> None:
    demand, rate = weekly(10, 203)
    demand[np.random.default_rng(2).random(demand.shape) < 0.2] = np.nan
    mean = make().fit(days(demand)).sample(7, 5, np.random.default_rng(0)).mean()
    assert np.abs(mean / rate[:, :7] - 1).mean() < 0.1


@pytest.mark.parametrize("make", [ETS, Theta])
def test_a_stock_out_at_the_end_leaves_the_level_where_it_was(make: Callable[[], Forecaster]) -> None:
    demand, rate = weekly(6, 140)
    demand[:, -10:] = np.nan
    mean = make().fit(days(demand)).sample(7, 5, np.random.default_rng(0)).mean()
    assert np.abs(mean / rate[:, :7] - 1).mean() < 0.12


@pytest.mark.parametrize("make", [ETS, Theta, Croston])
def test_no_path_runs_away(make: Callable[[], Forecaster]) -> None:
    rng = np.random.default_rng(3)
    explosive = np.exp(np.linspace(0, 6, 80)) * rng.lognormal(0, 0.8, (4, 80))
    paths = make().fit(Panel.from_arrays(explosive)).sample(60, 200, np.random.default_rng(0)).paths
    assert (paths <= 10 * explosive.max(axis=1)[:, None, None] * (1 + 1e-6)).all()


def test_young_series_borrow_and_the_unseen_are_listed() -> None:
    demand, _ = weekly(12, 90)
    demand[0, :-3] = np.nan
    demand[1] = np.nan
    model = ETS().fit(days(demand))
    scenarios = model.sample(5, 200, np.random.default_rng(0))
    assert list(model.failures) == [1]
    assert scenarios.paths[0].std() > 0
    assert scenarios.paths[1].std() > 0


def test_croston_after_the_last_sale_stays_and_zeros_stay_zero() -> None:
    demand = np.array([[3.0, 0, 0, 3, 0, 0, 3, 0, 0, 3, 0, 0], [0.0] * 12])
    scenarios = Croston().fit(Panel.from_arrays(demand)).sample(4, 500, np.random.default_rng(0))
    assert set(np.unique(scenarios.paths[0])) == {0.0, 3.0}
    assert not scenarios.paths[1].any()


@pytest.mark.parametrize(
    "make",
    [
        lambda: ETS(season=0),
        lambda: Theta(season=-1),
        lambda: Theta(variant="other"),
        lambda: Croston(smoothing=0.0),
        lambda: Croston(smoothing=1.5),
    ],
)
def test_nonsense_is_refused(make: Callable[[], Forecaster]) -> None:
    with pytest.raises(UsageError):
        make()
