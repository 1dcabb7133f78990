"""`Situation`: all a policy may look at when it decides, and `Decision`: what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.demand.panel import Panel
from shelfwise.forecast.scenarios import Scenarios
from shelfwise.simulate.costs import Costs
from shelfwise.simulate.network.discounts import PriceBreaks
from shelfwise.simulate.terms import SupplyTerms

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Situation:
    """The state of N series at the start of bucket `as_of`, before the order is decided.

    Attributes:
        panel: history of the series (nothing dated on or after `as_of`).
        scenarios: paths (N, S, H) of the demand from `as_of` on, H >= max(L + R); None for a policy
            whose `needs_scenarios` is False.
        on_hand: (N,) units free to sell now (on hand - reserved; may be negative when oversold).
        backorders: (N,) units owed to customers.
        receipts: (N, D) units on order due in the bucket d after `as_of` (column 0: due now, overdue
            receipts included); what is due beyond D stands in `receipts_later`.
        receipts_later: (N,) units due after the last column.
        terms: lead time, review period, MOQ, multiple, maximum.
        costs: holding and shortage per unit and bucket, order cost, unit cost.
        lead_time_sd: (N,) standard deviation of the lead time, buckets.
        margin: (N,) money lost with a unit not sold, beside its shortage cost; NaN = unknown.
        shelf_life: (N,) whole buckets in which a unit can be sold, from its receipt on; 0 = keeps for ever. None where
            nothing expires.
        price_breaks: N rows of prices by order quantity; None where no supplier has any.
        ages: (N, K) units of `on_hand` by buckets of life left less one; None = told from what sells.
    """

    panel: Panel
    scenarios: Scenarios | None
    on_hand: Doubles
    backorders: Doubles
    receipts: Doubles
    receipts_later: Doubles
    terms: SupplyTerms
    costs: Costs
    lead_time_sd: Doubles
    margin: Doubles | None = None
    shelf_life: npt.NDArray[np.int32] | None = None
    ages: Doubles | None = None
    price_breaks: PriceBreaks | None = None

    @property
    def as_of(self) -> date:
        return self.panel.as_of

    @property
    def n_series(self) -> int:
        return int(self.on_hand.shape[0])

    @property
    def on_order(self) -> Doubles:
        """(N,) everything ordered and not yet received."""
        return np.asarray(self.receipts.sum(axis=1) + self.receipts_later)

    @property
    def position(self) -> Doubles:
        """(N,) inventory position: on hand - reserved + on order - backorders."""
        return np.asarray(self.on_hand + self.on_order - self.backorders)

    def take(self, rows: npt.NDArray[Any]) -> Situation:
        """Only the series in `rows`."""
        return replace(
            self,
            panel=self.panel.take(rows),
            scenarios=None if self.scenarios is None else self.scenarios.take(rows),
            on_hand=self.on_hand[rows],
            backorders=self.backorders[rows],
            receipts=self.receipts[rows],
            receipts_later=self.receipts_later[rows],
            terms=self.terms.take(rows),
            costs=self.costs.take(rows),
            lead_time_sd=self.lead_time_sd[rows],
            margin=None if self.margin is None else self.margin[rows],
            shelf_life=None if self.shelf_life is None else self.shelf_life[rows],
            ages=None if self.ages is None else self.ages[rows],
            price_breaks=None if self.price_breaks is None else self.price_breaks.take(rows),
        )


@dataclass(frozen=True)
class Decision:
    """What a policy wants to order, and the figures that led there.

    Attributes:
        raw: (N,) units wanted before lot rules.
        quantity: (N,) units ordered: multiples, 0 or at least MOQ, at most the maximum.
        figures: name -> (N,) array, the steps of the explanation (`target`, `safety_stock`,
            `stock_at_arrival`, `expected_lost_without`, `expected_lost_with`, …); NaN = does not apply.
        shadow_prices: price of each shared limit that was binding (`budget`, `volume`), else empty.
    """

    raw: Doubles
    quantity: Doubles
    figures: Mapping[str, Doubles] = field(default_factory=dict)
    shadow_prices: Mapping[str, float] = field(default_factory=dict)
