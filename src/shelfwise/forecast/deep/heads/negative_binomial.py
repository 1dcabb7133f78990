"""Negative binomial counts around a mean: Salinas et al. 2020, "DeepAR", section 3.2."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from shelfwise.forecast.deep.heads.base import (
    LEAST_LOG_GROWTH,
    MOST_LOG_GROWTH,
    Doubles,
    Flags,
    Floats,
    Head,
    inverse_softplus,
    softplus,
)
from shelfwise.forecast.kernels.counts import draw_paths, gamma_table, likely_dispersion

if TYPE_CHECKING:
    from torch import Tensor

LEAST_DISPERSION, MOST_DISPERSION = 0.005, 25.0
CELLS = 20_000


class NegativeBinomial(Head):
    """Mean m = level e^f and variance m + a m²; outputs are f and the inverse softplus of a.

    Example:
        >>> head = NegativeBinomial()
        >>> outputs = np.array([[0.0, 0.5], [np.log(2.0), 0.5]], np.float32)
        >>> head.mean(outputs, np.array([3.0, 3.0])).round(3).tolist()
        [3.0, 6.0]
        >>> half = np.full((2, 1), 0.5)
        >>> head.draw(outputs, np.array([3.0, 3.0]), np.ones(2, bool), half).tolist()
        [2.0, 4.0]
    """

    name: ClassVar[str] = "negative_binomial"
    draws: ClassVar[int] = 1

    def __init__(self) -> None:
        self._table = gamma_table()

    @property
    def n_outputs(self) -> int:
        return 2

    def start(self, target: Doubles, level: Doubles) -> list[float]:
        every = max(1, len(target) // CELLS)
        some = target[::every], np.maximum(level[::every], 1e-4)
        likely = likely_dispersion(*some, 2.0 * LEAST_DISPERSION, MOST_DISPERSION) if len(target) else 1.0
        return [0.0, inverse_softplus(likely - LEAST_DISPERSION)]

    def loss(self, outputs: Tensor, level: Tensor, target: Tensor) -> Tensor:
        """Negative log likelihood, exact for real values too."""
        import torch

        mean = level * outputs[..., 0].clamp(LEAST_LOG_GROWTH, MOST_LOG_GROWTH).exp()
        dispersion = torch.nn.functional.softplus(outputs[..., 1]) + LEAST_DISPERSION
        size = 1.0 / dispersion
        spread = torch.log1p(dispersion * mean)
        return (
            torch.lgamma(size)
            + torch.lgamma(target + 1.0)
            - torch.lgamma(target + size)
            + size * spread
            + target * (spread - torch.log(dispersion * mean))
        )

    def mean(self, outputs: Floats, level: Doubles) -> Doubles:
        growth = np.clip(outputs[..., 0].astype(np.float64), LEAST_LOG_GROWTH, MOST_LOG_GROWTH)
        return np.asarray(level * np.exp(growth))

    def draw(self, outputs: Floats, level: Doubles, whole: Flags, uniforms: Doubles) -> Doubles:
        count = len(level)
        each, once = np.arange(count), np.ones(count, np.int64)
        # The pool is the uniform itself: every row draws from a pool of one rank, its own.
        drawn = draw_paths(
            self.mean(outputs, level)[:, None],
            np.minimum(softplus(outputs[:, 1:2]) + LEAST_DISPERSION, MOST_DISPERSION),
            whole,
            uniforms[:, :1],
            each,
            once,
            each.astype(np.uint64),
            1,
            np.uint64(0),
            self._table,
        )
        return np.asarray(drawn[:, 0, 0], np.float64)
