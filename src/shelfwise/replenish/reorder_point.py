"""`ReorderPoint`: the min-max rule; when the position falls to the minimum, order."""

from __future__ import annotations

from statistics import NormalDist
from typing import ClassVar, Literal

import numpy as np

from shelfwise.errors import UsageError
from shelfwise.replenish.base import Policy
from shelfwise.replenish.figures import common_figures
from shelfwise.replenish.history import recent_rate
from shelfwise.replenish.situation import Decision, Situation
from shelfwise.simulate.lots import round_lots


class ReorderPoint(Policy):
    """At or below the reorder point, order.

    The reorder point is mean demand over lead time and review period plus z standard deviations of it,
    from the moving average of history; a random lead time adds its own spread.

    Args:
        service_level: the share of cycles without a stock-out that z stands for, under normal demand.
        order: ``max`` lifts the position to reorder point + one lot, ``eoq`` orders whole economic lots until
            the position is above the reorder point. A lot is the economic order quantity where order and
            holding cost are above 0, and one review period's demand otherwise.
        window: buckets of the moving average; default 28 days, 13 weeks or 6 months.

    Raises:
        UsageError: a service level outside (0, 1), an unknown `order`, a window below 1.

    Literature: Harris (1913) for the lot; Hadley and Whitin (1963) for the reorder point.

    Example:
        >>> from shelfwise.replenish.example import small_situation
        >>> ReorderPoint().decide(small_situation()).quantity
        array([18.,  0.])
    """

    name: ClassVar[str] = "reorder_point"
    needs_scenarios: ClassVar[bool] = False

    def __init__(
        self,
        service_level: float = 0.95,
        order: Literal["max", "eoq"] = "max",
        window: int | None = None,
    ) -> None:
        if not 0.0 < service_level < 1.0:
            raise UsageError(f"service_level must lie between 0 and 1, both excluded; got {service_level}")
        if order not in ("max", "eoq"):
            raise UsageError(f"order must be max or eoq; got {order!r}")
        if window is not None and window < 1:
            raise UsageError(f"window must be at least 1 bucket; got {window}")
        self.service_level = service_level
        self.order = order
        self.window = window

    def decide(self, situation: Situation) -> Decision:
        """The orders for this review."""
        terms, costs = situation.terms, situation.costs
        rate = recent_rate(situation.panel, self.window)
        lead = np.asarray(terms.lead_time_buckets, dtype=np.float64)
        review = np.asarray(terms.review_period_buckets, dtype=np.float64)
        spread = np.sqrt((lead + review) * rate.sd**2 + (rate.mean * situation.lead_time_sd) ** 2)
        safety_stock = NormalDist().inv_cdf(self.service_level) * spread
        reorder_point = np.maximum(rate.mean * (lead + review) + safety_stock, 0.0)
        holding, order_cost = np.asarray(costs.holding), np.asarray(costs.order)
        square = 2.0 * order_cost * rate.mean
        economic = np.sqrt(np.divide(square, holding, out=np.zeros_like(square), where=holding > 0))
        lot = np.maximum(economic, rate.mean * review)
        position = situation.position
        short = reorder_point - position
        if self.order == "max":
            need = short + lot
        else:
            lots = np.floor(np.divide(short, lot, out=np.zeros_like(short), where=lot > 0)) + 1.0
            need = np.where(lot > 0, lots * lot, short)
        # At the point itself an order is due, yet nothing is ordered for an item that never sells.
        triggered = (position <= reorder_point) & ((rate.mean > 0) | (short > 0))
        wanted = np.where(triggered, need, np.minimum(short, 0.0))
        quantity = round_lots(np.where(triggered, need, 0.0), terms.moq, terms.multiple, terms.max_quantity)
        figures = common_figures(situation, wanted, quantity)
        figures |= {
            "target": np.where(triggered, position + need, reorder_point),
            "reorder_point": reorder_point,
            "demand_rate": rate.mean,
            "demand_lead_time": rate.mean * lead,
            "demand_protection": rate.mean * (lead + review),
            "safety_stock": safety_stock,
            "service_target": np.full(situation.n_series, self.service_level),
        }
        return Decision(np.maximum(wanted, 0.0), quantity, figures)
