"""How wide the distribution around a mean is, and how errors hang together: learnt on forecasts that
the model made for buckets it had not seen.

Dispersion is set per cell of (mean, past variation); the ranks of what really happened are then kept as
paths, and drawing from them corrects whatever the negative binomial gets wrong (a calibration in the
sense of Kuleshov, Fenner & Ermon 2018) and keeps the dependence between steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shelfwise.forecast.kernels.counts import draw_paths, gamma_table, ranks

Floats = npt.NDArray[np.float32]
MEAN_EDGES = np.array([0.05, 0.1, 0.2, 0.35, 0.6, 1.0, 1.7, 3.0, 6.0, 12.0, 25.0, 60.0, 200.0])
SPREAD_EDGES = np.array([0.5, 0.8, 1.2, 1.8, 2.8])
NEIGHBOURS = 4000
LEAST_PATHS = 40
WIDEST = 25.0


@dataclass
class Spread:
    """Dispersion cells and a pool of rank paths, ordered by (past variation, mean).

    Attributes:
        dispersion: (cells of variation, cells of mean).
        pool: (P, K) rank paths; pool_mean: (P,) their mean forecasts; pool_cell: (P,) variation cell.
    """

    dispersion: npt.NDArray[np.float64]
    pool: Floats
    pool_mean: npt.NDArray[np.float64]
    pool_cell: npt.NDArray[np.int64]

    @classmethod
    def learn(
        cls, actual: Floats, mean: Floats, variation: Floats, series: npt.NDArray[np.uint64], root: int
    ) -> Spread:
        """From held-out (M, K) actuals (NaN unknown), their mean forecasts and (M,) past variation."""
        mean = debias(actual, mean)
        cell = np.searchsorted(SPREAD_EDGES, np.nan_to_num(variation, nan=1.0))
        dispersion = _dispersion(actual, mean, cell)
        width = _width(dispersion, mean, cell)
        table = gamma_table()
        rank = ranks(
            actual.astype(np.float64), mean.astype(np.float64), width, series, np.uint64(root), table
        )
        keep = np.isfinite(rank).all(axis=1)
        if keep.sum() < LEAST_PATHS:
            keep = np.isfinite(rank).any(axis=1)
        rank, mean, cell = _fill(rank[keep], series[keep], root), mean[keep].mean(axis=1), cell[keep]
        if len(rank) < LEAST_PATHS:
            return cls(dispersion, _even_ranks(actual.shape[1], root), *_neutral(200))
        order = np.lexsort((mean, cell))
        return cls(dispersion, rank[order], mean[order].astype(np.float64), cell[order].astype(np.int64))

    def draw(
        self,
        mean: Floats,
        variation: Floats,
        whole: npt.NDArray[np.bool_],
        series: npt.NDArray[np.uint64],
        samples: int,
        root: int,
    ) -> Floats:
        """(N, S, H) paths around (N, H) means for series of (N,) past variation."""
        cell = np.searchsorted(SPREAD_EDGES, np.nan_to_num(variation, nan=1.0))
        first, count = self._neighbours(mean.mean(axis=1), cell)
        return draw_paths(
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

    def _neighbours(
        self, mean: npt.NDArray[np.float32], cell: npt.NDArray[np.intp]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The run of the pool nearest to each series: same variation cell, closest mean."""
        first, count = np.zeros(len(mean), np.int64), np.zeros(len(mean), np.int64)
        for number in np.unique(cell):
            mine = cell == number
            start, end = np.searchsorted(self.pool_cell, [number, number + 1])
            if end - start < LEAST_PATHS:
                start, end = 0, len(self.pool)
            size = min(NEIGHBOURS, end - start)
            middle = start + np.searchsorted(self.pool_mean[start:end], mean[mine])
            first[mine] = np.clip(middle - size // 2, start, end - size)
            count[mine] = size
        return first, count


def debias(actual: Floats, mean: Floats) -> Floats:
    """Held-out means scaled to the held-out total, so that a good or bad month is not read as spread."""
    known = np.isfinite(actual)
    forecast = float(mean[known].sum())
    ratio = float(actual[known].sum()) / forecast if forecast > 0 else 1.0
    return np.asarray(mean * np.float32(np.clip(ratio, 0.5, 2.0)))


def _dispersion(actual: Floats, mean: Floats, cell: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Moment estimate per cell, shrunk to the estimate over all cells."""
    known = np.isfinite(actual)
    excess = np.where(known, (actual - mean) ** 2 - mean, 0.0).astype(np.float64)
    square = np.where(known, mean.astype(np.float64) ** 2, 0.0)
    overall = max(excess.sum() / max(square.sum(), 1e-12), 0.01)
    index = cell[:, None] * (len(MEAN_EDGES) + 1) + np.searchsorted(MEAN_EDGES, mean)
    size = (len(SPREAD_EDGES) + 1) * (len(MEAN_EDGES) + 1)
    top = np.bincount(index.ravel(), weights=excess.ravel(), minlength=size)
    bottom = np.bincount(index.ravel(), weights=square.ravel(), minlength=size)
    count = np.bincount(index.ravel(), weights=known.ravel(), minlength=size)
    with np.errstate(invalid="ignore", divide="ignore"):
        own = np.where(bottom > 0, top / bottom, overall)
    trust = count / (count + 200.0)
    shrunk = trust * own + (1 - trust) * overall
    return np.asarray(np.clip(shrunk, 0.005, WIDEST).reshape(len(SPREAD_EDGES) + 1, -1))


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
