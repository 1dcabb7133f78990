"""What a simulation did: totals a path and, if asked for, every bucket. Simulate first, judge afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from shelfwise.errors import ShelfwiseError, UsageError
from shelfwise.simulate.per_series import Floats, Rows
from shelfwise.simulate.state import StockState

Float32s = npt.NDArray[np.float32]
Units = npt.NDArray[np.floating]
R = TypeVar("R", "Ledger", "BucketLedger")


@dataclass(frozen=True, eq=False)
class BucketLedger:
    """Every bucket of every path, (N, P, T) float32, in units: stock and backorders as the bucket ends,
    the rest as moved within it. `served` holds late deliveries of backorders too."""

    on_hand_end: Float32s
    served: Float32s
    lost: Float32s
    backorders: Float32s
    ordered: Float32s
    received: Float32s


@dataclass(frozen=True, eq=False)
class Ledger:
    """Totals over a run of `n_buckets` buckets, each (N, P) float64.

    Units: `demand`; `served` (handed over, late deliveries of backorders included) and of these
    `served_late`; `lost`; `ordered`, `received`; `end_on_hand`, `end_backorders`, `end_on_order`.
    Unit-buckets: `on_hand_unit_buckets` and `backorder_unit_buckets`, summed over bucket ends. Counts:
    `orders`; `stockout_buckets`, those in which some demand found no stock; `cycles`, the stretches from
    one receipt to the next (the first begins with the run, the last ends with it), and `stockout_cycles`,
    those with a stock-out bucket. Money: `holding_cost`, `shortage_cost`, `order_cost`, `purchase_cost`.
    `series_in_row` is 1 until `over_series` adds series up.

    Example:
        >>> from shelfwise.simulate import Costs, Levels, StockState, SupplyTerms, simulate
        >>> demand = np.array([[4.0, 4.0, 4.0, 4.0]])
        >>> start = StockState(np.array([10.0]))
        >>> run = simulate(demand, SupplyTerms.same(1, lead_time_buckets=1),
        ...                Costs.same(1, holding=0.5, shortage=3.0), start, Levels.base_stock([6.0]))
        >>> run.check_books(start)
        >>> run.fill_rate.item(), run.holding_cost.item(), run.shortage_cost.item()
        (0.875, 4.0, 6.0)
    """

    n_buckets: int
    demand: Floats
    served: Floats
    served_late: Floats
    lost: Floats
    ordered: Floats
    orders: Floats
    received: Floats
    on_hand_unit_buckets: Floats
    backorder_unit_buckets: Floats
    stockout_buckets: Floats
    cycles: Floats
    stockout_cycles: Floats
    end_on_hand: Floats
    end_backorders: Floats
    end_on_order: Floats
    holding_cost: Floats
    shortage_cost: Floats
    order_cost: Floats
    purchase_cost: Floats
    buckets: BucketLedger | None = None
    series_in_row: int = 1

    @property
    def cost(self) -> Floats:
        """(N, P) holding + shortage + order + purchase cost."""
        return self.holding_cost + self.shortage_cost + self.order_cost + self.purchase_cost

    @property
    def mean_on_hand(self) -> Floats:
        """(N, P) mean stock at the end of a bucket, units."""
        return self.on_hand_unit_buckets / self.n_buckets

    @property
    def fill_rate(self) -> Floats:
        """(N, P) share of demand served from stock in its own bucket; nan where nothing was demanded."""
        return _share(self.served - self.served_late, self.demand)

    @property
    def cycle_service(self) -> Floats:
        """(N, P) share of replenishment cycles (receipt to receipt) without a stock-out bucket."""
        return 1.0 - _share(self.stockout_cycles, self.cycles)

    @property
    def bucket_service(self) -> Floats:
        """(N, P) share of buckets in which all demand was served at once."""
        return 1.0 - self.stockout_buckets / (self.n_buckets * self.series_in_row)

    def turns(self, buckets_per_year: float | None = None) -> Floats:
        """(N, P) units served over mean stock, for the run or, given the buckets of a year, for a year."""
        scale = 1.0 if buckets_per_year is None else buckets_per_year / self.n_buckets
        return _share(self.served, self.mean_on_hand) * scale

    def take(self, rows: Rows) -> Ledger:
        """The ledger of some series: indices, a mask or a slice."""
        index = rows if isinstance(rows, slice) else np.asarray(rows)
        buckets = None if self.buckets is None else _each(self.buckets, lambda array: array[index])
        return replace(_each(self, lambda array: array[index]), buckets=buckets)

    def over_series(self) -> Ledger:
        """Totals added up over series, (1, P), so that the ratios are those of the whole assortment.

        Bucket records are left out.
        """
        pooled = _each(self, lambda array: array.sum(axis=0, keepdims=True))
        return replace(pooled, buckets=None, series_in_row=self.series_in_row * self.demand.shape[0])

    @staticmethod
    def concat(parts: Sequence[Ledger]) -> Ledger:
        """One ledger from those of chunks of series, in the order given.

        Raises:
            UsageError: no parts, or parts of different buckets, paths or records.
        """
        kinds = {(p.n_buckets, p.demand.shape[1], p.buckets is None, p.series_in_row) for p in parts}
        if len(kinds) != 1:
            raise UsageError(
                "ledgers to join need the same buckets, paths, record and pooling; "
                f"got {len(parts)} parts of {len(kinds)} kinds"
            )

        def join(name: str, owners: Sequence[object]) -> Any:
            return np.concatenate([getattr(owner, name) for owner in owners])

        records = [part.buckets for part in parts if part.buckets is not None]
        buckets = BucketLedger(*(join(f.name, records) for f in fields(BucketLedger))) if records else None
        totals = {name: join(name, parts) for name in _array_names(parts[0])}
        return replace(parts[0], **totals, buckets=buckets)

    def check_books(self, state: StockState, demand: npt.ArrayLike | None = None) -> None:
        """Prove that every unit is accounted for, from `state` to the end, and bucket by bucket if recorded.

        Checked: start + received - served = end on hand; start + ordered - received = end on order;
        start + demand - served - lost = end backorders. With bucket records the first is checked in every
        bucket, and the third too where `demand` (N, T) or (N, P, T) is given. Costs follow from the units.

        Raises:
            ShelfwiseError: a balance does not hold; names it, the amount missing, series, path and bucket.
        """
        on_hand, owed = state.on_hand[:, None], state.backorders[:, None]
        on_order = state.pipeline.sum(axis=1)[:, None]
        _balance("on hand", on_hand, self.received, self.served, self.end_on_hand)
        _balance("on order", on_order, self.ordered, self.received, self.end_on_order)
        _balance("backorders", owed, self.demand, self.served + self.lost, self.end_backorders)
        if self.buckets is None:
            return
        moved = self.buckets
        start = _before(on_hand, moved.on_hand_end)
        _balance("on hand", start, moved.received, moved.served, moved.on_hand_end)
        if demand is not None:
            wanted = np.asarray(demand, dtype=np.float64)
            wanted = wanted[:, None, :] if wanted.ndim == 2 else wanted
            gone = moved.served.astype(np.float64) + moved.lost
            _balance("backorders", _before(owed, moved.backorders), wanted, gone, moved.backorders)


def _share(part: Floats, whole: Floats) -> Floats:
    """part / whole, nan where whole is 0."""
    return np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole > 0)


def _array_names(record: Ledger | BucketLedger) -> list[str]:
    """The fields that hold an array a series."""
    return [f.name for f in fields(record) if isinstance(getattr(record, f.name), np.ndarray)]


def _each(record: R, change: Callable[[Any], Any]) -> R:
    """A copy of the record with every array changed."""
    return replace(record, **{name: change(getattr(record, name)) for name in _array_names(record)})


def _before(start: Floats, ends: Float32s) -> Floats:
    """(N, P, T) level as each bucket begins, from the level (N, 1) at the start and those at bucket ends."""
    first = np.broadcast_to(start, ends.shape[:2])[..., None]
    return np.concatenate([first, ends[..., :-1].astype(np.float64)], axis=-1)


def _balance(name: str, start: Units, into: Units, out: Units, end: Units) -> None:
    """Raise unless start + into - out = end, to the precision the numbers were kept in."""
    gap = np.asarray(start + into - out - end, dtype=np.float64)
    size = np.maximum(1.0, np.abs(start) + np.abs(into) + np.abs(out))
    wrong = ~(np.abs(gap) <= 1e-6 * size)
    if wrong.any():
        where = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
        axes = zip(("series", "path", "bucket"), where, strict=False)
        place = ", ".join(f"{axis} {index}" for axis, index in axes)
        raise ShelfwiseError(
            f"the books of {name} must balance; {gap[where]:g} units are unaccounted for at {place}. "
            "Was this ledger made from this state and demand?"
        )
