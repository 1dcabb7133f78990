"""Rolling origins: at each review the panel and the scenarios as they stood then, and how wrong they were."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.evaluate.metrics import bias, coverage, mean_pinball, wape
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.fallback import (
    LAST_RESORT,
    Failures,
    fit_or_fall_back,
    sample_or_fall_back,
    stand_in_note,
    update_or_fall_back,
)
from shelfwise.forecast.register import make_forecaster
from shelfwise.forecast.scenarios import Scenarios

Floats = npt.NDArray[np.float32]
ERROR_LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


class RollingForecast:
    """Panels and scenarios at the origins of a window, each made from earlier buckets alone.

    The model is fitted at the first origin and again every `refit_every` buckets; in between it takes
    the new buckets as history (`Forecaster.update`). Where it fails the last resort takes its place, for
    all series or for those it failed for.

    Args:
        panel_at: window bucket t -> panel that ends there, always with the same series.
        forecaster: makes a new, unfitted forecaster; None if no policy needs scenarios.
        horizon: buckets to forecast; n_samples: paths; seed: of all draws.
        refit_every: buckets between two fits.

    Attributes:
        failures: row -> why that series was forecast by the last resort at some origin.
        notes: what befell the model as a whole.
    """

    def __init__(
        self,
        panel_at: Callable[[int], Panel],
        forecaster: Callable[[], Forecaster] | None,
        *,
        horizon: int,
        n_samples: int = 200,
        refit_every: int = 13,
        seed: int = 0,
    ) -> None:
        if refit_every < 1:
            raise UsageError(f"refit_every must be at least 1 bucket; got {refit_every}")
        self._panel_at, self._make = panel_at, forecaster
        self.horizon, self.n_samples, self.refit_every, self.seed = horizon, n_samples, refit_every, seed
        self._model: Forecaster | None = None
        self._fitted_at = 0
        self._kept: tuple[int, Panel, Scenarios | None] | None = None
        self._forecasts: list[tuple[int, Floats, Floats]] = []
        self.failures: Failures = {}
        self.notes: list[str] = []

    @property
    def model_name(self) -> str:
        """Name of the model, empty before the first origin."""
        return "" if self._model is None else self._model.name

    def __call__(self, t: int) -> tuple[Panel, Scenarios | None]:
        """What was known at the start of window bucket t."""
        if self._kept is None or self._kept[0] != t:
            panel = self._panel_at(t)
            self._kept = (t, panel, self._scenarios(t, panel))
        return self._kept[1], self._kept[2]

    def _scenarios(self, t: int, panel: Panel) -> Scenarios | None:
        if self._make is None:
            return None
        if self._model is None or t - self._fitted_at >= self.refit_every:
            self._model, failed = fit_or_fall_back(self._make, panel)
            self._fitted_at = t
        else:
            self._model, failed = update_or_fall_back(self._model, panel)
        told = (note for note in (failed, stand_in_note(self._model)) if note)
        self.notes += [note for note in told if note not in self.notes]
        scenarios, rows = sample_or_fall_back(
            self._model,
            lambda: make_forecaster(LAST_RESORT).fit(panel),
            np.arange(panel.n_series),
            self.horizon,
            self.n_samples,
            [self.seed, t],
        )
        self.failures = rows | self.failures
        self._forecasts.append((t, scenarios.mean(), scenarios.quantile(ERROR_LEVELS)))
        return scenarios

    def errors(self, actual: npt.NDArray[Any]) -> dict[str, float]:
        """WAPE, bias and mean pinball loss of all origins against (N, T) actuals (NaN unknown)."""
        if not self._forecasts:
            return {}
        truth, mean, quantile = self._lined_up(actual)
        return {
            "wape": wape(truth, mean),
            "bias": bias(truth, mean),
            "pinball": mean_pinball(truth, quantile, ERROR_LEVELS),
        }

    def coverage(self, actual: npt.NDArray[Any]) -> pl.DataFrame:
        """A row a level: the shares of actuals `below` and `at_or_below` that quantile."""
        shares = []
        if self._forecasts:
            truth, _, quantile = self._lined_up(actual)
            shares = [(level, *coverage(truth, quantile[:, q])) for q, level in enumerate(ERROR_LEVELS)]
        schema = {"level": pl.Float64, "below": pl.Float64, "at_or_below": pl.Float64}
        return pl.DataFrame(shares, schema=schema, orient="row")

    def _lined_up(self, actual: npt.NDArray[Any]) -> tuple[Any, Any, Any]:
        """Actuals, means and quantiles of all origins, element by element."""
        truths, means, quantiles = [], [], []
        for t, mean, quantile in self._forecasts:
            reach = min(mean.shape[1], actual.shape[1] - t)
            truths.append(actual[:, t : t + reach].ravel())
            means.append(mean[:, :reach].ravel())
            quantiles.append(quantile[:, :reach].reshape(-1, len(ERROR_LEVELS)))
        return np.concatenate(truths), np.concatenate(means), np.concatenate(quantiles)


def aligned(panel: Panel, keys: Sequence[tuple[str, str]]) -> Panel:
    """The panel's series in the order of `keys`, all of which it must have."""
    place = {key: row for row, key in enumerate(panel.keys.iter_rows())}
    return panel.take(np.array([place[key] for key in keys], dtype=np.intp))
