"""One warehouse and its shops: an echelon base-stock upstream, allocation by scenario downstream."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.replenish.two_echelon.allocation import allocate
from shelfwise.simulate.network import (
    NetworkCosts,
    NetworkLedger,
    NetworkPolicy,
    NetworkState,
    NetworkTerms,
    NetworkView,
    simulate_network,
)
from shelfwise.simulate.per_series import Floats

SAFETY_FACTORS = np.linspace(-2.0, 4.0, 13)
FINER_STEPS = np.linspace(-0.4, 0.4, 5)


@dataclass(frozen=True, eq=False)
class TwoEchelon:
    """N items, a warehouse (node 0) and K shops (nodes 1 … K), as `SupplyNetwork.warehouse_and_shops` numbers them.

    The warehouse orders its echelon, its own stock and all that is downstream, up to a level. Every review, what
    it has on hand is shared among the shops by `allocate`, on samples of the demand until the next shipment
    can arrive; what earns more by waiting stays upstream, where it can still go to any shop.

    Args:
        terms: of the network; arcs 0 (supplier to warehouse) and 1 … K (warehouse to shop).
        costs: node 0 is the warehouse.
        window_demand: (N, K, S) samples of each shop's demand over its lead time plus review period.
        levels: (N,) echelon order-up-to levels.

    Raises:
        UsageError: the network is not a warehouse with shops, or a shape does not fit.

    Literature: Clark and Scarf (1960); Eppen and Schrage (1981) for a warehouse that may hold stock back,
    Federgruen and Zipkin (1984) for the allocation.

    Example:
        >>> from shelfwise.simulate.network import SupplyNetwork
        >>> rng = np.random.default_rng(0)
        >>> terms = NetworkTerms(SupplyNetwork.warehouse_and_shops(2), lead_time_buckets=[2, 1, 1])
        >>> costs = NetworkCosts(holding=[0.5, 1.0, 1.0], shortage=9.0)
        >>> two = TwoEchelon.tuned(rng.poisson(4.0, (1, 2, 30, 60)), terms, costs)
        >>> 20 < two.levels.item() < 60
        True
    """

    terms: NetworkTerms
    costs: NetworkCosts
    window_demand: Floats
    levels: Floats

    def __post_init__(self) -> None:
        _check_shape(self.terms)
        n_items, n_shops = self.terms.n_items, self.terms.network.n_nodes - 1
        samples, levels = np.asarray(self.window_demand, float), np.asarray(self.levels, float)
        if samples.ndim != 3 or samples.shape[:2] != (n_items, n_shops) or levels.shape != (n_items,):
            raise UsageError(
                f"window_demand must be ({n_items}, {n_shops}, S) and levels ({n_items},); "
                f"got {samples.shape} and {levels.shape}"
            )
        object.__setattr__(self, "window_demand", samples)
        object.__setattr__(self, "levels", levels)

    @classmethod
    def tuned(
        cls,
        demand: npt.ArrayLike,
        terms: NetworkTerms,
        costs: NetworkCosts,
        warm_up_buckets: int | None = None,
    ) -> TwoEchelon:
        """Levels chosen item by item by simulation, all candidates on the same paths.

        Args:
            demand: (N, K, P, T) paths of each shop's demand, units; T must leave some buckets after the warm-up.
            terms, costs: see the class.
            warm_up_buckets: not counted; None = a quarter of T.
        """
        _check_shape(terms)
        paths = np.asarray(demand, dtype=np.float32)
        n_items, n_shops = terms.n_items, terms.network.n_nodes - 1
        if paths.ndim != 4 or paths.shape[:2] != (n_items, n_shops):
            raise UsageError(f"demand must be ({n_items}, {n_shops}, P, T); got shape {np.shape(demand)}")
        warm_up = paths.shape[3] // 4 if warm_up_buckets is None else warm_up_buckets
        windows = window_sums(paths, terms)
        total = paths.sum(axis=1)
        lead = terms.lead_time_buckets
        interval = lead[:, 0] + lead[:, 1:].max(axis=1) + terms.review_period_buckets.max(axis=1) + 1
        mean, sd = total.mean(axis=(1, 2)), total.std(axis=(1, 2))
        best = np.zeros(n_items)
        for factors in (SAFETY_FACTORS, FINER_STEPS):
            tried = best[:, None] + factors
            costed = np.stack(
                [
                    cls(terms, costs, windows, _level(mean, sd, interval, column))
                    .run(paths, warm_up_buckets=warm_up)
                    .cost.mean(axis=1)
                    for column in tried.T
                ],
                axis=1,
            )
            best = np.take_along_axis(tried, costed.argmin(axis=1)[:, None], axis=1)[:, 0]
        return cls(terms, costs, windows, _level(mean, sd, interval, best))

    def policy(self) -> NetworkPolicy:
        """The rule as `simulate_network` takes it."""
        n_items = self.terms.n_items
        rates = self.costs.rates("holding", n_items, self.terms.network.n_nodes)
        short = self.costs.rates("shortage", n_items, self.terms.network.n_nodes)[:, 1:]
        # A unit that waits upstream costs its holding there; downstream it costs that much more.
        extra = np.maximum(rates[:, 1:] - rates[:, :1], 0.0)

        def decide(view: NetworkView) -> Floats:
            n_paths = view.on_hand.shape[1]
            wanted = np.zeros((n_items, n_paths, self.terms.network.n_arcs))
            wanted[:, :, 0] = np.maximum(self.levels[:, None] - view.echelon_position()[:, :, 0], 0.0)
            shops = view.position()[:, :, 1:]
            ready = view.on_hand[:, :, 0].sum(axis=2) + view.due[:, :, 0, 0]
            rows = (n_items * n_paths, shops.shape[2])
            again = np.repeat(np.arange(n_items), n_paths)
            shared = allocate(
                np.maximum(ready.ravel() - view.owed[:, :, 1:].sum(axis=2).ravel(), 0.0),
                shops.reshape(rows),
                self.window_demand[again],
                holding=extra[again],
                shortage=short[again],
                multiple=self.terms.multiple[again, 1:],
            )
            wanted[:, :, 1:] = shared.shipped.reshape(n_items, n_paths, -1)
            return wanted

        return decide

    def run(
        self, demand: npt.ArrayLike, state: NetworkState | None = None, warm_up_buckets: int = 0
    ) -> NetworkLedger:
        """Simulate the rule on shop demand (N, K, P, T), from `state` or from a warehouse filled to its level."""
        paths = np.asarray(demand, dtype=np.float32)
        n_items, n_shops, n_paths, n_buckets = paths.shape
        everywhere = np.concatenate([np.zeros((n_items, 1, n_paths, n_buckets), np.float32), paths], axis=1)
        if state is None:
            on_hand = np.zeros((n_items, n_shops + 1))
            on_hand[:, 0] = np.maximum(np.rint(self.levels), 0.0)
            state = NetworkState(on_hand)
        return simulate_network(
            everywhere, self.terms, self.costs, state, self.policy(), warm_up_buckets=warm_up_buckets
        )


def window_sums(demand: npt.NDArray[np.float32], terms: NetworkTerms, most_samples: int = 512) -> Floats:
    """(N, K, S) sums of demand over each shop's lead time plus review period, cut from paths (N, K, P, T)."""
    n_items, n_shops, n_paths, n_buckets = demand.shape
    width = terms.lead_time_buckets[:, 1:] + terms.review_period_buckets[:, 1:]
    if width.max() > n_buckets:
        raise UsageError(f"demand paths must have at least {int(width.max())} buckets; got {n_buckets}")
    running = np.concatenate(
        [np.zeros((n_items, n_shops, n_paths, 1)), np.cumsum(demand, axis=3, dtype=np.float64)], axis=3
    )
    n_starts = n_buckets - int(width.max()) + 1
    # Evenly spaced windows of every path: the same for all items, and none of them drawn.
    starts = np.unique(np.linspace(0, n_starts - 1, max(1, most_samples // n_paths)).astype(np.intp))
    upper = np.minimum(starts[None, None, None, :] + width[:, :, None, None], n_buckets)
    sums = np.take_along_axis(
        running, np.broadcast_to(upper, (n_items, n_shops, n_paths, len(starts))), axis=3
    )
    sums = sums - running[:, :, :, starts]
    return np.asarray(sums.reshape(n_items, n_shops, -1))


def _level(mean: Floats, sd: Floats, interval: Floats, factor: Floats) -> Floats:
    return np.asarray(np.rint(np.maximum(mean * interval + factor * sd * np.sqrt(interval), 0.0)))


def _check_shape(terms: NetworkTerms) -> None:
    source = terms.network.source
    n_arcs = terms.network.n_arcs
    fits = n_arcs >= 2 and source[0] == -1 and (source[1:] == 0).all()
    if not fits or terms.network.destination.tolist() != list(range(n_arcs)):
        raise UsageError(
            "the network must be SupplyNetwork.warehouse_and_shops(n_shops), with at least one shop"
        )
