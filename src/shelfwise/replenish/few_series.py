"""Shared limits for a handful of series, where lots are lumpy and prices leave gaps to close."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shelfwise.replenish.leftovers import Shared
from shelfwise.replenish.projection import lot_range
from shelfwise.replenish.situation import Doubles
from shelfwise.replenish.worth import Worth

MOST_SERIES = 48
NEIGHBOURS = 12


def improve_few(worth: Worth, kept: Doubles, limits: Sequence[Shared]) -> Doubles:
    """`kept` (N,) or something better: one choice a series among nothing, its ceiling and lots around `kept`.

    A multiple-choice knapsack, solved by branch and bound (HiGHS). Beyond MOST_SERIES the gap that prices
    leave, at most one lump, is too small to matter, and `kept` is returned as it is.
    """
    if not 0 < len(kept) <= MOST_SERIES:
        return kept
    from scipy.optimize import Bounds, LinearConstraint, milp

    options = _options(worth, kept)
    cost = np.stack([worth.cost(column) for column in options.T], axis=1)
    n_series, n_options = options.shape
    one_each = np.kron(np.eye(n_series), np.ones(n_options))
    used = np.stack([(options * limit.use[:, None]).ravel() for limit in limits])
    room = np.array([limit.amount for limit in limits])
    answer = milp(
        cost.ravel(),
        integrality=np.ones(cost.size),
        bounds=Bounds(0, 1),
        constraints=[LinearConstraint(one_each, 1, 1), LinearConstraint(used, -np.inf, room)],
        options={"mip_rel_gap": 1e-6, "node_limit": 5000},
    )
    if answer.x is None:
        return kept
    picks = answer.x.reshape(n_series, n_options).argmax(axis=1)
    better = options[np.arange(n_series), picks]
    # The solver counts with tolerances; its answer is taken only if it truly fits and truly saves.
    fits = all(limit.holds(better) for limit in limits)
    before = worth.cost(kept).sum()
    after = cost[np.arange(n_series), picks].sum()
    return better if fits and after < before - 1e-9 else kept


def _options(worth: Worth, kept: Doubles) -> Doubles:
    """(N, O) allowed quantities: 0, `kept`, the ceiling, and NEIGHBOURS lots to either side of `kept`."""
    terms, ceiling = worth.projection.situation.terms, worth.ceiling
    step = np.asarray(terms.multiple)
    fewest, _ = lot_range(terms.moq, step, terms.max_quantity)
    most = np.rint(ceiling / step)
    around = np.rint(kept / step)[:, None] + np.arange(-NEIGHBOURS, NEIGHBOURS + 1)
    lots = np.clip(around, fewest[:, None], most[:, None])
    return np.column_stack([np.zeros(len(kept)), kept, ceiling, lots * step[:, None]])
