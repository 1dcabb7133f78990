"""`NetworkLedger`: what a run of a network did, node by node and arc by arc."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shelfwise.simulate.per_series import Floats

Float32s = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class NodeBuckets:
    """Every bucket of every node; each (N, K, P, T) float32 units, at the end of the bucket or within it."""

    on_hand: Float32s
    served: Float32s
    lost: Float32s
    backorders: Float32s
    received: Float32s
    wasted: Float32s


@dataclass(frozen=True, eq=False)
class NetworkLedger:
    """Totals of a run over T buckets; N items, P paths, K nodes, A arcs; units unless named otherwise.

    Attributes:
        demand, served, served_late, lost, received, returned, wasted: (N, P, K).
        on_hand_unit_buckets, backorder_unit_buckets, stockout_buckets: (N, P, K).
        ordered, orders, shipped, delivered, transit_unit_buckets: (N, P, A).
        end_on_hand, end_backorders: (N, P, K); end_owed: (N, P, A).
        holding_cost, shortage_cost, waste_cost: (N, P, K) money; order_cost, purchase_cost, transit_cost: (N, P, A).
        buckets: every bucket, if it was asked for.
    """

    n_buckets: int
    demand: Floats
    served: Floats
    served_late: Floats
    lost: Floats
    received: Floats
    returned: Floats
    wasted: Floats
    on_hand_unit_buckets: Floats
    backorder_unit_buckets: Floats
    stockout_buckets: Floats
    ordered: Floats
    orders: Floats
    shipped: Floats
    delivered: Floats
    transit_unit_buckets: Floats
    end_on_hand: Floats
    end_backorders: Floats
    end_owed: Floats
    holding_cost: Floats
    shortage_cost: Floats
    waste_cost: Floats
    order_cost: Floats
    purchase_cost: Floats
    transit_cost: Floats
    buckets: NodeBuckets | None

    @property
    def cost(self) -> Floats:
        """(N, P) money: all costs, purchases included, over the whole run."""
        nodes = self.holding_cost + self.shortage_cost + self.waste_cost
        total: Floats = nodes.sum(axis=2) + (self.order_cost + self.transit_cost + self.purchase_cost).sum(
            axis=2
        )
        return total

    @property
    def fill_rate(self) -> Floats:
        """(N, K) share of customers' demand served at once, over all paths; 1 where nothing was asked for."""
        asked, at_once = self.demand.sum(axis=1), (self.served - self.served_late).sum(axis=1)
        rate: Floats = np.divide(at_once, asked, out=np.ones_like(asked), where=asked > 0)
        return rate
