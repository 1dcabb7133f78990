"""What roll-outs are asked: demand paths, suppliers, terms and costs of N series, laid out for the kernels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shelfwise.replenish.learned.context import Context
from shelfwise.replenish.learned.network import OrderNetwork
from shelfwise.simulate.costs import Costs
from shelfwise.simulate.per_series import Floats
from shelfwise.simulate.terms import SupplyTerms

# Levels and slot weights of planes, and caps: (K, N, T, …) in units.
Rule = tuple[Floats, Floats, Floats]
KernelTerms = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats, Floats, Floats, Floats, Floats]


@dataclass(frozen=True, eq=False)
class Question:
    """K suppliers of N series, asked one after another in every review.

    Args:
        paths: (N, S, T + reach) demand in units; reach keeps every window of the contexts inside.
        terms: of the first supplier; review periods, lots and what is lost hold for all.
        contexts: of each supplier, (N, T, C).
        lead_time_buckets: (K, N).
        price: (K, N) money a unit above the cheapest supplier's.
    """

    paths: Floats
    terms: SupplyTerms
    costs: Costs
    contexts: tuple[Context, ...]
    lead_time_buckets: npt.NDArray[np.int64]
    price: Floats

    @property
    def n_buckets(self) -> int:
        """T, buckets whose context is known."""
        return int(self.contexts[0].values.shape[1])

    @property
    def scale(self) -> Floats:
        """(N,) mean demand of a bucket, units."""
        return self.contexts[0].scale

    @property
    def step(self) -> Floats:
        """(N,) units between candidate orders: a lot, or about a tenth of mean demand where lots are smaller."""
        lot = np.asarray(self.terms.multiple)
        return np.asarray(lot * np.maximum(np.rint(0.1 * self.scale / lot), 1.0))

    def kernel_terms(self) -> KernelTerms:
        """Terms and costs as the kernels take them."""
        values = (self.terms.multiple, self.costs.holding, self.costs.shortage, self.terms.lost_share)
        lot, holding, shortage, lost = (np.ascontiguousarray(each, dtype=np.float64) for each in values)
        review = np.asarray(self.terms.review_period_buckets, dtype=np.int64)
        return self.lead_time_buckets, review, lot, holding, shortage, lost, self.price

    def rule(self, networks: Sequence[OrderNetwork]) -> Rule:
        """The rule that one network a supplier makes of the contexts."""
        levels, weights, caps = [], [], []
        n_series = len(self.scale)
        for network, known in zip(networks, self.contexts, strict=True):
            level, slots, cap = network.parameters(known.values.reshape(n_series * self.n_buckets, -1))
            scale = np.repeat(known.scale, self.n_buckets)
            levels.append((level * scale[:, None, None]).reshape(n_series, self.n_buckets, *level.shape[1:]))
            weights.append(slots.reshape(n_series, self.n_buckets, *slots.shape[1:]))
            caps.append((cap * scale).reshape(n_series, self.n_buckets))
        return np.stack(levels), np.stack(weights), np.stack(caps)

    def first_stock(self, rule: Rule) -> Floats:
        """(N, D) where walks begin: on hand what the last supplier's rule would order up to."""
        level, slots, _ = rule
        stock = np.zeros((len(self.scale), slots.shape[-1]))
        lot = np.asarray(self.terms.multiple)
        stock[:, 0] = np.rint(np.maximum(level[-1, :, 0].min(axis=2).max(axis=1), 0.0) / lot) * lot
        return stock
