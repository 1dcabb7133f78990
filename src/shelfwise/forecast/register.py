"""Names to forecasters: one small register that lists the choices on a miss."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from importlib import import_module
from typing import Any

from shelfwise.errors import UsageError
from shelfwise.forecast.base import Forecaster

# name -> "module:class"; modules load when the name is asked for, so that importing stays light.
FORECASTERS: dict[str, str] = {
    "seasonal_naive": "shelfwise.forecast.naive:SeasonalNaive",
    "moving_average": "shelfwise.forecast.moving_average:MovingAverage",
    "gbm": "shelfwise.forecast.gbm.forecaster:GradientBoosting",
    "ets": "shelfwise.forecast.classical.ets:ETS",
    "theta": "shelfwise.forecast.classical.theta:Theta",
    "croston": "shelfwise.forecast.classical.intermittent:Croston",
    "sba": "shelfwise.forecast.classical.intermittent:SBA",
    "tsb": "shelfwise.forecast.classical.intermittent:TSB",
    "adida": "shelfwise.forecast.classical.intermittent:ADIDA",
    "imapa": "shelfwise.forecast.classical.intermittent:IMAPA",
    "arima": "shelfwise.forecast.classical.statsforecast_models:ARIMA",
    "ces": "shelfwise.forecast.classical.statsforecast_models:CES",
    "mstl": "shelfwise.forecast.classical.statsforecast_models:MSTL",
    "lstm": "shelfwise.forecast.deep.estimator:LSTM",
    "gru": "shelfwise.forecast.deep.estimator:GRU",
}
# What forecasts where nobody says what should.
DEFAULT_MODEL = "gbm"
AUTO = "auto"
AUTO_PLACE = "shelfwise.forecast.auto.forecaster:AutoForecaster"


def forecaster_names() -> list[str]:
    """All names `make_forecaster` knows."""
    return [AUTO, *FORECASTERS]


def make_forecaster(name: str, **options: Any) -> Forecaster:
    """A new forecaster by name; ``auto`` lets models compete (`AutoForecaster`).

    Example:
        >>> make_forecaster("seasonal_naive").name
        'seasonal_naive'
    """
    if name not in FORECASTERS and name != AUTO:
        close = difflib.get_close_matches(name, forecaster_names(), n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise UsageError(f"unknown model {name!r}; the choices are {', '.join(forecaster_names())}.{hint}")
    module, _, attribute = FORECASTERS.get(name, AUTO_PLACE).partition(":")
    maker: Callable[..., Forecaster] = getattr(import_module(module), attribute)
    return maker(**options)
