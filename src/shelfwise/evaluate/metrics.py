"""Forecast errors as plain functions; NaN in `actual` means nobody knows, and does not count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[Any]


def wape(actual: Numbers, forecast: Numbers) -> float:
    """Sum of absolute errors over the sum of actuals; NaN where nothing was demanded.

    Example:
        >>> import numpy as np
        >>> wape(np.array([4.0, np.nan, 6.0]), np.array([5.0, 9.0, 6.0]))
        0.1
    """
    known = np.isfinite(actual)
    total = float(np.abs(actual[known]).sum())
    return float(np.abs(actual[known] - forecast[known]).sum()) / total if total > 0 else float("nan")


def bias(actual: Numbers, forecast: Numbers) -> float:
    """Forecast minus actual, over actual: above 0 is too high.

    Example:
        >>> import numpy as np
        >>> round(bias(np.array([4.0, 6.0]), np.array([5.0, 6.0])), 3)
        0.1
    """
    known = np.isfinite(actual)
    total = float(actual[known].sum())
    return float((forecast[known] - actual[known]).sum()) / total if total > 0 else float("nan")


def pinball_loss(actual: Numbers, quantile: Numbers, level: float) -> Numbers:
    """Per-element pinball (quantile) loss (Koenker & Bassett 1978); NaN where actual is unknown.

    Example:
        >>> import numpy as np
        >>> pinball_loss(np.array([10.0, 10.0]), np.array([8.0, 12.0]), 0.9).round(3).tolist()
        [1.8, 0.2]
    """
    error = actual - quantile
    return np.asarray(np.maximum(level * error, (level - 1.0) * error))


def mean_pinball(actual: Numbers, quantiles: Numbers, levels: Sequence[float]) -> float:
    """Pinball loss averaged over buckets and levels; `quantiles` has a last axis of levels."""
    losses = [pinball_loss(actual, quantiles[..., q], level) for q, level in enumerate(levels)]
    return float(np.nanmean(np.stack(losses))) if np.isfinite(actual).any() else float("nan")


def coverage(actual: Numbers, quantile: Numbers) -> tuple[float, float]:
    """Shares of actuals below and at or below a quantile.

    With counts a quantile sits on a step: a calibrated level lies between the two shares.
    """
    known = np.isfinite(actual)
    if not known.any():
        return float("nan"), float("nan")
    return float((actual < quantile)[known].mean()), float((actual <= quantile)[known].mean())
