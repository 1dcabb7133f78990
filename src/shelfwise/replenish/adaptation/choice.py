"""Which factors the past speaks for, and whether it speaks loudly enough to leave the default."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from shelfwise.messages import Said
from shelfwise.replenish.adaptation.factors import DEFAULT, Factors
from shelfwise.replenish.situation import Doubles

CHANCE_OF_ERROR = 0.05
LAGS = 3


@dataclass(frozen=True)
class Adaptation:
    """The factors in use and the evidence for them.

    Attributes:
        factors: what the policy uses.
        table: a row a candidate: `shortage`, `spread`, `cost`, and what it `saves` against the default with its
            `standard_error`.
        n_series, n_buckets: replayed; first, last: the days from and to before which costs were counted.
        needed: standard errors a saving had to reach.
    """

    factors: Factors
    table: pl.DataFrame
    n_series: int
    n_buckets: int
    first: date
    last: date
    needed: float

    @property
    def changed(self) -> bool:
        """Whether the default was left."""
        return self.factors != DEFAULT

    def row(self, factors: Factors) -> dict[str, float]:
        """The evidence for one candidate."""
        picked = (pl.col("shortage") == factors.shortage) & (pl.col("spread") == factors.spread)
        return self.table.filter(picked).row(0, named=True)

    @property
    def note(self) -> Said:
        """One sentence: what was tuned, on what, with what result."""
        best = self.table.sort("cost", maintain_order=True).row(0, named=True)
        told = self.row(self.factors) if self.changed else best
        kept = "kept" if best["saves"] > 0 else "best"
        base = max(self.row(DEFAULT)["cost"], 1e-300)
        return Said(
            f"plan.tuning.{'changed' if self.changed else kept}",
            candidates=self.table.height,
            series=self.n_series,
            buckets=self.n_buckets,
            first=self.first,
            last=self.last,
            shortage=f"{told['shortage']:g}",
            spread=f"{told['spread']:g}",
            saved=f"{100.0 * told['saves'] / base:.1f}",
            error=f"{100.0 * told['standard_error'] / base:.1f}",
            needed=f"{self.needed:.1f}",
        )


def choose_factors(
    candidates: Sequence[Factors], costs: Doubles, first: date, last: date, n_series: int
) -> Adaptation:
    """Leave the default only for a saving that chance does not explain, and then no further than needed.

    All candidates met the same demand from the same stock, so only differences count. Buckets are what repeats: a
    good or bad season hits all series at once, so the error of a saving is taken over buckets, with what
    one bucket carries into the next three (Newey and West 1987). So few buckets say little of their own error: it
    counts as known from three buckets in eight (equivalent degrees of freedom of Bartlett's window, Priestley
    1981, section 6.2), and Student's t takes the normal's place. As many candidates are tried, the
    best saving must reach the one-sided 5 % point shared among them (Bonferroni); then, of all that cost no more than
    the best within one standard error, the one nearest to the default is taken.

    Args:
        candidates: P, the default among them.
        costs: (P, T) money of all series in each bucket.
        first, last: days the buckets span; n_series: how many series they sum.

    Example:
        >>> steady = np.array([[100.0, 101.0, 99.0, 100.0] * 5, [90.0, 90.5, 89.5, 90.0] * 5])
        >>> chosen = choose_factors([DEFAULT, Factors(0.8)], steady, date(2024, 1, 1), date(2024, 6, 1), 7)
        >>> chosen.factors, round(chosen.row(chosen.factors)["saves"], 1)
        (Factors(shortage=0.8, spread=1.0), 200.0)
    """
    from scipy.special import stdtrit

    at = list(candidates).index(DEFAULT)
    total = costs.sum(axis=1)
    saves, errors = total[at] - total, _errors(costs[at] - costs)
    freedom = max(1.5 * costs.shape[1] / (LAGS + 1), 1.0)
    needed = float(stdtrit(freedom, 1.0 - CHANCE_OF_ERROR / max(len(candidates) - 1, 1)))
    best = int(np.argmin(total))
    chosen = DEFAULT
    if saves[best] > needed * errors[best]:
        near = np.flatnonzero(total - total[best] <= _errors(costs - costs[best]))
        chosen = min((candidates[int(row)] for row in near), key=lambda factors: (factors.distance, factors))
    table = pl.DataFrame(
        {
            "shortage": [factors.shortage for factors in candidates],
            "spread": [factors.spread for factors in candidates],
            "cost": total,
            "saves": saves,
            "standard_error": errors,
        }
    )
    return Adaptation(chosen, table, n_series, costs.shape[1], first, last, needed)


def _errors(differences: Doubles) -> Doubles:
    """(P,) standard error of the sum of (P, T) differences over T; one bucket alone says nothing of it."""
    buckets = differences.shape[1]
    around = differences - differences.mean(axis=1, keepdims=True)
    variance = (around**2).sum(axis=1)
    # What taking the mean off hides of the sum's variance, were the buckets independent.
    hidden = 1.0
    for lag in range(1, min(LAGS, buckets - 1) + 1):
        weight = 2.0 * (1.0 - lag / (LAGS + 1))
        variance += weight * (around[:, lag:] * around[:, :-lag]).sum(axis=1)
        hidden += weight * (buckets - lag) / buckets
    if hidden >= buckets:
        return np.full(len(differences), np.inf)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0) * buckets / (buckets - hidden)))
