"""The time budget: what a model would cost, and what is left to spend.

Models of ours tell their cost by the size of the data (`Effort`); others are timed on two small fits.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.forecast.auto.candidates import Candidate
from shelfwise.forecast.auto.effort import Effort
from shelfwise.forecast.auto.held_out import known_at

Clock = Callable[[], float]
WARM_SERIES, SMALL, LARGE = 2, 32, 128


@dataclass(frozen=True)
class Job:
    """What a competition asks of each model.

    Attributes:
        panel: the series that compete; scored: rows to judge on; origins, horizon, n_samples: see
            `held_out_forecasts`.
        series: how many series the winners are fitted on in the end.
    """

    panel: Panel
    scored: np.ndarray[tuple[int], np.dtype[np.intp]]
    origins: tuple[int, ...]
    horizon: int
    n_samples: int
    series: int


@dataclass
class Budget:
    """Seconds that may be spent, if there is a limit at all.

    The last fits on all history are paid from it too, so their cost is set aside as soon as a model
    has competed: whoever wins can be fitted.

    Args:
        seconds: None = no limit.
        clock: reads seconds; only asked about models that do not tell their effort.

    Raises:
        UsageError: `seconds` is not above 0.
    """

    seconds: float | None = None
    clock: Clock = time.perf_counter
    spent: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        if self.seconds is not None and not self.seconds > 0:
            raise UsageError(f"time_budget_seconds must be above 0, or None for no limit; got {self.seconds}")

    @property
    def left(self) -> float:
        """Seconds neither spent nor set aside."""
        return float("inf") if self.seconds is None else self.seconds - self.spent

    def refuses(self, candidate: Candidate, job: Job) -> tuple[float, float] | None:
        """Seconds (predicted, left) of a model too dear to start, else None and it is paid for."""
        if self.seconds is None:
            return None
        if candidate.effort is None:
            least = sum(self._time(candidate, job, WARM_SERIES))
            predicted = self._predicted(candidate, job) if least <= self.left else least
        else:
            predicted = _told(candidate.effort, job)
        if predicted > self.left:
            return predicted, max(self.left, 0.0)
        self.spent += predicted
        return None

    def _predicted(self, candidate: Candidate, job: Job) -> float:
        """Seconds of the competition and of the last fit: straight lines through two timings."""
        small, large = min(job.panel.n_series, SMALL), min(job.panel.n_series, LARGE)
        first = self._time(candidate, job, small)
        second = self._time(candidate, job, large) if large > small else first
        fit, update, draw = (
            Line.through(small, one, large, other) for one, other in zip(first, second, strict=True)
        )
        rounds, scored = len(job.origins), len(job.scored)
        learnt = scored if getattr(candidate.make(), "local", False) else job.panel.n_series
        competing = fit.at(learnt) + (rounds - 1) * update.at(learnt) + rounds * draw.at(scored)
        return competing + fit.at(job.series)

    def _time(self, candidate: Candidate, job: Job, n_series: int) -> tuple[float, float, float]:
        """Seconds to fit, to update and to draw for a few series, evenly spread; these are spent already."""
        rows = np.linspace(0, job.panel.n_series - 1, min(n_series, job.panel.n_series)).astype(np.intp)
        panel = known_at(job.panel.take(rows), job.origins[-1], job.horizon)
        began = self.clock()
        model = candidate.make().fit(panel)
        fitted = self.clock()
        model = model.update(panel)
        updated = self.clock()
        model.sample(job.horizon, job.n_samples, np.random.default_rng(0))
        drawn = self.clock()
        self.spent += drawn - began
        return fitted - began, updated - fitted, drawn - updated


def _told(effort: Effort, job: Job) -> float:
    """Seconds of the competition and of the last fit of a model that tells its effort."""
    history = job.panel.n_buckets
    competing = effort.competing(
        job.panel.n_series, len(job.scored), history, job.horizon, job.n_samples, len(job.origins)
    )
    return competing + effort.fitting(job.series, history)


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
