"""Forecasts of series and of the totals above them, made to add up: means and sample paths."""

from shelfwise.forecast.reconcile.errors import BaseErrors, mint_shrink, ols, wls_structural, wls_variance
from shelfwise.forecast.reconcile.forecaster import Reconciled
from shelfwise.forecast.reconcile.means import METHODS, Coherent, reconcile
from shelfwise.forecast.reconcile.paths import node_paths, node_scenarios, reconcile_paths

__all__ = [
    "METHODS",
    "BaseErrors",
    "Coherent",
    "Reconciled",
    "mint_shrink",
    "node_paths",
    "node_scenarios",
    "ols",
    "reconcile",
    "reconcile_paths",
    "wls_structural",
    "wls_variance",
]
