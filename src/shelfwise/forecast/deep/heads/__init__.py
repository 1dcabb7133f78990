"""What a network can be asked for: a distribution of counts, of amounts, quantiles, or a plain point."""

from __future__ import annotations

from typing import Any

from shelfwise.errors import UsageError
from shelfwise.forecast.deep.heads.base import Head
from shelfwise.forecast.deep.heads.negative_binomial import NegativeBinomial
from shelfwise.forecast.deep.heads.quantile import Quantiles
from shelfwise.forecast.deep.heads.squared_error import SquaredError
from shelfwise.forecast.deep.heads.tweedie import Tweedie

__all__ = ["HEADS", "Head", "make_head"]

HEADS: dict[str, type[Head]] = {
    head.name: head for head in (NegativeBinomial, Tweedie, Quantiles, SquaredError)
}


def make_head(name: str, **options: Any) -> Head:
    """A head by name.

    Raises:
        UsageError: no such head, or an option it does not take.

    Example:
        >>> make_head("tweedie", power=1.3).options()
        {'power': 1.3}
    """
    if name not in HEADS:
        raise UsageError(f"head must be one of {', '.join(HEADS)}; got {name!r}")
    try:
        return HEADS[name](**options)
    except TypeError as error:
        raise UsageError(f"head {name!r} does not take these options: {error}") from error
