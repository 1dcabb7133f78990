"""Searching policy parameters by simulation: genetic, CMA-ES, and the cost-service front."""

from shelfwise.replenish.search.evolution_strategy import cma_es_search
from shelfwise.replenish.search.families import PolicyFamily
from shelfwise.replenish.search.front import Front, nsga2_front, swept_front
from shelfwise.replenish.search.genetic import Found, genetic_search
from shelfwise.replenish.search.judge import Judge, Verdict

__all__ = [
    "Found",
    "Front",
    "Judge",
    "PolicyFamily",
    "Verdict",
    "cma_es_search",
    "genetic_search",
    "nsga2_front",
    "swept_front",
]
