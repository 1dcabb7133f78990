"""One value a series: spread scalars, fix the type, and refuse bad values naming rule, value and series."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import field
from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Rows = npt.ArrayLike | slice


def for_all(value: float) -> Floats:
    """Default of a dataclass field: one value, spread over all series once their number is known."""
    default: Floats = field(default_factory=lambda: np.array(value, dtype=np.float64))
    return default


def whole_for_all(value: int) -> Ints:
    """`for_all` of a whole number."""
    default: Ints = field(default_factory=lambda: np.array(value, dtype=np.int32))
    return default


def series_count(name: str, value: npt.ArrayLike) -> int:
    """How many series an (N,) array speaks of; a scalar is refused, it does not say how many."""
    array = np.asarray(value)
    if array.ndim != 1:
        raise UsageError(
            f"{name} must have one value a series, shape (N,); got shape {array.shape}. "
            "Use .same(n, ...) to give every series the same value"
        )
    return int(array.shape[0])


def floats(name: str, value: npt.ArrayLike, n_series: int) -> Floats:
    """`value` as a contiguous float64 array (N,); a scalar is spread over all series."""
    array = np.asarray(value, dtype=np.float64)
    if array.ndim > 1 or (array.ndim == 1 and array.shape[0] != n_series):
        raise UsageError(f"{name} must be one value, or one for each of {n_series} series; got {array.shape}")
    return np.array(np.broadcast_to(array, (n_series,)), dtype=np.float64)


def whole_numbers(name: str, value: npt.ArrayLike, n_series: int, least: int) -> Ints:
    """`value` as int32 (N,), refusing fractions and anything below `least`."""
    array = floats(name, value, n_series)
    largest = np.iinfo(np.int32).max
    good = (array == np.floor(array)) & (array >= least) & (array <= largest)
    require(good, name, f"must be a whole number of at least {least}", array)
    return array.astype(np.int32)


def require(
    good: npt.NDArray[np.bool_],
    name: str,
    rule: str,
    values: npt.NDArray[Any],
    axes: Sequence[str] = ("series", "bucket"),
) -> None:
    """Raise UsageError for the first place at which `good` does not hold; `axes` name its coordinates.

    Example:
        >>> require(np.array([True, False]), "moq", "must not be negative", np.array([1.0, -2.0]))
        Traceback (most recent call last):
        ...
        shelfwise.errors.UsageError: moq must not be negative; got -2.0 at series 1
    """
    if good.all():
        return
    where = np.unravel_index(int(np.argmin(good)), good.shape)
    place = ", ".join(f"{axis} {index}" for axis, index in zip(axes, where, strict=False))
    others = int(good.size - np.count_nonzero(good)) - 1
    more = f" (and {others} more)" if others else ""
    raise UsageError(f"{name} {rule}; got {values[where]} at {place}{more}")


def check_count(n_series: int) -> int:
    """A number of series handed to `.same` or `.empty`."""
    if operator.index(n_series) < 0:
        raise UsageError(f"the number of series must not be negative; got {n_series}")
    return n_series
