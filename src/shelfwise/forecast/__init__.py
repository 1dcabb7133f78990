"""Forecasts as scenarios: the register of methods and the nouns they share."""

from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.register import FORECASTERS, forecaster_names, make_forecaster
from shelfwise.forecast.scenarios import Scenarios

__all__ = ["FORECASTERS", "Forecaster", "Scenarios", "forecaster_names", "make_forecaster"]
