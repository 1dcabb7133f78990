"""Heuristics for two suppliers as decision rules, and their best parameters by exact evaluation.

Every rule maps states (M, l), as `DualSourcing` lays them out, to express and regular orders (M,).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import inf

import numpy as np

from shelfwise.errors import UsageError
from shelfwise.replenish.exact.chain import States
from shelfwise.replenish.exact.discrete import mean_of, quantile, total_pmf
from shelfwise.replenish.exact.dual_sourcing import DecisionRule, DualSourcing, Orders, dual_sourcing_cost
from shelfwise.replenish.exact.search import Parameters, Tuned, pattern_search

NO_CAP = 2**31
SEARCH_TOLERANCE = 1e-7


def single_index(express_level: int, regular_level: int) -> DecisionRule:
    """Both suppliers look at the whole inventory position: express up to one level, regular on to a higher one.

    Literature: Scheller-Wolf, Veeraraghavan and van Houtum (2007), "Effective dual sourcing with a single index
    policy", working paper, Tepper School of Business.
    """
    return partial(_single_index, express_level=express_level, regular_level=regular_level)


def dual_index(express_level: int, regular_level: int) -> DecisionRule:
    """Express looks at net stock alone, regular at the whole position after it.

    Literature: Veeraraghavan and Scheller-Wolf (2008), "Now or later: a simple policy for effective dual
    sourcing in capacitated systems", Operations Research 56(4).
    """
    return capped_dual_index(express_level, regular_level, NO_CAP)


def capped_dual_index(express_level: int, regular_level: int, cap: int) -> DecisionRule:
    """The same, regular orders never above `cap`.

    Literature: Sun and Van Mieghem (2019), "Robust dual sourcing inventory management: optimality of capped dual
    index policies and smoothing", Manufacturing & Service Operations Management 21(4).
    """
    return partial(_capped, express_level=express_level, regular_level=regular_level, cap=cap)


def _single_index(states: States, *, express_level: int, regular_level: int) -> tuple[Orders, Orders]:
    position = states.sum(axis=1)
    express = np.maximum(express_level - position, 0)
    return express, np.maximum(regular_level - position - express, 0)


def _capped(states: States, *, express_level: int, regular_level: int, cap: int) -> tuple[Orders, Orders]:
    express = np.maximum(express_level - states[:, 0], 0)
    return express, np.clip(regular_level - states.sum(axis=1) - express, 0, cap)


def tailored_base_surge_cost(model: DualSourcing, express_level: int, regular_order: int) -> float:
    """Exact average cost of a constant regular order every bucket and express orders up to a level.

    What net stock exceeds the level by follows a random walk that never goes below 0 (Lindley 1952); its
    long-run distribution gives the cost. Orders of every bucket arrive in every bucket, so the lead time
    does not matter.

    Raises:
        UsageError: the regular order is not below mean demand, so stock would grow without end.

    Literature: Allon and Van Mieghem (2010), "Global dual sourcing: tailored base-surge allocation to near- and
    offshore production", Management Science 56(1).
    """
    mean = mean_of(model.demand)
    if not 0 <= regular_order < mean:
        raise UsageError(
            f"the regular order must be at least 0 and below mean demand {mean:g}; got {regular_order}"
        )
    over = np.ones(1)
    while True:
        moved = np.convolve(over, model.demand[::-1])
        # Position k of `moved` is an excess of k + regular_order - (len(demand) - 1).
        short = len(model.demand) - 1 - regular_order
        later = np.concatenate([[moved[: short + 1].sum()], moved[short + 1 :]])
        kept = int(np.flatnonzero(later > 1e-16)[-1]) + 1
        later = later[:kept] / later[:kept].sum()
        size = max(len(over), kept)
        change = np.abs(np.pad(later, (0, size - kept)) - np.pad(over, (0, size - len(over)))).max()
        over = later
        if change < 1e-14:
            break
    bought = model.regular_cost * regular_order + model.express_cost * (mean - regular_order)
    return float(bought + over @ model.bucket_cost(express_level + np.arange(len(over))))


def best_single_index(model: DualSourcing) -> Tuned:
    """(express level, regular level) of least cost."""
    return _best_levels(model, single_index)


def best_dual_index(model: DualSourcing) -> Tuned:
    """(express level, regular level) of least cost."""
    return _best_levels(model, dual_index)


def best_capped_dual_index(model: DualSourcing) -> Tuned:
    """(express level, regular level, cap) of least cost.

    Example:
        >>> from shelfwise.replenish.exact.discrete import uniform_pmf
        >>> model = DualSourcing(uniform_pmf(0, 4), 2, 100.0, 105.0, holding_cost=5.0, backorder_cost=495.0)
        >>> round(best_capped_dual_index(model).cost, 2)
        216.78
    """

    found = [_best_levels(model, partial(capped_dual_index, cap=cap)) for cap in range(1, len(model.demand))]
    cap = min(range(len(found)), key=lambda at: found[at].cost)
    tried = sum(tuned.tried for tuned in found)
    return Tuned((*found[cap].parameters, cap + 1.0), found[cap].cost, tried)


def best_tailored_base_surge(model: DualSourcing) -> Tuned:
    """(express level, regular order) of least cost."""

    def cost(point: Parameters) -> float:
        level, order = int(point[0]), int(point[1])
        return inf if not 0 <= order < mean else tailored_base_surge_cost(model, level, order)

    mean = mean_of(model.demand)
    return pattern_search(cost, (_express_guess(model), max(0, round(mean) - 1)))


def _best_levels(model: DualSourcing, rule: Callable[[int, int], DecisionRule]) -> Tuned:
    """(express level, regular level) of least cost.

    For a given difference of the levels the cost is convex in the lower one, a newsvendor problem
    (Veeraraghavan and Scheller-Wolf 2008); over the differences it has several valleys, so all are tried.
    """
    ratio = model.backorder_cost / (model.backorder_cost + model.holding_cost)
    most = quantile(total_pmf(model.demand, model.regular_lead_time_buckets + 1), ratio)
    express, tried = _express_guess(model), 0
    best = Tuned((), inf, 0)
    for apart in range(most - express + 1):

        def cost(point: Parameters, apart: int = apart) -> float:
            return _cost(model, rule(int(point[0]), int(point[0]) + apart))

        found = pattern_search(cost, (express,), reach=1)
        express, tried = int(found.parameters[0]), tried + found.tried
        if found.cost < best.cost - 1e-9:
            best = Tuned((express, express + apart), found.cost, 0)
    return Tuned(best.parameters, best.cost, tried)


def _express_guess(model: DualSourcing) -> int:
    """The newsvendor level of the express lead time."""
    ratio = model.backorder_cost / (model.backorder_cost + model.holding_cost)
    return quantile(total_pmf(model.demand, model.express_lead_time_buckets + 1), ratio)


def _cost(model: DualSourcing, rule: DecisionRule) -> float:
    return dual_sourcing_cost(model, rule, tolerance=SEARCH_TOLERANCE).cost
