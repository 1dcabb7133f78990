"""The long-run average cost of a Markov chain or decision process, with bounds that are proven, not hoped for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shelfwise.errors import ShelfwiseError

Values = npt.NDArray[np.float64]
# A share of the old value is kept in every sweep, so that chains that only move in a cycle converge too.
KEPT = 0.02
LARGEST_SWEEPS = 200_000


@dataclass(frozen=True)
class AverageCost:
    """Money a bucket in the long run; the true value lies between `lower` and `upper`."""

    cost: float
    lower: float
    upper: float
    n_states: int


def relative_values(
    step: Callable[[Values], Values],
    n_states: int,
    *,
    tolerance: float,
    follow: Callable[[Values], Values] | None = None,
    rounds: int = 12,
    start: Values | None = None,
) -> tuple[AverageCost, Values]:
    """Relative value iteration: apply `step` until its least and greatest gain agree.

    For any values v, min(Tv - v) and max(Tv - v) enclose the average cost (Odoni 1969), so stopping early
    never misleads. Between two full steps, `rounds` cheap ones under the orders just found speed it up
    (modified policy iteration, Puterman and Shin 1978).

    Args:
        step: one Bellman step T over the values (M,) of all states.
        tolerance: largest difference of the bounds, as a share of the cost (absolute below a cost of 1e-3).
        follow: one step under the orders that the last `step` chose; None = there is nothing to choose.
        start: (M,) values to begin with; zeros if None.

    Returns:
        The cost with its bounds, and the relative values (M,).

    Raises:
        ShelfwiseError: no agreement after very many steps: the chain has several classes of states that
            never meet.
    """
    values = np.zeros(n_states) if start is None else start
    for _ in range(LARGEST_SWEEPS):
        stepped = step(values)
        gain = stepped - values
        lower, upper = float(gain.min()), float(gain.max())
        values = stepped if upper - lower < 1e-15 else KEPT * values + (1.0 - KEPT) * stepped
        values -= values[0]
        if upper - lower <= tolerance * max(abs(upper), 1e-3):
            return AverageCost(0.5 * (lower + upper), lower, upper, n_states), values
        if follow is not None:
            for _ in range(rounds):
                values = KEPT * values + (1.0 - KEPT) * follow(values)
            values -= values[0]
    raise ShelfwiseError(
        f"the average cost did not settle after {LARGEST_SWEEPS} sweeps: between {lower:g} and {upper:g}; "
        "the policy may keep some states apart for ever, start elsewhere or change it"
    )
