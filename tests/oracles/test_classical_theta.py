"""The theta kernels against statsforecast's at equal parameters, and their errors at own parameters."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from shelfwise.buckets import Bucket
from shelfwise.demand.panel import Panel
from shelfwise.forecast.classical.theta import Theta
from shelfwise.forecast.kernels.theta import MULTIPLICATIVE, seasonal_effects, theta_squares
from shelfwise.forecast.kernels.theta_paths import walk

theta = pytest.importorskip("statsforecast.theta")


def retail(n: int, buckets: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    t = np.arange(buckets)
    week = np.exp(0.25 * rng.standard_normal((n, 7)))
    drift = np.exp(np.cumsum(rng.normal(0, 0.02, (n, buckets)), axis=1))
    return 1.0 + rng.poisson(rng.uniform(10, 80, (n, 1)) * week[:, t % 7] * drift).astype(np.float64)


@pytest.mark.parametrize(("variant", "dynamic"), [("STM", False), ("DSTM", True)])
def test_the_forecast_is_that_of_statsforecast_at_the_same_smoothing(variant: str, dynamic: bool) -> None:
    for y in retail(12, 60):
        fitted = theta.auto_theta(y, 1, model=variant)
        alpha, first = fitted["par"]["alpha"], fitted["par"]["initial_smoothed"]
        theirs = theta.forecast_theta(fitted, 14)["mean"]
        found, ours = np.empty(10), np.empty(14)
        theta_squares(y, alpha, dynamic, found)
        # Own first level and weight are set aside: with equal parameters the recursions must agree.
        errors_of_first = (1 - alpha) ** len(y) * (first - found[0])
        found[1], found[2] = 0.5, found[2] + errors_of_first
        walk(found, alpha, dynamic, len(y), np.zeros(1), 0, np.inf, np.uint64(0), ours)
        assert np.allclose(ours, theirs, rtol=1e-6)


def test_the_fit_is_a_least_squares_one() -> None:
    found, other = np.empty(10), np.empty(10)
    for y in retail(8, 120, seed=1):
        least = theta_squares(y, 0.3, True, found)
        fitted = theta.thetamodel(y, 1, "DOTM", np.nan, 0.3, np.nan, 1)
        assert least <= (fitted["residuals"][3:] ** 2).sum() * (1 + 1e-9)
        assert 0 <= found[1] <= 1
        theta_squares(2 * y, 0.3, True, other)
        assert np.allclose(other[:1], 2 * found[:1])


def test_the_season_is_that_of_the_classical_decomposition() -> None:
    decompose = pytest.importorskip("statsmodels.tsa.seasonal").seasonal_decompose
    for y in retail(6, 140, seed=2):
        effects = np.empty(7)
        assert seasonal_effects(y, 7, True, effects) == MULTIPLICATIVE
        theirs = decompose(y, model="multiplicative", period=7).seasonal[:7]
        assert np.allclose(effects, theirs, rtol=1e-6)


def test_errors_are_no_larger_than_those_of_statsforecast() -> None:
    demand = retail(40, 228, seed=3)
    history, future = demand[:, :-28], demand[:, -28:]
    panel = Panel.from_arrays(history, bucket=Bucket("day"), start=date(2024, 1, 1))
    ours = Theta().fit(panel).sample(28, 2, np.random.default_rng(0)).mean()
    theirs = [theta.forecast_theta(theta.auto_theta(y, 7, model="DOTM"), 28)["mean"] for y in history]
    assert np.abs(ours - future).mean() <= 1.02 * np.abs(np.array(theirs) - future).mean()
