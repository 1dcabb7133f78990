"""`Learned`: a trained network as a policy; it needs no torch to be used."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np

from shelfwise.errors import UsageError
from shelfwise.replenish.base import Policy
from shelfwise.replenish.figures import common_figures
from shelfwise.replenish.learned.context import context_of
from shelfwise.replenish.learned.network import OrderNetwork
from shelfwise.replenish.situation import Decision, Situation
from shelfwise.simulate.lots import round_lots


class Learned(Policy):
    """Orders of an `OrderNetwork`, rounded to what the supplier accepts.

    Args:
        network: a trained network, or the file it was saved in.

    Raises:
        UsageError: the file is unreadable; on `decide`: no scenarios, or a lead time longer
            than the network was trained for.

    Literature: see `train_orders`.

    Example:
        >>> from shelfwise.replenish.example import small_situation
        >>> network = OrderNetwork.initial(n_context=9, n_slots=4, hidden=(8,), seed=0)
        >>> bool((Learned(network).decide(small_situation()).quantity >= 0).all())
        True
    """

    name: ClassVar[str] = "learned"

    def __init__(self, network: OrderNetwork | str | Path) -> None:
        self.network = network if isinstance(network, OrderNetwork) else OrderNetwork.load(network)

    def decide(self, situation: Situation) -> Decision:
        """The orders for this review."""
        if situation.scenarios is None:
            raise UsageError("this policy decides on scenarios and the situation has none; forecast first")
        terms = situation.terms
        longest = int(np.asarray(terms.lead_time_buckets).max(initial=0))
        if longest >= self.network.n_slots:
            raise UsageError(
                f"the network was trained for lead times of up to {self.network.n_slots - 1} buckets; a series has "
                f"{longest}. Train one on these terms"
            )
        known = context_of(situation.scenarios.paths, terms, situation.costs, 1)
        scale = known.scale
        stock = np.zeros((situation.n_series, self.network.n_slots))
        # Slot 0 is what can be sold now; what is due later than the last slot can serve nobody in time.
        stock[:, 0] = situation.on_hand - situation.backorders
        width = min(self.network.n_slots, situation.receipts.shape[1])
        stock[:, :width] += situation.receipts[:, :width]
        context = known.values[:, 0]
        in_time = np.arange(self.network.n_slots)[None, :] <= np.asarray(terms.lead_time_buckets)[:, None]
        wanted = self.network.orders(np.where(in_time, stock, 0.0) / scale[:, None], context) * scale
        # Nearest whole lot: the rule was trained on continuous orders, and always rounding up would add half a lot.
        lots = np.rint(wanted / terms.multiple) * terms.multiple
        quantity = round_lots(lots, terms.moq, terms.multiple, terms.max_quantity)
        figures = common_figures(situation, lots, quantity)
        figures["safety_stock"] = context[:, 0] * scale - (context[:, 1] + context[:, 2]) * scale
        figures["demand_protection"] = (context[:, 1] + context[:, 2]) * scale
        figures["demand_lead_time"] = context[:, 1] * scale
        return Decision(lots, quantity, figures)
