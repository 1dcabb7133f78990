"""Moving average of the last observed buckets, with residual paths around it."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.forecast.kernels.levels import level_forecasts
from shelfwise.forecast.residual_paths import Flags, Integers, ResidualPathForecaster
from shelfwise.forecast.scenarios import Floats
from shelfwise.forecast.seasonal_index import seasonal_index


class MovingAverage(ResidualPathForecaster):
    """The mean of the last `window` observed buckets; masked buckets are skipped, never read as zero.

    Args:
        window: observed buckets in the mean; None takes 28 days, 13 weeks or 6 months.
        seasonal: divide history by a multiplicative seasonal index first and put it back on the
            forecast. The index is shrunken towards that of the whole shop, so a series with a
            history of its own is then no longer forecast from nothing else (`local` is False).

    Raises:
        UsageError: `window` is below 1.

    Example:
        >>> import numpy as np
        >>> from shelfwise.demand.panel import Panel
        >>> panel = Panel.from_arrays([[8.0, 2.0, float("nan"), 4.0]])
        >>> model = MovingAverage(window=2).fit(panel)
        >>> model.sample(horizon=2, n_samples=50, rng=np.random.default_rng(0)).mean().tolist()
        [[3.0, 3.0]]
    """

    name: ClassVar[str] = "moving_average"

    def __init__(self, window: int | None = None, seasonal: bool = False) -> None:
        super().__init__()
        if window is not None and window < 1:
            raise UsageError(f"window must be at least 1 bucket; got {window}")
        self.window = window
        self.seasonal = seasonal
        self.local = not seasonal

    def _prepare(self) -> None:
        self._window = self.window or self._window
        bucket = self.panel.bucket
        season = bucket.season if self.seasonal else 1
        self._phase = bucket.index(self.panel.start) % season
        self._index = seasonal_index(self._demand, self._phase, season, self.panel.series_ids)

    def _forecasts(self, rows: npt.NDArray[np.intp], origins: Integers, steps: int) -> tuple[Floats, Flags]:
        columns = (self._phase + np.arange(self._demand.shape[1] + steps)) % self._index.shape[1]
        index = np.ascontiguousarray(self._index[rows][:, columns])
        forecasts: tuple[Floats, Flags] = level_forecasts(
            self._demand[rows], index, origins, steps, self._window
        )
        return forecasts
