"""The shop's stock, day by day, under an ordinary reorder rule with suppliers that are sometimes late.

The rule knows nothing of season, promotions or occasions: it orders up to the mean of recent sales
over lead time and review period plus a safety stock. That is why the shop loses sales, and where a better
plan can earn something. Order of events within a day as in the contract: order, receipts, demand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demo.suppliers import Supply

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

SAFETY_FACTOR = 1.2
SMOOTHING = 0.08
LATE_SHARE = 0.06
LATE_DAYS = (5, 16)
# A launch is ordered so as to be there on the day, for this part of the usual level.
LAUNCH_FACTOR = 0.8


@dataclass(frozen=True)
class StockHistory:
    """What happened to N series in T days.

    Attributes:
        sold, lost: (N, T) units; their sum is demand.
        on_sale: (N, T) share of the day with stock, as customers come; 0 outside the assortment.
        opening: (N,) units on hand before the first day.
        received: (N, T) units that arrived.
        on_hand: (N,) units on hand after the last day.
        orders: `series, placed, due, arrives, quantity`, as indices; open from T on.
    """

    sold: npt.NDArray[np.int32]
    lost: npt.NDArray[np.int32]
    on_sale: npt.NDArray[np.float32]
    opening: Ints
    received: Ints
    on_hand: Ints
    orders: pl.DataFrame


def run_stock(
    demand: npt.NDArray[np.int32],
    rate: Floats,
    supply: Supply,
    launched: Ints,
    ends: Ints,
    no_delivery: npt.NDArray[np.bool_],
    rng: np.random.Generator,
) -> StockHistory:
    """Run T days of N series; `demand` is (N, T), `rate` (N,) the mean the shop starts from, units a day.

    `no_delivery` is longer than T and marks days on which nothing arrives.
    """
    count, days = demand.shape
    arrival = _arrival_days(supply, days, no_delivery, rng)
    phase = rng.integers(0, supply.review_period)
    span = supply.lead_time + supply.review_period
    mean, variance = rate.copy(), 1.5 * rate
    active = (launched <= 0) & (ends > 0)
    opening = np.where(active, np.ceil(rate * span * rng.uniform(0.6, 1.1, count)), 0).astype(np.int64)
    on_hand, on_order = opening.copy(), np.zeros(count, np.int64)
    pipeline = np.zeros((count, arrival.max() + 1), np.int64)
    sold = np.zeros((count, days), np.int32)
    available = np.zeros((count, days), np.int64)
    orders: list[pl.DataFrame] = []

    for day in range(days):
        level = _order_up_to(mean, variance, supply, np.minimum(span, np.maximum(ends - day, 0)))
        first_order = day == np.maximum(launched - supply.lead_time, 0)
        review = (day - phase) % supply.review_period == 0
        usual = review & (day >= launched) & (day + supply.lead_time < ends)
        short = np.where(launched > 0, np.where(first_order, LAUNCH_FACTOR * level, 0.0), 0.0)
        short = np.where(usual, level - on_hand - on_order, short)
        quantity = _rounded(short, supply)
        rows = np.flatnonzero(quantity)
        np.add.at(pipeline, (rows, arrival[rows, day]), quantity[rows])
        on_order += quantity
        orders.append(_order_rows(rows, day, supply, arrival, quantity))

        on_order -= pipeline[:, day]
        on_hand += pipeline[:, day]
        available[:, day] = on_hand
        sold[:, day] = np.minimum(demand[:, day], on_hand)
        on_hand -= sold[:, day]

        # A day without stock says nothing about demand, so the shop leaves it out of its mean.
        seen = (available[:, day] > 0) & (day >= launched) & (day < ends)
        error = np.where(seen, sold[:, day] - mean, 0.0)
        mean += SMOOTHING * error
        variance += np.where(seen, SMOOTHING * (error**2 - variance), 0.0)

    lost = demand - sold
    return StockHistory(
        sold=sold,
        lost=lost,
        on_sale=_on_sale(demand, lost, available, launched, ends, rng),
        opening=opening,
        received=pipeline[:, :days],
        on_hand=on_hand,
        orders=pl.concat(orders),
    )


def _arrival_days(
    supply: Supply, days: int, no_delivery: npt.NDArray[np.bool_], rng: np.random.Generator
) -> Ints:
    """(N, T) the day an order placed on each day would arrive; never before the next day."""
    shape = (len(supply.lead_time), days)
    noise = np.rint(rng.standard_normal(shape) * supply.lead_time_sd[:, None]).astype(np.int64)
    late = np.where(rng.random(shape) < LATE_SHARE, rng.integers(*LATE_DAYS, shape), 0)
    wanted = np.arange(days) + np.maximum(supply.lead_time[:, None] + noise + late, 1)
    open_days = np.flatnonzero(~no_delivery)
    arrival: Ints = open_days[np.searchsorted(open_days, wanted)]
    return arrival


def _order_up_to(mean: Floats, variance: Floats, supply: Supply, span: Ints) -> Floats:
    """(N,) mean over the protection interval plus safety stock (Silver, Pyke and Thomas 2017)."""
    spread = np.sqrt(span * variance + (mean * supply.lead_time_sd) ** 2)
    level: Floats = mean * span + SAFETY_FACTOR * spread
    return level


def _rounded(short: Floats, supply: Supply) -> Ints:
    """(N,) orders: nothing, or at least the MOQ, in whole multiples, at most the maximum."""
    packs = np.ceil(np.maximum(short, supply.moq) / supply.multiple).astype(np.int64)
    most = supply.max_quantity // supply.multiple
    return np.where(short >= 0.5, np.minimum(packs, most) * supply.multiple, 0)


def _order_rows(
    rows: npt.NDArray[np.intp], day: int, supply: Supply, arrival: Ints, quantity: Ints
) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "series": rows.astype(np.int64),
            "placed": np.full(len(rows), day, np.int64),
            "due": day + supply.lead_time[rows],
            "arrives": arrival[rows, day],
            "quantity": quantity[rows],
        }
    )


def _on_sale(
    demand: npt.NDArray[np.int32],
    lost: npt.NDArray[np.int32],
    available: Ints,
    launched: Ints,
    ends: Ints,
    rng: np.random.Generator,
) -> npt.NDArray[np.float32]:
    """The last unit went when the a-th of d customers came: a Beta(a, d - a + 1) part of the day.

    A day that sold its last unit with nobody turned away counts as a whole day.
    """
    days = np.arange(demand.shape[1])
    share = np.where(available > 0, 1.0, 0.0)
    cut = (lost > 0) & (available > 0)
    had, wanted = available[cut], demand[cut]
    share[cut] = np.clip(rng.beta(had, wanted - had + 1), 0.01, 0.99).round(2)
    offered = (days >= launched[:, None]) & (days < ends[:, None])
    return np.where(offered, share, 0.0).astype(np.float32)
