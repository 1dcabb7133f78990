"""What a supplier allows: lead time, review rhythm, lots, and what becomes of demand that finds no stock."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.simulate.per_series import (
    Floats,
    Ints,
    Rows,
    check_count,
    floats,
    for_all,
    require,
    series_count,
    whole_for_all,
    whole_numbers,
)

LOST_SHARE = {"lost": 1.0, "backorder": 0.0}


@dataclass(frozen=True, eq=False)
class SupplyTerms:
    """Supply terms of N series. Only the lead time must be an array; the rest may be one value for all.

    Args:
        lead_time_buckets: (N,) whole buckets; an order placed in bucket t arrives in bucket t + lead time,
            before that bucket's demand (0 = at once).
        review_period_buckets: (N,) buckets between two chances to order, at least 1.
        moq: (N,) units, smallest order; 0 = none.
        multiple: (N,) units, an order is a whole number of these; above 0.
        max_quantity: (N,) units, largest order; inf = none.
        unmet: ``"lost"``, ``"backorder"``, or the share (one value or (N,), 0 to 1) of unmet demand that is
            lost, the rest waiting for stock.
        first_review: (N,) bucket of the first chance to order.

    Raises:
        UsageError: a value breaks its rule; the message names the field, the value and the series index.

    Example:
        >>> terms = SupplyTerms(np.array([2, 0]), moq=6, multiple=np.array([6, 1]), unmet="backorder")
        >>> terms.take([1]).lead_time_buckets, terms.lost_share
        (array([0], dtype=int32), array([0., 0.]))
        >>> SupplyTerms.same(3, lead_time_buckets=2, review_period_buckets=7).n_series
        3
    """

    lead_time_buckets: Ints
    review_period_buckets: Ints = whole_for_all(1)  # noqa: RUF009 - a field() in short
    moq: Floats = for_all(0.0)  # noqa: RUF009
    multiple: Floats = for_all(1.0)  # noqa: RUF009
    max_quantity: Floats = for_all(np.inf)  # noqa: RUF009
    unmet: str | float | Floats = "lost"
    first_review: Ints = whole_for_all(0)  # noqa: RUF009
    lost_share: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        n_series = series_count("lead_time_buckets", self.lead_time_buckets)
        for name, least in (("lead_time_buckets", 0), ("review_period_buckets", 1), ("first_review", 0)):
            object.__setattr__(self, name, whole_numbers(name, getattr(self, name), n_series, least))
        for name in ("moq", "multiple", "max_quantity"):
            object.__setattr__(self, name, floats(name, getattr(self, name), n_series))
        if isinstance(self.unmet, str) and self.unmet not in LOST_SHARE:
            raise UsageError(f"unmet must be 'lost', 'backorder' or a share from 0 to 1; got {self.unmet!r}")
        share = LOST_SHARE[self.unmet] if isinstance(self.unmet, str) else self.unmet
        object.__setattr__(self, "lost_share", floats("unmet", share, n_series))
        moq, step, lost = self.moq, self.multiple, self.lost_share
        require(np.isfinite(moq) & (moq >= 0), "moq", "must be a number of at least 0", moq)
        require(np.isfinite(step) & (step > 0), "multiple", "must be a number above 0", step)
        most = self.max_quantity
        require(most >= 0, "max_quantity", "must be at least 0 (inf = no limit)", most)
        require((lost >= 0) & (lost <= 1), "unmet", "as a share lost must lie from 0 to 1", lost)

    @classmethod
    def same(
        cls,
        n_series: int,
        *,
        lead_time_buckets: npt.ArrayLike,
        review_period_buckets: npt.ArrayLike = 1,
        moq: npt.ArrayLike = 0.0,
        multiple: npt.ArrayLike = 1.0,
        max_quantity: npt.ArrayLike = np.inf,
        unmet: str | float | Floats = "lost",
        first_review: npt.ArrayLike = 0,
    ) -> SupplyTerms:
        """Terms for `n_series` series; each argument is one value for all, or (N,)."""
        n_series = check_count(n_series)
        return cls(
            whole_numbers("lead_time_buckets", lead_time_buckets, n_series, 0),
            whole_numbers("review_period_buckets", review_period_buckets, n_series, 1),
            floats("moq", moq, n_series),
            floats("multiple", multiple, n_series),
            floats("max_quantity", max_quantity, n_series),
            unmet,
            whole_numbers("first_review", first_review, n_series, 0),
        )

    @property
    def n_series(self) -> int:
        """N."""
        return len(self.lead_time_buckets)

    def take(self, rows: Rows) -> SupplyTerms:
        """The terms of some series: indices, a mask or a slice."""
        index = rows if isinstance(rows, slice) else np.asarray(rows)
        return SupplyTerms(
            self.lead_time_buckets[index],
            self.review_period_buckets[index],
            self.moq[index],
            self.multiple[index],
            self.max_quantity[index],
            self.unmet if isinstance(self.unmet, str) else self.lost_share[index],
            self.first_review[index],
        )
