"""Policies as arrays: order-up-to levels, reorder points, lots. The compiled loop reads nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.simulate.per_series import Floats, require


@dataclass(frozen=True, eq=False)
class Levels:
    """When to order and how much, from the inventory position alone.

    At a review, an order is wanted if the position is at or below the reorder point and below the
    order-up-to level; it lifts the position to that level. With a fixed lot it is the smallest whole
    number of lots that lifts the position *above* the reorder point. The wish is cut to `cap` and then
    rounded by `round_lots`, which may lift it to the next lot the supplier accepts.

    Args:
        order_up_to: (N,) or (N, T) units; may be left out where every series has a fixed lot.
        reorder_point: (N,) or (N, T) units; None = order whenever the position is below `order_up_to`.
        cap: (N,) units, the largest order wanted at once (before rounding to lots); None = no cap.
        fixed_lot: (N,) units; 0 = this series orders up to its level instead; None = all do.

    Raises:
        UsageError: shapes disagree, a level is NaN or +inf, a lot is negative, or a lot has no reorder point.

    Literature: base-stock and (s, S) after Arrow, Harris and Marschak (1951); (R, nQ) after Hadley and
    Whitin (1963); capped base-stock after Xin (2021).

    Example:
        >>> Levels.min_max(reorder_point=[3.0], order_up_to=[10.0]).raw_order(0, [[4.0, 3.0]])
        array([[0., 7.]])
        >>> Levels.lots(reorder_point=[3.0], lot=[4.0]).raw_order(0, [[3.0, -2.0]])
        array([[4., 8.]])
    """

    order_up_to: Floats | None = None
    reorder_point: Floats | None = None
    cap: Floats | None = None
    fixed_lot: Floats | None = None

    def __post_init__(self) -> None:
        for name in ("order_up_to", "reorder_point", "cap", "fixed_lot"):
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, np.array(value, dtype=np.float64, order="C"))
        given = [array for array in (self.order_up_to, self.reorder_point) if array is not None]
        if not given:
            raise UsageError("levels need order_up_to, or reorder_point with fixed_lot; got neither")
        n_series = given[0].shape[0] if given[0].ndim else 0
        widths = {array.shape[1] for array in given if array.ndim == 2}
        if any(array.ndim not in (1, 2) or array.shape[0] != n_series for array in given) or len(widths) > 1:
            raise UsageError(
                "order_up_to and reorder_point must each be (N,) or (N, T) of the same N and T; "
                f"got {[array.shape for array in given]}"
            )
        for name in ("cap", "fixed_lot"):
            value = getattr(self, name)
            if value is not None and value.shape != (n_series,):
                raise UsageError(f"{name} must have shape ({n_series},); got {value.shape}")
        if self.cap is not None:
            require(self.cap >= 0, "cap", "must be at least 0 (inf = no cap)", self.cap)
        lot = np.zeros(n_series) if self.fixed_lot is None else self.fixed_lot
        require(np.isfinite(lot) & (lot >= 0), "fixed_lot", "must be a number of at least 0 (0 = none)", lot)
        if self.order_up_to is None:
            require(lot > 0, "fixed_lot", "must be above 0 where there is no order_up_to", lot)
        else:
            require(self.order_up_to < np.inf, "order_up_to", "must be a number below inf", self.order_up_to)
        if self.reorder_point is None:
            require(lot == 0, "fixed_lot", "needs a reorder_point", lot)
        else:
            point = self.reorder_point
            bounded = (lot == 0) if point.ndim == 1 else (lot == 0)[:, None]
            require(
                (point < np.inf) | (bounded & (point == np.inf)),
                "reorder_point",
                "must be a number, and below inf for a series with a fixed lot",
                point,
            )

    @classmethod
    def base_stock(cls, order_up_to: npt.ArrayLike, cap: npt.ArrayLike | None = None) -> Levels:
        """Order up to a level at every review, at most `cap` at once."""
        return cls(np.asarray(order_up_to), cap=None if cap is None else np.asarray(cap))

    @classmethod
    def min_max(cls, reorder_point: npt.ArrayLike, order_up_to: npt.ArrayLike) -> Levels:
        """(s, S): at or below the reorder point, order up to the level."""
        return cls(np.asarray(order_up_to), np.asarray(reorder_point))

    @classmethod
    def lots(cls, reorder_point: npt.ArrayLike, lot: npt.ArrayLike) -> Levels:
        """(R, nQ): at or below the reorder point, the fewest whole lots that lift the position above it."""
        return cls(reorder_point=np.asarray(reorder_point), fixed_lot=np.asarray(lot))

    @property
    def n_series(self) -> int:
        """N."""
        shape = self.order_up_to if self.order_up_to is not None else self.reorder_point
        assert shape is not None  # __post_init__ refuses levels with neither
        return int(shape.shape[0])

    def columns(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Order-up-to and reorder point as (N, 1 or T), cap and lot as (N,); what is absent never binds."""
        n_series = self.n_series

        def wide(levels: Floats | None, absent: float) -> Floats:
            array = np.full((n_series, 1), absent) if levels is None else levels
            return array if array.ndim == 2 else array[:, None]

        cap = np.full(n_series, np.inf) if self.cap is None else self.cap
        lot = np.zeros(n_series) if self.fixed_lot is None else self.fixed_lot
        return wide(self.order_up_to, 0.0), wide(self.reorder_point, np.inf), cap, lot

    def raw_order(self, t: int, position: npt.ArrayLike) -> Floats:
        """The order wanted in bucket `t` at `position` (N,) or (N, P), in units, before `round_lots`."""
        from shelfwise.simulate.kernels.inventory import wish_ufunc

        units = np.asarray(position, dtype=np.float64)
        if units.ndim not in (1, 2) or units.shape[0] != self.n_series:
            raise UsageError(f"position must have {self.n_series} rows, (N,) or (N, P); got {units.shape}")
        up_to, point, cap, lot = self.columns()
        now = [level[:, t if level.shape[1] > 1 else 0] for level in (up_to, point)]
        spread = [array if units.ndim == 1 else array[:, None] for array in (*now, lot, cap)]
        return np.asarray(wish_ufunc(units, *spread))
