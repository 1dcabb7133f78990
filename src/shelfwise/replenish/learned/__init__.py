"""Learned orders: monotone networks trained through the simulator or by its roll-outs (extra `deep`)."""

from shelfwise.replenish.learned.controlled import Controlled, Effort, control_orders
from shelfwise.replenish.learned.dual import ControlledDual, DualOrders, control_dual_orders, dual_contexts
from shelfwise.replenish.learned.network import OrderNetwork
from shelfwise.replenish.learned.policy import Learned
from shelfwise.replenish.learned.training import Trained, train_orders

__all__ = [
    "Controlled",
    "ControlledDual",
    "DualOrders",
    "Effort",
    "Learned",
    "OrderNetwork",
    "Trained",
    "control_dual_orders",
    "control_orders",
    "dual_contexts",
    "train_orders",
]
