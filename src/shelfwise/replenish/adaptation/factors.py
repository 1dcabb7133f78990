"""`Factors`: the few numbers, the same for all series, that history may move."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import hypot, log


@dataclass(frozen=True, order=True)
class Factors:
    """What the default policy multiplies, for all series alike.

    Attributes:
        shortage: the cost of a unit short, as orders are judged by it: above 1 orders more, below 1 less.
        spread: the distance of every scenario from the mean of its series and bucket: below 1 where the
            forecast is less sure than it could be, above 1 where it is too sure.

    Example:
        >>> Factors(0.8, 1.0).distance > Factors(1.0, 1.0).distance == 0.0
        True
    """

    shortage: float = 1.0
    spread: float = 1.0

    @property
    def distance(self) -> float:
        """How far from changing nothing, in logarithms, so that halving is as far as doubling."""
        return hypot(log(self.shortage), log(self.spread))


DEFAULT = Factors()
CANDIDATES: tuple[Factors, ...] = tuple(
    Factors(shortage, spread) for shortage, spread in product((0.7, 1.0, 1.4), (0.7, 1.0, 1.3))
)
