"""A model that fails never stops the run: the next, simpler one takes its place, and it is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
        note = f"model {name} failed ({type(error).__name__}: {error}); used {LAST_RESORT}"
        return make_forecaster(LAST_RESORT).fit(panel), note


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
        if failed:
            self.notes.append(failed)
        if self.model.failures:
            self.notes.append(
                f"{len(self.model.failures)} series forecast by a stand-in, the first: "
                f"{next(iter(self.model.failures.values()))}"
            )

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
        try:
            scenarios = self.model.sample(horizon, n_samples, np.random.default_rng(seed), rows=rows)
        except ShelfwiseError:
            raise
        except Exception as error:  # as in fitting
            reason = f"{self.model.name} failed ({type(error).__name__}: {error}); used {LAST_RESORT}"
            self.failures |= {int(row): reason for row in rows}
            return self.last_resort.sample(horizon, n_samples, np.random.default_rng(seed), rows=rows)
        bad = ~np.isfinite(scenarios.paths).all(axis=(1, 2)) | (scenarios.paths < 0).any(axis=(1, 2))
        if scenarios.expected is not None:
            bad |= ~np.isfinite(scenarios.expected).all(axis=1)
        if not bad.any():
            return scenarios
        again = np.flatnonzero(bad)
        instead = self.last_resort.sample(horizon, n_samples, np.random.default_rng(seed), rows=rows[again])
        scenarios.paths[again] = instead.paths
        if scenarios.expected is not None:
            scenarios.expected[again] = instead.mean()
        if scenarios.models is not None:
            scenarios.models[again] = LAST_RESORT
        for row in rows[again]:
            self.failures[int(row)] = f"{self.model.name} gave no usable paths; used {LAST_RESORT}"
        return scenarios

    def chunks(
        self, horizon: int, n_samples: int, seed: int, chunk_series: int | None = None
    ) -> Iterator[tuple[npt.NDArray[np.intp], Scenarios]]:
        """Rows and their scenarios, a chunk at a time; the same bytes whatever the chunk size."""
        fitting = max(1, CHUNK_FLOATS // (n_samples * horizon))
        for rows in self.panel.chunks(chunk_series or min(fitting, MOST_CHUNK_SERIES)):
            yield rows, self.sample(rows, horizon, n_samples, seed)
