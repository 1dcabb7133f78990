"""Sample paths that add up, keep their shape, and rise and fall together as their total does.

Each series keeps its own paths, moved to the reconciled mean: dependence over the horizon stays, nothing is
negative, counts stay counts, and totals are sums of paths, so every sample is coherent. Between series the
*order* of the samples carries the dependence: whole paths are reordered, as in Jeon, Panagiotelis &
Petropoulos 2019, "Probabilistic forecast reconciliation with applications to wind power and electric load",
European Journal of Operational Research 279(2), towards normal scores of the total's samples (Iman & Conover
1982), as strongly as makes the sum of the series spread as far as the total's own forecast.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import ndtri

from shelfwise.demand.hierarchy import Hierarchy
from shelfwise.errors import UsageError
from shelfwise.forecast.reconcile.kernels.adjust import adjust_paths
from shelfwise.forecast.reconcile.means import Coherent
from shelfwise.forecast.scenarios import Scenarios

Floats = npt.NDArray[np.float64]

# Beyond this factor what is missing is added as units of its own: a rare sale of 1 must not become one of 50.
MOST_RATIO = 2.0
STRONGEST = 0.95


@dataclass(frozen=True)
class Adjustment:
    """What `adjusted` does to the paths of N series.

    Attributes:
        mean: (N, H) float32 reconciled means.
        ratio, surplus: (N, H) float32, paths * ratio + surplus has the reconciled mean.
        follows: (N,) float64 correlation of each series with its group's samples.
        score: (G, S) float64 normal scores of the groups' samples.
        group: (N,) int64 row of `score`.
    """

    mean: npt.NDArray[np.float32]
    ratio: npt.NDArray[np.float32]
    surplus: npt.NDArray[np.float32]
    follows: Floats
    score: Floats
    group: npt.NDArray[np.int64]

    @classmethod
    def between(
        cls,
        hierarchy: Hierarchy,
        base: npt.NDArray[Any],
        made: Coherent,
        spread: npt.NDArray[Any],
        totals: npt.NDArray[Any],
        level: int | None = 0,
    ) -> Adjustment:
        """From base means (N, H) to the reconciled ones.

        Args:
            base: (N, H) means the base paths have.
            made: the reconciled means.
            spread: (N,) standard deviation of each series' base path totals over the horizon.
            totals: (G, S) base path totals over the horizon of the nodes of `level`.
            level: the level whose nodes the series follow; None leaves the samples in their order.
        """
        mean = np.asarray(base, dtype=np.float64)
        ratio = np.minimum(_quotient(made.leaves, mean), MOST_RATIO)
        surplus = np.maximum(made.leaves - ratio * mean, 0.0)
        n = hierarchy.n_leaves
        follows, score, group = np.zeros(n), np.zeros((1, 1)), np.zeros(n, np.int64)
        if level is not None and totals.shape[1] > 1:
            row = hierarchy.membership[level].astype(np.int64)
            group = row - row.min()
            score = _normal_scores(np.asarray(totals, dtype=np.float64))
            moved = np.asarray(spread, dtype=np.float64) * _quotient(
                (ratio * mean).sum(axis=1), mean.sum(axis=1)
            )
            told = made.nodes[row.min() : row.min() + len(totals)].sum(axis=1)
            wanted = totals.var(axis=1) * _quotient(told, totals.mean(axis=1)) ** 2
            follows = _strength(moved, wanted, group)[group]
        single = np.float32
        return cls(
            made.leaves.astype(single), ratio.astype(single), surplus.astype(single), follows, score, group
        )

    def adjusted(
        self,
        paths: npt.NDArray[np.float32],
        series: npt.NDArray[Any],
        rows: npt.NDArray[np.intp],
        whole: npt.NDArray[np.bool_],
        root: int,
    ) -> npt.NDArray[np.float32]:
        """(n, S, H) reconciled paths of the series in `rows`; each depends on nobody else's paths.

        Args:
            paths: (n, S, H) base paths of these series.
            series: (n,) uint64 stable numbers of these series.
            rows: (n,) their rows among the N.
            whole: (n,) whose paths come in whole units.
            root: seed.
        """
        made: npt.NDArray[np.float32] = adjust_paths(
            np.ascontiguousarray(paths),
            self.ratio[rows],
            self.surplus[rows],
            whole,
            self.follows[rows],
            self.score,
            self.group[rows],
            series,
            np.uint64(root),
        )
        return made


def reconcile_paths(
    hierarchy: Hierarchy,
    leaves: Scenarios,
    nodes: Scenarios,
    made: Coherent,
    *,
    series_ids: npt.NDArray[Any],
    level: int | None = 0,
    seed: int = 0,
) -> Scenarios:
    """Paths of the series, joint across series, non-negative, with the reconciled means.

    Paths of series that are all whole numbers stay so. Paths of the nodes are `node_paths` of the result.

    Args:
        hierarchy: M nodes over N series.
        leaves: base scenarios of the N series, in the hierarchy's order.
        nodes: base scenarios of the M nodes, with as many samples and buckets.
        made: reconciled means of both, of `reconcile`.
        series_ids: (N,) uint64, `Panel.series_ids` of the series.
        level: the level whose nodes the series follow in rank; None leaves the samples in their order, as
            is right where the base model drew them jointly across series.
        seed: of rounding and order.

    Raises:
        UsageError: shapes that do not fit together.

    Example:
        >>> from datetime import date
        >>> from shelfwise.demand.panel import Panel
        >>> from shelfwise.forecast.reconcile.means import reconcile
        >>> panel = Panel.from_arrays(np.ones((2, 3)))
        >>> tree = Hierarchy.of(panel, ["total"])
        >>> base = Scenarios(panel.keys, panel.bucket, panel.as_of, np.full((2, 4, 1), 3, np.float32))
        >>> top = Scenarios(panel.keys[:1], panel.bucket, panel.as_of, np.full((1, 4, 1), 9, np.float32))
        >>> made = reconcile(tree, base.mean(), top.mean(), "top_down_forecasts")
        >>> joint = reconcile_paths(tree, base, top, made, series_ids=panel.series_ids)
        >>> joint.mean().tolist(), node_paths(tree, joint).shape
        ([[4.5], [4.5]], (1, 4, 1))
    """
    n, samples, horizon = leaves.paths.shape
    same = nodes.paths.shape == (hierarchy.n_nodes, samples, horizon) and n == hierarchy.n_leaves
    if not same or made.leaves.shape != (n, horizon):
        raise UsageError(
            f"scenarios must be ({hierarchy.n_leaves}, S, H) and ({hierarchy.n_nodes}, S, H), means of H "
            f"buckets; got {leaves.paths.shape}, {nodes.paths.shape} and {made.leaves.shape}"
        )
    totals = nodes.paths[hierarchy.level_of == level] if level is not None else nodes.paths[:0]
    adjustment = Adjustment.between(
        hierarchy,
        leaves.mean(),
        made,
        leaves.total(0, horizon).std(axis=1, dtype=np.float64),
        totals.sum(axis=2, dtype=np.float64),
        level,
    )
    whole = (leaves.paths == np.rint(leaves.paths)).all(axis=(1, 2))
    rows = np.arange(n)
    paths = adjustment.adjusted(leaves.paths, series_ids, rows, whole, seed)
    return replace(leaves, paths=paths, expected=adjustment.mean)


def node_paths(hierarchy: Hierarchy, leaves: Scenarios) -> npt.NDArray[np.float32]:
    """(M, S, H) float32 paths of the nodes: the sums of the series' paths, sample by sample."""
    return hierarchy.sums(leaves.paths).astype(np.float32)


