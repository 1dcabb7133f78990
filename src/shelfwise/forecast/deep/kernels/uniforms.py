"""The random numbers of sampled paths: functions of root, series, sample and step, and of nothing else."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from shelfwise.forecast.kernels.streams import stream, uniform


@njit(cache=True)
def uniforms(
    root: np.uint64, series: npt.NDArray[np.uint64], samples: npt.NDArray[np.int64], step: int, draws: int
) -> npt.NDArray[np.float64]:
    """(M, draws) uniforms in (0, 1) of one step for M pairs of series and sample."""
    out = np.empty((len(series), draws))
    for i in range(len(series)):
        state = stream(root, series[i], samples[i])
        for d in range(draws):
            out[i, d] = uniform(state, step * draws + d)
    return out
