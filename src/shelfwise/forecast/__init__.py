"""Forecasts as scenarios: the register of methods and the nouns they share.

The room bears the name of the verb `shelfwise.forecast`, so the module can be called and is the verb.
"""

from __future__ import annotations

import sys
from importlib import import_module
from inspect import Signature, signature
from types import ModuleType
from typing import Any

from shelfwise.forecast.attribution import explain
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.parts import ForecastParts
from shelfwise.forecast.register import FORECASTERS, forecaster_names, make_forecaster
from shelfwise.forecast.request import ModelRequest
from shelfwise.forecast.scenarios import Scenarios

__all__ = [
    "FORECASTERS",
    "ForecastParts",
    "Forecaster",
    "ModelRequest",
    "Scenarios",
    "explain",
    "forecaster_names",
    "make_forecaster",
]


class _CallableRoom(ModuleType):
    @property
    def __signature__(self) -> Signature:
        """That of the verb, for editors and notebooks."""
        return signature(import_module("shelfwise.planner").forecast)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """`shelfwise.planner.forecast`."""
        return import_module("shelfwise.planner").forecast(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableRoom
