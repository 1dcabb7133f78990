"""`DaysOfCover`: order up to so many buckets of recent demand, the rule most shop apps offer."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from shelfwise.errors import UsageError
from shelfwise.replenish.base import Policy
from shelfwise.replenish.figures import common_figures
from shelfwise.replenish.history import recent_rate, seasonal_factors
from shelfwise.replenish.situation import Decision, Situation
from shelfwise.simulate.lots import round_lots


class DaysOfCover(Policy):
    """Lift the inventory position to `cover_buckets` buckets of the moving average of demand.

    Buckets of unknown demand (out of stock) do not count in the average. With ``cover_buckets=4`` on
    weekly data this is the benchmark rule of the VN2 challenge's organisers (13 weeks, 4 weeks of cover);
    ``seasonal=True`` adds their shop-wide weekly factors.

    Args:
        cover_buckets: buckets of demand to own; default lead time + review period + 1 of each series.
        window: buckets of the moving average; default 28 days, 13 weeks or 6 months.
        seasonal: scale by the shop's seasonal factors.

    Raises:
        UsageError: cover below 0 or window below 1.

    Example:
        >>> from shelfwise.replenish.example import small_situation
        >>> DaysOfCover(cover_buckets=4).decide(small_situation()).quantity
        array([12.,  0.])
    """

    name: ClassVar[str] = "days_of_cover"
    needs_scenarios: ClassVar[bool] = False

    def __init__(
        self, cover_buckets: float | None = None, window: int | None = None, seasonal: bool = False
    ) -> None:
        if cover_buckets is not None and not cover_buckets >= 0:
            raise UsageError(f"cover_buckets must be at least 0; got {cover_buckets}")
        if window is not None and window < 1:
            raise UsageError(f"window must be at least 1 bucket; got {window}")
        self.cover_buckets = cover_buckets
        self.window = window
        self.seasonal = seasonal

    def decide(self, situation: Situation) -> Decision:
        """The orders for this review."""
        terms = situation.terms
        rate = recent_rate(situation.panel, self.window, self.seasonal)
        reach = np.asarray(terms.lead_time_buckets + terms.review_period_buckets, dtype=np.float64)
        cover = reach + 1.0 if self.cover_buckets is None else np.full_like(reach, self.cover_buckets)
        weight = self._weight(situation, cover)
        target = rate.mean * weight
        wanted = target - situation.position
        quantity = round_lots(wanted, terms.moq, terms.multiple, terms.max_quantity)
        figures = common_figures(situation, wanted, quantity)
        protection = rate.mean * self._weight(situation, reach)
        figures |= {
            "target": target,
            "demand_rate": rate.mean,
            "demand_protection": protection,
            "demand_lead_time": rate.mean
            * self._weight(situation, np.asarray(terms.lead_time_buckets, float)),
            "safety_stock": target - protection,
        }
        return Decision(np.maximum(wanted, 0.0), quantity, figures)

    def _weight(
        self, situation: Situation, buckets: np.typing.NDArray[np.float64]
    ) -> np.typing.NDArray[np.float64]:
        """(N,) how many normal buckets the next `buckets` (N,) are worth."""
        if not self.seasonal or not len(buckets):
            return buckets
        whole = np.floor(buckets).astype(np.intp)
        factors = seasonal_factors(situation.panel, first=0, count=int(whole.max()) + 1)
        return np.concatenate([[0.0], np.cumsum(factors)])[whole] + (buckets - whole) * factors[whole]
