"""`ForecastContest`: the model in use and the simple ones beside it, at the same origins."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy.typing as npt
import polars as pl

from shelfwise.demand.panel import Panel
from shelfwise.evaluate.rolling import RollingForecast
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.fallback import Failures
from shelfwise.forecast.register import make_forecaster
from shelfwise.forecast.scenarios import Scenarios
from shelfwise.messages import Said

RIVALS = ("seasonal_naive", "moving_average")
SCORES = {"model": pl.String, "wape": pl.Float64, "bias": pl.Float64, "pinball": pl.Float64}


class ForecastContest:
    """Gives a replay what the model in use knew, and lets the rivals forecast along.

    Args:
        panel_at: window bucket -> panel that ends there.
        forecaster: makes the model in use; None if no policy needs scenarios, and then nobody forecasts.
        options: see `RollingForecast`.
    """

    def __init__(
        self, panel_at: Callable[[int], Panel], forecaster: Callable[[], Forecaster] | None, **options: Any
    ) -> None:
        self._panel_at = panel_at
        self._kept: tuple[int, Panel] | None = None
        self.in_use = RollingForecast(self._panel, forecaster, **options)
        self._options = options
        self._rivals: dict[str, RollingForecast] | None = None if forecaster else {}

    def _panel(self, t: int) -> Panel:
        """One panel an origin, shared by all models."""
        if self._kept is None or self._kept[0] != t:
            self._kept = (t, self._panel_at(t))
        return self._kept[1]

    def __call__(self, t: int) -> tuple[Panel, Scenarios | None]:
        """What was known at the start of window bucket t."""
        known = self.in_use(t)
        if self._rivals is None:
            # The name of the model in use is known once it is made; it need not forecast twice.
            self._rivals = {
                name: RollingForecast(self._panel, partial(make_forecaster, name), **self._options)
                for name in RIVALS
                if name != self.in_use.model_name
            }
        for rival in self._rivals.values():
            rival(t)
        return known

    @property
    def rivals(self) -> dict[str, RollingForecast]:
        """The simple models by name, without the one in use; none before the first origin."""
        return self._rivals or {}

    @property
    def failures(self) -> Failures:
        """Row -> why the model in use left that series to the last resort."""
        return self.in_use.failures

    @property
    def notes(self) -> tuple[str, ...]:
        """What befell the models, each thing once."""
        told = [note for model in (self.in_use, *self.rivals.values()) for note in model.notes]
        for name, rival in self.rivals.items():
            if rival.failures:
                first = next(iter(rival.failures.values()))
                told.append(
                    Said("backtest.rival_failed", model=name, count=len(rival.failures), reason=first)
                )
        return tuple(dict.fromkeys(told))

    def scores(self, actual: npt.NDArray[Any]) -> pl.DataFrame:
        """A row a model, the one in use first: `model, wape, bias, pinball`; empty if nobody forecast."""
        if not self.in_use.model_name:
            return pl.DataFrame(schema=SCORES)
        rows: list[dict[str, Any]] = [{"model": self.in_use.model_name, **self.in_use.errors(actual)}]
        rows += [
            {"model": name, **rival.errors(actual)}
            for name, rival in self.rivals.items()
            if name != self.in_use.model_name
        ]
        return pl.DataFrame(rows, schema=SCORES)
