"""Heuristics for a perishable item as decision rules, and their best parameters by exact evaluation.

Every rule maps states (M, A), as `Perishable` lays them out, to whole orders (M,).
"""

from __future__ import annotations

from functools import partial
from math import inf

import numpy as np

from shelfwise.replenish.exact.chain import Floats, Ints, States
from shelfwise.replenish.exact.discrete import mean_of
from shelfwise.replenish.exact.perishables import DecisionRule, Perishable, perishable_cost
from shelfwise.replenish.exact.search import Parameters, Tuned, pattern_search


def base_stock(level: int, largest_order: int) -> DecisionRule:
    """Order what lifts all units on hand and on order, whatever their age, to `level`."""
    return partial(_up_to, level=level, cap=largest_order)


def _up_to(states: States, *, level: int, cap: int) -> Ints:
    orders: Ints = np.clip(level - states.sum(axis=1), 0, cap)
    return orders


def projected_level(model: Perishable, level: float) -> DecisionRule:
    """Order what lifts the expected *usable* stock at the order's arrival to `level`, rounded.

    What is sold, lost and wasted until then is worked out age by age over every demand, so old stock counts for
    no more than it will be worth. The projected inventory level of van Jaarsveld and Arts (2024, Operations
    Research 72(5)), carried over to stock with an age.
    """

    def decide(states: States) -> Ints:
        wanted = np.floor(level - expected_usable(model, states) + 0.5 + 1e-9)
        return np.clip(wanted, 0, model.largest_order).astype(np.int64)

    return decide


def expected_usable(model: Perishable, states: States) -> Floats:
    """(M,) units expected on hand L buckets on, just before an order of now arrives."""
    values = np.flatnonzero(model.demand)
    row, reached = np.arange(len(states)), states
    chance: Floats = np.ones(len(states))
    for _ in range(model.lead_time_buckets):
        origin = np.repeat(np.arange(len(row)), len(values))
        ahead, _ = model.after_demand(reached[origin], np.tile(values, len(row)))
        weight = chance[origin] * np.tile(model.demand[values], len(row))
        # Many demands leave the same stock; telling those apart would multiply the work in every bucket.
        sizes = np.concatenate([[len(states)], ahead.max(axis=0) + 1])
        keyed = np.concatenate([row[origin][:, None], ahead], axis=1)
        codes = keyed @ np.concatenate([[1], np.cumprod(sizes)[:-1]])
        _, first, back = np.unique(codes, return_index=True, return_inverse=True)
        row, reached, chance = row[origin][first], ahead[first], np.bincount(back, weight).astype(np.float64)
    usable = chance * reached[:, : model.shelf_life_buckets].sum(axis=1)
    return np.bincount(row, usable, len(states)).astype(np.float64)


def best_base_stock(model: Perishable) -> Tuned:
    """(level,) of least cost.

    Example:
        >>> from shelfwise.replenish.exact.discrete import rounded_gamma_pmf
        >>> model = Perishable(rounded_gamma_pmf(4.0, 0.5), 2, 1, 1.0, 5.0, 7.0, 3.0, "lifo", 10)
        >>> best_base_stock(model).parameters
        (5.0,)
    """

    def cost(point: Parameters) -> float:
        level = int(point[0])
        return inf if level < 0 else perishable_cost(model, base_stock(level, model.largest_order))

    return pattern_search(cost, (round(mean_of(model.demand) * (model.lead_time_buckets + 1)),))


def best_capped_base_stock(model: Perishable) -> Tuned:
    """(level, cap) of least cost: ordering little at once keeps the ages apart."""

    def cost(point: Parameters) -> float:
        level, cap = int(point[0]), int(point[1])
        if level < 0 or not 1 <= cap <= model.largest_order:
            return inf
        return perishable_cost(model, base_stock(level, cap))

    cap = min(max(1, round(mean_of(model.demand))), model.largest_order)
    return pattern_search(cost, (*best_base_stock(model).parameters, cap))


def best_projected_level(model: Perishable) -> Tuned:
    """(level,) of least cost, to a quarter of a unit."""

    def cost(point: Parameters) -> float:
        return inf if point[0] < 0 else perishable_cost(model, projected_level(model, point[0]))

    return pattern_search(cost, (round(mean_of(model.demand)),), steps=(1.0, 0.5, 0.25))
