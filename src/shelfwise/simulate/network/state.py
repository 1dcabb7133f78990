"""Stock in a network before the first bucket, and what a policy is shown of it at a review."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.simulate.per_series import Floats, require


@dataclass(frozen=True, eq=False)
class NetworkState:
    """Stock of N items in K nodes.

    Args:
        on_hand: (N, K) fresh units, or (N, K, G) units by age, column 0 the freshest.
        backorders: (N, K) units owed to customers.
        pipeline: (N, A, D) fresh units on their way; column d arrives in the bucket d after the start.

    Raises:
        UsageError: a shape does not fit, or a quantity is negative or not a number.

    Example:
        >>> NetworkState(np.array([[5.0, 3.0]])).on_hand.shape
        (1, 2, 1)
    """

    on_hand: Floats
    backorders: Floats | None = None
    pipeline: Floats | None = None

    def __post_init__(self) -> None:
        on_hand = np.array(self.on_hand, dtype=np.float64)
        if on_hand.ndim == 2:
            on_hand = on_hand[:, :, None]
        if on_hand.ndim != 3:
            raise UsageError(f"on_hand must be (N, K) or (N, K, ages); got {on_hand.shape}")
        object.__setattr__(self, "on_hand", on_hand)
        n_items, n_nodes = on_hand.shape[:2]
        owed = np.zeros((n_items, n_nodes)) if self.backorders is None else np.array(self.backorders, float)
        if owed.shape != (n_items, n_nodes):
            raise UsageError(f"backorders must be ({n_items}, {n_nodes}); got {owed.shape}")
        object.__setattr__(self, "backorders", owed)
        pipeline = np.zeros((n_items, 1, 0)) if self.pipeline is None else np.array(self.pipeline, float)
        if pipeline.ndim != 3 or len(pipeline) != n_items:
            raise UsageError(f"pipeline must be ({n_items}, A, D); got {pipeline.shape}")
        object.__setattr__(self, "pipeline", pipeline)
        for name, units in (("on_hand", on_hand), ("backorders", owed), ("pipeline", pipeline)):
            good = np.isfinite(units) & (units >= 0)
            require(good, name, "must be a number of at least 0", units, ("item", "place", "column"))


@dataclass(frozen=True, eq=False)
class NetworkView:
    """What is known when orders are decided, before the bucket's receipts; N items, P paths.

    Attributes:
        t: the bucket.
        on_hand: (N, P, K, G) units by age, column 0 the freshest.
        backorders: (N, P, K) units owed to customers.
        owed: (N, P, A) units ordered on an arc and not shipped yet.
        due: (N, P, A, D) units on their way; column d arrives in bucket t + d.
        destination, source: (A,) the arcs.
        downstream: (K, K) see `SupplyNetwork.downstream`.
    """

    t: int
    on_hand: Floats
    backorders: Floats
    owed: Floats
    due: Floats
    source: npt.NDArray[np.int32]
    destination: npt.NDArray[np.int32]
    downstream: npt.NDArray[np.bool_]

    def on_order(self, within_buckets: int | None = None) -> Floats:
        """(N, P, K) units on order at each node: on their way and owed, or only what arrives within a time."""
        coming = self.due if within_buckets is None else self.due[..., : within_buckets + 1]
        per_arc = coming.sum(axis=3)
        if within_buckets is None:
            per_arc = per_arc + self.owed
        total = np.zeros(self.backorders.shape)
        for arc, node in enumerate(self.destination):
            total[:, :, node] += per_arc[:, :, arc]
        return total

    def position(self, within_buckets: int | None = None) -> Floats:
        """(N, P, K) inventory position of each node: on hand + on order - owed to customers and to other nodes."""
        position = self.on_hand.sum(axis=3) + self.on_order(within_buckets) - self.backorders
        for arc, node in enumerate(self.source):
            if node >= 0:
                position[:, :, node] -= self.owed[:, :, arc]
        return np.asarray(position)

    def echelon_position(self) -> Floats:
        """(N, P, K) inventory position of each node and all it supplies, without what they owe one another."""
        return np.asarray(self.position() @ self.downstream.T)
