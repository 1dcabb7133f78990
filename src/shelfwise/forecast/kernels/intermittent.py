"""Croston, SBA, TSB, ADIDA and IMAPA for all series at once, and occurrence-and-size sample paths.

Croston 1972; Syntetos & Boylan 2005; Teunter, Syntetos & Babai 2011; Nikolopoulos et al. 2011 (ADIDA);
Petropoulos & Kourentzes 2015 (IMAPA). Buckets of unknown demand are left out, not read as zero: an
interval between two sales counts the buckets in which the item could have been sold.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from shelfwise.forecast.kernels.streams import stream, uniform

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

CROSTON, SBA, TSB, ADIDA, IMAPA = 0, 1, 2, 3, 4
SBA_FACTOR = 0.95
LOWEST, HIGHEST = 0.1, 0.3
GOLDEN = 0.6180339887498949
TOLERANCE = 1e-6
CLASSIC = 0.1
# How fast sizes are forgotten in the paths: tails need more of them than a mean does.
SIZE_MEMORY = 0.015
# Below it a chance is no longer told from nothing.
LEAST_MASS = 1e-290


@njit(cache=True, inline="always")
def _ses(values, alpha):  # type: ignore[no-untyped-def]
    """Simple exponential smoothing, begun at the first value."""
    level = values[0]
    for t in range(1, len(values)):
        level += alpha * (values[t] - level)
    return level


@njit(cache=True)
def _squares(values, alpha):  # type: ignore[no-untyped-def]
    level, total = values[0], 0.0
    for t in range(1, len(values)):
        e = values[t] - level
        total += e * e
        level += alpha * e
    return total


@njit(cache=True)
def _best_alpha(values):  # type: ignore[no-untyped-def]
    """Golden section search for the smoothing of least one-step squared error within 0.1 ... 0.3."""
    low, high = LOWEST, HIGHEST
    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = _squares(values, left), _squares(values, right)
    # Equal errors at both points: a level stretch, where no smoothing is better than its middle.
    while high - low > TOLERANCE and at_left != at_right:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = _squares(values, left)
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = _squares(values, right)
    return 0.5 * (low + high)


@njit(cache=True)
def _aggregated_rate(y, level):  # type: ignore[no-untyped-def]
    """Demand a bucket from sums of `level` buckets each, the incomplete one at the start dropped."""
    blocks = len(y) // level
    skipped = len(y) - blocks * level
    sums = np.zeros(blocks)
    for b in range(blocks):
        for k in range(level):
            sums[b] += y[skipped + b * level + k]
    return _ses(sums, _best_alpha(sums)) / level


@njit(cache=True)
def _known(values, y):  # type: ignore[no-untyped-def]
    """Put the known `values` into `y`, one after another; returns how many."""
    n = 0
    for t in range(len(values)):
        if not math.isnan(values[t]):
            y[n] = values[t]
            n += 1
    return n


@njit(cache=True)
def _estimate(y, method, alpha_size, alpha_time, sizes, gaps):  # type: ignore[no-untyped-def]
    """Demand a bucket, smoothing of sizes, number of sizes; fills `sizes`, `gaps`; NaN alpha = optimise."""
    n_sizes, last, occurred = 0, -1, 0.0
    for t in range(len(y)):
        if y[t] > 0.0:
            sizes[n_sizes] = y[t]
            gaps[n_sizes] = t - last
            last = t
            n_sizes += 1
    if n_sizes == 0:
        return 0.0, CLASSIC, 0
    known_sizes = sizes[:n_sizes]
    a = _best_alpha(known_sizes) if math.isnan(alpha_size) else alpha_size
    if method in (CROSTON, SBA):
        known_gaps = gaps[:n_sizes]
        b = _best_alpha(known_gaps) if math.isnan(alpha_time) else alpha_time
        rate = _ses(known_sizes, a) / _ses(known_gaps, b)
        return (rate * SBA_FACTOR if method == SBA else rate), a, n_sizes
    if method == TSB:
        happened = np.empty(len(y))
        for t in range(len(y)):
            happened[t] = 1.0 if y[t] > 0.0 else 0.0
        b = _best_alpha(happened) if math.isnan(alpha_time) else alpha_time
        occurred = _ses(happened, b)
        return occurred * _ses(known_sizes, a), a, n_sizes
    # The gaps up to the last sale add up to its place in the series.
    interval = int(np.rint((last + 1.0) / n_sizes))
    if method == ADIDA:
        return _aggregated_rate(y, interval), a, n_sizes
    total = 0.0
    for level in range(1, interval + 1):
        total += _aggregated_rate(y, level)
    return total / interval, a, n_sizes


@njit(cache=True)
def _rate(values, method, alpha_size, alpha_time):  # type: ignore[no-untyped-def]
    y, sizes, gaps = np.empty(len(values)), np.empty(len(values)), np.empty(len(values))
    return _estimate(y[: _known(values, y)], method, alpha_size, alpha_time, sizes, gaps)[0]


@njit(cache=True)
def _trials(method, alpha, chance, n_sizes, known):  # type: ignore[no-untyped-def]
    """Buckets a smoothed chance of a sale rests on: exponential smoothing weighs like 2 / alpha - 1 values."""
    memory = 2.0 / alpha - 1.0
    if method != TSB:
        memory = min(memory, float(n_sizes)) / chance
    return max(1, min(int(np.rint(memory)), known))


@njit(cache=True)
def _drawn_share(chance, trials, lot):  # type: ignore[no-untyped-def]
    """What share of `trials` buckets had a sale in another history with this chance: binomial, by inversion."""
    if chance >= 1.0:
        return 1.0
    mass = (1.0 - chance) ** trials
    if mass < LEAST_MASS:
        # Told from the other end, or the sum would never begin.
        if chance > 0.5:
            return 1.0 - _drawn_share(1.0 - chance, trials, 1.0 - lot)
        return chance
    odds = chance / (1.0 - chance)
    reached, successes = mass, 0
    while reached < lot and successes < trials:
        mass *= odds * (trials - successes) / (successes + 1.0)
        successes += 1
        reached += mass
    return successes / trials


@njit(cache=True)
def _draw_series(values, method, alpha_size, alpha_time, whole, series, root, expected, paths):  # type: ignore[no-untyped-def]
    """`intermittent_paths` for one series, apart so that compiling the parallel loop stays cheap."""
    n_samples, horizon = paths.shape
    y, sizes, gaps = np.empty(len(values)), np.empty(len(values)), np.empty(len(values))
    known = y[: _known(values, y)]
    rate, alpha, n_sizes = _estimate(known, method, alpha_size, alpha_time, sizes, gaps)
    if n_sizes == 0:
        return
    reached = np.empty(n_sizes)
    kept = 1.0 - min(alpha, SIZE_MEMORY)
    total, mean = 0.0, 0.0
    for k in range(n_sizes):
        weight = kept ** (n_sizes - 1 - k)
        mean += weight * sizes[k]
        total += weight
        reached[k] = total
    mean /= total
    chance = min(1.0, rate / mean)
    stretch = rate / (chance * mean)
    exact = abs(stretch - 1.0) < 1e-9
    trials = _trials(method, alpha, chance, n_sizes, len(known))
    for h in range(horizon):
        expected[h] = rate
    for s in range(n_samples):
        state = stream(root, series, s)
        drawn = _drawn_share(chance, trials, uniform(state, 3 * horizon))
        for h in range(horizon):
            if uniform(state, 3 * h) >= drawn:
                continue
            pick = np.searchsorted(reached, uniform(state, 3 * h + 1) * total)
            value = sizes[min(pick, n_sizes - 1)]
            if not exact:
                value *= stretch
                if whole:
                    value = math.floor(value + uniform(state, 3 * h + 2))
            paths[s, h] = value


@njit(cache=True, parallel=True)
def intermittent_rates(demand: Floats, method: int, alpha_size: float, alpha_time: float) -> Doubles:
    """(N,) forecast demand a bucket, the same for every bucket ahead.

    Args:
        demand: (N, T), NaN unknown.
        method: CROSTON, SBA, TSB, ADIDA or IMAPA.
        alpha_size, alpha_time: smoothing of sizes and of intervals (TSB: of occurrence); NaN optimises
            each within 0.1 ... 0.3 per series. ADIDA and IMAPA always optimise that of their sums.
    """
    rates = np.zeros(len(demand))
    for i in prange(len(demand)):
        rates[i] = _rate(demand[i], method, alpha_size, alpha_time)
    return rates


@njit(cache=True, parallel=True)
def intermittent_paths(
    demand: Floats,
    method: int,
    alpha_size: float,
    alpha_time: float,
    whole: npt.NDArray[np.bool_],
    series: npt.NDArray[np.uint64],
    root: np.uint64,
    horizon: int,
    n_samples: int,
) -> tuple[Floats, Floats]:
    """Paths (n, S, H) and point forecasts (n, H): whether demand occurs, times a size that was seen.

    After Willemain, Smart & Schwarz 2004: sizes are resampled from the series' own, the recent ones a little more
    often, and the chance of a sale is what is left of the forecast, so counts stay counts. How sure that chance is
    goes by what it was smoothed from: each path has one of its own, binomial around it, which leaves single
    buckets as they are and makes sums as wide as a chance that is only estimated deserves.

    Args: see `intermittent_rates`; whole: (n,) whether demand comes in whole units; series: (n,) stable
        ids, which with `root` make the random streams.
    """
    n = len(demand)
    paths = np.zeros((n, n_samples, horizon), np.float32)
    expected = np.zeros((n, horizon), np.float32)
    for i in prange(n):
        _draw_series(
            demand[i], method, alpha_size, alpha_time, whole[i], series[i], root, expected[i], paths[i]
        )
    return paths, expected
