"""The residual kernels against slow plain twins."""

from __future__ import annotations

import math

import numpy as np

from shelfwise.forecast.kernels.residuals import TRIES, collect_residuals, draw_paths
from shelfwise.forecast.kernels.streams import stream, uniform

ROOT = np.uint64(77)


def collect_twin(
    demand: np.ndarray, forecasts: np.ndarray, alike: np.ndarray, origins: list[int], least: int
) -> list[np.ndarray]:
    """For one series the residual paths kept, in order of origin."""
    steps = forecasts.shape[1]
    paths = [
        demand[origin : origin + steps] - forecast
        for origin, forecast in zip(origins, forecasts, strict=True)
    ]
    usable = [o for o, path in enumerate(paths) if np.isfinite(path).sum() * 2 >= steps]
    strict = [o for o in usable if alike[o]]
    return [paths[o] for o in (strict if len(strict) >= least else usable)]


def draw_twin(
    point: np.ndarray, bank: list[np.ndarray], unit: float, whole: bool, series: int, n_samples: int
) -> np.ndarray:
    """One series' paths (S, H) in plain loops; only the uniforms come from the kernels."""
    horizon, steps, count = len(point), len(bank[0]), len(bank)
    seen = [h for h in range(steps) if any(not math.isnan(path[h]) for path in bank)]
    source = [min(seen, key=lambda s: (abs(s - h), s)) for h in range(steps)]
    paths = np.zeros((n_samples, horizon))
    for h in range(horizon):
        step = source[h % steps]
        observed = [float(path[step]) for path in bank if not math.isnan(path[step])]
        values = sorted(point[h] + unit * residual for residual in observed)
        if len(values) > 1 and values[-2] > 0:
            values[-1] = min(values[-1], 3 * values[-2])
        clipped, unclipped = sum(max(0.0, value) for value in values), sum(values)
        kept = factor = 1.0
        if clipped > 0:
            factor = min(2.0, max(0.5, point[h] * len(values) / clipped))
            kept = min(1.0, max(factor, unclipped / clipped))
            factor /= kept
        for s in range(n_samples):
            state = np.uint64(stream(ROOT, np.uint64(series), s))
            entry = int(uniform(state, 4 * (h - h % steps)) * count)
            residual = float(bank[entry][step])
            if math.isnan(residual):
                picks = [int(uniform(state, 4 * h + 1 + a * 4 * horizon) * count) for a in range(TRIES)]
                picks += [(picks[-1] + away) % count for away in range(count)]
                residual = next(float(bank[p][step]) for p in picks if not math.isnan(bank[p][step]))
            value = max(0.0, point[h] + unit * residual) * factor
            if uniform(state, 4 * h + 3) >= kept:
                value = 0.0
            paths[s, h] = math.floor(value + uniform(state, 4 * h + 2)) if whole else value
    return paths


def test_collect_residuals() -> None:
    rng = np.random.default_rng(0)
    n, buckets, steps = 15, 30, 4
    demand = rng.poisson(5, (n, buckets)).astype(np.float32)
    demand[rng.random(demand.shape) < rng.uniform(0, 0.9, (n, 1))] = np.nan
    origins = np.arange(1, buckets - steps + 1)
    forecasts = rng.uniform(0, 9, (n, len(origins), steps)).astype(np.float32)
    forecasts[:, :3] = np.nan
    alike = rng.random((n, len(origins))) < rng.uniform(0, 1, (n, 1))
    paths = forecasts.copy()
    kept = collect_residuals(demand, paths, alike, origins, 8)
    assert 0 < (kept < 8).sum() < n
    for i in range(n):
        twin = collect_twin(demand[i], forecasts[i], alike[i], origins.tolist(), 8)
        assert kept[i] == len(twin)
        assert np.array_equal(paths[i, : kept[i]], np.array(twin).reshape(-1, steps), equal_nan=True)


def test_draw_paths() -> None:
    rng = np.random.default_rng(1)
    n, entries, steps, horizon, n_samples = 9, 40, 5, 12, 25
    bank = (rng.gamma(1, 4, (entries, steps)) - 4).astype(np.float32)
    bank[rng.random(bank.shape) < 0.4] = np.nan
    bank[:9, 2] = np.nan
    bank[20:39, 1:] = np.nan
    point = rng.uniform(0, 6, (n, horizon)).astype(np.float32)
    point[0] = 0
    first = np.array([0, 0, 9, 9, 20, 20, 3, 30, 39])
    count = np.array([9, 40, 11, 1, 20, 19, 30, 10, 1])
    bank[39] = np.arange(5)
    unit = np.array([1, 2, 0.5, 1, 1, 3, 0, 1, 1.0])
    whole = np.arange(n) % 2 == 0
    series = rng.integers(0, 2**63, n).astype(np.uint64)
    slots = rng.permutation(n)
    out = np.full((n, n_samples, horizon), -1, np.float32)
    bank[9] = np.where(np.isnan(bank[9]), np.float32(1), bank[9])
    draw_paths(point, bank, first, count, unit, whole, series, ROOT, slots, out)
    for i in range(n):
        own = list(bank[first[i] : first[i] + count[i]])
        twin = draw_twin(
            point[i].astype(float), own, float(unit[i]), bool(whole[i]), int(series[i]), n_samples
        )
        assert np.allclose(out[slots[i]], twin, rtol=1e-5, atol=1e-5)
