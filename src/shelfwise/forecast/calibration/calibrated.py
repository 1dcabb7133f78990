"""`Calibrated`: any forecaster, its paths corrected by how its own held-out forecasts fared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.forecast.auto.demand_classes import demand_classes
from shelfwise.forecast.auto.held_out import (
    LEVELS,
    held_out_forecasts,
    held_out_horizon,
    rolling_origins,
)
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.calibration.calibrator import ConformalCalibrator, Interval, Kinds
from shelfwise.forecast.chosen import choice_notes, maker_again
from shelfwise.forecast.scenarios import Floats, Scenarios
from shelfwise.messages import Said

SAMPLES = 100
MOST_FORECASTS = 2000


class Calibrated(Forecaster):
    """Fits a forecaster at past origins, to learn how its quantiles miss; then on all history.

    At each origin it is fitted anew, as it will be in the end: what a model fitted half a year ago misses is its age,
    and to correct a fresh one by that does harm. A correction is kept only if, learnt at the other origins, it
    lowers the pinball loss at those left out, and only as far as that gain is certain: by James & Stein's
    factor 1 - (standard error / gain)^2, since what was wrong in one season is no reason to expect it in the next. A
    forecaster that learns its spread from held-out forecasts of its own, as `gbm` does, has little to gain.

    Attributes:
        gain: share of pinball loss the correction saved that way; None: nothing or a single origin could be held
            out.
        trust: 0 … 1, how much of the correction is kept.

    Args:
        make: a new, unfitted forecaster.
        horizon: buckets to judge; None = what the panel prepares, else 28 days, 13 weeks or 6 months. Later
            buckets are corrected as the last one judged.
        intervals: sums over (first, last) to be calibrated, such as the lead time and what it protects.
        origins: past origins, the more of them the fewer series there are.
        seed: of the held-out forecasts.

    Raises:
        UsageError: an interval without a bucket, a horizon or number of origins below 1.

    Example:
        >>> import numpy as np
        >>> from shelfwise.forecast.moving_average import MovingAverage
        >>> demand = np.random.default_rng(1).poisson(5, (60, 60))
        >>> model = Calibrated(MovingAverage, horizon=4, intervals=[(0, 3)]).fit(Panel.from_arrays(demand))
        >>> scenarios = model.sample(4, 100, np.random.default_rng(0))
        >>> scenarios.paths.shape, model.total_quantile(scenarios, 0, 3, [0.5, 0.9]).shape
        ((60, 100, 4), (60, 2))
    """

    name: ClassVar[str] = "calibrated"

    def __init__(
        self,
        make: Callable[[], Forecaster],
        horizon: int | None = None,
        intervals: Sequence[Interval] = (),
        origins: int = 4,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if origins < 1 or (horizon is not None and horizon < 1):
            raise UsageError(f"horizon and origins must be at least 1; got {horizon} and {origins}")
        self._make, self.horizon, self.origins, self.seed = make, horizon, origins, seed
        self.calibrator = ConformalCalibrator(intervals, seed)
        self.gain: float | None = None
        self.trust = 0.0

    def fit(self, panel: Panel) -> Self:
        """Learn the correction on held-out forecasts, then fit on all history."""
        self.calibrator = ConformalCalibrator(self.calibrator.intervals, self.seed)
        self.gain, self.trust = None, 0.0
        self._learn(panel)
        self._model = self._make().fit(panel)
        self._take(panel)
        return self

    def update(self, panel: Panel) -> Self:
        """New buckets for the forecaster; the correction stays."""
        self._model = self._model.update(panel)
        self._take(panel)
        return self

    def told(self) -> tuple[str, ...]:
        """What the model chose, if it did, and what came of calibration."""
        return (*choice_notes(self._model), self._outcome())

    def settled(self) -> Calibrated:
        """A new, unfitted forecaster of the model as it was chosen; what is corrected is learnt anew."""
        make = maker_again(self._model, self._make)
        return Calibrated(make, self.horizon, self.calibrator.intervals, self.origins, self.seed)

    def _outcome(self) -> Said:
        if self.gain is None:
            return Said("calibration.nothing_held_out")
        if self.calibrator.idle:
            return Said("calibration.left_alone")
        return Said("calibration.kept", gain=f"{self.gain:.1%}", trust=f"{self.trust:.0%}")

    @property
    def model(self) -> Forecaster:
        """The fitted forecaster that is corrected."""
        return self._model

    def total_quantile(self, scenarios: Scenarios, first: int, last: int, levels: Sequence[float]) -> Floats:
        """(N, Q) corrected quantiles of the sum over an interval, from scenarios of this forecaster.

        Raises:
            UsageError: scenarios of other series, or an interval that was not among `intervals`.
        """
        if not scenarios.keys.equals(self.panel.keys):
            raise UsageError("total_quantile needs scenarios of all series, in the panel's order")
        return self.calibrator.total_quantile(scenarios.paths, self._kinds, first, last, levels, self.seed)

    def _take(self, panel: Panel) -> None:
        self.panel = panel
        self.failures = self._model.failures
        self._kinds = _kinds(panel, panel.n_buckets)

    def _learn(self, panel: Panel) -> None:
        horizon = held_out_horizon(panel, self.horizon)
        origins = rolling_origins(panel.n_buckets, horizon, self.origins)
        if not origins:
            return
        # In the order of their ids, so that nothing hangs on how rows stand.
        order = np.argsort(panel.series_ids, kind="stable")
        alive = order[np.isfinite(panel.recorded[order, origins[0] :]).any(axis=1)]
        rows = alive[:: max(1, -(-len(alive) * len(origins) // MOST_FORECASTS))]
        if not len(rows):
            return
        paths, actual, kinds, times = [], [], [], []
        model = self._make()
        for held in held_out_forecasts(model, panel, origins, horizon, SAMPLES, self.seed, rows, refit=True):
            paths.append(held.scenarios.paths)
            actual.append(held.actual)
            times.append(np.full(len(rows), held.origin))
            kinds.append(_kinds(panel, held.origin).take(rows))
        alike = Kinds(
            np.concatenate([kind.classes for kind in kinds]),
            np.concatenate([kind.whole for kind in kinds]),
            np.concatenate([kind.series for kind in kinds]),
        )
        said, happened, when = np.concatenate(paths), np.concatenate(actual), np.concatenate(times)
        self.gain, self.trust = self._gain(said, happened, alike, when)
        if self.trust > 0.0:
            self.calibrator.learn(said, happened, alike, when)
            self.calibrator.shrink(self.trust)

    def _gain(
        self, paths: Floats, actual: Floats, kinds: Kinds, when: npt.NDArray[np.int64]
    ) -> tuple[float | None, float]:
        """Share of pinball loss, of buckets and sums, saved at each origin by what was learnt at the others; trust.

        (None, 0) with one origin: nothing then tells a lasting fault from a passing one.
        """
        before, after = [], []
        for origin in np.unique(when):
            here, others = np.flatnonzero(when == origin), np.flatnonzero(when != origin)
            if not len(others):
                return None, 0.0
            learnt = ConformalCalibrator(self.calibrator.intervals, self.seed)
            learnt.learn(paths[others], actual[others], kinds.take(others), when[others])
            corrected = learnt.apply(paths[here], kinds.take(here), self.seed)
            before.append(self._loss(paths[here], actual[here]))
            after.append(self._loss(corrected, actual[here]))
        if sum(before) <= 0.0:
            return 0.0, 0.0
        saved = (np.array(before) - np.array(after)) / np.mean(before)
        gain, error = float(saved.mean()), float(saved.std(ddof=1) / np.sqrt(len(saved)))
        return gain, max(0.0, 1.0 - (error / gain) ** 2) if gain > 0.0 else 0.0

    def _loss(self, paths: Floats, actual: Floats) -> float:
        """Pinball loss of single buckets and of the sums to be calibrated."""
        loss = _pinball(paths, actual)
        for first, last in self.calibrator.intervals or ((0, actual.shape[1]),):
            total = paths[:, :, first:last].sum(axis=2, keepdims=True)
            loss += _pinball(total, actual[:, first:last].sum(axis=1, keepdims=True))
        return loss

    def _draw(self, rows: npt.NDArray[Any], horizon: int, n_samples: int, root: int) -> Scenarios:
        # A corrected forecast is still the model's own.
        names = self._model._draw(rows, 1, 1, root).models
        return replace(super()._draw(rows, horizon, n_samples, root), models=names)

    def _sample_rows(
        self, rows: npt.NDArray[np.intp], horizon: int, n_samples: int, root: int
    ) -> tuple[Floats, Floats | None]:
        raw, expected = self._model._sample_rows(rows, horizon, n_samples, root)
        paths = self.calibrator.apply(raw, self._kinds.take(rows), root)
        moved = paths.mean(axis=1, dtype=np.float32) - raw.mean(axis=1, dtype=np.float32)
        mean = raw.mean(axis=1, dtype=np.float32) if expected is None else expected
        return paths, np.maximum(mean + moved, np.float32(0.0))


def _pinball(paths: Floats, actual: Floats) -> float:
    """Pinball loss over `LEVELS`, summed over known buckets."""
    quantile = np.moveaxis(np.quantile(paths, LEVELS, axis=1), 0, 2)
    error = actual[:, :, None] - quantile
    return float(np.nansum(np.maximum(np.asarray(LEVELS) * error, (np.asarray(LEVELS) - 1.0) * error)))


def _kinds(panel: Panel, origin: int) -> Kinds:
    """Classes as they stood at an origin, and in what units each series comes."""
    return Kinds(demand_classes(panel.demand[:, :origin], panel.bucket), panel.whole_units, panel.series_ids)
