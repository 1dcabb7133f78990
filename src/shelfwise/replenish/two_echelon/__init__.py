"""A warehouse and its shops: stock pooled upstream, shared downstream by what a unit is expected to earn."""

from shelfwise.replenish.two_echelon.allocation import Allocation, allocate
from shelfwise.replenish.two_echelon.policy import TwoEchelon, window_sums

__all__ = ["Allocation", "TwoEchelon", "allocate", "window_sums"]
