"""ARIMA, MSTL and complex exponential smoothing from statsforecast, one series at a time.

A series on which the library fails is forecast by our own ETS and listed in `failures`.
"""

from __future__ import annotations

import math
import warnings
from abc import abstractmethod
from importlib import import_module
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from shelfwise.errors import MissingExtra, ShelfwiseError
from shelfwise.forecast.classical.ets import ETS, SEASON
from shelfwise.forecast.classical.local import LocalForecaster, Rows, checked_season
from shelfwise.forecast.kernels.clipping import mean_kept
from shelfwise.forecast.kernels.innovations import MOST_TIMES_SEEN
from shelfwise.forecast.scenarios import Floats
from shelfwise.messages import Said, said_of

Doubles = npt.NDArray[np.float64]
REFERENCE_PATHS = 256
NEIGHBOURS = 6
# Beyond this, ARIMA orders are compared by conditional sums of squares, as is usual for long series.
LONG_HISTORY = 150


class Model(Protocol):
    """What a fitted statsforecast model can do."""

    def predict(self, h: int) -> dict[str, Doubles]: ...

    def simulate(self, h: int, n_paths: int, *, seed: int) -> Doubles: ...


class StatsForecaster(LocalForecaster):
    """A statsforecast model a series; paths from the model's own simulation, clipped at zero, mean kept.

    Unknown buckets are filled from the nearest known ones of their season bucket, since the library
    knows no missing values. No path passes ten times the most the series ever sold.

    Args:
        season: buckets in a season; None takes the default of the bucket.

    Raises:
        MissingExtra: statsforecast is not installed.
        UsageError: `season` is below 1.
    """

    SEASON: ClassVar[dict[str, int]] = SEASON

    def __init__(self, season: int | None = None) -> None:
        super().__init__()
        self.season = checked_season(season)
        try:
            self._library = import_module("statsforecast.models")
        except ImportError as error:
            raise MissingExtra("statsforecast", "classical") from error

    @abstractmethod
    def _fit_one(self, y: Doubles, season: int) -> Model:
        """The library's model fitted to `y` (T,), which has no gaps; raises whatever goes wrong."""

    def _learn(self) -> None:
        season = self.season or self.SEASON[self.panel.bucket.name]
        self._models: dict[int, Model] = {}
        for row in np.flatnonzero(~self._young):
            y = without_gaps(self._demand[row], season)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    self._models[int(row)] = self._fit_one(y, season)
            except Exception as error:  # one bad series never stops the rest
                self.failures[int(row)] = self._failed(error)

    def _draw_rows(self, rows: Rows, horizon: int, n_samples: int, root: int) -> tuple[Floats, Floats]:
        paths = np.zeros((len(rows), n_samples, horizon), np.float32)
        expected = np.zeros((len(rows), horizon), np.float32)
        failed = []
        for slot, row in enumerate(rows):
            try:
                paths[slot], expected[slot] = self._draw_one(int(row), horizon, n_samples, root)
            except Exception as error:  # a model that fits may still fail to simulate
                self.failures.setdefault(int(row), self._failed(error))
                failed.append(slot)
        if failed:
            lost = self.panel.take(rows[failed])
            instead = ETS(self.season).fit(lost)
            drawn, point = instead._draw_rows(np.arange(len(failed)), horizon, n_samples, root)
            paths[failed], expected[failed] = drawn, point
        return paths, expected

    def _failed(self, error: Exception) -> str:
        return Said("forecast.series_failed", model=self.name, error=said_of(error), instead=ETS.name)

    def _draw_one(self, row: int, horizon: int, n_samples: int, root: int) -> tuple[Doubles, Doubles]:
        if row not in self._models:
            raise ShelfwiseError("no model was fitted")
        model = self._models[row]
        # Seeded by the series and not by its row, so that neither order nor chunks matter.
        seeds = np.random.SeedSequence([root, int(self.panel.series_ids[row])]).generate_state(3)
        cap = MOST_TIMES_SEEN * max(0.0, float(np.nanmax(self._demand[row])))
        point = np.clip(model.predict(h=horizon)["mean"], 0.0, cap)
        paths = np.clip(model.simulate(horizon, n_samples, seed=int(seeds[0])), 0.0, cap)
        # Own paths for the mean, so that it does not hang on how many were asked for.
        others = model.simulate(horizon, REFERENCE_PATHS, seed=int(seeds[1]))
        if not (np.isfinite(point).all() and np.isfinite(paths).all() and np.isfinite(others).all()):
            raise ShelfwiseError(Said("forecast.not_finite"))
        kept, factor = mean_kept_by_step(point, np.minimum(others, cap))
        rng = np.random.default_rng(seeds[2])
        paths = np.minimum(paths * np.where(rng.random(paths.shape) < kept, factor, 0.0), cap)
        if self._whole[row]:
            paths = np.floor(paths + rng.random(paths.shape))
        return paths, point


