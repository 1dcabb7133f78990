"""On what terms goods move in a supply network, and what everything costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.simulate.network.discounts import PriceBreaks
from shelfwise.simulate.network.topology import SupplyNetwork
from shelfwise.simulate.per_series import Floats, Ints, require
from shelfwise.simulate.terms import LOST_SHARE


@dataclass(frozen=True, eq=False)
class NetworkTerms:
    """Terms of N items on a network of K nodes and A arcs; a single value or one row stands for all items.

    Args:
        network: the nodes and arcs.
        lead_time_buckets: one value, (A,) or (N, A) whole buckets.
        n_items: N.
        moq, multiple, max_quantity: one value, (A,) or (N, A) units, as in `SupplyTerms`.
        review_period_buckets, first_review: one value, (A,) or (N, A) whole buckets; orders are taken at reviews.
        open_buckets: (A, T) true where orders are taken at all: a supplier's calendar. None = always.
        unmet: ``"lost"``, ``"backorder"``, or the lost share of customers' unmet demand: one value, (K,) or (N, K).
        shelf_life_buckets: one value or (N,), buckets in which a unit can be sold, counted from its receipt from
            outside; it ages in every node and not on its way. 0 = endless.
        issue: ``"fifo"`` gives the oldest stock first, ``"lifo"`` the freshest.
        rationing: how a node that owes more than it has shares it: ``"proportional"``, or ``"priority"`` in the
            order of the arcs.
        on_time_share: one value, (A,) or (N, A): share of each shipment that keeps the lead time; the rest comes
            `delay_buckets` later. Whole units stay whole.
        delay_buckets: as `lead_time_buckets`.

    Raises:
        UsageError: a value breaks its rule or a shape does not fit; names the field, the value and the place.

    Example:
        >>> terms = NetworkTerms(SupplyNetwork.serial(2), lead_time_buckets=[2, 1], unmet="backorder")
        >>> terms.lead_time_buckets, terms.lost_share
        (array([[2, 1]], dtype=int32), array([[0., 0.]]))
    """

    network: SupplyNetwork
    lead_time_buckets: Ints
    n_items: int = 1
    moq: Floats = 0.0  # type: ignore[assignment]
    multiple: Floats = 1.0  # type: ignore[assignment]
    max_quantity: Floats = np.inf  # type: ignore[assignment]
    review_period_buckets: Ints = 1  # type: ignore[assignment]
    first_review: Ints = 0  # type: ignore[assignment]
    open_buckets: npt.NDArray[np.bool_] | None = None
    unmet: str | float | Floats = "lost"
    shelf_life_buckets: Ints = 0  # type: ignore[assignment]
    issue: Literal["fifo", "lifo"] = "fifo"
    rationing: Literal["proportional", "priority"] = "proportional"
    on_time_share: Floats = 1.0  # type: ignore[assignment]
    delay_buckets: Ints = 0  # type: ignore[assignment]
    lost_share: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        n_arcs, n_nodes = self.network.n_arcs, self.network.n_nodes
        for name, choices in (("issue", ("fifo", "lifo")), ("rationing", ("proportional", "priority"))):
            if getattr(self, name) not in choices:
                raise UsageError(f"{name} must be {choices[0]} or {choices[1]}; got {getattr(self, name)!r}")
        for name, least in (
            ("lead_time_buckets", 0),
            ("review_period_buckets", 1),
            ("first_review", 0),
            ("delay_buckets", 0),
        ):
            values = spread(name, getattr(self, name), (self.n_items, n_arcs))
            good = (values == np.floor(values)) & (values >= least) & (values < 2**31)
            require(good, name, f"must be a whole number of at least {least}", values, ("item", "arc"))
            object.__setattr__(self, name, values.astype(np.int32))
        for name, lowest, highest in (
            ("moq", 0.0, 1e300),
            ("multiple", np.nextafter(0.0, 1.0), 1e300),
            ("max_quantity", 0.0, np.inf),
            ("on_time_share", 0.0, 1.0),
        ):
            values = spread(name, getattr(self, name), (self.n_items, n_arcs))
            good = (values >= lowest) & (values <= highest)
            require(good, name, f"must lie between {lowest:.3g} and {highest:.3g}", values, ("item", "arc"))
            object.__setattr__(self, name, values)
        if isinstance(self.unmet, str) and self.unmet not in LOST_SHARE:
            raise UsageError(f"unmet must be 'lost', 'backorder' or a share from 0 to 1; got {self.unmet!r}")
        share = LOST_SHARE[self.unmet] if isinstance(self.unmet, str) else self.unmet
        lost = spread("unmet", share, (self.n_items, n_nodes))
        require(
            (lost >= 0) & (lost <= 1), "unmet", "as a share lost must lie from 0 to 1", lost, ("item", "node")
        )
        object.__setattr__(self, "lost_share", lost)
        life = spread("shelf_life_buckets", self.shelf_life_buckets, (self.n_items,))
        good = (life >= 0) & (life == np.floor(life)) & (life <= 10_000)
        require(
            good, "shelf_life_buckets", "must be a whole number from 0 (endless) to 10000", life, ("item",)
        )
        object.__setattr__(self, "shelf_life_buckets", life.astype(np.int32))
        if self.open_buckets is not None and np.ndim(self.open_buckets) != 2:
            raise UsageError(f"open_buckets must be ({n_arcs}, T); got {np.shape(self.open_buckets)}")

    def takes_orders(self, t: int) -> npt.NDArray[np.bool_]:
        """(N, A) true where an order can be placed in bucket `t`."""
        since = t - self.first_review
        due = (since >= 0) & (since % self.review_period_buckets == 0)
        if self.open_buckets is None:
            return np.asarray(due)
        calendar = np.asarray(self.open_buckets, dtype=bool)
        return np.asarray(due & calendar[:, t][None, :])


@dataclass(frozen=True, eq=False)
class NetworkCosts:
    """What stock, shortage, waste, orders and units cost, in one currency; N items, K nodes, A arcs.

    Args:
        holding: one value, (K,) or (N, K), per unit on hand at the end of a bucket.
        shortage: per unit lost, and per unit still owed to customers at the end of each bucket.
        waste: per unit thrown away.
        order: one value, (A,) or (N, A), per order placed.
        unit: per unit ordered, where no `price_breaks` are given.
        transit: per unit on its way at the end of a bucket.
        price_breaks: quantity discounts, one row an arc (A rows) or an item and arc (N * A rows).

    Example:
        >>> NetworkCosts(holding=[1.0, 2.0], shortage=9.0).holding
        [1.0, 2.0]
    """

    holding: npt.ArrayLike
    shortage: npt.ArrayLike
    waste: npt.ArrayLike = 0.0
    order: npt.ArrayLike = 0.0
    unit: npt.ArrayLike = 0.0
    transit: npt.ArrayLike = 0.0
    price_breaks: PriceBreaks | None = None

    def rates(self, name: str, n_items: int, width: int) -> Floats:
        """One of the costs as (N, K) or (N, A); refuses what is negative or not a number."""
        values = spread(name, getattr(self, name), (n_items, width))
        good = np.isfinite(values) & (values >= 0)
        require(good, f"{name} cost", "must be a number of at least 0", values, ("item", "place"))
        return values

    def breaks(self, n_items: int, n_arcs: int) -> PriceBreaks:
        """Prices of every item and arc as (N * A) rows of breaks, for the kernel."""
        if self.price_breaks is None:
            return PriceBreaks.flat(self.rates("unit", n_items, n_arcs).ravel())
        given = self.price_breaks
        rows = len(given.quantity)
        if rows == n_items * n_arcs:
            return given
        if rows != n_arcs:
            raise UsageError(f"price_breaks must have {n_arcs} or {n_items * n_arcs} rows; got {rows}")
        return PriceBreaks(
            np.tile(given.quantity, (n_items, 1)), np.tile(given.price, (n_items, 1)), given.incremental
        )


def spread(name: str, value: npt.ArrayLike, shape: tuple[int, ...]) -> Floats:
    """`value` as float64 of `shape`; one value or one row stands for all items."""
    array = np.asarray(value, dtype=np.float64)
    try:
        return np.array(np.broadcast_to(array, shape), dtype=np.float64)
    except ValueError:
        raise UsageError(
            f"{name} must be one value, {shape[-1:]} or {shape}; got shape {array.shape}"
        ) from None
