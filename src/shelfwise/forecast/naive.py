"""Seasonal naive: what was sold in the same bucket of the last season, with residual paths around it."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.forecast.kernels.seasonal import seasonal_forecasts
from shelfwise.forecast.residual_paths import Flags, Integers, ResidualPathForecaster
from shelfwise.forecast.scenarios import Floats


class SeasonalNaive(ResidualPathForecaster):
    """Repeats the last observed season.

    Where the bucket one season back is unknown (out of stock, closed), the one another season back
    stands in, then the mean of the known neighbours of the seasonal lag, then the mean of the last
    observed buckets. Until a series has been on record for longer than a season, that mean is the
    forecast.

    Args:
        season: buckets in a season; None takes the bucket's own (7 days, 52 weeks, 12 months).

    Raises:
        UsageError: `season` is below 1.

    Example:
        >>> import numpy as np
        >>> from shelfwise.demand.panel import Panel
        >>> panel = Panel.from_arrays([[1, 5, 9, 1, 5, 9, 1, 5, 9]])
        >>> model = SeasonalNaive(season=3).fit(panel)
        >>> model.sample(horizon=4, n_samples=50, rng=np.random.default_rng(0)).mean().tolist()
        [[1.0, 5.0, 9.0, 1.0]]
    """

    name: ClassVar[str] = "seasonal_naive"

    def __init__(self, season: int | None = None) -> None:
        super().__init__()
        if season is not None and season < 1:
            raise UsageError(f"season must be at least 1 bucket; got {season}")
        self.season = season

    def _forecasts(self, rows: npt.NDArray[np.intp], origins: Integers, steps: int) -> tuple[Floats, Flags]:
        season = self.season or self.panel.bucket.season
        forecasts: tuple[Floats, Flags] = seasonal_forecasts(
            self._demand[rows], origins, steps, season, self._window
        )
        return forecasts