def node_scenarios(hierarchy: Hierarchy, leaves: Scenarios) -> Scenarios:
    """Scenarios of the M nodes, coherent with those of the series in every sample and in the mean."""
    return Scenarios(
        keys=hierarchy.nodes.select(sku=pl.col("name"), location=pl.col("level")),
        bucket=leaves.bucket,
        start=leaves.start,
        paths=node_paths(hierarchy, leaves),
        expected=hierarchy.sums(leaves.mean()).astype(np.float32),
    )


def _quotient(above: Floats, below: Floats) -> Floats:
    """above / below, 0 where `below` is not positive."""
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _normal_scores(totals: Floats) -> Floats:
    """(G, S) standard normal quantiles of the ranks within each row."""
    rank = np.argsort(np.argsort(totals, axis=1, kind="stable"), axis=1, kind="stable")
    return np.asarray(ndtri((rank + 0.5) / totals.shape[1]))


def _strength(spread: Floats, wanted: Floats, group: npt.NDArray[np.int64]) -> Floats:
    """(G,) the one correlation between series at which their sum has the variance wanted."""
    alone = np.bincount(group, spread**2, len(wanted))
    together = np.bincount(group, spread, len(wanted)) ** 2
    room = together - alone
    share = np.where(room > 1e-12 * together, (wanted - alone) / np.where(room > 0, room, 1.0), 0.0)
    return np.clip(share, 0.0, STRONGEST)
