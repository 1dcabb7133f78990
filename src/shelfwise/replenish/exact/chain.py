"""The Markov chain a policy leads to, state by state as they are found, and its average cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.replenish.exact.average_cost import AverageCost, Values, relative_values

LARGEST_CHAIN = 5_000_000
States = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What M states lead to: their cost (M,), and K branches with origin `row`, next state and chance.

    cost: (M,) expected money of this bucket. row: (K,) which of the M states a branch starts from, ascending.
    ahead: (K, A) next states. chance: (K,), summing to 1 over the branches of a state.
    """

    cost: Floats
    row: Ints
    ahead: States
    chance: Floats


Expand = Callable[[States], Outcome]


@dataclass(frozen=True, eq=False)
class Chain:
    """States (M, A), the cost of each, and the sparse matrix (M, M) of the chances to go from one to another."""

    states: States
    cost: Floats
    transition: Any


def explore(start: npt.ArrayLike, expand: Expand) -> Chain:
    """All states that can be reached from `start` (A,), found in waves; `expand` sees each state once.

    Raises:
        UsageError: more than 5 million states, or units too many to tell states apart.
    """
    from scipy.sparse import csr_array

    frontier = np.asarray(start, dtype=np.int64)[None, :]
    known = np.zeros(0, dtype=np.int64)
    states, costs, ahead, chances, counts = [], [], [], [], []
    while len(frontier):
        outcome = expand(frontier)
        codes = _codes(outcome.ahead)
        states.append(frontier)
        costs.append(outcome.cost)
        ahead.append(codes)
        chances.append(outcome.chance)
        counts.append(np.bincount(outcome.row, minlength=len(frontier)))
        known = np.union1d(known, _codes(frontier))
        if len(known) > LARGEST_CHAIN:
            raise UsageError(
                f"under this policy more than {LARGEST_CHAIN:,} states can be reached; evaluate it by simulation, or "
                "express demand in larger units"
            )
        _, first = np.unique(codes, return_index=True)
        fresh = first[~np.isin(codes[first], known, assume_unique=True)]
        frontier = outcome.ahead[fresh]
    every = np.concatenate(states)
    codes = _codes(every)
    place = np.argsort(codes)
    columns = place[np.searchsorted(codes, np.concatenate(ahead), sorter=place)]
    starts = np.concatenate([[0], np.cumsum(np.concatenate(counts))])
    size = (len(every), len(every))
    transition = csr_array((np.concatenate(chances), columns.astype(np.int32), starts), shape=size)
    return Chain(every, np.concatenate(costs), transition)


def average_cost(chain: Chain, tolerance: float) -> AverageCost:
    """The long-run cost a bucket, its proven bounds within `tolerance` of it."""

    def step(values: Values) -> Values:
        return np.asarray(chain.cost + chain.transition @ values)

    average, _ = relative_values(step, len(chain.cost), tolerance=tolerance)
    return average


def refuse_growth(states: States, largest_order: int, largest_demand: int) -> None:
    """Stop a policy whose stock or debt runs away, long before memory does.

    Raises:
        UsageError: some state holds or owes more than twenty times what orders and demand under way can explain.
    """
    limit = 20 * (largest_order + (states.shape[1] + 1) * max(largest_demand, 1))
    if int(np.abs(states.sum(axis=1)).max()) > limit:
        raise UsageError(
            f"under this policy stock or debt grows beyond {limit} units; a policy whose orders follow demand in the "
            "long run has a cost, this one has none"
        )


def branches(counts: Ints) -> tuple[Ints, Ints]:
    """Row numbers and 0 … count - 1 within each row.

    Example:
        >>> row, number = branches(np.array([2, 1]))
        >>> row.tolist(), number.tolist()
        ([0, 0, 1], [0, 1, 0])
    """
    row = np.repeat(np.arange(len(counts)), counts)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)


def _codes(states: States) -> Ints:
    """(M,) one number a state; coordinates may be negative."""
    axes = states.shape[1]
    base = 2 ** min(62 // axes, 20)
    if len(states) and int(np.abs(states).max()) >= base // 2:
        raise UsageError(
            f"{axes} numbers a state can be told apart below {base // 2} units; take larger units"
        )
    weight = base ** np.arange(axes, dtype=np.int64)
    codes: Ints = (states + base // 2) @ weight
    return codes
