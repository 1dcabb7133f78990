"""Arguments of closed forms: broadcast against each other, finite, and refused by name where they break a rule."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.simulate.per_series import Floats, require

AXES = ("item", "sample")


def finite(**values: npt.ArrayLike) -> tuple[Floats, ...]:
    """All values as float64 arrays of one shape, in the order given.

    Example:
        >>> finite(mean=[1, 2], sd=3)
        (array([1., 2.]), array([3., 3.]))
    """
    given = [np.asarray(value, dtype=np.float64) for value in values.values()]
    for name, array in zip(values, given, strict=True):
        _check(np.isfinite(array), name, "must be a finite number", array)
    try:
        return tuple(np.array(array) for array in np.broadcast_arrays(*given))
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in zip(values, given, strict=True))
        raise UsageError(f"these shapes do not fit each other: {shapes}") from None


def above_zero(**values: Floats) -> None:
    """Refuse zero and less."""
    for name, array in values.items():
        _check(array > 0, name, "must be above 0", array)


def at_least_zero(**values: Floats) -> None:
    """Refuse less than zero."""
    for name, array in values.items():
        _check(array >= 0, name, "must be at least 0", array)


def _check(good: npt.ArrayLike, name: str, rule: str, array: Floats) -> None:
    require(np.atleast_1d(np.asarray(good)), name, rule, np.atleast_1d(array), AXES)
