"""`SupplyNetwork`: the places, and the arcs on which goods may move between them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.simulate.per_series import Ints, require

OUTSIDE = -1


@dataclass(frozen=True, eq=False)
class SupplyNetwork:
    """K nodes (warehouses, shops, channels) joined by A arcs: a chain, a tree, several suppliers, transfers.

    An arc leads from a node, or from outside (-1: a supplier that always has stock), to a node. A node may
    have several arcs in (two suppliers; a warehouse and a sister shop) and several out. What a node cannot
    ship at once stays owed, and is shipped as soon as it has stock.

    Args:
        source: (A,) node indices from 0, or -1 for a supplier outside.
        destination: (A,) node indices from 0.

    Raises:
        UsageError: an arc leads nowhere, back to its own node, or a node can get nothing from outside.

    Literature: serial and divergent systems after Clark and Scarf (1960); transfers after Paterson et al. (2011).

    Example:
        A warehouse (node 0, supplied from outside) and two shops that also help each other out:

        >>> net = SupplyNetwork(source=[-1, 0, 0, 1, 2], destination=[0, 1, 2, 2, 1])
        >>> net.n_nodes, net.n_arcs, net.incoming[1].tolist()
        (3, 5, [1, 4])
        >>> SupplyNetwork.serial(3).source.tolist()
        [-1, 0, 1]
    """

    source: Ints
    destination: Ints
    n_nodes: int = field(init=False)
    outgoing: Ints = field(init=False, repr=False)
    n_outgoing: Ints = field(init=False, repr=False)
    incoming: Ints = field(init=False, repr=False)
    n_incoming: Ints = field(init=False, repr=False)

    def __post_init__(self) -> None:
        source, destination = (np.asarray(ends, dtype=np.int32) for ends in (self.source, self.destination))
        if source.ndim != 1 or source.shape != destination.shape or not len(source):
            raise UsageError(
                "source and destination must be (A,), with at least one arc; "
                f"got {source.shape} and {destination.shape}"
            )
        require(source >= OUTSIDE, "source", "must be a node or -1 (outside)", source, ("arc",))
        require(destination >= 0, "destination", "must be a node", destination, ("arc",))
        require(source != destination, "destination", "must not be the source", destination, ("arc",))
        n_nodes = int(max(source.max(), destination.max())) + 1
        object.__setattr__(self, "source", source)
        object.__setattr__(self, "destination", destination)
        object.__setattr__(self, "n_nodes", n_nodes)
        for name, ends in (("outgoing", source), ("incoming", destination)):
            table, counts = _arcs_of(ends, n_nodes)
            object.__setattr__(self, name, table)
            object.__setattr__(self, f"n_{name}", counts)
        self._check_supplied()

    @classmethod
    def serial(cls, n_nodes: int) -> SupplyNetwork:
        """A chain: outside → node 0 → node 1 → … → the last node, which meets the demand."""
        return cls(np.arange(n_nodes, dtype=np.int32) - 1, np.arange(n_nodes, dtype=np.int32))

    @classmethod
    def warehouse_and_shops(cls, n_shops: int) -> SupplyNetwork:
        """A warehouse, node 0 and arc 0, that supplies shops 1 … n_shops over the arcs of the same number."""
        source = np.zeros(n_shops + 1, dtype=np.int32)
        source[0] = OUTSIDE
        return cls(source, np.arange(n_shops + 1, dtype=np.int32))

    @classmethod
    def suppliers(cls, n_suppliers: int) -> SupplyNetwork:
        """One stock that may order from several suppliers, one arc each."""
        return cls(np.full(n_suppliers, OUTSIDE, np.int32), np.zeros(n_suppliers, np.int32))

    @property
    def n_arcs(self) -> int:
        """A."""
        return len(self.source)

    def order_of_nodes(self, at_once: npt.NDArray[np.bool_]) -> Ints:
        """(K,) nodes so that goods of arcs `at_once` (A,), of lead time 0, can pass on within one bucket.

        Raises:
            UsageError: such arcs form a ring.
        """
        waits = np.zeros((self.n_nodes, self.n_nodes), dtype=bool)
        inner = at_once & (self.source >= 0)
        waits[self.destination[inner], self.source[inner]] = True
        left, order = list(range(self.n_nodes)), []
        while left:
            free = [node for node in left if not waits[node, left].any()]
            if not free:
                raise UsageError(
                    f"arcs of lead time 0 form a ring through nodes {left}; give one of them a bucket"
                )
            order += free
            left = [node for node in left if node not in free]
        return np.array(order, dtype=np.int32)

    def downstream(self) -> npt.NDArray[np.bool_]:
        """(K, K) true where the column's node is the row's node or is supplied through it."""
        reach = np.eye(self.n_nodes, dtype=bool)
        inner = self.source >= 0
        for _ in range(self.n_nodes):
            for start, end in zip(self.source[inner], self.destination[inner], strict=True):
                reach[start] |= reach[end]
        return reach

    def _check_supplied(self) -> None:
        fed = np.zeros(self.n_nodes, dtype=bool)
        fed[self.destination[self.source == OUTSIDE]] = True
        for _ in range(self.n_nodes):
            fed[self.destination[(self.source >= 0) & fed[self.source]]] = True
        require(fed, "a node", "must be reached from outside (-1) by some arcs", fed, ("node",))


def _arcs_of(ends: Ints, n_nodes: int) -> tuple[Ints, Ints]:
    """(K, most) the arcs at each node in their order, unused places -1, and how many there are."""
    lists = [np.flatnonzero(ends == node) for node in range(n_nodes)]
    counts = np.array([len(arcs) for arcs in lists], dtype=np.int32)
    table = np.full((n_nodes, max(1, counts.max(initial=0))), -1, dtype=np.int32)
    for node, arcs in enumerate(lists):
        table[node, : len(arcs)] = arcs
    return table, counts
