"""Dependence between buckets: paths put together anew, so that their sums are as wide as outcomes are.

The draws of each bucket stay what they are; only which of them form a path changes. Ranks, as normal scores,
take up a factor common to all buckets (sums get wider) or noise of their own (sums get narrower): a Gaussian
copula around the model's own, tuned by one number.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shelfwise.forecast.calibration.kernels import uniforms
from shelfwise.forecast.scenarios import Floats

Doubles = npt.NDArray[np.float64]
# Below 0: share of noise; above 0: share of the common factor.
TIES = np.array([0.0, 0.25, -0.25, 0.5, -0.5, 0.75, -0.75, 1.0, -1.0])
_COMMON, _OWN = 0x2545F4914F6CDD1D, 0x5851F42D4C957F2D


def put_together(
    ordered: Floats, place: npt.NDArray[np.intp], ties: Doubles, series: npt.NDArray[np.uint64], root: int
) -> Floats:
    """Paths from sorted draws, with the dependence changed where a series' tie is not 0.

    Args:
        ordered: (n, S, H) draws of each bucket, sorted.
        place: (n, S, H) where each path's draw stands in them: the model's own dependence.
        ties: (n,) from -1 (independent buckets) over 0 (unchanged) to 1 (all buckets move as one).
        series: (n,) stable ids; root: seed.

    Returns:
        (n, S, H) paths; each bucket holds the very draws it held.
    """
    changed = np.flatnonzero(ties)
    if len(changed):
        place = place.copy()
        place[changed] = _retied(place[changed], ties[changed], series[changed], root)
    return np.take_along_axis(ordered, place, axis=1)


def _retied(
    place: npt.NDArray[np.intp], ties: Doubles, series: npt.NDArray[np.uint64], root: int
) -> npt.NDArray[np.intp]:
    from scipy.special import ndtri

    samples, steps = place.shape[1:]
    common = ndtri(uniforms(series, np.uint64(root ^ _COMMON), samples, 1).astype(np.float64))
    own = ndtri(uniforms(series, np.uint64(root ^ _OWN), samples, steps).astype(np.float64))
    share = np.abs(ties)[:, None, None]
    mixed_in = np.where(ties[:, None, None] > 0, common, own)
    score = np.sqrt(1.0 - share**2) * ndtri((place + 0.5) / samples) + share * mixed_in
    # With one factor alone all buckets of a path have equal scores, and ranks still are one a path.
    return np.argsort(np.argsort(score, axis=1, kind="stable"), axis=1, kind="stable")
