"""What the order network is told besides stock: the demand ahead, its spread, costs and terms, free of scale."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shelfwise.simulate.costs import Costs
from shelfwise.simulate.per_series import Floats
from shelfwise.simulate.terms import SupplyTerms

COLUMNS = (
    "newsvendor_level", "mean_lead", "mean_review", "sd_protection", "dispersion", "log_cost_ratio",
    "lead_time", "review_period", "lost_share",
)  # fmt: skip
Whole = npt.NDArray[np.integer]
LEAST_RATIO, MOST_RATIO = 0.02, 500.0


class Context(NamedTuple):
    """(N, T, C) what is known at the start of each bucket, and (N,) the scale: mean demand of a bucket, units."""

    values: Floats
    scale: Floats


def context_of(paths: npt.NDArray[np.floating], terms: SupplyTerms, costs: Costs, n_starts: int) -> Context:
    """Context at the start of buckets 0 … n_starts - 1 of demand paths.

    Args:
        paths: (N, S, T) units. Windows that pass the end of the paths are filled up with the mean bucket.
        terms, costs: of the N series.

    Example:
        >>> terms, costs = SupplyTerms.same(1, lead_time_buckets=2), Costs.same(1, holding=1.0, shortage=4.0)
        >>> found = context_of(np.full((1, 10, 6), 5.0), terms, costs, 1)
        >>> dict(zip(COLUMNS, found.values[0, 0].round(2).tolist()))["newsvendor_level"], found.scale
        (3.0, array([5.]))
    """
    from scipy.special import ndtri

    units = np.asarray(paths, dtype=np.float64)
    n_series, n_paths, n_buckets = units.shape
    mean_bucket = units.mean(axis=(1, 2))
    scale = np.maximum(mean_bucket, 1e-3)
    lead, review = np.asarray(terms.lead_time_buckets), np.asarray(terms.review_period_buckets)
    reach = lead + review
    running = np.zeros((n_series, n_paths, n_buckets + 1))
    np.cumsum(units, axis=2, out=running[:, :, 1:])
    mean_path = running.mean(axis=1)
    start = np.arange(n_starts)
    to_lead = _window(mean_path, start, lead, mean_bucket)
    to_reach = _window(mean_path, start, reach, mean_bucket)
    deviation = np.stack(
        [_window_sd(running[row], start, int(reach[row]), n_buckets) for row in range(n_series)]
    )
    shortage, holding = np.asarray(costs.shortage), np.asarray(costs.holding)
    ratio = np.clip(shortage / np.maximum(holding, 1e-9), LEAST_RATIO, MOST_RATIO)
    z = ndtri(ratio / (1.0 + ratio))
    wide = np.ones((1, n_starts))
    columns = (
        (to_reach + z[:, None] * deviation) / scale[:, None],
        to_lead / scale[:, None],
        (to_reach - to_lead) / scale[:, None],
        deviation / scale[:, None],
        (deviation / np.sqrt(reach)[:, None]) / scale[:, None],
        np.log(ratio)[:, None] * wide,
        lead[:, None] * wide / 4.0,
        review[:, None] * wide / 4.0,
        np.asarray(terms.lost_share)[:, None] * wide,
    )
    return Context(np.stack(columns, axis=2), scale)


def _window(running: Floats, start: Whole, width: Whole, mean_bucket: Floats) -> Floats:
    """(N, starts) sums of `width` (N,) buckets of a cumulated mean path (N, T + 1)."""
    last = running.shape[1] - 1
    end = start[None, :] + width[:, None]
    inside = np.take_along_axis(running, np.minimum(end, last), axis=1) - np.take_along_axis(
        running, np.broadcast_to(np.minimum(start, last), end.shape), axis=1
    )
    return np.asarray(inside + np.maximum(end - last, 0) * mean_bucket[:, None])


def _window_sd(running: Floats, start: Whole, width: int, n_buckets: int) -> Floats:
    """(starts,) standard deviation over paths of sums of `width` buckets; cut windows are scaled up."""
    first = np.minimum(start, max(0, n_buckets - 1))
    end = np.minimum(first + width, n_buckets)
    sums = running[:, end] - running[:, first]
    return np.asarray(sums.std(axis=0) * np.sqrt(width / np.maximum(end - first, 1)))
