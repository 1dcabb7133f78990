"""Quantiles of the next bucket, learnt by pinball loss and drawn from by going along them.

Koenker & Bassett 1978; as increments, so that they cannot cross, in the manner of Gasthaus et al. 2019,
"Probabilistic forecasting with spline quantile function RNNs", with straight pieces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from shelfwise.forecast.deep.heads.base import (
    Doubles,
    Flags,
    Floats,
    Head,
    inverse_softplus,
    rounded_at_random,
    softplus,
)

if TYPE_CHECKING:
    from torch import Tensor

LEVELS = np.array([0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98])
LEAST_STEP = 1e-3


class Quantiles(Head):
    """Thirteen quantiles in units of (level + 1); outputs are inverse softplus of their increments.

    Below the lowest quantile the line goes on to zero; above the highest follows an exponential tail that
    continues the last piece.

    Example:
        >>> head = Quantiles()
        >>> start = np.array([head.start(np.arange(101.0), np.full(101, 99.0))], np.float32)
        >>> head.draw(start, np.array([99.0]), np.zeros(1, bool), np.array([[0.5, 0.5]])).round(1).tolist()
        [50.0]
    """

    name: ClassVar[str] = "quantile"
    draws: ClassVar[int] = 2

    @property
    def n_outputs(self) -> int:
        return len(LEVELS)

    def start(self, target: Doubles, level: Doubles) -> list[float]:
        ratio = target / (level + 1.0) if len(target) else np.ones(1)
        increments = np.diff(np.quantile(ratio, LEVELS), prepend=0.0)
        return [inverse_softplus(max(float(step), LEAST_STEP)) for step in increments]

    def loss(self, outputs: Tensor, level: Tensor, target: Tensor) -> Tensor:
        """Mean pinball loss over the levels, in units of (level + 1)."""
        import torch

        levels = torch.tensor(LEVELS, dtype=outputs.dtype, device=outputs.device)
        quantiles = torch.cumsum(torch.nn.functional.softplus(outputs), dim=-1)
        error = (target / (level + 1.0))[..., None] - quantiles
        return torch.maximum(levels * error, (levels - 1.0) * error).mean(dim=-1)

    def mean(self, outputs: Floats, level: Doubles) -> Doubles:
        known = self._quantiles(outputs)
        tops = np.concatenate([np.zeros_like(known[..., :1]), known], axis=-1)
        shares = np.diff(np.concatenate([[0.0], LEVELS]))
        pieces = (0.5 * (tops[..., 1:] + tops[..., :-1]) * shares).sum(axis=-1)
        tail = (1.0 - LEVELS[-1]) * (known[..., -1] + self._tail(known))
        return np.asarray((pieces + tail) * (level + 1.0))

    def draw(self, outputs: Floats, level: Doubles, whole: Flags, uniforms: Doubles) -> Doubles:
        known = np.concatenate([np.zeros((len(level), 1)), self._quantiles(outputs)], axis=1)
        at = np.concatenate([[0.0], LEVELS])
        rank, rows = uniforms[:, 0], np.arange(len(level))
        piece = np.clip(np.searchsorted(at, rank, side="right") - 1, 0, len(at) - 2)
        share = (rank - at[piece]) / (at[piece + 1] - at[piece])
        inside = known[rows, piece] + share * (known[rows, piece + 1] - known[rows, piece])
        beyond = known[:, -1] + self._tail(known) * np.log((1.0 - LEVELS[-1]) / (1.0 - rank))
        drawn = np.where(rank > LEVELS[-1], beyond, inside) * (level + 1.0)
        return rounded_at_random(drawn, whole, uniforms[:, 1])

    @staticmethod
    def _quantiles(outputs: Floats) -> Doubles:
        return np.cumsum(softplus(outputs), axis=-1)

    @staticmethod
    def _tail(known: Doubles) -> Doubles:
        """Scale of the exponential that passes through the last two quantiles."""
        width = np.log((1.0 - LEVELS[-2]) / (1.0 - LEVELS[-1]))
        return np.asarray((known[..., -1] - known[..., -2]) / width)
