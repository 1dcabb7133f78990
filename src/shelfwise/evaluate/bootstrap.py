"""Is one policy really cheaper than another? A bootstrap over series of the difference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

DRAWS = 2000


@dataclass(frozen=True)
class Difference:
    """Total difference in cost, its interval, and how often a resample was below zero."""

    total: float
    low: float
    high: float
    share_below_zero: float


def cost_difference(
    cost: npt.NDArray[np.float64], reference: npt.NDArray[np.float64], seed: int = 0, level: float = 0.95
) -> Difference:
    """Bootstrap (Efron 1979) the summed difference of two policies' (N,) costs over series.

    Both were run on identical demand, so resampling series keeps the pairing.

    Example:
        >>> import numpy as np
        >>> d = cost_difference(np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0, 4.0]))
        >>> d.total, d.low, d.high
        (-3.0, -3.0, -3.0)
    """
    gain = np.asarray(cost - reference, dtype=np.float64)
    if gain.size == 0:
        return Difference(0.0, 0.0, 0.0, 0.0)
    rng = np.random.default_rng(seed)
    totals = np.empty(DRAWS)
    for draw in range(DRAWS):
        totals[draw] = gain[rng.integers(0, gain.size, gain.size)].sum()
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(totals, [tail, 1.0 - tail])
    return Difference(float(gain.sum()), float(low), float(high), float((totals < 0).mean()))
