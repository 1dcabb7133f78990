"""How wide the distribution around a mean is, and how errors hang together: learnt on forecasts that
the model made for buckets it had not seen.

Dispersion is set per cell of (mean, past variation); the ranks of what really happened are then kept as
paths, and drawing from them corrects whatever the negative binomial gets wrong (a calibration in the
sense of Kuleshov, Fenner & Ermon 2018) and keeps the dependence between steps.

What is sold by weight or length is no count: a kilogram may be told in grams. Such series are told in ten
thousandths of their level, where the negative binomial is a gamma, and learn from one another alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shelfwise.forecast.kernels.counts import draw_paths, gamma_table, likely_dispersion, ranks

Floats = npt.NDArray[np.float32]
MEAN_EDGES = np.array([0.05, 0.1, 0.2, 0.35, 0.6, 1.0, 1.7, 3.0, 6.0, 12.0, 25.0, 60.0, 200.0])
SPREAD_EDGES = np.array([0.5, 0.8, 1.2, 1.8, 2.8])
NEIGHBOURS = 4000
LEAST_PATHS = 40
NARROWEST, WIDEST = 0.005, 25.0
CELL_SAMPLE = 4000
SHRINK = 200.0
CELLS = len(SPREAD_EDGES) + 1
PARTS_OF_LEVEL = 1e4


@dataclass
class Spread:
    """Dispersion cells and a pool of rank paths, ordered by (past variation, level).

    Attributes:
        dispersion: (cells of variation, cells of mean), those of series sold in fractions after those of counts.
        pool: (P, K) rank paths; pool_level: (P,) level of their series at the origin; pool_cell: (P,)
            row of `dispersion`.
    """

    dispersion: npt.NDArray[np.float64]
    pool: Floats
    pool_level: npt.NDArray[np.float64]
    pool_cell: npt.NDArray[np.int64]

    @classmethod
    def learn(
        cls,
        actual: Floats,
        mean: Floats,
        level: Floats,
        variation: Floats,
        whole: npt.NDArray[np.bool_],
        series: npt.NDArray[np.uint64],
        root: int,
    ) -> Spread:
        """From held-out (M, K) actuals (NaN unknown), their mean forecasts, (M,) level, past variation and whether
        demand comes in whole units."""
        parts = _parts(level, whole)
        actual, mean = actual * parts, debias(actual, mean) * parts
        cell = _cells(variation, whole)
        dispersion = _dispersion(actual, mean, cell, root)
        width = _width(dispersion, mean, cell)
        table = gamma_table()
        rank = ranks(
            actual.astype(np.float64), mean.astype(np.float64), width, series, np.uint64(root), table
        )
        keep = np.isfinite(rank).all(axis=1)
        if keep.sum() < LEAST_PATHS:
            keep = np.isfinite(rank).any(axis=1)
        rank, level, cell = _fill(rank[keep], series[keep], root), level[keep], cell[keep]
        if len(rank) < LEAST_PATHS:
            return cls(dispersion, _even_ranks(actual.shape[1], root), *_neutral(200))
        order = np.lexsort((level, cell))
        return cls(dispersion, rank[order], level[order].astype(np.float64), cell[order].astype(np.int64))

    def draw(
        self,
        mean: Floats,
        level: Floats,
        variation: Floats,
        whole: npt.NDArray[np.bool_],
        ceiling: Floats,
        series: npt.NDArray[np.uint64],
        samples: int,
        root: int,
    ) -> Floats:
        """(N, S, H) paths around (N, H) means, none above (N, H) `ceiling`.

        Whose ranks a series borrows rests on its (N,) level and past variation at the origin alone: what is
        planned for one step moves that step's mean and spread, and no other step.
        """
        # A model saved before fractions were told apart counts them.
        as_counts = whole | (len(self.dispersion) == CELLS)
        parts, cell = _parts(level, as_counts), _cells(variation, as_counts)
        first, count = self._neighbours(level, cell)
        mean = mean * parts
        paths = draw_paths(
            mean.astype(np.float64),
            _width(self.dispersion, mean, cell),
            whole,
            self.pool,
            first,
            count,
            series,
            samples,
            np.uint64(root),
            gamma_table(),
        )
        told = np.flatnonzero(~as_counts)
        paths[told] = np.where(paths[told] < 1.0, np.float32(0), paths[told] / parts[told][:, None])
        # A tail borrowed from neighbours stops where the series' own past makes it absurd.
        return np.minimum(paths, ceiling[:, None, :], out=paths)

    def _neighbours(
        self, level: Floats, cell: npt.NDArray[np.intp]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The run of the pool nearest to each series: same variation cell, else same kind, closest level."""
        first, count = np.zeros(len(level), np.int64), np.zeros(len(level), np.int64)
        for number in np.unique(cell):
            mine = cell == number
            start, end = np.searchsorted(self.pool_cell, [number, number + 1])
            if end - start < LEAST_PATHS:
                kind = number // CELLS * CELLS
                start, end = np.searchsorted(self.pool_cell, [kind, kind + CELLS])
            if end - start < LEAST_PATHS:
                start, end = 0, len(self.pool)
            size = min(NEIGHBOURS, end - start)
            middle = start + np.searchsorted(self.pool_level[start:end], level[mine])
            first[mine] = np.clip(middle - size // 2, start, end - size)
            count[mine] = size
        return first, count


def debias(actual: Floats, mean: Floats) -> Floats:
    """Held-out means scaled to the held-out total, so that a good or bad month is not read as spread."""
    known = np.isfinite(actual)
    forecast = float(mean[known].sum())
    ratio = float(actual[known].sum()) / forecast if forecast > 0 else 1.0
    return np.asarray(mean * np.float32(np.clip(ratio, 0.5, 2.0)))


def _dispersion(
    actual: Floats, mean: Floats, cell: npt.NDArray[np.intp], root: int
) -> npt.NDArray[np.float64]:
    """Most likely dispersion per cell, on the log scale shrunk to that of all of its kind where there is little."""
    known = np.isfinite(actual)
    value, forecast = actual[known].astype(np.float64), np.maximum(mean[known].astype(np.float64), 1e-4)
    columns = len(MEAN_EDGES) + 1
    index = (cell[:, None] * columns + np.searchsorted(MEAN_EDGES, mean))[known]
    rng = np.random.default_rng(root)
    fraction = index >= CELLS * columns
    kinds = [_likely(value[mine], forecast[mine], rng) for mine in (~fraction, fraction)]
    table = np.repeat(kinds, CELLS * columns)
    order = np.argsort(index, kind="stable")
    starts = np.searchsorted(index[order], np.arange(len(table) + 1))
    for number in range(len(table)):
        mine = order[starts[number] : starts[number + 1]]
        if len(mine):
            trust = len(mine) / (len(mine) + SHRINK)
            own = _likely(value[mine], forecast[mine], rng)
            table[number] = np.exp(trust * np.log(own) + (1 - trust) * np.log(table[number]))
    return table.reshape(2 * CELLS, columns)


def _cells(variation: Floats, whole: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """(M,) row of the dispersion table."""
    return np.searchsorted(SPREAD_EDGES, np.nan_to_num(variation, nan=1.0)) + np.where(whole, 0, CELLS)


def _parts(level: Floats, whole: npt.NDArray[np.bool_]) -> Floats:
    """(M, 1) what units are multiplied by: 1 for counts."""
    return np.where(whole, 1.0, PARTS_OF_LEVEL / level).astype(np.float32)[:, None]


def _likely(value: npt.NDArray[np.float64], mean: npt.NDArray[np.float64], rng: np.random.Generator) -> float:
    if not len(value):
        return 1.0
    if len(value) > CELL_SAMPLE:
        some = rng.choice(len(value), CELL_SAMPLE, replace=False)
        value, mean = value[some], mean[some]
    return float(likely_dispersion(value, mean, NARROWEST, WIDEST))


def _width(
    dispersion: npt.NDArray[np.float64], mean: Floats, cell: npt.NDArray[np.intp]
) -> npt.NDArray[np.float64]:
    return np.asarray(dispersion[cell[:, None], np.searchsorted(MEAN_EDGES, mean)])


def _fill(rank: Floats, series: npt.NDArray[np.uint64], root: int) -> Floats:
    """Unknown steps of a rank path take the path's known ranks in turn, so that it stays one path."""
    gaps = np.isnan(rank)
    if not gaps.any():
        return rank
    order = np.argsort(gaps, axis=1, kind="stable")
    known = (~gaps).sum(axis=1)
    turn = np.cumsum(gaps, axis=1) - 1
    source = np.take_along_axis(order, turn % np.maximum(known, 1)[:, None], axis=1)
    return np.where(gaps, np.take_along_axis(rank, source, axis=1), rank)


def _even_ranks(horizon: int, root: int) -> Floats:
    """With nothing held out there is nothing to correct: independent uniform ranks."""
    rng = np.random.default_rng(root)
    return rng.uniform(1e-6, 1 - 1e-6, size=(200, horizon)).astype(np.float32)


def _neutral(size: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    return np.zeros(size), np.zeros(size, np.int64)
