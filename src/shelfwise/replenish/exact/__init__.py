"""Exact solvers: closed forms, dynamic programmes and value iterations, the yardsticks other policies are held to."""

from shelfwise.replenish.exact.average_cost import AverageCost
from shelfwise.replenish.exact.dual_sourcing import (
    DualSourcing,
    DualSourcingOptimum,
    dual_sourcing_cost,
    dual_sourcing_optimum,
)
from shelfwise.replenish.exact.eoq import eoq, eoq_all_units, eoq_backorders, eoq_incremental
from shelfwise.replenish.exact.guaranteed_service import SupplyTree, guaranteed_service, pooled_sd
from shelfwise.replenish.exact.joint_replenishment import joint_replenishment, joint_replenishment_silver
from shelfwise.replenish.exact.lost_sales import (
    LostSales,
    LostSalesOptimum,
    lost_sales_cost,
    lost_sales_optimum,
)
from shelfwise.replenish.exact.newsvendor import (
    newsvendor_discrete,
    newsvendor_gamma,
    newsvendor_negative_binomial,
    newsvendor_normal,
    newsvendor_poisson,
    newsvendor_samples,
)
from shelfwise.replenish.exact.perishables import (
    Perishable,
    PerishableOptimum,
    perishable_cost,
    perishable_optimum,
)
from shelfwise.replenish.exact.reorder_lots import reorder_lots_normal, reorder_lots_poisson
from shelfwise.replenish.exact.reorder_min_max import min_max
from shelfwise.replenish.exact.search import Tuned
from shelfwise.replenish.exact.serial import serial_system
from shelfwise.replenish.exact.wagner_whitin import wagner_whitin

__all__ = [
    "AverageCost",
    "DualSourcing",
    "DualSourcingOptimum",
    "LostSales",
    "LostSalesOptimum",
    "Perishable",
    "PerishableOptimum",
    "SupplyTree",
    "Tuned",
    "dual_sourcing_cost",
    "dual_sourcing_optimum",
    "eoq",
    "eoq_all_units",
    "eoq_backorders",
    "eoq_incremental",
    "guaranteed_service",
    "joint_replenishment",
    "joint_replenishment_silver",
    "lost_sales_cost",
    "lost_sales_optimum",
    "min_max",
    "newsvendor_discrete",
    "newsvendor_gamma",
    "newsvendor_negative_binomial",
    "newsvendor_normal",
    "newsvendor_poisson",
    "newsvendor_samples",
    "perishable_cost",
    "perishable_optimum",
    "pooled_sd",
    "reorder_lots_normal",
    "reorder_lots_poisson",
    "serial_system",
    "wagner_whitin",
]
