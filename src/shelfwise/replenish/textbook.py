"""`Textbook`: base stock with normal safety stock, the formula of every course."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from shelfwise.errors import UsageError
from shelfwise.replenish.base import Policy
from shelfwise.replenish.figures import common_figures
from shelfwise.replenish.order_up_to import critical_ratio
from shelfwise.replenish.projection import horizon_needed
from shelfwise.replenish.situation import Decision, Situation
from shelfwise.simulate.lots import round_lots


class Textbook(Policy):
    """Order up to mean demand over lead time and review period plus z times its standard deviation.

    Mean and one-bucket spread come from the scenarios; buckets count as independent and normal, so the
    spread grows with the square root of time, and unserved demand is taken to wait. z belongs to
    `service_level` or, without one, to shortage / (shortage + holding).

    Raises:
        UsageError: a service level outside (0, 1); on `decide`: no scenarios, or too short ones.

    Literature: Silver, Pyke and Thomas (2017), *Inventory and Production Management*, chapter 6.

    Example:
        >>> from shelfwise.replenish.example import small_situation
        >>> Textbook().decide(small_situation()).quantity
        array([12.,  0.])
    """

    name: ClassVar[str] = "textbook"

    def __init__(self, service_level: float | None = None) -> None:
        if service_level is not None and not 0.0 < service_level < 1.0:
            raise UsageError(f"service_level must lie between 0 and 1, both excluded; got {service_level}")
        self.service_level = service_level

    def decide(self, situation: Situation) -> Decision:
        """The orders for this review."""
        from scipy.special import ndtri

        if situation.scenarios is None:
            raise UsageError("this policy decides on scenarios and the situation has none; forecast first")
        terms, costs = situation.terms, situation.costs
        lead = np.asarray(terms.lead_time_buckets)
        reach = lead + np.asarray(terms.review_period_buckets)
        horizon = situation.scenarios.horizon
        if reach.max(initial=0) > horizon:
            needed = horizon_needed(terms)
            raise UsageError(
                f"the scenarios reach {horizon} buckets, but lead time and review period need {needed}; "
                f"sample with horizon={needed} or more"
            )
        bucket = np.arange(horizon)
        inside = bucket[None, :] < reach[:, None]
        mean = situation.scenarios.mean().astype(np.float64)
        variance = situation.scenarios.paths.var(axis=1, dtype=np.float64)
        demand = np.where(inside, mean, 0.0).sum(axis=1)
        rate = demand / reach
        spread = np.sqrt(np.where(inside, variance, 0.0).sum(axis=1) + (rate * situation.lead_time_sd) ** 2)
        if self.service_level is None:
            level = critical_ratio(np.asarray(costs.shortage), np.asarray(costs.holding))
        else:
            level = np.full(situation.n_series, self.service_level)
        # A free shortage asks for nothing and a free stock for everything; both stay finite here.
        safety_stock = ndtri(np.clip(level, 1e-4, 1 - 1e-4)) * spread
        target = np.maximum(demand + safety_stock, 0.0)
        wanted = target - situation.position
        quantity = round_lots(wanted, terms.moq, terms.multiple, terms.max_quantity)
        figures = common_figures(situation, wanted, quantity)
        figures |= {
            "target": target,
            "demand_lead_time": np.where(bucket[None, :] < lead[:, None], mean, 0.0).sum(axis=1),
            "demand_protection": demand,
            "safety_stock": safety_stock,
            "service_target": level,
        }
        return Decision(np.maximum(wanted, 0.0), quantity, figures)
