"""`Forecaster`: the seam every forecasting method stands behind.

A method implements `fit` and `_sample_rows`; everything else here is shared. Randomness is a function
of (root seed, series, sample, step), so the paths of a series do not depend on its neighbours, on the
order of rows, on chunks or on threads.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.forecast.scenarios import Floats, Scenarios


class Forecaster(ABC):
    """Fit on a panel, then draw joint, non-negative, finite sample paths.

    Promises, checked for every registered forecaster: the same seed gives the same bytes; shuffling
    series shuffles results; masked demand (NaN) is never read as zero; one observation, only zeros,
    a constant and a huge spike all give a forecast.
    """

    name: ClassVar[str]
    panel: Panel

    def __init__(self) -> None:
        self.failures: dict[int, str] = {}

    @abstractmethod
    def fit(self, panel: Panel) -> Self:
        """Learn from the panel and keep it as the history to forecast from."""

    @abstractmethod
    def _sample_rows(
        self, rows: npt.NDArray[np.intp], horizon: int, n_samples: int, root: int
    ) -> tuple[Floats, Floats | None]:
        """Paths (len(rows), S, H) and, where the model has one, its own mean (len(rows), H)."""

    def update(self, panel: Panel) -> Self:
        """Take new buckets as history to forecast from, without learning anew."""
        self.panel = panel
        return self

    def save(self, path: str | Path) -> None:
        """Write the fitted model to a file that holds no code; `shelfwise.forecast.persistence.load` reads it."""
        from shelfwise.forecast.persistence import save

        save(self, path)

    def sample(
        self,
        horizon: int,
        n_samples: int,
        rng: np.random.Generator,
        rows: npt.NDArray[Any] | None = None,
    ) -> Scenarios:
        """Draw `n_samples` paths of `horizon` buckets for all series, or for those in `rows`."""
        every = np.arange(self.panel.n_series) if rows is None else np.asarray(rows)
        return self._draw(every, horizon, n_samples, self._root(rng, horizon, n_samples))

    def sample_chunks(
        self, horizon: int, n_samples: int, rng: np.random.Generator, chunk_series: int = 2048
    ) -> Iterator[Scenarios]:
        """`sample`, handed on in chunks of series; joined, the chunks equal `sample` byte for byte."""
        root = self._root(rng, horizon, n_samples)
        for rows in self.panel.chunks(chunk_series):
            yield self._draw(rows, horizon, n_samples, root)

    def _root(self, rng: np.random.Generator, horizon: int, n_samples: int) -> int:
        if horizon < 1 or n_samples < 1:
            raise UsageError(f"horizon and n_samples must be at least 1; got {horizon} and {n_samples}")
        return int(rng.integers(0, 2**63 - 1))

    def _draw(self, rows: npt.NDArray[Any], horizon: int, n_samples: int, root: int) -> Scenarios:
        paths, expected = self._sample_rows(rows, horizon, n_samples, root)
        self._silence_ended(rows, paths, expected)
        return Scenarios(
            keys=self.panel.keys[rows],
            bucket=self.panel.bucket,
            start=self.panel.as_of,
            paths=paths,
            expected=expected,
            models=np.full(len(rows), self.name, dtype=object),
        )

    def _silence_ended(self, rows: npt.NDArray[Any], paths: Floats, expected: Floats | None) -> None:
        """Nothing is demanded once an item has ended, whatever the model says."""
        step = self.panel.n_buckets + np.arange(paths.shape[2])
        over = (step[None, :] >= self.panel.ends[rows][:, None]) | (
            step[None, :] < self.panel.launched[rows][:, None]
        )
        if over.any():
            paths *= ~over[:, None, :]
            if expected is not None:
                expected *= ~over
