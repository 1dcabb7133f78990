"""The intermittent kernels against statsforecast's, series by series."""

from __future__ import annotations

import math

import numpy as np
import pytest

from shelfwise.forecast.kernels.intermittent import (
    ADIDA,
    CROSTON,
    IMAPA,
    SBA,
    TSB,
    intermittent_paths,
    intermittent_rates,
)

models = pytest.importorskip("statsforecast.models")
FREE = math.nan


def sparse(n: int = 60, buckets: int = 180, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    sells = rng.random((n, buckets)) < rng.uniform(0.03, 0.9, (n, 1))
    demand = sells * (1 + rng.negative_binomial(2, 0.3, (n, buckets)))
    demand[0] = 0
    demand[1] = 0
    demand[1, 100] = 7
    return demand.astype(np.float32)


CASES = [
    (CROSTON, 0.1, lambda: models.CrostonClassic()),
    (CROSTON, FREE, lambda: models.CrostonOptimized()),
    (SBA, 0.1, lambda: models.CrostonSBA()),
    (TSB, 0.2, lambda: models.TSB(alpha_d=0.2, alpha_p=0.2)),
    (ADIDA, 0.1, lambda: models.ADIDA()),
    (IMAPA, 0.1, lambda: models.IMAPA()),
]


@pytest.mark.parametrize(("method", "alpha", "make"), CASES)
def test_rates_are_those_of_statsforecast(method: int, alpha: float, make) -> None:
    # One sale leaves the smoothing of most of IMAPA's sums undetermined, and any choice is as good.
    demand = np.delete(sparse(), 1, axis=0) if method == IMAPA else sparse()
    theirs = [make().forecast(row.astype(np.float64), 1)["mean"][0] for row in demand]
    ours = intermittent_rates(demand, method, alpha, alpha)
    assert np.allclose(ours, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("method", [CROSTON, SBA, TSB, ADIDA, IMAPA])
def test_unknown_buckets_are_left_out(method: int) -> None:
    demand = sparse()
    spaced = np.full((len(demand), demand.shape[1] * 2), np.nan, np.float32)
    spaced[:, 1::2] = demand
    assert np.array_equal(
        intermittent_rates(demand, method, 0.1, 0.1), intermittent_rates(spaced, method, 0.1, 0.1)
    )


@pytest.mark.parametrize("method", [CROSTON, SBA, TSB, ADIDA, IMAPA])
def test_paths_keep_the_rate_and_the_sizes(method: int) -> None:
    demand = sparse(20)
    series = np.arange(20, dtype=np.uint64)
    whole = np.ones(20, np.bool_)
    paths, expected = intermittent_paths(demand, method, 0.1, 0.1, whole, series, np.uint64(3), 8, 4000)
    assert np.allclose(expected[:, 0], intermittent_rates(demand, method, 0.1, 0.1), rtol=1e-6)
    largest_variance = expected[:, 0] * demand.max(axis=1)
    error = np.sqrt(largest_variance / (8 * 4000))
    assert (np.abs(paths.mean(axis=(1, 2)) - expected[:, 0]) <= 4.5 * error + 1e-6).all()
    assert np.array_equal(paths, np.rint(paths))
    # Under Croston's and TSB's own mean every positive size has been seen before.
    if method in (CROSTON, SBA, TSB):
        for row in range(20):
            assert set(np.unique(paths[row])) <= set(np.unique(demand[row])) | {0.0}


def test_a_chance_that_rests_on_hundreds_of_buckets_is_kept() -> None:
    demand = (np.random.default_rng(0).random((1, 1500)) < 0.9).astype(np.float32)
    one = np.ones(1, np.uint64)
    for smoothing in (0.1, 0.005, 0.002):
        paths, expected = intermittent_paths(
            demand, TSB, smoothing, smoothing, one > 0, one, np.uint64(3), 4, 2000
        )
        assert paths.mean() == pytest.approx(expected[0, 0], abs=0.02)
