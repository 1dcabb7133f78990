"""Where to keep safety stock in a supply chain that is a tree: guaranteed service times, least cost, exactly.

Literature: Graves and Willems (2000), "Optimizing strategic safety stock placement in supply chains", Manufacturing &
Service Operations Management 2(1), with the corrections of Lesnaia (2004).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.simulate.per_series import Floats

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class SupplyTree:
    """Stages of a supply chain, joined so that between any two there is one way.

    Args:
        supplies: pairs (i, j): stage i supplies stage j; numbers from 0.
        processing_buckets: (J,) whole buckets from having all inputs to being done.
        holding_costs: (J,) per unit and bucket of finished stock at the stage.
        demand_sd: (J,) of a bucket's demand seen at the stage; `pooled_sd` works it out from the customers'.
        outbound_limits: (J,) the longest service time a stage may quote; inf where nothing limits it. Stages that
            supply no other need one.
        inbound_buckets: (J,) service time of suppliers outside the tree; 0 where there are none.
        safety_factor: z of the demand that must be covered, z · sd · √buckets.

    Raises:
        UsageError: the pairs make no tree, or a value breaks its rule.
    """

    supplies: Sequence[tuple[int, int]]
    processing_buckets: npt.ArrayLike
    holding_costs: npt.ArrayLike
    demand_sd: npt.ArrayLike
    outbound_limits: npt.ArrayLike
    inbound_buckets: npt.ArrayLike = 0
    safety_factor: float = 1.645

    def __post_init__(self) -> None:
        stages = np.asarray(self.processing_buckets).size
        for name in (
            "processing_buckets",
            "holding_costs",
            "demand_sd",
            "outbound_limits",
            "inbound_buckets",
        ):
            array = np.asarray(getattr(self, name), dtype=np.float64)
            if array.shape not in ((), (stages,)) or not (array >= 0).all():
                raise UsageError(f"{name} must hold {stages} values of at least 0; got {array.tolist()}")
            whole = array[np.isfinite(array)]
            if name.endswith(("buckets", "limits")) and (whole != np.floor(whole)).any():
                raise UsageError(f"{name} must be whole buckets; got {array.tolist()}")
            if name != "outbound_limits" and not np.isfinite(array).all():
                raise UsageError(f"{name} must be finite; got {array.tolist()}")
            object.__setattr__(self, name, np.array(np.broadcast_to(array, (stages,))))
        for pair in self.supplies:
            if not (0 <= pair[0] < stages and 0 <= pair[1] < stages):
                raise UsageError(f"stages are numbered from 0 to {stages - 1}; got the pair {pair}")
        if len(self.supplies) != stages - 1 or len(_walk(self)) != stages:
            raise UsageError(
                f"{stages} stages make a tree with {stages - 1} pairs that join all of them, each pair once; got "
                f"{list(self.supplies)}"
            )
        last = set(range(stages)) - {i for i, _ in self.supplies}
        unbound = [j for j in sorted(last) if not np.isfinite(np.asarray(self.outbound_limits)[j])]
        if unbound:
            raise UsageError(
                f"stages that serve customers need an outbound limit; stage {unbound[0]} has none"
            )


@dataclass(frozen=True, eq=False)
class ServiceTimes:
    """Quoted and received service times in buckets, safety stocks in units, all (J,), and their cost a bucket."""

    outbound: Ints
    inbound: Ints
    safety_stock: Floats
    cost: float


def pooled_sd(tree_supplies: Sequence[tuple[int, int]], customer_sd: npt.ArrayLike) -> Floats:
    """(J,) sd of demand at every stage, from that of customers' independent demand at the stages that serve them.

    Example:
        >>> pooled_sd([(0, 1), (0, 2)], [0.0, 3.0, 4.0]).tolist()
        [5.0, 3.0, 4.0]
    """
    variance = np.square(np.asarray(customer_sd, dtype=np.float64))
    children: dict[int, list[int]] = {}
    for above, below in tree_supplies:
        children.setdefault(above, []).append(below)

    def total(stage: int) -> float:
        return float(variance[stage]) + sum(total(child) for child in children.get(stage, []))

    return np.sqrt([total(stage) for stage in range(len(variance))])


def guaranteed_service(tree: SupplyTree) -> ServiceTimes:
    """The service times of least safety stock cost.

    A stage that gets its inputs after SI buckets, needs T to process and promises S covers SI + T - S buckets of
    demand from stock. Leaves of the tree are solved first, each for every promise made to (or asked of) the one
    neighbour that is left, and so on to the last stage.

    Example:
        A stage that supplies two shops, each of which must deliver at once:

        >>> tree = SupplyTree([(0, 1), (0, 2)], [4, 1, 1], [1.0, 3.0, 3.0], pooled_sd([(0, 1), (0, 2)], [0, 3, 4]),
        ...                   [np.inf, 0, 0])
        >>> best = guaranteed_service(tree)
        >>> best.outbound.tolist(), round(best.cost, 3)
        ([0, 0, 0], 50.995)
    """
    order = _walk(tree)
    longest = _longest(tree)
    above = {j: [i for i, child in tree.supplies if child == j] for j in order}
    below = {i: [j for parent, j in tree.supplies if parent == i] for i in order}
    place = {stage: number for number, stage in enumerate(order)}
    size = int(longest.max()) + 1
    # by_outbound[i][S]: least cost of i and the part of the tree behind it if i promises S to the neighbour
    # ahead; by_inbound[i][SI]: the same if that neighbour promises SI to i.
    tables: dict[int, Floats] = {}
    best_tables: dict[int, Floats] = {}
    for stage in order:
        table = _own_cost(tree, stage, int(longest[stage]), size)
        for supplier in above[stage]:
            if place[supplier] < place[stage]:
                # The stage waits for its latest input; an earlier one costs no more.
                table = table + np.minimum.accumulate(best_tables[supplier])[:, None]
        for customer in below[stage]:
            if place[customer] < place[stage]:
                table = table + np.minimum.accumulate(best_tables[customer][::-1])[::-1][None, :]
        tables[stage] = table
        ahead_is_below = any(place[customer] > place[stage] for customer in below[stage])
        best_tables[stage] = table.min(axis=0) if ahead_is_below else table.min(axis=1)
    inbound, outbound = np.zeros(len(order), np.int64), np.zeros(len(order), np.int64)
    for stage in reversed(order):
        table = tables[stage]
        for customer in below[stage]:
            if place[customer] > place[stage]:
                # What the customer waits for bounds the promise.
                table = np.where(np.arange(size)[None, :] <= inbound[customer], table, np.inf)
        for supplier in above[stage]:
            if place[supplier] > place[stage]:
                table = np.where(np.arange(size)[:, None] >= outbound[supplier], table, np.inf)
        inbound[stage], outbound[stage] = np.unravel_index(int(np.argmin(table)), table.shape)
    covered = inbound + np.asarray(tree.processing_buckets) - outbound
    stock = tree.safety_factor * np.asarray(tree.demand_sd) * np.sqrt(covered)
    return ServiceTimes(outbound, inbound, stock, float(np.asarray(tree.holding_costs) @ stock))


def _walk(tree: SupplyTree) -> list[int]:
    """Stages in an order in which each but the last has exactly one neighbour further on."""
    neighbours: dict[int, list[int]] = {}
    for i, j in tree.supplies:
        neighbours.setdefault(i, []).append(j)
        neighbours.setdefault(j, []).append(i)
    seen, queue = [0], [0]
    while queue:
        for stage in neighbours.get(queue.pop(0), []):
            if stage not in seen:
                seen.append(stage)
                queue.append(stage)
    return seen[::-1]


def _longest(tree: SupplyTree) -> Ints:
    """(J,) the longest time from outside the tree through each stage."""
    processing = np.asarray(tree.processing_buckets)
    outside = np.asarray(tree.inbound_buckets)

    def through(stage: int) -> int:
        waits = [through(i) for i, j in tree.supplies if j == stage]
        return int(processing[stage] + max([int(outside[stage]), *waits]))

    return np.array([through(stage) for stage in range(len(processing))])


def _own_cost(tree: SupplyTree, stage: int, longest: int, size: int) -> Floats:
    """(SI, S) safety stock cost of one stage; inf where the times are not possible."""
    processing = int(np.asarray(tree.processing_buckets)[stage])
    received, promised = np.arange(size)[:, None], np.arange(size)[None, :]
    covered = received + processing - promised
    possible = (covered >= 0) & (received + processing <= longest)
    possible &= received >= np.asarray(tree.inbound_buckets)[stage]
    possible &= promised <= np.asarray(tree.outbound_limits)[stage]
    factor = tree.safety_factor * np.asarray(tree.demand_sd)[stage] * np.asarray(tree.holding_costs)[stage]
    return np.where(possible, factor * np.sqrt(np.maximum(covered, 0)), np.inf)
