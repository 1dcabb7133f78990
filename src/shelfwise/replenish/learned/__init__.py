"""Learned orders: a monotone network trained by differentiating through the simulator (extra `deep`)."""

from shelfwise.replenish.learned.network import OrderNetwork
from shelfwise.replenish.learned.policy import Learned
from shelfwise.replenish.learned.training import Trained, train_orders

__all__ = ["Learned", "OrderNetwork", "Trained", "train_orders"]
