"""The time budget: what a model would cost, told from two small fits, and what is left to spend."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.forecast.auto.candidates import Candidate
from shelfwise.forecast.auto.held_out import known_at

Clock = Callable[[], float]
WARM_SERIES, SMALL, LARGE = 2, 32, 128


@dataclass(frozen=True)
class Job:
    """What a competition asks of each model.

    Attributes:
        panel: everything; scored: rows to judge on; origins, horizon, n_samples: see `held_out_forecasts`.
    """

    panel: Panel
    scored: np.ndarray[tuple[int], np.dtype[np.intp]]
    origins: tuple[int, ...]
    horizon: int
    n_samples: int


@dataclass
class Budget:
    """Seconds that may be spent, if there is a limit at all.

    The last fits on all history are paid from it too, so their cost is set aside as soon as a model
    has competed: whoever wins can be fitted.

    Args:
        seconds: None = no limit; then the clock is never read, and results cannot depend on it.
        clock: reads seconds.

    Raises:
        UsageError: `seconds` is not above 0.
    """

    seconds: float | None = None
    clock: Clock = time.perf_counter
    set_aside: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        if self.seconds is not None and not self.seconds > 0:
            raise UsageError(f"time_budget_seconds must be above 0, or None for no limit; got {self.seconds}")
        self._began = 0.0 if self.seconds is None else self.clock()

    @property
    def left(self) -> float:
        """Seconds neither spent nor set aside."""
        if self.seconds is None:
            return float("inf")
        return self.seconds - (self.clock() - self._began) - self.set_aside

    def refuses(self, candidate: Candidate, job: Job) -> tuple[float, float] | None:
        """Seconds (predicted, left) of a model too dear to start, else None and its last fit is set aside."""
        if self.seconds is None:
            return None
        least = self._time(candidate, job, WARM_SERIES)
        if sum(least) > self.left:
            return sum(least), max(self.left, 0.0)
        competing, last_fit = self._predicted(candidate, job)
        left = self.left
        if competing + last_fit > left:
            return competing + last_fit, max(left, 0.0)
        self.set_aside += last_fit
        return None

    def _predicted(self, candidate: Candidate, job: Job) -> tuple[float, float]:
        """Seconds of the competition and of the last fit: straight lines through two timings."""
        small, large = min(job.panel.n_series, SMALL), min(job.panel.n_series, LARGE)
        first = self._time(candidate, job, small)
        second = self._time(candidate, job, large) if large > small else first
        fit, update, draw = (
            Line.through(small, one, large, other) for one, other in zip(first, second, strict=True)
        )
        rounds, scored, n = len(job.origins), len(job.scored), job.panel.n_series
        learnt = scored if getattr(candidate.make(), "local", False) else n
        competing = fit.at(learnt) + (rounds - 1) * update.at(learnt) + rounds * draw.at(scored)
        return competing, fit.at(n)

    def _time(self, candidate: Candidate, job: Job, n_series: int) -> tuple[float, float, float]:
        """Seconds to fit, to update and to draw for a few series, evenly spread."""
        rows = np.linspace(0, job.panel.n_series - 1, min(n_series, job.panel.n_series)).astype(np.intp)
        panel = known_at(job.panel.take(rows), job.origins[-1], job.horizon)
        began = self.clock()
        model = candidate.make().fit(panel)
        fitted = self.clock()
        model = model.update(panel)
        updated = self.clock()
        model.sample(job.horizon, job.n_samples, np.random.default_rng(0))
        return fitted - began, updated - fitted, self.clock() - updated


@dataclass(frozen=True)
class Line:
    """Seconds as a straight line in the number of series."""

    base: float
    slope: float

    @classmethod
    def through(cls, x: int, y: float, other_x: int, other_y: float) -> Line:
        """Through two timings; one timing alone is taken to grow with the number of series."""
        if other_x == x:
            return cls(0.0, y / x)
        slope = max((other_y - y) / (other_x - x), 0.0)
        return cls(max(y - slope * x, 0.0), slope)

    def at(self, x: int) -> float:
        """Seconds for x series."""
        return self.base + self.slope * x
