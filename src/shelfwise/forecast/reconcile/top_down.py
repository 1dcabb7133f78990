"""Top-down: the forecast of a level, shared out to its series.

Gross & Sohl 1990, "Disaggregation methods to expedite product line forecasting", Journal of Forecasting 9
(historical proportions, their method A); Athanasopoulos, Ahmed & Hyndman 2009, "Hierarchical forecasts for
Australian domestic tourism", International Journal of Forecasting 25 (proportions of forecasts).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.demand.hierarchy import Hierarchy
from shelfwise.errors import UsageError

Floats = npt.NDArray[np.float64]


def average_proportions(hierarchy: Hierarchy, history: npt.NDArray[Any], level: int = 0) -> Floats:
    """(N,) mean over past buckets of each series' share of its node at `level`; shares of a node add to 1.

    Args:
        history: (N, T) demand. Masked (NaN) buckets of a series are left out of its mean, and so are
            buckets in which its node sold nothing; shares are then brought back to 1.

    Raises:
        UsageError: another number of series, or an unknown level.

    Example:
        >>> from shelfwise.demand.panel import Panel
        >>> panel = Panel.from_arrays([[3.0, 1.0], [1.0, 3.0]])
        >>> average_proportions(Hierarchy.of(panel, ["total"]), panel.demand).tolist()
        [0.5, 0.5]
    """
    if history.ndim != 2 or len(history) != hierarchy.n_leaves:
        raise UsageError(f"history must be (N, T) for {hierarchy.n_leaves} series; got {history.shape}")
    group, count = _groups(hierarchy, level)
    known = ~np.isnan(history)
    shares, seen = np.zeros(len(history)), np.zeros(len(history))
    for bucket in range(history.shape[1]):
        sold = np.where(known[:, bucket], history[:, bucket], 0.0).astype(np.float64)
        whole = np.bincount(group, sold, count)[group]
        counts = known[:, bucket] & (whole > 0)
        shares[counts] += sold[counts] / whole[counts]
        seen += counts
    return _to_one(shares / np.maximum(seen, 1.0), group, count)


def share_by_history(
    hierarchy: Hierarchy, nodes: Floats, history: npt.NDArray[Any], level: int = 0
) -> Floats:
    """(N, H) leaves: the forecast of each series' node at `level`, by average historical proportions."""
    shares = average_proportions(hierarchy, history, level)
    return np.asarray(shares[:, None] * nodes[hierarchy.membership[level]])


def share_by_forecasts(hierarchy: Hierarchy, leaves: Floats, nodes: Floats, level: int = 0) -> Floats:
    """(N, H) leaves: the forecast of `level` handed down by the proportions of base forecasts.

    It goes through each later level that splits the one before it further (crossed levels are passed over),
    then to the series. Siblings whose forecasts are all zero share equally.

    Args:
        leaves: (N, H) base forecasts, not negative.
        nodes: (M, H) base forecasts, not negative.
    """
    parent, _ = _groups(hierarchy, level)
    held = nodes[hierarchy.membership[level]]
    for lower in range(level + 1, len(hierarchy.levels)):
        child, count = _groups(hierarchy, lower)
        owner = np.zeros(count, np.intp)
        owner[child] = parent
        if not np.array_equal(owner[child], parent):
            continue
        of_child = np.zeros((count, held.shape[1]))
        of_child[child] = held
        base = np.zeros_like(of_child)
        base[child] = nodes[hierarchy.membership[lower]]
        held = (of_child * _to_one(base, owner, int(parent.max()) + 1))[child]
        parent = child
    return np.asarray(held * _to_one(leaves, parent, int(parent.max()) + 1))


def _groups(hierarchy: Hierarchy, level: int) -> tuple[npt.NDArray[np.intp], int]:
    """(N,) the node of each series counted from 0 within its level, and how many there are."""
    if not 0 <= level < len(hierarchy.levels):
        raise UsageError(f"level must be 0 to {len(hierarchy.levels) - 1}; got {level}")
    row = hierarchy.membership[level].astype(np.intp)
    group = row - row.min()
    return group, int(group.max()) + 1


def _to_one(values: Floats, group: npt.NDArray[np.intp], count: int) -> Floats:
    """Values (n, …) divided by the sum of their group; equal shares where that is zero."""
    flat = values.reshape(len(values), -1)
    sums = np.zeros((count, flat.shape[1]))
    np.add.at(sums, group, flat)
    members = np.bincount(group, minlength=count)[group][:, None]
    whole = sums[group]
    shares = np.where(whole > 0, flat / np.where(whole > 0, whole, 1.0), 1.0 / members)
    return shares.reshape(values.shape)
