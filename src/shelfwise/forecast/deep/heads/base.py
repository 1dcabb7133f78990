"""`Head`: what a network's outputs mean, how they are judged, and how a bucket is drawn from them.

Shapes: outputs (…, O), level and target (…). Losses see torch tensors, everything else NumPy arrays.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
# Log growth over the level that a network may claim in one bucket.
LEAST_LOG_GROWTH, MOST_LOG_GROWTH = -6.0, 3.4


class Head(ABC):
    """One way to turn outputs into demand.

    Attributes:
        draws: uniforms a bucket takes; 0 for a point, around which residuals are laid instead.
    """

    name: ClassVar[str]
    draws: ClassVar[int]

    @property
    @abstractmethod
    def n_outputs(self) -> int:
        """O."""

    @abstractmethod
    def start(self, target: Doubles, level: Doubles) -> list[float]:
        """(O,) outputs that say what an untrained network had better say: the level, and its usual spread."""

    @abstractmethod
    def loss(self, outputs: Tensor, level: Tensor, target: Tensor) -> Tensor:
        """Loss of each bucket; only buckets whose demand is known are counted by the caller."""

    @abstractmethod
    def mean(self, outputs: Floats, level: Doubles) -> Doubles:
        """Expected demand; not negative unless the head is a point on another scale."""

    def draw(self, outputs: Floats, level: Doubles, whole: Flags, uniforms: Doubles) -> Doubles:
        """(M,) demand at uniforms (M, draws), in whole units where `whole` (M,) says so."""
        raise TypeError(f"{self.name} is a point; it has no distribution to draw from")

    def options(self) -> dict[str, Any]:
        """What to make it anew with."""
        return {}


def softplus(x: npt.NDArray[Any]) -> Doubles:
    """log(1 + e^x), without overflow."""
    return np.asarray(np.logaddexp(0.0, x), np.float64)


def inverse_softplus(y: float) -> float:
    """x with softplus(x) = y > 0."""
    return float(y + np.log(-np.expm1(-max(y, 1e-12))))


def rounded_at_random(value: Doubles, whole: Flags, uniform: Doubles) -> Doubles:
    """Whole units where asked for, up or down at random so that the mean stays."""
    return np.where(whole, np.floor(value + uniform), value)
