"""ETS: exponential smoothing in state-space form, the model of each series chosen by AICc."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from shelfwise.forecast.classical.local import LocalForecaster, Rows, checked_season
from shelfwise.forecast.kernels.ets_fit import fit_panel
from shelfwise.forecast.kernels.ets_paths import ets_paths
from shelfwise.forecast.scenarios import Floats

# 52 season states need years of weeks; a week's season is taken only when asked for.
SEASON: dict[str, int] = {"day": 7, "week": 1, "month": 12}
ERRORS, TRENDS, SEASONS = ("A", "M"), ("N", "A", "Ad"), ("N", "A", "M")


class ETS(LocalForecaster):
    """Error, trend and season chosen by AICc; paths simulated with the model's own residuals.

    Hyndman, Koehler, Ord & Snyder 2008, "Forecasting with Exponential Smoothing: The State Space
    Approach". Unknown buckets carry the states on and update nothing. Multiplicative forms are tried
    where all demand is positive. No path passes ten times the most the series ever sold.

    Args:
        season: buckets in a season; None takes 7 for days, 12 for months, none for weeks. A season is
            modelled once each of its buckets has been observed twice.

    Raises:
        UsageError: `season` is below 1.

    Example:
        >>> import numpy as np
        >>> from shelfwise.demand.panel import Panel
        >>> history = np.tile([2.0, 4.0, 9.0], 20) + np.tile([0.1, -0.1, 0.0, 0.1, -0.1], 12)
        >>> model = ETS(season=3).fit(Panel.from_arrays(history))
        >>> model.sample(horizon=3, n_samples=50, rng=np.random.default_rng(0)).mean().round().tolist()
        [[2.0, 4.0, 9.0]]
    """

    name: ClassVar[str] = "ets"

    def __init__(self, season: int | None = None) -> None:
        super().__init__()
        self.season = checked_season(season)

    def _learn(self) -> None:
        self._kinds, self._pars, self._starts = fit_panel(
            self._demand, self.season or SEASON[self.panel.bucket.name]
        )

    @property
    def models(self) -> list[str]:
        """The chosen model of each series, such as ``ETS(M,Ad,M)``."""
        return [f"ETS({ERRORS[e]},{TRENDS[t]},{SEASONS[s]})" for e, t, s in self._kinds]

    def _draw_rows(self, rows: Rows, horizon: int, n_samples: int, root: int) -> tuple[Floats, Floats]:
        drawn: tuple[Floats, Floats] = ets_paths(
            self._demand[rows],
            self._kinds[rows],
            self._pars[rows],
            self._starts[rows],
            self._whole[rows],
            self.panel.series_ids[rows],
            np.uint64(root),
            horizon,
            n_samples,
        )
        return drawn
