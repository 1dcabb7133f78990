"""What models are ranked by; `CostJudge`: what a shop's orders would have cost, had they been decided on a forecast.

Forecasting knows nothing of stock, so whoever plans brings the judge; see `shelfwise.evaluate.decision_cost`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.forecast.scenarios import Scenarios

Doubles = npt.NDArray[np.float64]
ChooseBy = Literal["pinball", "wape", "cost"]
CHOICES: tuple[ChooseBy, ...] = ("pinball", "wape", "cost")


def checked_choice(by: str, judge: JudgeMaker | None) -> ChooseBy:
    """`by` if models can be ranked by it.

    Raises:
        UsageError: it is no measure of ours, or ``cost`` and nobody brought a judge.
    """
    for known in CHOICES:
        if by == known:
            if by == "cost" and judge is None:
                raise UsageError('choosing by "cost" needs a judge of orders; choose by pinball or wape')
            return known
    raise UsageError(f"models are chosen by one of {', '.join(CHOICES)}; got {by!r}")


class CostJudge(Protocol):
    """Decides on scenarios as the shop would, and looks at what it came to.

    Attributes:
        horizon: buckets of the scenarios it needs, and of what then happened.
    """

    @property
    def horizon(self) -> int: ...

    def __call__(self, origin: int, scenarios: Scenarios) -> Doubles:
        """(n,) money that the orders of these series, decided at bucket `origin` of history, came to cost."""


# From the history that is fitted on, so that a judge cannot know more.
JudgeMaker = Callable[[Panel], CostJudge]
