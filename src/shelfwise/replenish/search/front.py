"""The cost-service front: how little stock must cost at each fill rate."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from shelfwise.errors import MissingExtra, UsageError
from shelfwise.replenish.search.judge import Judge
from shelfwise.simulate.per_series import Floats

SAFETY_STEPS = 25
OTHER_STEPS = 7


@dataclass(frozen=True, eq=False)
class Front:
    """F policies none of which is beaten in both cost and service, from the lowest fill rate to the highest.

    Attributes:
        parameters: (F, d) of the family.
        cost: (F,) cost of stock and orders a bucket, shortages not counted.
        fill_rate: (F,) share of demand served at once.
        tried: how many policies were simulated.
    """

    parameters: Floats
    cost: Floats
    fill_rate: Floats
    tried: int


def swept_front(judge: Judge) -> Front:
    """The front among all points of a grid over the family's parameters.

    Example:
        >>> from shelfwise.replenish.search import PolicyFamily
        >>> from shelfwise.simulate import Costs, SupplyTerms
        >>> demand = np.random.default_rng(0).poisson(5.0, (1, 20, 100))
        >>> terms, costs = SupplyTerms.same(1, lead_time_buckets=2), Costs.same(1, holding=1.0, shortage=0.0)
        >>> front = swept_front(Judge(PolicyFamily.of_demand("base_stock", demand, terms, costs), demand))
        >>> bool((np.diff(front.fill_rate) > 0).all() and (np.diff(front.cost) > 0).all())
        True
    """
    bounds = judge.family.bounds
    steps = [SAFETY_STEPS] + [OTHER_STEPS] * (len(bounds) - 1)
    axes = [np.linspace(low, high, count) for (low, high), count in zip(bounds, steps, strict=True)]
    theta = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)
    verdict = judge.with_shortage(0.0)(theta)
    return _front(theta, verdict.cost, verdict.fill_rate, len(theta))


def nsga2_front(judge: Judge, *, population: int = 40, generations: int = 30, seed: int = 0) -> Front:
    """The front by NSGA-II (extra `search`), for families with more parameters than a grid can cover.

    Raises:
        MissingExtra: pymoo is not installed.
        UsageError: a population below 4 or fewer than one generation.

    Literature: Deb et al. (2002), through the package pymoo (Blank and Deb 2020).

    Example:
        >>> from shelfwise.replenish.search import PolicyFamily
        >>> from shelfwise.simulate import Costs, SupplyTerms
        >>> demand = np.random.default_rng(0).poisson(5.0, (1, 5, 60))
        >>> terms, costs = SupplyTerms.same(1, lead_time_buckets=2), Costs.same(1, holding=1.0, shortage=0.0)
        >>> judge = Judge(PolicyFamily.of_demand("capped_base_stock", demand, terms, costs), demand)
        >>> front = nsga2_front(judge, population=12, generations=4)
        >>> bool((np.diff(front.fill_rate) > 0).all() and front.tried >= 12)
        True
    """
    if population < 4 or generations < 1:
        raise UsageError(
            f"population must be at least 4 and generations 1; got {population} and {generations}"
        )
    try:
        algorithm = import_module("pymoo.algorithms.moo.nsga2").NSGA2(pop_size=population)
        problem_class: Any = import_module("pymoo.core.problem").Problem
        minimise: Any = import_module("pymoo.optimize").minimize
    except ImportError as error:
        raise MissingExtra("pymoo", "search") from error
    stock_only = judge.with_shortage(0.0)
    low, high = judge.family.bounds.T
    tried: list[tuple[Floats, Floats, Floats]] = []

    class CostAndService(problem_class):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(n_var=len(low), n_obj=2, xl=low, xu=high)

        def _evaluate(self, x: Floats, out: dict[str, Floats], *_: Any, **__: Any) -> None:
            verdict = stock_only(x)
            tried.append((np.array(x), verdict.cost, verdict.fill_rate))
            out["F"] = np.column_stack([verdict.cost, 1.0 - verdict.fill_rate])

    minimise(CostAndService(), algorithm, ("n_gen", generations), seed=seed, verbose=False)
    theta, cost, fill = (np.concatenate(column) for column in zip(*tried, strict=True))
    return _front(theta, cost, fill, len(theta))


def non_dominated(cost: Floats, fill_rate: Floats) -> npt.NDArray[np.intp]:
    """Indices of the points that no other beats in one of both without losing in the other; by fill rate, rising.

    Example:
        >>> non_dominated(np.array([1.0, 2.0, 3.0, 2.5]), np.array([0.5, 0.9, 0.8, 0.9])).tolist()
        [0, 1]
    """
    order = np.lexsort((cost, -fill_rate))
    best_so_far = np.minimum.accumulate(np.concatenate([[np.inf], cost[order][:-1]]))
    kept = order[cost[order] < best_so_far]
    return np.asarray(kept[::-1])


def _front(theta: Floats, cost: Floats, fill_rate: Floats, tried: int) -> Front:
    kept = non_dominated(cost, fill_rate)
    return Front(theta[kept], cost[kept], fill_rate[kept], tried)
