"""A vectorised genetic algorithm for policy parameters: one population for all series, or one for each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from shelfwise.errors import UsageError
from shelfwise.progress import Progress, silent
from shelfwise.replenish.search.judge import Judge
from shelfwise.simulate.per_series import Floats

STAGE = "search"
MUTATION_SHARE = 0.15
BLEND = 0.5


class Found(NamedTuple):
    """The best parameters, what they cost a bucket on the paths searched on, and how many were tried."""

    parameters: Floats
    cost: Floats
    tried: int


def genetic_search(
    judge: Judge,
    *,
    population: int = 24,
    generations: int = 20,
    per_series: bool = False,
    seed: int = 0,
    progress: Progress = silent,
) -> Found:
    """Least cost by selection, blend crossover, mutation and two survivors.

    Every generation is one call of the simulator, on the same paths.

    Args:
        judge: knows the family, the demand and the costs.
        population: candidates a generation, at least 4.
        generations: at least 1.
        per_series: False: one set of parameters for all series, (d,). True: one for each, (N, d); all
            populations evolve side by side. On few paths that fits noise; see `PolicyFamily`.
        seed: of the first population and of all draws.

    Returns:
        `Found`; the same for the same seed, whatever the number of threads.

    Literature: blend crossover after Eshelman and Schaffer (1993); tournament selection after Goldberg and Deb (1991).

    Example:
        >>> from shelfwise.replenish.search import PolicyFamily
        >>> from shelfwise.simulate import Costs, SupplyTerms
        >>> demand = np.random.default_rng(0).poisson(5.0, (1, 20, 100))
        >>> terms, costs = SupplyTerms.same(1, lead_time_buckets=2), Costs.same(1, holding=1.0, shortage=9.0)
        >>> judge = Judge(PolicyFamily.of_demand("capped_base_stock", demand, terms, costs), demand)
        >>> found = genetic_search(judge, generations=6)
        >>> bool(found.cost < judge([[2.0, 6.0]]).cost[0])
        True
    """
    if population < 4 or generations < 1:
        raise UsageError(
            f"population must be at least 4 and generations 1; got {population} and {generations}"
        )
    rng = np.random.default_rng(seed)
    low, high = judge.family.bounds.T
    n_sets = len(judge.demand) if per_series else 1
    # (population, sets, d): a set is a series of its own or all of them together.
    theta = rng.uniform(low, high, (population, n_sets, len(low)))
    cost = _judged(judge, theta, per_series)
    for generation in range(generations):
        progress(STAGE, generation + 1, generations)
        order = np.argsort(cost, axis=0, kind="stable")
        elite = np.take_along_axis(theta, order[:2, :, None], axis=0)
        elite_cost = np.take_along_axis(cost, order[:2], axis=0)
        children = _children(theta, cost, population - 2, low, high, rng)
        theta = np.concatenate([elite, children])
        cost = np.concatenate([elite_cost, _judged(judge, children, per_series)])
    best = np.argmin(cost, axis=0)
    chosen = np.take_along_axis(theta, best[None, :, None], axis=0)[0]
    least = np.take_along_axis(cost, best[None], axis=0)[0]
    tried = population + generations * (population - 2)
    return Found(chosen, least, tried) if per_series else Found(chosen[0], least[0], tried)


def _judged(judge: Judge, theta: Floats, per_series: bool) -> Floats:
    """(population, sets) cost a bucket."""
    return judge(theta).series_cost if per_series else judge(theta[:, 0]).cost[:, None]


def _children(
    theta: Floats, cost: Floats, count: int, low: Floats, high: Floats, rng: np.random.Generator
) -> Floats:
    """(count, sets, d) offspring of parents that won tournaments of two."""
    population, n_sets = cost.shape
    rivals = rng.integers(0, population, (2, 2, count, n_sets))
    sets = np.arange(n_sets)
    wins = np.where(cost[rivals[0], sets] <= cost[rivals[1], sets], rivals[0], rivals[1])
    mother, father = theta[wins[0], sets], theta[wins[1], sets]
    share = rng.uniform(-BLEND, 1.0 + BLEND, mother.shape)
    child = mother + share * (father - mother)
    step = rng.normal(0.0, 0.1, child.shape) * (high - low)
    child += np.where(rng.random(child.shape) < MUTATION_SHARE, step, 0.0)
    return np.asarray(np.clip(child, low, high))
