"""`Hierarchy`: which series add up to which totals, as one sparse matrix.

Every level splits all series by some attributes, so levels may be nested (department in category) or
crossed (category by location); Hyndman, Ahmed, Athanasopoulos & Shang 2011, "Optimal combination forecasts
for hierarchical time series", Computational Statistics & Data Analysis 55(9).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from shelfwise.demand.panel import Known, Panel
from shelfwise.errors import UsageError

Floats = npt.NDArray[np.float64]
LevelName = str | Sequence[str]

TOTAL = "total"
CROSS = " x "
BUCKETS_AT_ONCE = 64


@dataclass(frozen=True)
class Hierarchy:
    """N series (the leaves) and M upper nodes above them.

    Attributes:
        levels: the attributes of each level, ``()`` for the total; in the order asked for.
        nodes: M rows `level` and `name`, level after level, names sorted within a level.
        membership: (L, N) int32, the row of `nodes` that each series belongs to at each level.
        adds: (M, N) sparse float64 of ones: nodes = adds @ series.
    """

    levels: tuple[tuple[str, ...], ...]
    nodes: pl.DataFrame
    membership: npt.NDArray[np.int32]
    adds: Any

    @classmethod
    def of(cls, panel: Panel, levels: Sequence[LevelName]) -> Hierarchy:
        """The hierarchy of a panel's series.

        Args:
            panel: its `keys` (`sku`, `location`) and `static` give the attributes. A series without
                a value of an attribute belongs to that attribute's group of no name.
            levels: each the name of an attribute, several names (crossed), or ``total``.

        Raises:
            UsageError: no level, an unknown attribute, a level named twice, or one that is the series
                themselves.

        Example:
            >>> keys = pl.DataFrame({"sku": ["a", "a", "b"], "location": ["x", "y", "x"]})
            >>> tree = Hierarchy.of(Panel.from_arrays(np.ones((3, 4)), keys=keys), ["total", "sku"])
            >>> tree.nodes["name"].to_list(), tree.adds.toarray().tolist()
            (['total', 'a', 'b'], [[1.0, 1.0, 1.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
        """
        chosen = tuple(_attributes_of(level) for level in levels)
        if not chosen or len({frozenset(level) for level in chosen}) < len(chosen):
            raise UsageError(f"levels must be at least one, each named once; got {list(levels)}")
        table = panel.keys.select("sku", "location")
        if panel.static.width:
            table = table.hstack(panel.static.drop("sku", "location", strict=False))
        frames, rows, count = [], [], 0
        for level in chosen:
            frame, row = _split(table, level)
            frames.append(frame)
            rows.append(row + count)
            count += len(frame)
        membership = np.asarray(rows, dtype=np.int32)
        n = panel.n_series
        columns = np.tile(np.arange(n), len(chosen))
        adds = sparse.csr_array((np.ones(columns.size), (membership.ravel(), columns)), shape=(count, n))
        return cls(chosen, pl.concat(frames), membership, adds)

    @property
    def n_leaves(self) -> int:
        return int(self.adds.shape[1])

    @property
    def n_nodes(self) -> int:
        return int(self.adds.shape[0])

    @property
    def level_of(self) -> npt.NDArray[np.int32]:
        """(M,) number of each node's level."""
        numbers = np.repeat(np.arange(len(self.levels)), [len(np.unique(row)) for row in self.membership])
        return numbers.astype(np.int32)

    @property
    def summing(self) -> Any:
        """(M + N, N) sparse S of the literature: upper nodes first, then the series."""
        return sparse.vstack([self.adds, sparse.eye_array(self.n_leaves)], format="csr")

    def sums(self, values: npt.NDArray[Any]) -> Floats:
        """(M, …) sums of (N, …) values of the series, such as means (N, H) or paths (N, S, H)."""
        if values.shape[0] != self.n_leaves:
            raise UsageError(f"values must have a row for each of {self.n_leaves} series; got {values.shape}")
        flat = np.asarray(values, dtype=np.float64).reshape(self.n_leaves, -1)
        return np.asarray(self.adds @ flat).reshape(self.n_nodes, *values.shape[1:])

    def aggregate(self, panel: Panel, least_known_share: float = 0.5) -> Panel:
        """Panel of the M nodes: `sku` is the node's name, `location` its level.

        Demand of a bucket in which some members are masked is the known members' sum divided by their
        usual share of the node (by mean observed demand, of the members alive in that bucket). Where that
        share is below `least_known_share` it is NaN. Members not launched yet or ended count as nothing.
        `on_sale` and what is known ahead are means of the members, weighted by mean observed demand.

        Args:
            panel: the N series the hierarchy was made of, in that order.
            least_known_share: between 0 and 1.

        Raises:
            UsageError: another number of series, or a share outside 0…1.

        Example:
            >>> panel = Panel.from_arrays([[3.0, 3.0, 3.0], [1.0, float("nan"), 1.0]])
            >>> Hierarchy.of(panel, ["total"]).aggregate(panel).demand.tolist()
            [[4.0, 4.0, 4.0]]
        """
        if panel.n_series != self.n_leaves:
            raise UsageError(
                f"the panel must have the hierarchy's {self.n_leaves} series; got {panel.n_series}"
            )
        if not 0.0 <= least_known_share <= 1.0:
            raise UsageError(f"least_known_share must lie between 0 and 1; got {least_known_share}")
        seen = ~np.isnan(panel.demand)
        total = np.where(seen, panel.demand, 0.0).sum(axis=1, dtype=np.float64)
        usual = total / np.maximum(seen.sum(axis=1), 1)
        shape = (self.n_nodes, panel.n_buckets)
        demand, sold, on_sale = (np.empty(shape, np.float32) for _ in range(3))
        for first in range(0, panel.n_buckets, BUCKETS_AT_ONCE):
            part = slice(first, min(first + BUCKETS_AT_ONCE, panel.n_buckets))
            bucket = np.arange(part.start, part.stop)
            known = seen[:, part]
            alive = (panel.launched[:, None] <= bucket) & (bucket < panel.ends[:, None]) | known
            demand[:, part] = self._scaled_up(panel.demand[:, part], known, alive, usual, least_known_share)
            sold[:, part] = self.sums(np.nan_to_num(panel.sold[:, part], nan=0.0))
            on_sale[:, part] = self._weighted_mean(panel.on_sale[:, part], alive, usual)
        keys = self.nodes.select(sku="name", location="level")
        return Panel(
            keys=keys,
            bucket=panel.bucket,
            start=panel.start,
            sold=sold,
            on_sale=on_sale,
            demand=demand,
            known={name: self._known(known, usual) for name, known in panel.known.items()},
            static=self.nodes.select("level"),
            launched=self._extreme(panel.launched, np.minimum),
            ends=self._extreme(panel.ends, np.maximum),
            horizon=panel.horizon,
        )

    def _scaled_up(
        self,
        demand: npt.NDArray[np.float32],
        known: npt.NDArray[np.bool_],
        alive: npt.NDArray[np.bool_],
        usual: Floats,
        least: float,
    ) -> Floats:
        counted = self.sums(np.where(known, demand, 0.0))
        whole, held = self.sums(alive * usual[:, None]), self.sums(known * usual[:, None])
        heads, seen = self.sums(alive), self.sums(known)
        # Where nobody alive ever sold anything, heads are all there is to share by.
        share = np.where(whole > 0, held / np.where(whole > 0, whole, 1.0), seen / np.maximum(heads, 1.0))
        enough = (seen > 0) & (share > 0) & (share >= least)
        scaled: Floats = np.where(enough, counted / np.where(enough, share, 1.0), np.nan)
        # Complete buckets keep their exact sum, free of rounding.
        return np.where(seen == heads, np.where(seen > 0, counted, np.nan), scaled)

    def _weighted_mean(
        self, values: npt.NDArray[np.float32], alive: npt.NDArray[np.bool_], usual: Floats
    ) -> Floats:
        weight = alive * (usual + _least_weight(usual))[:, None]
        weights = self.sums(weight)
        return self.sums(weight * values) / np.where(weights > 0, weights, 1.0)

    def _known(self, known: Known, usual: Floats) -> Known:
        """What is known ahead of the nodes; one group for all stays one group for all."""
        if len(known.values) == 1:
            return Known(known.values, np.zeros(self.n_nodes, np.int32))
        belongs = sparse.csr_array(
            (usual + _least_weight(usual), (np.arange(self.n_leaves), known.group)),
            shape=(self.n_leaves, len(known.values)),
        )
        weight = self.adds @ belongs
        there = ~np.isnan(known.values)
        weights = weight @ there.astype(np.float64)
        sums = weight @ np.where(there, known.values, 0.0).astype(np.float64)
        mean = np.where(weights > 0, sums / np.where(weights > 0, weights, 1.0), np.nan)
        return Known(mean.astype(np.float32), np.arange(self.n_nodes, dtype=np.int32))

    def _extreme(self, values: npt.NDArray[np.int32], pick: np.ufunc) -> npt.NDArray[np.int32]:
        found = np.full(self.n_nodes, Panel.NEVER if pick is np.minimum else 0, np.int32)
        for row in self.membership:
            pick.at(found, row, values)
        return found


def _least_weight(usual: Floats) -> float:
    """So that a group whose members never sold still has a mean."""
    return 1e-9 * float(usual.max(initial=0.0)) or 1.0


def _attributes_of(level: LevelName) -> tuple[str, ...]:
    if isinstance(level, str):
        return () if level == TOTAL else (level,)
    return tuple(level)


def _split(table: pl.DataFrame, level: tuple[str, ...]) -> tuple[pl.DataFrame, npt.NDArray[np.int32]]:
    """The nodes of one level, and the row of each series' node among them."""
    if unknown := [name for name in level if name not in table.columns]:
        raise UsageError(f"level {list(level)}: no attribute {unknown[0]!r}; there are {table.columns}")
    if set(level) >= {"sku", "location"}:
        raise UsageError(f"a level must lie above the series, which are sku x location; got {list(level)}")
    title = CROSS.join(level) or TOTAL
    if not level:
        return pl.DataFrame({"level": [title], "name": [TOTAL]}), np.zeros(len(table), np.int32)
    values = table.select(pl.col(name).cast(pl.String).fill_null("") for name in level)
    groups = values.unique().sort(level).with_row_index("node")
    rows = values.join(groups, on=list(level), how="left", maintain_order="left")["node"]
    names = groups.select(level=pl.lit(title), name=pl.concat_str(level, separator=CROSS))
    return names, rows.to_numpy().astype(np.int32)
