"""A point learnt by mean squared error on scaled demand, as in the classical recipe; paths come from residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from shelfwise.errors import UsageError
from shelfwise.forecast.deep.heads.base import Doubles, Floats, Head
from shelfwise.forecast.scaling import SCALERS

if TYPE_CHECKING:
    from torch import Tensor


class SquaredError(Head):
    """The next bucket on the series' own scale: its level there plus what the network adds.

    Args:
        scaler: `min_max` or `standard`, fitted to each series' history and inverted exactly.

    Raises:
        UsageError: no such scaler.
    """

    name: ClassVar[str] = "mse"
    draws: ClassVar[int] = 0

    def __init__(self, scaler: str = "min_max") -> None:
        if scaler not in SCALERS:
            raise UsageError(f"scaler must be one of {', '.join(sorted(SCALERS))}; got {scaler!r}")
        self.scaler = scaler

    @property
    def n_outputs(self) -> int:
        return 1

    def options(self) -> dict[str, Any]:
        return {"scaler": self.scaler}

    def start(self, target: Doubles, level: Doubles) -> list[float]:
        return [0.0]

    def loss(self, outputs: Tensor, level: Tensor, target: Tensor) -> Tensor:
        """Squared error of (level + output), both on the scale."""
        return (level + outputs[..., 0] - target) ** 2

    def mean(self, outputs: Floats, level: Doubles) -> Doubles:
        return np.asarray(level + outputs[..., 0].astype(np.float64))
