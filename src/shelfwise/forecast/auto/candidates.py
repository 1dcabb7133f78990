"""Who competes: cheap models first, dear ones only in shops small enough for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.forecast.auto.effort import Effort
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.register import FORECASTERS, make_forecaster

Make = Callable[[], Forecaster]
Models = Sequence[str] | Mapping[str, Make]


@dataclass(frozen=True)
class Candidate:
    """A model that may compete.

    Attributes:
        label: what reports call it.
        make: a new, unfitted forecaster.
        effort: what it costs, None if that has to be timed.
    """

    label: str
    make: Make
    effort: Effort | None = None


@dataclass(frozen=True)
class Preset:
    """When a registered model competes without being asked for.

    Attributes:
        model, options: what to make; effort: what it costs.
        least_buckets: history below which it has nothing to go by.
        least_values: known buckets of demand, over all series, below which it would learn noise.
        most_series: shops larger than this would wait too long.
    """

    model: str
    effort: Effort
    label: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    least_buckets: int = 2
    least_values: int = 2
    most_series: float = float("inf")


# On folds of VN2, networks were level with the boosted model from some 40 series of two years on. A start this dear
# is not paid anew at every origin.
NETWORK = Effort(start=4.1, fit=75.0, update=0.2, draw=2.7)
NEXT_TO_NOTHING = Effort(start=0.0, fit=0.03, update=0.03, draw=0.05)
# In the order of their cost.
PRESETS = (
    # Whoever has learnt next to nothing still has to say something.
    Preset("moving_average", NEXT_TO_NOTHING, least_buckets=0, least_values=0),
    Preset(
        "moving_average", NEXT_TO_NOTHING, "moving_average seasonal", {"seasonal": True}, least_buckets=14
    ),
    Preset("seasonal_naive", NEXT_TO_NOTHING, least_buckets=14),
    Preset("tsb", NEXT_TO_NOTHING, least_buckets=8),
    Preset("sba", NEXT_TO_NOTHING, least_buckets=8),
    Preset("theta", Effort(0.0, fit=0.2, update=0.2, draw=0.05), least_buckets=8),
    Preset("ets", Effort(0.0, fit=0.8, update=0.8, draw=0.05), least_buckets=8),
    Preset("ces", Effort(1.0, fit=70.0, update=70.0, draw=5.0), least_buckets=16, most_series=100),
    Preset("mstl", Effort(1.0, fit=70.0, update=70.0, draw=13.0), least_buckets=28, most_series=100),
    Preset("gbm", Effort(1.0, fit=25.0, update=0.5, draw=0.1, most=4e6), least_buckets=24, least_values=1000),
    Preset("lstm", NETWORK, least_buckets=60, least_values=4000, most_series=1000),
    Preset("gru", NETWORK, least_buckets=60, least_values=4000, most_series=1000),
    Preset("arima", Effort(1.0, fit=1000.0, update=1000.0, draw=20.0), least_buckets=16, most_series=10),
)
_EFFORT = {preset.model: preset.effort for preset in PRESETS}


def candidates_for(panel: Panel, models: Models | None) -> tuple[list[Candidate], dict[str, str]]:
    """Who competes on this panel, cheap ones first, and (label -> code) of those left out and why.

    Models named by the caller all compete, in the order given.

    Raises:
        UsageError: no model, or an unknown one.
    """
    if models is None:
        return _presets_for(panel)
    if not models:
        raise UsageError("models is empty: name at least one, or leave it out for all that fit the data")
    if isinstance(models, Mapping):
        return [Candidate(label, make) for label, make in models.items()], {}
    for name in models:
        if name == "auto" or name not in FORECASTERS:
            choices = ", ".join(FORECASTERS)
            raise UsageError(f"models may hold {choices}; got {name!r}")
    return [
        Candidate(name, partial(make_forecaster, name), _EFFORT.get(name)) for name in dict.fromkeys(models)
    ], {}


def _presets_for(panel: Panel) -> tuple[list[Candidate], dict[str, str]]:
    values = int((panel.demand == panel.demand).sum())
    chosen, left_out = [], {}
    for preset in PRESETS:
        label = preset.label or preset.model
        if preset.model not in FORECASTERS:
            continue
        if panel.n_buckets < preset.least_buckets or values < preset.least_values:
            left_out[label] = "too_little_history"
        elif panel.n_series > preset.most_series:
            left_out[label] = "too_many_series"
        else:
            make = partial(make_forecaster, preset.model, **preset.options)
            chosen.append(Candidate(label, make, preset.effort))
    return chosen, left_out
