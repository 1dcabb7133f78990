"""Errors of one forecast of weekly retail data: of the mean, of nine quantiles, and what must not be there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from benchmarks.results_log import Cell
from shelfwise.evaluate.metrics import bias, pinball_loss, wape

Floats = npt.NDArray[np.float64]
MEDIAN = 0.5


def naive_change(units: npt.ArrayLike) -> Floats:
    """(N,) mean absolute one-week change from each series' first sale on; NaN without any change.

    Example:
        >>> naive_change([[0, 4, 2, 2], [0, 0, 3, 3]])
        array([ 1., nan])
    """
    history = np.nan_to_num(np.asarray(units, dtype=np.float64))
    begun = np.maximum.accumulate(history > 0, axis=1)[:, :-1]
    change = np.where(begun, np.abs(np.diff(history, axis=1)), 0.0).sum(axis=1)
    weeks = begun.sum(axis=1)
    mean: Floats = np.divide(
        change, weeks, out=np.full(len(history), np.nan), where=(weeks > 0) & (change > 0)
    )
    return mean


def faults(mean: npt.ArrayLike, quantiles: npt.ArrayLike) -> dict[str, Cell]:
    """How many numbers are not finite or below zero, and how many neighbouring quantiles cross."""
    points, spread = np.asarray(mean), np.asarray(quantiles)
    every = np.concatenate([points.ravel(), spread.ravel()])
    return {
        "crossings": int((np.diff(spread, axis=2) < 0).sum()),
        "negatives": int((every < 0).sum()),
        "nonfinite": int((~np.isfinite(every)).sum()),
    }


def errors(
    actual: Floats,
    mean: npt.ArrayLike,
    quantiles: npt.ArrayLike,
    levels: Sequence[float],
    scale: Floats,
    judged: npt.NDArray[np.bool_] | None = None,
) -> dict[str, Cell]:
    """WAPE of mean and median, bias, pinball loss over what was sold, pinball loss over each series' scale.

    Args:
        actual, mean: (N, H) units.
        quantiles: (N, H, Q) units; `levels`: their Q shares, the median among them.
        scale: (N,) of `naive_change`; a series without one is left out of the scaled loss alone.
        judged: (N, H) the buckets that count; all of them by default.
    """
    points, spread = np.asarray(mean, dtype=np.float64), np.asarray(quantiles, dtype=np.float64)
    known = np.where(np.ones_like(actual, dtype=bool) if judged is None else judged, actual, np.nan)
    loss = np.mean([pinball_loss(known, spread[..., q], level) for q, level in enumerate(levels)], axis=0)
    scaled = loss / scale[:, None]
    return {
        "buckets": int(np.isfinite(known).sum()),
        "units": round(float(np.nansum(known)), 1),
        "wape": round(wape(known, points), 4),
        "wape_of_median": round(wape(known, spread[..., list(levels).index(MEDIAN)]), 4),
        "bias": round(bias(known, points), 4),
        "pinball": round(float(np.nansum(loss) / np.nansum(known)), 4),
        "scaled_pinball": round(float(np.nanmean(scaled)), 4),
    }
