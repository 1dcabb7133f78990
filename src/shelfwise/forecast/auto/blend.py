"""The linear pool: weights that make a mixture of forecasts, not a single one, as good as can be.

The pinball loss of a mixture, summed over all levels, is a quadratic form in the weights: half the
continuous ranked probability score, w' G w with G[m, k] = ½ ∫ (F_m - 1{x >= y}) (F_k - 1{x >= y}) dx
(Gneiting & Raftery 2007; Thorey, Mallet & Baudin 2017 use it online). G is a Gram matrix, so the best
weights on the simplex are one convex problem, however many buckets were held out.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
POINTS = 32
POOL_LEVELS = tuple((np.arange(POINTS) + 0.5) / POINTS)
CELLS_AT_ONCE = 4096
SAME = 1e-9


def pool_gram(actual: npt.NDArray[Any], quantiles: npt.NDArray[Any], weight: npt.NDArray[Any]) -> Doubles:
    """The matrix G of M forecasts, summed over held-out cells.

    Args:
        actual: (C,) what happened, without NaN.
        quantiles: (M, C, K) forecasts as K equally likely points each.
        weight: (C,) what each cell counts for.

    Returns:
        (M, M) symmetric, positive semi-definite; the diagonal holds each forecast's own loss: its pinball
        loss, averaged over all levels.

    Example:
        >>> points = np.array([[[1.0, 3.0]], [[2.0, 2.0]]])
        >>> pool_gram(np.array([2.0]), points, np.ones(1))
        array([[0.25, 0.  ],
               [0.  , 0.  ]])
    """
    members, cells, points = quantiles.shape
    owner = np.repeat(np.arange(members), points)
    gram = np.zeros((members, members))
    for first in range(0, cells, CELLS_AT_ONCE):
        part = slice(first, min(first + CELLS_AT_ONCE, cells))
        y = actual[part].astype(np.float64)[:, None]
        x = np.concatenate([*quantiles[:, part].astype(np.float64), y], axis=1)
        order = np.argsort(x, axis=1, kind="stable")
        x = np.take_along_axis(x, order, axis=1)
        width = np.diff(x, axis=1) * weight[part][:, None]
        source = np.append(owner, members)[order][:, :-1]
        happened = np.cumsum(source == members, axis=1)
        gap = np.stack([np.cumsum(source == m, axis=1) / points - happened for m in range(members)])
        flat = gap.reshape(members, -1)
        gram += 0.5 * (flat * width.ravel()) @ flat.T
    return gram


def pool_weights(gram: Doubles) -> Doubles:
    """The weights on the simplex with the least w' G w: the best of every set of members, few as they are.

    Of sets that are as good, the one with the fewest members.

    Example:
        >>> pool_weights(np.array([[1.0, 0.0], [0.0, 3.0]])).round(3).tolist()
        [0.75, 0.25]
    """
    members = range(len(gram))
    best, least = np.eye(len(gram))[0], np.inf
    for size in range(1, len(gram) + 1):
        for chosen in map(list, combinations(members, size)):
            weights = np.zeros(len(gram))
            weights[chosen] = _unbounded(gram[np.ix_(chosen, chosen)])
            loss = float(weights @ gram @ weights)
            if (weights >= 0.0).all() and loss < (1.0 - SAME) * least:
                best, least = weights, loss
    return np.asarray(best)


def _unbounded(gram: Doubles) -> Doubles:
    """Weights that sum to one with the least w' G w, negative ones allowed (Bates & Granger 1969)."""
    size = len(gram)
    scale = max(float(np.trace(gram)) / size, 1e-300)
    system = np.ones((size + 1, size + 1))
    system[:size, :size], system[size, size] = gram / scale, 0.0
    return np.asarray(np.linalg.lstsq(system, np.eye(size + 1)[size], rcond=None)[0][:size])


def shares(weights: Doubles, n_samples: int, start: float) -> npt.NDArray[np.intp]:
    """(S,) which member each sample comes from: in proportion to the weights (systematic resampling).

    `start` in [0, 1) decides the rest that does not divide, so that even a single sample may come from any member.

    Example:
        >>> shares(np.array([0.5, 0.3, 0.2]), 10, 0.5).tolist()
        [0, 0, 0, 0, 0, 1, 1, 1, 2, 2]
    """
    edges = np.cumsum(weights) / np.sum(weights)
    places = (np.arange(n_samples) + start) / n_samples
    return np.minimum(np.searchsorted(edges, places, side="right"), len(weights) - 1)
