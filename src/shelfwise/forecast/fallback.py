"""A model that fails never stops the run: the next, simpler one takes its place, and it is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Panel
from shelfwise.errors import ShelfwiseError
from shelfwise.forecast.attribution import explain
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.chosen import choice_notes, maker_again
from shelfwise.forecast.parts import ForecastParts
from shelfwise.forecast.register import make_forecaster
from shelfwise.forecast.scenarios import Scenarios
from shelfwise.messages import Said, said_of

if TYPE_CHECKING:
    from shelfwise.forecast.auto.report import AutoReport

LAST_RESORT = "moving_average"
CHUNK_FLOATS = 50_000_000
MOST_CHUNK_SERIES = 2048
Failures = dict[int, str]


def fit_or_fall_back(make: Callable[[], Forecaster], panel: Panel) -> tuple[Forecaster, str | None]:
    """A fitted model; where that fails the last resort, and a note of why.

    Raises:
        ShelfwiseError: what the user can put right himself.
    """
    name: str = Said("forecast.asked_for")
    try:
        model = make()
        name = model.name
        return model.fit(panel), None
    except ShelfwiseError:
        raise
    except Exception as error:  # whatever a learner throws must not lose the shop its orders
        return make_forecaster(LAST_RESORT).fit(panel), _failed("model_failed", name, error)


def update_or_fall_back(model: Forecaster, panel: Panel) -> tuple[Forecaster, str | None]:
    """The fitted model with new buckets as history; where that fails the last resort, and a note of why.

    Raises:
        ShelfwiseError: what the user can put right himself.
    """
    try:
        return model.update(panel), None
    except ShelfwiseError:
        raise
    except Exception as error:  # as in fitting
        return make_forecaster(LAST_RESORT).fit(panel), _failed("model_failed", model.name, error)


def sample_or_fall_back(
    model: Forecaster,
    last_resort: Callable[[], Forecaster],
    rows: npt.NDArray[Any],
    horizon: int,
    n_samples: int,
    seed: int | Sequence[int],
) -> tuple[Scenarios, Failures]:
    """Paths of these series, and which of them came from the last resort because theirs were unusable.

    Args:
        last_resort: gives the fitted stand-in; called only where it is needed.

    Raises:
        ShelfwiseError: what the user can put right himself.
    """
    try:
        scenarios = model.sample(horizon, n_samples, np.random.default_rng(seed), rows=rows)
    except ShelfwiseError:
        raise
    except Exception as error:  # as in fitting
        instead = last_resort().sample(horizon, n_samples, np.random.default_rng(seed), rows=rows)
        return instead, dict.fromkeys(map(int, rows), _failed("sample_failed", model.name, error))
    bad = ~np.isfinite(scenarios.paths).all(axis=(1, 2)) | (scenarios.paths < 0).any(axis=(1, 2))
    if scenarios.expected is not None:
        bad |= ~np.isfinite(scenarios.expected).all(axis=1)
    if not bad.any():
        return scenarios, {}
    again = np.flatnonzero(bad)
    instead = last_resort().sample(horizon, n_samples, np.random.default_rng(seed), rows=rows[again])
    scenarios.paths[again] = instead.paths
    if scenarios.expected is not None:
        scenarios.expected[again] = instead.mean()
    if scenarios.models is not None:
        scenarios.models[again] = LAST_RESORT
    reason = Said("forecast.no_usable_paths", model=model.name, instead=LAST_RESORT)
    return scenarios, dict.fromkeys(map(int, rows[again]), reason)


def stand_in_note(model: Forecaster) -> str | None:
    """How many series a fitted model forecasts by a stand-in of its own, if any."""
    if not model.failures:
        return None
    first = next(iter(model.failures.values()))
    return Said("forecast.stand_in", count=len(model.failures), reason=first)


def _failed(how: str, model: str, error: Exception) -> str:
    return Said(f"forecast.{how}", model=model, error=said_of(error), instead=LAST_RESORT)


class SafeForecast:
    """A fitted forecaster with a last resort behind it.

    Args:
        model: a model's name, or what makes the model.
        panel: what to learn from.
        options: passed to a model named.

    Attributes:
        failures: row -> why that series is forecast by the last resort.
        notes: what befell the model as a whole.

    Raises:
        ShelfwiseError: an unknown model, a missing extra: what the user can put right himself.
    """

    def __init__(self, model: str | Callable[[], Forecaster], panel: Panel, **options: Any) -> None:
        self.panel = panel
        self._make = partial(make_forecaster, model, **options) if isinstance(model, str) else model
        self.failures: Failures = {}
        self.notes: list[str] = []
        self._resort: Forecaster | None = None
        self.model, failed = fit_or_fall_back(self._make, panel)
        self.notes += [
            note for note in (failed, *choice_notes(self.model), stand_in_note(self.model)) if note
        ]

    def again(self) -> Callable[[], Forecaster]:
        """What makes the same model unfitted; what a competition has chosen is not chosen again."""
        return maker_again(self.model, self._make)

    def choice(self, lang: str = "en") -> AutoReport | None:
        """Which models `auto` chose and why; None where there was no choice."""
        inner = getattr(self.model, "model", self.model)
        report = getattr(inner, "report", None)
        return None if report is None else report(lang)

    def parts(self, horizon: int, rows: npt.NDArray[Any]) -> ForecastParts:
        """What the expected demand of these series is made of, by the model that forecasts each; see `explain`."""
        found = explain(self.model, horizon, rows)
        lost = np.flatnonzero([int(row) in self.failures for row in rows])
        if len(lost):
            instead = explain(self.last_resort, horizon, rows[lost])
            found.units[lost], found.models[lost] = instead.units, instead.models
        return found

    @classmethod
    def around(cls, model: Forecaster) -> Self:
        """A last resort behind a model that is fitted already, such as one loaded from a file."""
        safe = cls.__new__(cls)
        safe.panel, safe.model = model.panel, model
        safe.failures, safe._resort = {}, None
        safe._make = partial(make_forecaster, model.name)
        safe.notes = [note for note in (*choice_notes(model), stand_in_note(model)) if note]
        return safe

    def update(self, panel: Panel) -> Self:
        """New buckets as history to forecast from, without learning anew; where that fails, the last resort.

        Raises:
            ShelfwiseError: what the user can put right himself.
        """
        self.panel, self.failures, self._resort = panel, {}, None
        self.model, failed = update_or_fall_back(self.model, panel)
        self.notes = [note for note in (failed, stand_in_note(self.model)) if note]
        return self

    @property
    def named_failures(self) -> tuple[tuple[str, str, str], ...]:
        """(sku, location, reason) of the failures."""
        return tuple((*self.panel.keys.row(row), reason) for row, reason in sorted(self.failures.items()))

    @property
    def last_resort(self) -> Forecaster:
        """The moving average, fitted when first needed."""
        if self._resort is None:
            self._resort = make_forecaster(LAST_RESORT).fit(self.panel)
        return self._resort

    def sample(self, rows: npt.NDArray[Any], horizon: int, n_samples: int, seed: int) -> Scenarios:
        """Paths of these series; those whose paths are unusable come from the last resort."""
        scenarios, failed = sample_or_fall_back(
            self.model, lambda: self.last_resort, rows, horizon, n_samples, seed
        )
        self.failures |= failed
        return scenarios

    def chunks(
        self, horizon: int, n_samples: int, seed: int, chunk_series: int | None = None
    ) -> Iterator[tuple[npt.NDArray[np.intp], Scenarios]]:
        """Rows and their scenarios, a chunk at a time; the same bytes whatever the chunk size."""
        fitting = max(1, CHUNK_FLOATS // (n_samples * horizon))
        for rows in self.panel.chunks(chunk_series or min(fitting, MOST_CHUNK_SERIES)):
            yield rows, self.sample(rows, horizon, n_samples, seed)
