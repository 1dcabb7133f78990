"""`InputTable`: what a network reads of a series before each bucket it forecasts.

Two kinds of columns. Those of memory follow from the demand before the bucket, seen or sampled (see
`kernels.memory`); all others are known at the origin: last year, calendar, covariates.

What is sold by weight or length is no count, and a negative binomial of 0.3 kg would be as wide as one of 0.3 pieces.
Such series are told in thousandths of their mean, where it is all but a gamma.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Panel
from shelfwise.forecast.deep.attributes import codes, vocabulary
from shelfwise.forecast.deep.calendar import calendar_columns
from shelfwise.forecast.deep.covariates import CovariateNames, Covariates
from shelfwise.forecast.deep.kernels.memory import move_on, remember
from shelfwise.forecast.deep.last_year import GroupYears, around, log_ratio, year_before
from shelfwise.forecast.deep.settings import windows_for
from shelfwise.forecast.gbm.level import newcomer_level
from shelfwise.forecast.scaling import SeriesScaler

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Steps = npt.NDArray[np.int64]
SERIES_AT_ONCE = 2048
SMOOTHING = 0.05
PARTS_OF_MEAN = 1e3
MOST_RATIO = 50.0
MOST_SCALED = 5.0
# With less, last year is known for the latest buckets alone, and having one would say which date it is.
YEARS_TO_LOOK_BACK = 1.25


@dataclass(frozen=True)
class InputNames:
    """What the columns are: fixed in fitting, saved with the network.

    Attributes:
        covariates: known and observed ones.
        groups: whose last year is read.
        categories: attributes with an embedding, and their values.
        in_parts: whether series sold in fractions are told in parts of their mean.
    """

    covariates: CovariateNames
    groups: list[str]
    categories: dict[str, list[str]]
    in_parts: bool = True

    @property
    def vocabularies(self) -> list[int]:
        """How many values each attribute has."""
        return [len(values) for values in self.categories.values()]

    def as_json(self) -> dict[str, Any]:
        """Plain dictionaries and lists."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> InputNames:
        """Back from `as_json`."""
        covariates = CovariateNames(**plain["covariates"])
        # A network saved before fractions were told apart counts them.
        return cls(covariates, plain["groups"], plain["categories"], plain.get("in_parts", False))


