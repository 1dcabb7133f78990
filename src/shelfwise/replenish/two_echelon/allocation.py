"""`allocate`: what a warehouse sends to each shop, by what a unit is expected to earn there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from shelfwise.errors import UsageError
from shelfwise.simulate.per_series import Floats, require


class Allocation(NamedTuple):
    """(N, K) units shipped to each shop, and (N,) what one more unit upstream would have been worth."""

    shipped: Floats
    unit_worth: Floats


def allocate(
    available: npt.ArrayLike,
    position: npt.ArrayLike,
    demand: npt.ArrayLike,
    *,
    holding: npt.ArrayLike,
    shortage: npt.ArrayLike,
    holding_upstream: npt.ArrayLike = 0.0,
    multiple: npt.ArrayLike = 1.0,
) -> Allocation:
    """Share N items' stock among K shops so that the expected cost of holding and shortage is least.

    Each lot goes where it earns most; a lot that would earn less than staying upstream costs, stays. With
    shops of the same multiple that is the least-cost allocation, since every shop's cost is convex in its stock.

    Args:
        available: (N,) units on hand upstream.
        position: (N, K) units at each shop or on their way to it, less what it owes.
        demand: (N, K, S) samples of each shop's demand until a shipment of the next review would arrive.
        holding, shortage: one value, (K,) or (N, K), money a unit at the shop.
        holding_upstream: one value or (N,), money a unit that stays.
        multiple: one value, (K,) or (N, K) units shipped together.

    Returns:
        `Allocation`.

    Raises:
        UsageError: shapes disagree or a value breaks its rule.

    Literature: allocation by marginal worth after Federgruen and Zipkin (1984); on samples it needs no
    assumption of normal demand or of balanced shops.

    Example:
        >>> demand = np.array([[[0.0, 2.0, 4.0], [8.0, 9.0, 10.0]]])
        >>> allocate([9.0], [[0.0, 0.0]], demand, holding=1.0, shortage=9.0).shipped
        array([[1., 8.]])
    """
    from shelfwise.replenish.kernels.allocation import share_stock

    samples = np.asarray(demand, dtype=np.float64)
    if samples.ndim != 3 or not samples.shape[2]:
        raise UsageError(f"demand must be (N, K, S) with at least one sample; got shape {samples.shape}")
    shape = samples.shape[:2]
    stock = np.ascontiguousarray(np.broadcast_to(np.asarray(available, float), shape[:1]))
    places = {
        name: np.ascontiguousarray(np.broadcast_to(np.asarray(value, float), shape))
        for name, value in (
            ("position", position),
            ("multiple", multiple),
            ("holding", holding),
            ("shortage", shortage),
        )
    }
    upstream = np.ascontiguousarray(np.broadcast_to(np.asarray(holding_upstream, float), shape[:1]))
    require(
        np.isfinite(samples) & (samples >= 0),
        "demand",
        "must be at least 0",
        samples,
        ("item", "shop", "sample"),
    )
    require(np.isfinite(stock) & (stock >= 0), "available", "must be at least 0", stock, ("item",))
    for name, least in (
        ("multiple", np.nextafter(0.0, 1.0)),
        ("holding", 0.0),
        ("shortage", 0.0),
        ("position", -np.inf),
    ):
        good = np.isfinite(places[name]) & (places[name] >= least)
        require(good, name, "is out of bounds", places[name], ("item", "shop"))
    shipped, unit_worth = np.zeros(shape), np.zeros(shape[0])
    share_stock(
        stock,
        places["position"],
        np.sort(samples, axis=2),
        places["multiple"],
        places["holding"],
        places["shortage"],
        -upstream,
        shipped,
        unit_worth,
    )
    return Allocation(shipped, unit_worth)
