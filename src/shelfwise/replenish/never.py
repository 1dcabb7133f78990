"""`NeverOrder`: what happens if nobody orders; the floor every policy is compared with."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from shelfwise.replenish.base import Policy
from shelfwise.replenish.figures import common_figures
from shelfwise.replenish.situation import Decision, Situation


class NeverOrder(Policy):
    """Orders nothing, ever.

    Example:
        >>> from shelfwise.replenish.example import small_situation
        >>> NeverOrder().decide(small_situation()).quantity
        array([0., 0.])
    """

    name: ClassVar[str] = "none"
    needs_scenarios: ClassVar[bool] = False

    def decide(self, situation: Situation) -> Decision:
        """Zero for every series."""
        nothing = np.zeros(situation.n_series)
        return Decision(nothing, nothing, common_figures(situation, nothing, nothing))
