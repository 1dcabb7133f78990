"""Items that have never sold: forecast from the launches of the items most like them.

The demand of the nearest launches, by attributes and price, is laid so that all of them start together
(the method of analogues: Hyndman & Athanasopoulos 2021, "Forecasting: Principles and Practice", section
6.4; launch-aligned curves as in Thomassey & Fiordaliso 2006). Each path follows one of these launches, and
is widened to what the same guess missed on launches whose outcome is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Panel
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.likeness import Traits
from shelfwise.forecast.scenarios import Floats
from shelfwise.messages import Said

Rows = npt.NDArray[np.intp]
Doubles = npt.NDArray[np.float64]
# Buckets a shop must have been on record before a first sale is a launch and not the record's beginning.
BEFORE = {"day": 28, "week": 6, "month": 2}
# Buckets after a launch whose mean is the level it began at.
OPENING = {"day": 56, "week": 13, "month": 6}
FEWEST_LAUNCHES = 5
MOST_LAUNCHES = 2000
NEAREST = 25
# Likeness at which a launch counts e times less than the nearest one; what guessed best is taken.
REACHES = (0.02, 0.05, 0.1, 0.2, 0.5, 100.0)
# Log spread of a guess that nothing is known about: a factor of e either way.
BLIND_SPREAD = 1.0
LEAST_SPREAD = 0.25
SHAPE_PRIOR = 5.0
# Spreads above the middle of its likes at which a launch is held.
FAR_BEYOND = 2.5
ROWS_AT_ONCE = 1024


@dataclass(frozen=True)
class Launches:
    """L past launches.

    Attributes:
        rows: (L,) row in the panel; first: (L,) the bucket they began in.
        level: (L,) units a bucket in the opening, far ones brought to a fence.
        tamed: (L,) what that made of the level, 1 for all but wild ones.
        genuine: whether they are launches; else the latest stretch of every item stands for one.
    """

    rows: Rows
    first: Rows
    level: Doubles
    tamed: Doubles
    genuine: bool

    @classmethod
    def of(cls, panel: Panel, first: Rows) -> Launches:
        """The launches on record; where there are too few, the latest stretch of every item stands for one."""
        seen = first < panel.n_buckets
        opening = OPENING[panel.bucket.name]
        rows = np.flatnonzero(seen & (first >= BEFORE[panel.bucket.name]))
        genuine = len(rows) >= FEWEST_LAUNCHES
        if not genuine:
            rows = np.flatnonzero(seen)
            first = np.maximum(first, panel.n_buckets - opening)
        rows = _spread_out(panel, rows, MOST_LAUNCHES)
        demand = panel.demand[rows].astype(np.float64)
        age = np.arange(panel.n_buckets)[None, :] - first[rows][:, None]
        known = np.isfinite(demand) & (age >= 0) & (age < opening)
        count = known.sum(axis=1)
        total = np.where(known, demand, 0.0).sum(axis=1)
        some = count > 0
        rows, total, count = rows[some], total[some], count[some]
        # Half a unit more keeps an item that has not sold yet above zero.
        level = (total + 0.5) / (count + 0.5)
        kept = _fenced(level)
        return cls(rows, first[rows], kept, kept / level, genuine)


class NewItemForecaster(Forecaster):
    """Forecasts series as if they had never sold: from attributes, price and the launches of similar items.

    Meant for series without history; one that has history is forecast for its age from the launches of
    others, its own left out, so that the method can be judged.

    Attributes:
        spread: standard deviation of the log error of the guessed levels, judged launch by launch.

    Example:
        >>> import polars as pl
        >>> demand = np.full((9, 30), 4.0)
        >>> for row in range(8):
        ...     demand[row, : 8 + row] = np.nan
        >>> demand[8] = np.nan
        >>> model = NewItemForecaster().fit(Panel.from_arrays(demand))
        >>> bool(3 < model.sample(4, 200, np.random.default_rng(0), rows=[8]).mean().mean() < 5)
        True
        >>> model.reasons(np.array([8]))[0][:52]
        'no history: guessed from the launches of 8 items lik'
    """

    name: ClassVar[str] = "newcomers"

    def fit(self, panel: Panel) -> Self:
        """Find the launches, how telling each attribute is, and how wide such guesses are."""
        self.panel = panel
        known = np.isfinite(panel.demand)
        self._seen = known.any(axis=1)
        self._first = np.where(self._seen, known.argmax(axis=1), panel.n_buckets)
        whole = panel.whole_units
        self._whole = np.where(self._seen, whole, whole.all())
        self.launches = Launches.of(panel, self._first)
        starts = np.where(self._seen, self._first, np.maximum(panel.launched, panel.n_buckets))
        self._starts = starts.astype(np.intp)
        self._traits = Traits.of(panel, self._starts)
        log_level = np.log(self.launches.level)
        self._weights = self._traits.weights(self.launches.rows, log_level) if len(log_level) else {}
        self._judge(log_level)
        self._shape = self._launch_shape()
        return self

    def update(self, panel: Panel) -> Self:
        """All that is learnt are launches, so new history is a new fit."""
        return self.fit(panel)

    def reasons(self, rows: Rows) -> list[str]:
        """Which items each series is guessed from, what they share with it, and why the interval is wide."""
        if not len(self.launches.rows):
            return [Said("forecast.no_history_at_all")] * len(rows)
        told: list[str] = []
        for first in range(0, len(rows), ROWS_AT_ONCE):
            part = rows[first : first + ROWS_AT_ONCE]
            told += [self._reason(*given) for given in zip(part, *self._neighbours(part), strict=True)]
        return told

    def _reason(self, row: int, nearest: Rows, weight: Doubles) -> str:
        likely = self.launches.rows[nearest]
        counted = int((weight > 0.05 * weight.max()).sum())
        names = ", ".join("@".join(self.panel.keys.row(int(other))) for other in likely[:3])
        shared = self._traits.shared(int(row), int(likely[0]), self._weights)
        alike = (
            Said("forecast.newcomer.shares", traits=", ".join(shared[:4]))
            if shared
            else Said("forecast.newcomer.shares_nothing")
        )
        return Said(
            "forecast.newcomer.like_launches" if self.launches.genuine else "forecast.newcomer.like_levels",
            count=counted,
            names=names,
            alike=alike,
            factor=f"{np.exp(self.spread):.1f}",
        )

    def _sample_rows(
        self, rows: Rows, horizon: int, n_samples: int, root: int
    ) -> tuple[Floats, Floats | None]:
        return self.sample_rows(rows, horizon, n_samples, root)

    def sample_rows(self, rows: Rows, horizon: int, n_samples: int, root: int) -> tuple[Floats, Floats]:
        """(n, S, H) paths and their (n, H) mean, for a model that asks on behalf of some of its series."""
        paths = np.zeros((len(rows), n_samples, horizon), np.float32)
        expected = np.zeros((len(rows), horizon), np.float32)
        if not len(self.launches.rows):
            return paths, expected
        for first in range(0, len(rows), ROWS_AT_ONCE):
            part = slice(first, first + ROWS_AT_ONCE)
            self._draw_rows(rows[part], root, paths[part], expected[part])
        return paths, expected

    def _draw_rows(self, rows: Rows, root: int, paths: Floats, expected: Floats) -> None:
        """Fill (n, S, H) paths and (n, H) means."""
        n_samples, horizon = paths.shape[1:]
        nearest, weight = self._neighbours(rows)
        for at, row in enumerate(rows):
            curves = self._curves(int(row), nearest[at], horizon)
            curves *= self._restraint(nearest[at], weight[at])[:, None]
            expected[at] = weight[at] @ curves
            # A stream of its own, so that neither neighbours nor chunks have a say.
            rng = np.random.default_rng([root, int(self.panel.series_ids[row])])
            followed = rng.choice(len(curves), size=n_samples, p=weight[at])
            noise = rng.standard_normal(n_samples) * self._widening
            factor = np.exp(noise - self._widening**2 / 2)
            path = curves[followed] * factor[:, None]
            if self._whole[row]:
                # Rounding up as often as the fraction says keeps the mean.
                path = np.floor(path + rng.random(path.shape))
            paths[at] = path

    def _neighbours(self, rows: Rows) -> tuple[Rows, Doubles]:
        """(n, K) places among the launches and (n, K) their weights, which sum to 1; never the series itself."""
        distance = self._traits.distance(rows, self.launches.rows, self._weights)
        distance[rows[:, None] == self.launches.rows[None, :]] = np.inf
        order, near = _nearest(distance)
        return order, _weights(near, self._reach)

    def _restraint(self, places: Rows, weight: Doubles) -> Doubles:
        """(K,) what keeps a launch that sold far more than its likes from standing for them."""
        log_level = np.log(self.launches.level[places])
        order = np.argsort(log_level, kind="stable")
        middle = log_level[order][np.searchsorted(np.cumsum(weight[order]), 0.5)]
        return np.asarray(np.exp(np.minimum(middle + FAR_BEYOND * self.spread - log_level, 0.0)))

    def _judge(self, log_level: Doubles) -> None:
        """Choose the reach that guesses each launch best from the others, and note how far off it is."""
        self._reach, self.spread, self._widening = REACHES[-1], BLIND_SPREAD, BLIND_SPREAD
        if len(log_level) < FEWEST_LAUNCHES:
            return
        distance = self._traits.distance(self.launches.rows, self.launches.rows, self._weights)
        np.fill_diagonal(distance, np.inf)
        nearest, near = _nearest(distance)
        errors = []
        for reach in REACHES:
            weight = _weights(near, reach)
            guess = (weight * log_level[nearest]).sum(axis=1)
            within = (weight * (log_level[nearest] - guess[:, None]) ** 2).sum(axis=1)
            errors.append((_mean_square(log_level - guess), reach, float(within.mean())))
        error, self._reach, within = min(errors)
        # Few launches say little of how far off the next guess is.
        few = FEWEST_LAUNCHES / len(log_level)
        error = (error + few * BLIND_SPREAD**2) / (1 + few)
        self.spread = float(np.sqrt(max(error, LEAST_SPREAD**2)))
        # Following one launch or another brings part of that spread by itself.
        self._widening = float(np.sqrt(max(self.spread**2 - within, LEAST_SPREAD**2)))

    def _launch_shape(self) -> Doubles:
        """(T,) demand at each age over the level of the opening, drawn towards 1 where few are so old."""
        shape = np.ones(self.panel.n_buckets)
        for age in range(self.panel.n_buckets):
            at = self.launches.first + age
            inside = at < self.panel.n_buckets
            demand = self.panel.demand[self.launches.rows[inside], at[inside]]
            known = np.isfinite(demand)
            # Relative to its own level no launch, however large, speaks for the others.
            level = (self.launches.level / self.launches.tamed)[inside]
            ratio = np.minimum(demand[known] / level[known], 10.0)
            shape[age] = (ratio.sum() + SHAPE_PRIOR) / (len(ratio) + SHAPE_PRIOR)
        return shape

    def _curves(self, row: int, places: Rows, horizon: int) -> Doubles:
        """(K, H) demand of these launches at the ages the series will have, weekday on weekday."""
        start, season = int(self._starts[row]), 7 if self.panel.bucket.name == "day" else 1
        age = self.panel.n_buckets - start + np.arange(horizon)[None, :]
        first = self.launches.first[places]
        shift = (start - first) % season
        shift -= season * (shift > season // 2)
        moved = age + shift[:, None]
        moved = np.where((moved < 0) & (age >= 0), moved + season, moved)
        at = first[:, None] + moved
        level = self.launches.level[places][:, None]
        inside = (moved >= 0) & (at < self.panel.n_buckets)
        sold = self.panel.demand[self.launches.rows[places][:, None], np.where(inside, at, 0)]
        seen = sold * self.launches.tamed[places][:, None]
        # A launch too young, or out of stock just then, goes on at its level in the shape of the others.
        shape = self._shape[np.clip(moved, 0, len(self._shape) - 1)]
        found = np.where(inside & np.isfinite(seen), np.minimum(seen, 20.0 * level), level * shape)
        return np.asarray(np.where(age >= 0, found, 0.0), np.float64)


def _nearest(distance: Doubles) -> tuple[Rows, Doubles]:
    """(n, K) places of the nearest launches, nearest first, and (n, K) how far they are."""
    order = np.argsort(distance, axis=1, kind="stable")[:, :NEAREST]
    return order, np.take_along_axis(distance, order, axis=1)


def _weights(near: Doubles, reach: float) -> Doubles:
    """(n, K) weights that sum to 1 and fall by e for each `reach` farther than the nearest."""
    closest = np.where(np.isfinite(near[:, :1]), near[:, :1], 0.0)
    weight = np.exp(-(np.where(np.isfinite(near), near, 1e9) - closest) / reach)
    # A series that is the only launch has nobody else to follow.
    weight[~np.isfinite(near[:, 0])] = 1.0
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


def _mean_square(errors: Doubles) -> float:
    """Mean square in which no error counts as more than three robust standard deviations."""
    size = np.abs(errors)
    bound = 3.0 * 1.4826 * float(np.median(size))
    return float((np.minimum(size, bound) ** 2).mean()) if bound > 0 else float((size**2).mean())


def _fenced(level: Doubles) -> Doubles:
    """Levels with the far ones brought to the fence of Tukey 1977, on the log scale."""
    if len(level) < FEWEST_LAUNCHES:
        return level
    low, high = np.quantile(np.log(level), [0.25, 0.75])
    return np.asarray(np.minimum(level, np.exp(high + 3.0 * max(high - low, LEAST_SPREAD))))


def _spread_out(panel: Panel, rows: Rows, most: int) -> Rows:
    """In an order that depends on names alone, and at most so many, whichever come first in it."""
    return rows[np.argsort(panel.series_ids[rows], kind="stable")][:most]
