"""Training windows and held-out windows of a panel, as the arrays a network takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shelfwise.forecast.deep.augmentation import Augmentation
from shelfwise.forecast.deep.inputs import InputTable
from shelfwise.forecast.scaling import SeriesScaler

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]
Steps = npt.NDArray[np.int64]
# A single order far beyond a series' level must not bend the network.
FAR_BEYOND = 60.0
HELD_OUT_SERIES_AT_ONCE = 256
MOST_HELD_OUT_SERIES = 4000


@dataclass(frozen=True)
class Batch:
    """B windows of L buckets.

    Attributes:
        inputs: (B, L, F); codes: (B, attributes).
        level, target: (B, L) on the scale the head wants; weight: (B, L) 0 where demand is unknown or only
            the memory is filled.
    """

    inputs: Floats
    codes: npt.NDArray[np.int64]
    level: Floats
    target: Floats
    weight: Floats


class Windows:
    """Windows of the history before `until`.

    Args:
        table: the panel's inputs; whole: (N,) whether a series comes in whole units.
        scaler: of heads that want one, fitted to the history before `until`.
    """

    def __init__(
        self,
        table: InputTable,
        whole: Flags,
        until: int,
        scaler: SeriesScaler | None,
        augmentation: Augmentation,
    ) -> None:
        self.table, self.until, self.scaler = table, until, scaler
        self._whole, self._augmentation = whole, augmentation
        self.length = min(table.windows.context, until)
        self.warm_up = min(table.windows.warm_up, self.length // 4)
        counts = np.isfinite(table.demand[:, :until]).sum(axis=1)
        self.n_known = int(counts.sum())
        self._chance = counts / max(self.n_known, 1)

    def draw(self, count: int, rng: np.random.Generator) -> Batch:
        """Windows at random, series by how much is known of them."""
        rows = rng.choice(len(self._chance), count, p=self._chance)
        earliest = np.minimum(np.maximum(self.table.first[rows] + 1, self.length), self.until)
        ends = rng.integers(earliest, self.until + 1)
        read = target = self.table.demand[rows, : self.until]
        if self._augmentation.on:
            others = self.table.demand[rng.choice(len(self._chance), count, p=self._chance), : self.until]
            per_year = self.table.panel.bucket.per_year
            read, target = self._augmentation.apply(target, self._whole[rows], others, per_year, rng)
        steps = ends[:, None] - self.length + np.arange(self.length)
        # Signals of behaviour end somewhere in the window, as they end at the origin of a forecast.
        origins = rng.integers(steps[:, 0] + self.warm_up, ends + 1)
        weight = np.ones(steps.shape, np.float32)
        weight[:, : self.warm_up] = 0.0
        return self._batch(rows, steps, origins, read, target, weight)

    def held_out(self, last: int, rng: np.random.Generator) -> Iterator[Batch]:
        """The buckets from `until` to `last` of all series, or of a sample where there are very many."""
        rows = np.arange(len(self.table.demand))
        if len(rows) > MOST_HELD_OUT_SERIES:
            rows = np.sort(rng.choice(len(rows), MOST_HELD_OUT_SERIES, replace=False))
        first = self.until - self.length
        for begin in range(0, len(rows), HELD_OUT_SERIES_AT_ONCE):
            some = rows[begin : begin + HELD_OUT_SERIES_AT_ONCE]
            steps = np.tile(np.arange(first, last), (len(some), 1))
            weight = (steps >= self.until).astype(np.float32)
            demand = self.table.demand[some, :last]
            yield self._batch(some, steps, np.full(len(some), self.until), demand, demand, weight)

    def start_cells(self, most: int = 200_000) -> tuple[Doubles, Doubles]:
        """Target and level, on the head's scale, of the latest known buckets of a sample of series."""
        every = max(1, len(self.table.demand) * self.length // most)
        rows = np.arange(0, len(self.table.demand), every)
        steps = np.tile(np.arange(self.until - self.length, self.until), (len(rows), 1))
        demand = self.table.demand[rows, : self.until]
        weight = np.ones(steps.shape, np.float32)
        batch = self._batch(rows, steps, np.full(len(rows), self.until), demand, demand, weight)
        known = batch.weight > 0
        return batch.target[known].astype(np.float64), batch.level[known].astype(np.float64)

    def _batch(
        self, rows: Rows, steps: Steps, origins: Steps, read: Doubles, target: Doubles, weight: Floats
    ) -> Batch:
        table = self.table
        readings, _ = table.remember(read)
        seen = np.take_along_axis(readings, steps[:, :, None], axis=1)
        inputs = np.concatenate(
            [
                table.memory_columns(seen, self.scaler, rows),
                table.known_columns(rows, steps, origins, read, readings),
            ],
            axis=2,
        )
        level, value = seen[:, :, 2], np.take_along_axis(target, steps, axis=1)
        known = np.isfinite(value)
        if self.scaler is None:
            value = np.clip(value, 0.0, FAR_BEYOND * (level + 1.0))
        else:
            level, value = self.scaler.transform(level, rows), self.scaler.transform(value, rows)
        return Batch(
            inputs,
            table.codes[rows],
            level.astype(np.float32),
            np.where(known, value, 0.0).astype(np.float32),
            weight * known,
        )