class ARIMA(StatsForecaster):
    """AutoARIMA: orders by AICc; Hyndman & Khandakar 2008, "Automatic time series forecasting".

    Example:
        >>> import numpy as np
        >>> from shelfwise.demand.panel import Panel
        >>> panel = Panel.from_arrays(5 + np.sin(np.arange(40.0)))
        >>> ARIMA().fit(panel).sample(2, 20, np.random.default_rng(0)).paths.shape
        (1, 20, 2)
    """

    name: ClassVar[str] = "arima"

    def _fit_one(self, y: Doubles, season: int) -> Model:
        model = self._library.AutoARIMA(season_length=season, approximation=len(y) > LONG_HISTORY)
        fitted: Model = model.fit(y)
        return fitted


class CES(StatsForecaster):
    """AutoCES; Svetunkov, Kourentzes & Ord 2022, "Complex exponential smoothing".

    Example:
        >>> import numpy as np
        >>> from shelfwise.demand.panel import Panel
        >>> panel = Panel.from_arrays(5 + np.sin(np.arange(40.0)))
        >>> CES().fit(panel).sample(2, 20, np.random.default_rng(0)).paths.shape
        (1, 20, 2)
    """

    name: ClassVar[str] = "ces"

    def _fit_one(self, y: Doubles, season: int) -> Model:
        fitted: Model = self._library.AutoCES(season_length=season).fit(y)
        return fitted


class SeasonAndTrend:
    """A fitted MSTL: the season as it was, around simulations of the trend and remainder.

    Season effects learnt from k seasons take 1 / k of the noise with them and are off by as much, so
    the simulated paths are too narrow by the root of (k + 1) / (k - 1), which is put back.
    """

    def __init__(self, fitted: Any, seasons_seen: float) -> None:
        self._fitted = fitted
        self._widening = math.sqrt((seasons_seen + 1.0) / (seasons_seen - 1.0))

    def predict(self, h: int) -> dict[str, Doubles]:
        forecast: dict[str, Doubles] = self._fitted.predict(h)
        return forecast

    def simulate(self, h: int, n_paths: int, *, seed: int) -> Doubles:
        trend = self._fitted.trend_forecaster
        centre = trend.predict(h)["mean"]
        away = trend.simulate(h, n_paths, seed=seed) - centre
        paths: Doubles = self._fitted.predict(h)["mean"] + self._widening * away
        return paths


class MSTL(StatsForecaster):
    """Seasonal-trend decomposition, the trend by ETS; Bandara, Hyndman & Bergmeir 2021, "MSTL".

    Weeks take a season of 52 here; a history of less than two seasons is left to our ETS.

    Example:
        >>> import numpy as np
        >>> from shelfwise.demand.panel import Panel
        >>> panel = Panel.from_arrays(np.tile([2.0, 4.0, 9.0, 1.0], 12) + 0.1 * np.arange(48) % 3)
        >>> MSTL(season=4).fit(panel).sample(2, 20, np.random.default_rng(0)).paths.shape
        (1, 20, 2)
    """

    name: ClassVar[str] = "mstl"
    SEASON: ClassVar[dict[str, int]] = {"day": 7, "week": 52, "month": 12}

    def _fit_one(self, y: Doubles, season: int) -> Model:
        if season < 2 or len(y) < 2 * season:
            raise ShelfwiseError(Said("forecast.two_seasons", buckets=len(y), season=season))
        return SeasonAndTrend(self._library.MSTL(season_length=season).fit(y), len(y) / season)


def mean_kept_by_step(point: Doubles, paths: Doubles) -> tuple[Doubles, Doubles]:
    """(H,) shares of draws to keep and (H,) factors that bring paths (S, H), clipped at 0, to the point forecast.

    Example:
        >>> kept, factor = mean_kept_by_step(np.array([1.0]), np.array([[-1.0], [3.0]]))
        >>> print(kept.round(3), factor.round(3))
        [0.667] [1.]
    """
    clipped = np.sort(np.maximum(paths, 0.0), axis=0)
    count = len(paths)
    second = clipped[-2] if count > 1 else np.zeros(len(point))
    steps = zip(count * point, clipped.sum(axis=0), paths.sum(axis=0), clipped[-1], second, strict=True)
    kept, factor = zip(*(mean_kept(*step) for step in steps), strict=True)
    return np.array(kept), np.array(factor)


def without_gaps(values: Floats, season: int) -> Doubles:
    """`values` from the first known bucket on; the unknown take the mean of the 6 nearest of their season.

    A straight line between neighbours would look like a trend to the models, and they would follow it.

    Example:
        >>> without_gaps(np.array([np.nan, 2.0, np.nan, 4.0, np.nan], np.float32), 1).tolist()
        [2.0, 3.0, 4.0, 3.0]
    """
    known = np.flatnonzero(~np.isnan(values))
    filled = values[known[0] :].astype(np.float64)
    for gap in known[0] + np.flatnonzero(np.isnan(filled)):
        alike = known[(known - gap) % season == 0]
        candidates = alike if len(alike) else known
        nearest = candidates[np.argsort(np.abs(candidates - gap), kind="stable")[:NEIGHBOURS]]
        filled[gap - known[0]] = values[nearest].mean()
    return filled
