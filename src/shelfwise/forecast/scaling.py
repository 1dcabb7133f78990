"""Series put on one scale for models that want it, and taken back exactly.

Scaled values are float64: in float32 the way back would lose the last digits of every value that is small
beside the series' level. A network may cast what it is given; what it returns is taken back as well.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
# What rounding in float64 can leave of a zero, as a share of the numbers it was made of.
RESIDUE = 2.0**-50


@dataclass(frozen=True)
class SeriesScaler(ABC):
    """(value - offset) / scale, series by series.

    Attributes:
        offset, scale: (N,) float64; the scale is positive. They travel with a saved model as they are.
    """

    offset: Doubles
    scale: Doubles

    name: ClassVar[str]

    @classmethod
    def fit(cls, values: npt.ArrayLike) -> Self:
        """From (N, T) history, NaN where unknown; a series without any is left as it is."""
        history = np.asarray(values, np.float64)
        if history.ndim != 2:
            raise UsageError(f"history to scale by must be (N, T); got {history.shape}")
        if np.isinf(history).any():
            raise UsageError("history to scale by must be finite or NaN; got an infinite value")
        offset, scale = cls._fitted(history)
        # A constant has no width to divide by; it becomes zero and comes back as itself.
        usable = np.isfinite(scale) & (scale > np.finfo(np.float32).tiny)
        return cls(np.nan_to_num(offset, nan=0.0), np.where(usable, scale, 1.0))

    @classmethod
    @abstractmethod
    def _fitted(cls, history: Doubles) -> tuple[Doubles, Doubles]:
        """(N,) offset and scale, NaN where there is nothing to go by."""

    def transform(self, values: npt.NDArray[Any], rows: npt.NDArray[Any] | None = None) -> Doubles:
        """(n, …) values of these series (all, by default) on the common scale; NaN stays NaN."""
        offset, scale = self._beside(values, rows)
        return np.asarray((values.astype(np.float64) - offset) / scale)

    def inverse(self, scaled: npt.NDArray[Any], rows: npt.NDArray[Any] | None = None) -> Floats:
        """(n, …) float32 units again: to the bit what `transform` was given, if that was float32.

        To the bit for every value of at least 2**-24 of its series' largest, and for zero; smaller
        ones may be lost beside an offset.
        """
        offset, scale = self._beside(scaled, rows)
        units = scaled.astype(np.float64) * scale + offset
        # A zero must come back as zero, not as what is left of two numbers that should cancel.
        cancelled = np.abs(units) <= RESIDUE * np.abs(offset)
        return np.where(cancelled, 0.0, units).astype(np.float32)

    def _beside(self, values: npt.NDArray[Any], rows: npt.NDArray[Any] | None) -> tuple[Doubles, Doubles]:
        offset, scale = (self.offset, self.scale) if rows is None else (self.offset[rows], self.scale[rows])
        if len(values) != len(offset):
            raise UsageError(f"values must begin with one entry a series, {len(offset)}; got {values.shape}")
        shape = (-1,) + (1,) * (values.ndim - 1)
        return offset.reshape(shape), scale.reshape(shape)


class MinMax(SeriesScaler):
    """The smallest value of a series' history becomes 0 and its largest 1.

    Example:
        >>> history = np.array([[2.0, 4.0, 6.0], [7.0, 7.0, np.nan]], np.float32)
        >>> scaler = MinMax.fit(history)
        >>> scaler.transform(history).tolist()
        [[0.0, 0.5, 1.0], [0.0, 0.0, nan]]
        >>> scaler.inverse(scaler.transform(history)).tolist()
        [[2.0, 4.0, 6.0], [7.0, 7.0, nan]]
    """

    name = "min_max"

    @classmethod
    def _fitted(cls, history: Doubles) -> tuple[Doubles, Doubles]:
        known = np.isfinite(history)
        lowest = np.where(known, history, np.inf).min(axis=1, initial=np.inf)
        highest = np.where(known, history, -np.inf).max(axis=1, initial=-np.inf)
        some = known.any(axis=1)
        return np.where(some, lowest, np.nan), np.where(some, highest - lowest, np.nan)


class Standard(SeriesScaler):
    """A series' history gets mean 0 and standard deviation 1 (of the population).

    Example:
        >>> Standard.fit(np.array([[1.0, 3.0]])).transform(np.array([[5.0, 2.0]])).tolist()
        [[3.0, 0.0]]
    """

    name = "standard"

    @classmethod
    def _fitted(cls, history: Doubles) -> tuple[Doubles, Doubles]:
        known = np.isfinite(history)
        count = np.maximum(known.sum(axis=1), 1)
        mean = np.where(known, history, 0.0).sum(axis=1) / count
        distance = np.where(known, history - mean[:, None], 0.0)
        some = known.any(axis=1)
        return np.where(some, mean, np.nan), np.where(
            some, np.sqrt((distance**2).sum(axis=1) / count), np.nan
        )


SCALERS: dict[str, type[SeriesScaler]] = {scaler.name: scaler for scaler in (MinMax, Standard)}


def fit_scaler(name: str, values: npt.ArrayLike) -> SeriesScaler:
    """A scaler by name, fitted to (N, T) history.

    Raises:
        UsageError: no such scaler.
    """
    if name not in SCALERS:
        raise UsageError(f"scaling must be one of {', '.join(sorted(SCALERS))}; got {name!r}")
    return SCALERS[name].fit(values)
