"""CMA-ES over the pooled parameters of a policy family (extra `search`)."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from shelfwise.errors import MissingExtra, UsageError
from shelfwise.progress import Progress, silent
from shelfwise.replenish.search.genetic import STAGE, Found
from shelfwise.replenish.search.judge import Judge


def cma_es_search(
    judge: Judge,
    *,
    generations: int = 20,
    population: int = 16,
    seed: int = 0,
    progress: Progress = silent,
) -> Found:
    """Least cost by covariance matrix adaptation, one set of parameters for all series.

    Args:
        judge: knows the family, the demand and the costs.
        generations: each is one call of the simulator.
        population: candidates a generation, at least 4; levels are rounded to lots, so the cost has steps that
            a smaller population sticks to.
        seed: of all draws.

    Raises:
        MissingExtra: cmaes is not installed.
        UsageError: a population below 4 or fewer than one generation.

    Literature: Hansen and Ostermeier (2001), through the package cmaes (Nomura and Shibata 2024).

    Example:
        >>> from shelfwise.replenish.search import PolicyFamily
        >>> from shelfwise.simulate import Costs, SupplyTerms
        >>> demand = np.random.default_rng(0).poisson(5.0, (1, 20, 100))
        >>> terms, costs = SupplyTerms.same(1, lead_time_buckets=2), Costs.same(1, holding=1.0, shortage=9.0)
        >>> judge = Judge(PolicyFamily.of_demand("capped_base_stock", demand, terms, costs), demand)
        >>> found = cma_es_search(judge, generations=6)
        >>> bool(found.cost < judge([[2.0, 6.0]]).cost[0])
        True
    """
    try:
        library = import_module("cmaes")
    except ImportError as error:
        raise MissingExtra("cmaes", "search") from error
    if population < 4 or generations < 1:
        raise UsageError(
            f"population must be at least 4 and generations 1; got {population} and {generations}"
        )
    bounds = judge.family.bounds
    low, width = bounds[:, 0], bounds[:, 1] - bounds[:, 0]
    n_parameters = len(low)
    # The strategy works in the unit cube, where one step size suits all parameters; below two
    # dimensions it is not defined, so a single parameter gets an idle companion.
    n_dimensions = max(2, n_parameters)
    strategy = library.CMA(
        mean=np.full(n_dimensions, 0.4),
        sigma=0.2,
        bounds=np.tile([0.0, 1.0], (n_dimensions, 1)),
        seed=seed,
        population_size=population,
    )
    best, least, tried = np.zeros(n_parameters), np.inf, 0
    for generation in range(generations):
        progress(STAGE, generation + 1, generations)
        asked = np.stack([strategy.ask() for _ in range(strategy.population_size)])
        theta = low + asked[:, :n_parameters] * width
        cost = judge(theta).cost
        strategy.tell(list(zip(asked, cost.tolist(), strict=True)))
        tried += len(theta)
        winner = int(cost.argmin())
        if cost[winner] < least:
            best, least = theta[winner], float(cost[winner])
        if strategy.should_stop():
            break
    return Found(best, np.asarray(least), tried)
