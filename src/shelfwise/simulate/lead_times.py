"""Random lead times: whole buckets with a given mean and spread, the same however the work is cut up."""

from __future__ import annotations

import operator

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.simulate.per_series import Ints, floats, require, series_count


def draw_lead_times(
    mean: npt.ArrayLike,
    sd: npt.ArrayLike,
    n_paths: int,
    n_buckets: int,
    *,
    seed: int = 0,
    series: npt.ArrayLike | None = None,
) -> Ints:
    """Lead times of orders placed in each bucket: gamma draws, rounded at random so that the mean stays.

    The gamma's own spread is chosen so that mean and spread hold *after* rounding. A mean that is not whole
    forces a spread of at least sqrt(f (1 - f)), f its fraction: below that, draws are the two neighbours.
    A draw depends on seed, series, path and bucket alone, not on chunks, threads or how many are drawn.

    Args:
        mean: (N,) buckets, at least 0.
        sd: (N,) or one value, buckets, at least 0.
        n_paths, n_buckets: P and T.
        seed: any whole number.
        series: (N,) whole numbers that name the series; default 0 … N-1. A chunk passes its own rows of
            the whole, and draws what the whole would.

    Returns:
        (N, P, T) int32, for `simulate(lead_times=...)`.

    Raises:
        UsageError: a mean or spread is negative or not a number; names the series.

    Literature: Marsaglia and Tsang (2000) for the gamma; counters after Salmon et al. (2011).

    Example:
        >>> draws = draw_lead_times(np.array([2.5]), 1.0, n_paths=100, n_buckets=1000)
        >>> round(float(draws.mean()), 1), round(float(draws.std()), 1)
        (2.5, 1.0)
        >>> bool((draw_lead_times([2.5], 1.0, 3, 5) == draws[:, :3, :5]).all())
        True
    """
    from shelfwise.simulate.kernels.lead_times import draw

    n_series = series_count("mean", mean)
    means, spreads = floats("mean", mean, n_series), floats("sd", sd, n_series)
    for name, values in (("mean lead time", means), ("lead time sd", spreads)):
        require(np.isfinite(values) & (values >= 0), name, "must be a number of at least 0", values)
    keys = np.arange(n_series) if series is None else np.asarray(series)
    if keys.shape != (n_series,) or keys.dtype.kind not in "iu":
        raise UsageError(f"series must be {n_series} whole numbers; got {keys.dtype} of shape {keys.shape}")
    if min(operator.index(n_paths), operator.index(n_buckets)) < 0:
        raise UsageError(f"n_paths and n_buckets must not be negative; got {n_paths} and {n_buckets}")
    draws = np.empty((n_series, n_paths, n_buckets), dtype=np.int32)
    draw(means, spreads, keys.astype(np.uint64), np.uint64(seed % 2**64), draws)
    return draws
