"""A model that fails never stops the run: the next, simpler one takes its place, and it is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Panel
from shelfwise.errors import ShelfwiseError
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.register import make_forecaster
from shelfwise.forecast.scenarios import Scenarios

LAST_RESORT = "moving_average"
CHUNK_FLOATS = 50_000_000
MOST_CHUNK_SERIES = 2048
Failures = dict[int, str]


def fit_or_fall_back(make: Callable[[], Forecaster], panel: Panel) -> tuple[Forecaster, str | None]:
    """A fitted model; where that fails the last resort, and a note of why.

    Raises:
        ShelfwiseError: what the user can put right himself.
    """
    name = "asked for"
    try:
        model = make()
        name = model.name
        return model.fit(panel), None
    except ShelfwiseError:
        raise
    except Exception as error:  # whatever a learner throws must not lose the shop its orders
        return make_forecaster(LAST_RESORT).fit(panel), _failed(f"model {name}", error)


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
        return make_forecaster(LAST_RESORT).fit(panel), _failed(f"model {model.name}", error)


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
        return instead, dict.fromkeys(map(int, rows), _failed(model.name, error))
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
    reason = f"{model.name} gave no usable paths; used {LAST_RESORT}"
    return scenarios, dict.fromkeys(map(int, rows[again]), reason)


def stand_in_note(model: Forecaster) -> str | None:
    """How many series a fitted model forecasts by a stand-in of its own, if any."""
    if not model.failures:
        return None
    first = next(iter(model.failures.values()))
    return f"{len(model.failures)} series forecast by a stand-in, the first: {first}"


def _failed(what: str, error: Exception) -> str:
    return f"{what} failed ({type(error).__name__}: {error}); used {LAST_RESORT}"


class SafeForecast:
    """A fitted forecaster with a last resort behind it.

    Args:
        name: model name, or `auto`.
        panel: what to learn from.
        options: passed to the model.

    Attributes:
        failures: row -> why that series is forecast by the last resort.
        notes: what befell the model as a whole.

    Raises:
        ShelfwiseError: an unknown model, a missing extra: what the user can put right himself.
    """

    def __init__(self, name: str, panel: Panel, **options: Any) -> None:
        self.panel = panel
        self.failures: Failures = {}
        self.notes: list[str] = []
        self._resort: Forecaster | None = None
        self.model, failed = fit_or_fall_back(lambda: make_forecaster(name, **options), panel)
        self.notes += [note for note in (failed, stand_in_note(self.model)) if note]

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
