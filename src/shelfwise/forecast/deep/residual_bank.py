"""What a point forecaster missed on buckets it had not learnt, kept as whole paths to draw from.

Paths are kept on the scale the network works on, and lent to the series whose level there is nearest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shelfwise.forecast.kernels.residuals import draw_paths
from shelfwise.forecast.residual_pool import LEAST_PATHS, guesses

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
NEIGHBOURS = 2000


@dataclass(frozen=True)
class ResidualBank:
    """E residual paths of P buckets by rising scaled level.

    Attributes:
        paths: (E, P) float32, NaN where demand was unknown; levels: (E,).
    """

    paths: Floats
    levels: Doubles

    @classmethod
    def of(cls, paths: Floats, levels: Doubles) -> ResidualBank:
        """From (E, P) residuals and the (E,) levels at their origins; those half unknown are left out."""
        useful = 2 * np.isfinite(paths).sum(axis=1) >= max(paths.shape[1], 1)
        order = np.flatnonzero(useful)[np.argsort(levels[useful], kind="stable")]
        return cls(np.ascontiguousarray(paths[order]), levels[order])

    def draw(
        self,
        point: Floats,
        level: Doubles,
        unit: Doubles,
        whole: npt.NDArray[np.bool_],
        series: npt.NDArray[np.uint64],
        n_samples: int,
        root: int,
    ) -> Floats:
        """(n, S, H) paths around points (n, H) in units, for series of these scaled levels (n,).

        With too few residuals the level itself is in doubt, as in `residual_pool`.
        """
        n, horizon = point.shape
        bank, first = self.paths, np.zeros(n, np.int64)
        if len(bank) < LEAST_PATHS:
            bank, unit = guesses(horizon), point.mean(axis=1, dtype=np.float64)
            count = np.full(n, len(bank))
        else:
            size = min(NEIGHBOURS, len(bank))
            middle = np.searchsorted(self.levels, level)
            first = np.clip(middle - size // 2, 0, len(bank) - size).astype(np.int64)
            count = np.full(n, size)
        out = np.empty((n, n_samples, horizon), np.float32)
        slots = np.arange(n)
        draw_paths(point, bank, first, count, unit, whole, series, np.uint64(root), slots, out)
        return out
