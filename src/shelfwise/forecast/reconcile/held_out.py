"""Errors of base models on buckets they have not seen."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Panel
from shelfwise.forecast.base import Forecaster

MOST_BUCKETS = 28
LEAST_BUCKETS = 4
SAMPLES = 64


def held_out_errors(
    leaf: Forecaster, upper: Forecaster, series: Panel, nodes: Panel
) -> npt.NDArray[np.float64] | None:
    """(M + N, R) demand minus mean forecast of the last R buckets, nodes first; NaN where demand is unknown.

    R is a quarter of history, at most 28 buckets; None where that is fewer than 4.

    Args:
        leaf, upper: models to fit on what came before; not fitted yet.
        series: panel of the N series.
        nodes: panel of the M nodes.
    """
    held = min(MOST_BUCKETS, series.n_buckets // 4)
    if held < LEAST_BUCKETS:
        return None
    errors = []
    for model, panel in ((upper, nodes), (leaf, series)):
        cut = panel.n_buckets - held
        mean = np.empty((panel.n_series, held))
        first = 0
        model.fit(panel.until(cut))
        for part in model.sample_chunks(held, SAMPLES, np.random.default_rng(0)):
            mean[first : first + len(part.keys)] = part.mean()
            first += len(part.keys)
        errors.append(panel.demand[:, cut:] - mean)
    return np.concatenate(errors)
