"""Families of policies with few parameters, pooled over series: what a search may turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.simulate.costs import Costs
from shelfwise.simulate.levels import Levels
from shelfwise.simulate.per_series import Floats
from shelfwise.simulate.terms import SupplyTerms

Kind = Literal["base_stock", "capped_base_stock", "min_max", "lots"]
# Bounds of the parameters; a level a standard deviation or two below the mean, or six above, is never right.
BOUNDS: dict[str, tuple[float, float]] = {
    "safety_factor": (-2.0, 6.0),
    "cap_factor": (0.2, 6.0),
    "lot_factor": (0.1, 4.0),
}
PARAMETERS: dict[str, tuple[str, ...]] = {
    "base_stock": ("safety_factor",),
    "capped_base_stock": ("safety_factor", "cap_factor"),
    "min_max": ("safety_factor", "lot_factor"),
    "lots": ("safety_factor", "lot_factor"),
}


@dataclass(frozen=True, eq=False)
class PolicyFamily:
    """Levels of N series as functions of a few shared parameters.

    The reorder or order-up-to level is the mean demand of lead time plus review period, plus `safety_factor`
    standard deviations of it. `cap_factor` bounds an order by that many review periods of mean demand;
    `lot_factor` scales the lot, which is the EOQ where orders cost something, else one review period's demand.

    Args:
        kind: ``base_stock``, ``capped_base_stock``, ``min_max`` or ``lots``.
        mean: (N,) mean demand of a bucket, units.
        sd: (N,) standard deviation of a bucket's demand, units.
        terms, costs: of the N series.

    Raises:
        UsageError: an unknown kind, or shapes disagree.

    Literature: the levels are those of Silver, Pyke and Thomas (2017, ch. 6 and 7); pooling parameters
    over series keeps them from being fitted to noise.

    Example:
        >>> terms, costs = SupplyTerms.same(2, lead_time_buckets=1), Costs.same(2, holding=1.0, shortage=9.0)
        >>> family = PolicyFamily("base_stock", np.array([4.0, 10.0]), np.array([2.0, 3.0]), terms, costs)
        >>> family.levels([[0.0], [2.0]]).order_up_to.round(2)
        array([ 8.  , 20.  , 13.66, 28.49])
    """

    kind: Kind
    mean: Floats
    sd: Floats
    terms: SupplyTerms
    costs: Costs

    def __post_init__(self) -> None:
        if self.kind not in PARAMETERS:
            raise UsageError(f"kind must be one of {', '.join(PARAMETERS)}; got {self.kind!r}")
        n_series = self.terms.n_series
        for name in ("mean", "sd"):
            values = np.asarray(getattr(self, name), dtype=np.float64)
            if values.shape != (n_series,) or not (np.isfinite(values) & (values >= 0)).all():
                raise UsageError(
                    f"{name} must be ({n_series},) numbers of at least 0; got shape {values.shape}"
                )
            object.__setattr__(self, name, values)
        if self.costs.n_series != n_series:
            raise UsageError(f"costs must describe {n_series} series; got {self.costs.n_series}")

    @classmethod
    def of_demand(cls, kind: Kind, demand: npt.ArrayLike, terms: SupplyTerms, costs: Costs) -> PolicyFamily:
        """Means and standard deviations from demand (N, T) or (N, P, T)."""
        units = np.asarray(demand, dtype=np.float64)
        flat = units.reshape(len(units), -1)
        return cls(kind, flat.mean(axis=1), flat.std(axis=1), terms, costs)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters, in the order of a candidate."""
        return PARAMETERS[self.kind]

    @property
    def bounds(self) -> Floats:
        """(d, 2) lowest and highest value of each parameter."""
        return np.array([BOUNDS[name] for name in self.parameters])

    def lot(self) -> Floats:
        """(N,) units: the EOQ where an order costs something and stock too, else a review period's demand."""
        one_period = self.mean * self.terms.review_period_buckets
        order, holding = np.asarray(self.costs.order), np.asarray(self.costs.holding)
        eoq = np.sqrt(2.0 * order * self.mean / np.where(holding > 0, holding, np.inf))
        return np.asarray(np.maximum(np.maximum(eoq, one_period), 1.0))

    def levels(self, candidates: npt.ArrayLike) -> Levels:
        """`Levels` of C candidates for the N series, candidate by candidate: C * N rows."""
        theta = self.checked(candidates)
        interval = np.asarray(
            self.terms.lead_time_buckets + self.terms.review_period_buckets, dtype=np.float64
        )
        level = self.mean * interval + theta[:, :, 0] * self.sd * np.sqrt(interval)
        flat = np.maximum(level, 0.0).ravel()
        if self.kind == "base_stock":
            return Levels.base_stock(flat)
        if self.kind == "capped_base_stock":
            cap = theta[:, :, 1] * np.maximum(self.mean * self.terms.review_period_buckets, 0.5)
            return Levels.base_stock(flat, cap.ravel())
        lot = (theta[:, :, 1] * self.lot()).ravel()
        return Levels.min_max(flat, flat + lot) if self.kind == "min_max" else Levels.lots(flat, lot)

    def checked(self, candidates: npt.ArrayLike) -> Floats:
        """(C, d), the same for all series, or (C, N, d), as (C, N, d) within the bounds."""
        theta = np.asarray(candidates, dtype=np.float64)
        width, n_series = len(self.parameters), self.terms.n_series
        shared = theta.ndim == 2 and theta.shape[1] == width
        if not shared and (theta.ndim != 3 or theta.shape[1:] != (n_series, width)):
            raise UsageError(
                f"candidates must be (C, {width}) or (C, {n_series}, {width}) of {', '.join(self.parameters)}; "
                f"got {theta.shape}"
            )
        wide = np.broadcast_to(theta[:, None, :] if shared else theta, (len(theta), n_series, width))
        return np.asarray(np.clip(wide, self.bounds[:, 0], self.bounds[:, 1]))
