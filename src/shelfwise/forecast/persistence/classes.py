"""Which classes of ours may stand in a model file, by name: the loader makes these and no others.

A file names a class by its entry here and never by a path to import. What an object leaves out of its file,
because it can be had again or was only kept at hand, stands beside its class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol, TypeVar, runtime_checkable

from shelfwise.errors import UsageError


@runtime_checkable
class OwnState(Protocol):
    """The hook for a class that holds what a file cannot, such as a network.

    `saved_state` gives what to keep, made of what can be saved: numbers, text, dates, arrays, lists, tuples,
    dicts, sets, frames and objects of known classes. `restore_state` gets the same on an object whose `__init__`
    has not run. A torch module goes as its constructor's arguments and its `state_dict` as NumPy arrays.
    """

    def saved_state(self) -> dict[str, Any]:
        """What makes this object up, in savable parts."""

    def restore_state(self, state: dict[str, Any]) -> None:
        """Become the object that gave `state`."""


@dataclass(frozen=True)
class Savable:
    """How objects of a class go into a file.

    Attributes:
        place: ``module:Class``.
        version: raised whenever the attributes of the class change their meaning.
        fresh: attributes that are not saved, and what makes them anew.
        rebuild: called on the loaded object, for what is derived from the rest.
    """

    place: str
    version: int = 1
    fresh: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    rebuild: Callable[[Any], None] | None = None

    def load(self) -> type[Any]:
        """The class, imported now."""
        module, _, name = self.place.partition(":")
        found: type[Any] = getattr(import_module(module), name)
        return found


def _look_again(model: Any) -> None:
    """A boosted model reads all it needs of its panel again, through the columns its trees were fitted on."""
    if hasattr(model, "_table"):
        model._look_at(model.panel, like=model._table)


def _nothing() -> None:
    """An attribute that begins as None."""


_FORECAST = "shelfwise.forecast."
CLASSES: dict[str, Savable] = {
    "Bucket": Savable("shelfwise.buckets:Bucket"),
    "Panel": Savable("shelfwise.demand.panel:Panel"),
    "Known": Savable("shelfwise.demand.panel:Known"),
    "Shortages": Savable("shelfwise.demand.shortages:Shortages"),
    "Observed": Savable("shelfwise.demand.behaviour:Observed"),
    "Hierarchy": Savable("shelfwise.demand.hierarchy:Hierarchy"),
    "SafeForecast": Savable(_FORECAST + "fallback:SafeForecast", fresh={"_resort": _nothing}),
    "SeasonalNaive": Savable(_FORECAST + "naive:SeasonalNaive"),
    "MovingAverage": Savable(_FORECAST + "moving_average:MovingAverage"),
    "ResidualPool": Savable(
        _FORECAST + "residual_pool:ResidualPool", fresh={"_banks": dict, "_launches": dict}
    ),
    "ETS": Savable(_FORECAST + "classical.ets:ETS"),
    "Theta": Savable(_FORECAST + "classical.theta:Theta"),
    "Croston": Savable(_FORECAST + "classical.intermittent:Croston"),
    "SBA": Savable(_FORECAST + "classical.intermittent:SBA"),
    "TSB": Savable(_FORECAST + "classical.intermittent:TSB"),
    "ADIDA": Savable(_FORECAST + "classical.intermittent:ADIDA"),
    "IMAPA": Savable(_FORECAST + "classical.intermittent:IMAPA"),
    "ARIMA": Savable(_FORECAST + "classical.statsforecast_models:ARIMA"),
    "CES": Savable(_FORECAST + "classical.statsforecast_models:CES"),
    "MSTL": Savable(_FORECAST + "classical.statsforecast_models:MSTL"),
    "SeasonAndTrend": Savable(_FORECAST + "classical.statsforecast_models:SeasonAndTrend"),
    "LSTM": Savable(_FORECAST + "deep.estimator:LSTM"),
    "GRU": Savable(_FORECAST + "deep.estimator:GRU"),
    "GradientBoosting": Savable(
        _FORECAST + "gbm.forecaster:GradientBoosting",
        fresh={
            **dict.fromkeys(("failures", "_ahead"), dict),
            **dict.fromkeys(("_place", "_whole", "_is_new", "_newcomers"), _nothing),
        },
        rebuild=_look_again,
    ),
    "TreeSettings": Savable(_FORECAST + "gbm.booster:TreeSettings"),
    "Booster": Savable(_FORECAST + "gbm.booster:Booster"),
    "Spread": Savable(_FORECAST + "gbm.spread:Spread"),
    "NewItemForecaster": Savable(_FORECAST + "newcomers:NewItemForecaster"),
    "Launches": Savable(_FORECAST + "newcomers:Launches"),
    "Traits": Savable(_FORECAST + "likeness:Traits"),
    "Reconciled": Savable(
        _FORECAST + "reconcile.forecaster:Reconciled", fresh={"_plan": _nothing, "_plan_for": _nothing}
    ),
    # Whoever judges orders holds the shop's tables; a model that is to be fitted by cost again is made anew.
    "AutoForecaster": Savable(
        _FORECAST + "auto.forecaster:AutoForecaster", fresh={"_judge": _nothing, "_fixed": _nothing}
    ),
    "Contest": Savable(_FORECAST + "auto.report:Contest"),
    "Evidence": Savable(_FORECAST + "auto.competition:Evidence"),
    "Round": Savable(_FORECAST + "auto.competition:Round"),
    "LeftOut": Savable(_FORECAST + "auto.competition:LeftOut"),
    "Choice": Savable(_FORECAST + "auto.choice:Choice"),
    "Calibrated": Savable(_FORECAST + "calibration.calibrated:Calibrated"),
    "ConformalCalibrator": Savable(_FORECAST + "calibration.calibrator:ConformalCalibrator"),
    "Correction": Savable(_FORECAST + "calibration.correction:Correction"),
    "Kinds": Savable(_FORECAST + "calibration.calibrator:Kinds"),
    "MinMax": Savable(_FORECAST + "scaling:MinMax"),
    "Standard": Savable(_FORECAST + "scaling:Standard"),
}
# Functions and modules that objects of ours hold; anything else callable stays behind.
FUNCTIONS = {
    "make_forecaster": _FORECAST + "register:make_forecaster",
    "perf_counter": "time:perf_counter",
}
MODULES = ("statsforecast.models",)

Class = TypeVar("Class", bound=type[Any])


def allow(kind: Class) -> Class:
    """Let objects of a class of your own be saved; a decorator. It must have run before a file is loaded.

    Without `saved_state` and `restore_state` (see `OwnState`) all attributes are kept.

    Raises:
        UsageError: the class is inside a function, where a file could not name it.

    Example:
        >>> from shelfwise.forecast.moving_average import MovingAverage
        >>> @allow
        ... class LastQuarter(MovingAverage):
        ...     name = "last_quarter"
        >>> tag_of(LastQuarter) == f"{__name__}.LastQuarter"
        True
    """
    tag = f"{kind.__module__}.{kind.__qualname__}"
    if "<locals>" in kind.__qualname__:
        raise UsageError(
            f"allow() takes classes at the top of a module; {kind.__qualname__} is inside a function"
        )
    _ALLOWED[tag] = kind
    return kind


_ALLOWED: dict[str, type[Any]] = {}


def tag_of(kind: type[Any]) -> str | None:
    """The name under which a class goes into files, None for one that may not."""
    own = f"{kind.__module__}.{kind.__qualname__}"
    return own if _ALLOWED.get(own) is kind else _TAGS.get(f"{kind.__module__}:{kind.__qualname__}")


def savable(tag: str) -> tuple[type[Any], Savable]:
    """The class behind a name, and how it is saved.

    Raises:
        KeyError: no such name.
    """
    if tag in _ALLOWED:
        kind = _ALLOWED[tag]
        return kind, Savable(f"{kind.__module__}:{kind.__qualname__}")
    return CLASSES[tag].load(), CLASSES[tag]


_TAGS = {entry.place: tag for tag, entry in CLASSES.items()}
