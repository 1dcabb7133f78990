"""`Policy`: the seam every replenishment rule stands behind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from shelfwise.replenish.situation import Decision, Situation


class Policy(ABC):
    """Decides, for all series at once, what to order at a review.

    Promises, checked for every registered policy: whole multiples, 0 or at least the MOQ, never above
    the maximum; more stock never raises an order, unless a price break makes it larger; the same situation gives
    the same decision.
    """

    name: ClassVar[str]
    needs_scenarios: ClassVar[bool] = True

    @abstractmethod
    def decide(self, situation: Situation) -> Decision:
        """The orders for this review; (N,) arrays in the order of the situation's series."""
