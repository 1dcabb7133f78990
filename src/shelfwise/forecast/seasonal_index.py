"""A multiplicative seasonal index per series, shrunken towards the shop's, and that towards none."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shelfwise.forecast.scenarios import Floats

PRIOR_BUCKETS = 2.0
PRIOR_UNITS = 4.0
LEAST_INDEX = 0.05
SPIKE = 10.0


def seasonal_index(demand: Floats, phase: int, season: int, series_ids: npt.NDArray[np.uint64]) -> Floats:
    """Ratios of each season bucket's demand to the series' mean, shrunken by how little is known.

    A series counts its own ratio of a season bucket as often as it was observed, and the shop's ratio
    `PRIOR_BUCKETS` + `PRIOR_UNITS` / its mean times: slow sellers and short histories follow the shop.

    Args:
        demand: (N, T) float32, NaN unknown.
        phase: season bucket of the first column.
        season: buckets in a season, P.
        series_ids: (N,) stable ids; they fix the order of summing over the shop.

    Returns:
        (N, P) float32 with mean 1 along P; ones where history is shorter than a season.

    Example:
        >>> weekly = np.tile(np.array([5, 5, 5, 5, 5, 10, 14], np.float32), (1, 20))
        >>> print(seasonal_index(weekly, 0, 7, np.array([1], np.uint64)).round(1))
        [[0.7 0.7 0.7 0.7 0.7 1.4 2. ]]
    """
    n, buckets = demand.shape
    if season == 1 or buckets < season:
        return np.ones((n, season), np.float32)
    seen = ~np.isnan(demand)
    counts = seen.sum(axis=1)
    mean = np.where(seen, demand, 0.0).sum(axis=1, dtype=np.float64) / np.maximum(counts, 1)
    mean = np.maximum(mean, 0.0)
    # A spike says nothing about its season bucket.
    ratio = np.where(seen, demand, 0.0) / np.where(mean > 0, mean, 1.0)[:, None]
    ratio = np.clip(ratio, 0.0, SPIKE)
    total, observed = np.zeros((n, season)), np.zeros((n, season))
    for position in range(season):
        columns = slice((position - phase) % season, None, season)
        total[:, position] = ratio[:, columns].sum(axis=1)
        observed[:, position] = seen[:, columns].sum(axis=1)

    order = np.argsort(series_ids)
    # Ratios of slow sellers are mostly noise.
    weight = (mean / (1.0 + mean))[order, None]
    shop = ((weight * total[order]).sum(axis=0) + PRIOR_BUCKETS) / (
        (weight * observed[order]).sum(axis=0) + PRIOR_BUCKETS
    )
    prior = PRIOR_BUCKETS + PRIOR_UNITS / np.maximum(mean, 1e-3)[:, None]
    ratios = np.maximum((total + prior * shop) / (observed + prior), LEAST_INDEX)
    index: Floats = np.divide(ratios, ratios.mean(axis=1, keepdims=True), dtype=np.float32)
    return index
