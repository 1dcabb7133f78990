"""Theta: a smoothed level plus a share of the trend line, after taking out the season."""

from __future__ import annotations

from typing import ClassVar, Literal, get_args

import numpy as np

from shelfwise.errors import UsageError
from shelfwise.forecast.classical.ets import SEASON
from shelfwise.forecast.classical.local import LocalForecaster, Rows, checked_season
from shelfwise.forecast.kernels.theta import fit_theta
from shelfwise.forecast.kernels.theta_paths import theta_paths
from shelfwise.forecast.scenarios import Floats

Variant = Literal["dynamic", "standard"]


class Theta(LocalForecaster):
    """The dynamic optimised theta model, or the standard one; paths simulated with its own residuals.

    Assimakopoulos & Nikolopoulos 2000, "The theta model: a decomposition approach to forecasting";
    Fiorucci et al. 2016, "Models for optimising the theta method and their relationship to state space
    models". The season is taken out, multiplicatively where all demand is positive, if the
    autocorrelation at the season passes the 90 % test. No path passes ten times the most ever sold.

    Args:
        season: buckets in a season; None takes 7 for days, 12 for months, none for weeks.
        variant: ``dynamic`` finds theta and smoothing, and the line learns as it goes; ``standard``
            keeps theta = 2 and one line through all history.

    Raises:
        UsageError: `season` is below 1, or an unknown `variant`.

    Example:
        >>> import numpy as np
        >>> from shelfwise.demand.panel import Panel
        >>> model = Theta().fit(Panel.from_arrays(np.arange(20.0, 60.0)))
        >>> print(model.sample(horizon=3, n_samples=50, rng=np.random.default_rng(0)).mean().round())
        [[60. 61. 62.]]
    """

    name: ClassVar[str] = "theta"

    def __init__(self, season: int | None = None, variant: Variant = "dynamic") -> None:
        super().__init__()
        self.season = checked_season(season)
        if variant not in get_args(Variant):
            raise UsageError(f"variant must be one of {', '.join(get_args(Variant))}; got {variant!r}")
        self.variant = variant

    def _learn(self) -> None:
        season = self.season or SEASON[self.panel.bucket.name]
        self._alphas, self._forms, self._effects = fit_theta(self._demand, season, self.variant == "dynamic")

    def _draw_rows(self, rows: Rows, horizon: int, n_samples: int, root: int) -> tuple[Floats, Floats]:
        drawn: tuple[Floats, Floats] = theta_paths(
            self._demand[rows],
            self.variant == "dynamic",
            self._alphas[rows],
            self._forms[rows],
            self._effects[rows],
            self._whole[rows],
            self.panel.series_ids[rows],
            np.uint64(root),
            horizon,
            n_samples,
        )
        return drawn
