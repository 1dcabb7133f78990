"""Base paths of a model, boiled down to what reconciliation needs of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shelfwise.forecast.base import Forecaster

SERIES_AT_ONCE = 1024
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BaseDraws:
    """What the base paths of one model come to.

    Attributes:
        mean: (n, H) units.
        variance: (n,) variance of a bucket's demand between paths, mean over the horizon.
        totals: (n, S) units of each path, summed over the horizon.
    """

    mean: Floats
    variance: Floats
    totals: Floats


def draw_base(
    model: Forecaster, rows: npt.NDArray[np.intp], horizon: int, n_samples: int, root: int
) -> BaseDraws:
    """Draw from a fitted model a chunk of series at a time; ends and launches in the horizon are not looked at.

    Example:
        >>> from shelfwise.demand.panel import Panel
        >>> from shelfwise.forecast.moving_average import MovingAverage
        >>> model = MovingAverage().fit(Panel.from_arrays(np.full((2, 20), 3.0)))
        >>> drawn = draw_base(model, np.arange(2), horizon=2, n_samples=10, root=1)
        >>> drawn.mean.tolist(), drawn.totals.shape
        ([[3.0, 3.0], [3.0, 3.0]], (2, 10))
    """
    mean = np.empty((len(rows), horizon))
    variance = np.empty(len(rows))
    totals = np.empty((len(rows), n_samples))
    for first in range(0, len(rows), SERIES_AT_ONCE):
        part = slice(first, first + SERIES_AT_ONCE)
        paths, expected = model._sample_rows(rows[part], horizon, n_samples, root)
        mean[part] = paths.mean(axis=1, dtype=np.float64) if expected is None else expected
        variance[part] = paths.var(axis=1, dtype=np.float64).mean(axis=1)
        totals[part] = paths.sum(axis=2, dtype=np.float64)
    return BaseDraws(mean, variance, totals)