class InputTable:
    """Builds the inputs of a panel's series; with `names`, the columns a fitted network reads.

    Attributes:
        demand: (N, T) float64, NaN unknown, in `parts`.
        parts: (N,) how many there are to a unit, 1 for what is sold in whole units.
        codes: (N, attributes), see `attributes`.
        prior: level of a series nobody has seen yet.
    """

    def __init__(self, panel: Panel, names: InputNames | None = None) -> None:
        self.panel = panel
        self.windows = windows_for(panel.bucket)
        demand = panel.demand.astype(np.float64)
        counted = panel.whole_units | (names is not None and not names.in_parts)
        self.parts = np.where(counted, 1.0, _parts(demand))
        self.demand = demand * self.parts[:, None]
        seen = np.isfinite(demand)
        self.first = np.where(seen.any(axis=1), seen.argmax(axis=1), panel.n_buckets)
        usual = counted if counted.any() else ~counted
        self.prior = newcomer_level(self.demand[usual].astype(np.float32), self.first[usual])
        self._keep = 0.5 ** (1.0 / np.asarray(self.windows.half_lives))
        self._phase = panel.bucket.index(panel.start)
        self._groups = GroupYears(panel, None if names is None else names.groups)
        covariates = CovariateNames.of(panel) if names is None else names.covariates
        categories = vocabulary(panel) if names is None else names.categories
        self.names = names or InputNames(covariates, self._groups.names, categories)
        self._covariates = Covariates(panel, covariates)
        self._calendar = calendar_columns(panel, self.windows.harmonics)
        self.codes = codes(panel, categories)
        for first in range(0, panel.n_series, SERIES_AT_ONCE):
            rows = np.arange(first, min(first + SERIES_AT_ONCE, panel.n_series))
            readings, _ = self.remember(self.demand[rows])
            units = self.parts[rows][:, None]
            was = around(self.demand[rows], self.windows.around)
            self._groups.add(rows, was / units, readings[:, :-1, 2] / units)
        self._groups.close()

    @property
    def n_memory_columns(self) -> int:
        """How many columns of memory there are."""
        return 2 + len(self._keep) + (self.windows.season > 1)

    @property
    def n_columns(self) -> int:
        """How many columns there are in all."""
        covariates = len(self.names.covariates.columns)
        return self.n_memory_columns + 2 + len(self.names.groups) + int(self._calendar.shape[1]) + covariates

    def remember(self, demand: Doubles) -> tuple[Doubles, Doubles]:
        """Readings (n, t + 1, …) before each bucket of demand (n, t), and the memory (n, …) after the last."""
        readings: tuple[Doubles, Doubles] = remember(
            np.ascontiguousarray(demand), self._keep, self.windows.season, self._phase, self.prior
        )
        return readings

    def move_on(self, memory: Doubles, value: Doubles, step: int) -> Doubles:
        """Take demand (M,) of bucket `step` into memory (M, …), in place; the readings of the next bucket."""
        readings: Doubles = move_on(memory, self._keep, self.windows.season, value, self._phase + step)
        return readings

    def memory_columns(self, readings: Doubles, scaler: SeriesScaler | None, rows: Rows) -> Floats:
        """(n, …, columns) of readings (n, …), relative to the level, or on a scaler's scale.

        A bucket nobody knows is read as one at the level, beside a flag that says so.
        """
        last, known, level = readings[..., 0], readings[..., 1], readings[..., 2]
        if scaler is not None:
            scaled = scaler.transform(readings, rows)
            scaled[..., 1] = known
            return np.clip(scaled, -MOST_SCALED, MOST_SCALED).astype(np.float32)
        columns = [np.log1p(np.minimum(last / level, MOST_RATIO)) - np.log(2.0), known]
        columns.append(0.5 * np.log(level / self.prior))
        others = np.moveaxis(readings[..., 3:], -1, 0)
        columns += [np.log((other + SMOOTHING) / (level + SMOOTHING)) for other in others]
        return np.stack(columns, axis=-1).astype(np.float32)

    def known_columns(
        self, rows: Rows, steps: Steps, origins: Steps, demand: Doubles, readings: Doubles
    ) -> Floats:
        """(n, L, columns) of what is known at the origin about buckets `steps` (n, L).

        Args:
            origins: (n,) where signals of behaviour end.
            demand, readings: the history (n, t) to look back into, and what `remember` made of it.
        """
        w = self.windows
        before = year_before(steps, w.year, w.around, demand.shape[1])
        if self.panel.n_buckets < YEARS_TO_LOOK_BACK * w.year:
            before = np.full_like(before, -1)
        inside, at = before >= 0, np.maximum(before, 0)
        was = around(demand, w.around)
        own = np.take_along_axis(log_ratio(was, readings[:, :-1, 2]), at, axis=1)
        known = np.take_along_axis(np.isfinite(was), at, axis=1) & inside
        columns = [np.where(known, own, 0.0), known.astype(np.float64), *self._groups.read(rows, before)]
        calendar = self._calendar[np.minimum(steps, len(self._calendar) - 1)]
        covariates = self._covariates.read(rows, steps, origins)
        return np.concatenate([np.stack(columns, axis=-1).astype(np.float32), calendar, covariates], axis=2)


def _parts(demand: Doubles) -> Doubles:
    """(N,) parts to a unit in which the mean of each series is a thousand; 1 where nothing was sold."""
    known = np.isfinite(demand)
    mean = np.where(known, demand, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    return np.asarray(np.where(mean > 0, PARTS_OF_MEAN / np.where(mean > 0, mean, 1.0), 1.0))
