"""Forecasters for demand with many zeros: Croston and what came after it."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from shelfwise.errors import UsageError
from shelfwise.forecast.classical.local import LocalForecaster, Rows
from shelfwise.forecast.kernels import intermittent
from shelfwise.forecast.kernels.intermittent import intermittent_paths
from shelfwise.forecast.scenarios import Floats


class IntermittentForecaster(LocalForecaster):
    """A smoothed demand rate; paths of whether demand occurs, times sizes resampled from the series' own.

    Args:
        smoothing: weight of the newest size and of the newest interval (or occurrence), above 0 up to 1;
            None finds both per series within 0.1 ... 0.3 by least one-step squared error.

    Raises:
        UsageError: `smoothing` out of range.
    """

    method: ClassVar[int]

    def __init__(self, smoothing: float | None = 0.1) -> None:
        super().__init__()
        if smoothing is not None and not 0.0 < smoothing <= 1.0:
            raise UsageError(f"smoothing must be above 0 and at most 1, or None; got {smoothing}")
        self.smoothing = smoothing

    def _learn(self) -> None:
        """Nothing before it is asked for: a pass over history is cheaper than keeping its result."""

    def _draw_rows(self, rows: Rows, horizon: int, n_samples: int, root: int) -> tuple[Floats, Floats]:
        alpha = math.nan if self.smoothing is None else self.smoothing
        drawn: tuple[Floats, Floats] = intermittent_paths(
            self._demand[rows],
            self.method,
            alpha,
            alpha,
            self._whole[rows],
            self.panel.series_ids[rows],
            np.uint64(root),
            horizon,
            n_samples,
        )
        return drawn


class Croston(IntermittentForecaster):
    """Smoothed size over smoothed interval.

    Croston 1972, "Forecasting and stock control for intermittent demands".

    Example:
        >>> import numpy as np
        >>> from shelfwise.demand.panel import Panel
        >>> panel = Panel.from_arrays([[0, 0, 4, 0, 0, 4, 0, 0, 4]])
        >>> print(Croston().fit(panel).sample(2, 50, np.random.default_rng(0)).mean().round(2))
        [[1.33 1.33]]
    """

    name: ClassVar[str] = "croston"
    method = intermittent.CROSTON


class SBA(IntermittentForecaster):
    """Croston less 5 %, which takes out its bias.

    Syntetos & Boylan 2005, "The accuracy of intermittent demand estimates".

    Example:
        >>> import numpy as np
        >>> from shelfwise.demand.panel import Panel
        >>> panel = Panel.from_arrays([[0, 0, 4, 0, 0, 4, 0, 0, 4]])
        >>> print(SBA().fit(panel).sample(2, 50, np.random.default_rng(0)).mean().round(2))
        [[1.27 1.27]]
    """

    name: ClassVar[str] = "sba"
    method = intermittent.SBA


class TSB(IntermittentForecaster):
    """Smoothed size times smoothed chance of a sale, which sinks while nothing sells.

    Teunter, Syntetos & Babai 2011, "Intermittent demand: linking forecasting to inventory obsolescence".

    Example:
        >>> import numpy as np
        >>> from shelfwise.demand.panel import Panel
        >>> panel = Panel.from_arrays([[4.0] * 4 + [0.0] * 6])
        >>> print(TSB().fit(panel).sample(2, 50, np.random.default_rng(0)).mean().round(2))
        [[2.13 2.13]]
    """

    name: ClassVar[str] = "tsb"
    method = intermittent.TSB


class ADIDA(IntermittentForecaster):
    """Smooths sums over the mean interval between sales, then shares them out.

    Nikolopoulos, Syntetos, Boylan, Petropoulos & Assimakopoulos 2011, "An aggregate-disaggregate
    intermittent demand approach (ADIDA) to forecasting". `smoothing` is that of the sizes in the paths;
    that of the sums is always found within 0.1 ... 0.3.

    Example:
        >>> import numpy as np
        >>> from shelfwise.demand.panel import Panel
        >>> panel = Panel.from_arrays([[0, 0, 4, 0, 0, 4, 0, 0, 4]])
        >>> print(ADIDA().fit(panel).sample(2, 50, np.random.default_rng(0)).mean().round(2))
        [[1.33 1.33]]
    """

    name: ClassVar[str] = "adida"
    method = intermittent.ADIDA


class IMAPA(IntermittentForecaster):
    """The mean of ADIDA over all aggregations up to the mean interval between sales.

    Petropoulos & Kourentzes 2015, "Forecast combinations for intermittent demand". `smoothing` as in `ADIDA`.

    Example:
        >>> import numpy as np
        >>> from shelfwise.demand.panel import Panel
        >>> panel = Panel.from_arrays([[2, 0, 2, 0, 2, 0, 2, 0, 2, 0]])
        >>> print(IMAPA().fit(panel).sample(2, 50, np.random.default_rng(0)).mean().round(1))
        [[1. 1.]]
    """

    name: ClassVar[str] = "imapa"
    method = intermittent.IMAPA
