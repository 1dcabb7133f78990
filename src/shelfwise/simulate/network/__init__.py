"""Supply networks: several places, several suppliers, transfers, goods that age; one order of events."""

from shelfwise.simulate.network.discounts import PriceBreaks
from shelfwise.simulate.network.ledger import NetworkLedger, NodeBuckets
from shelfwise.simulate.network.policies import dual_index, order_up_to
from shelfwise.simulate.network.run import NetworkPolicy, simulate_network
from shelfwise.simulate.network.state import NetworkState, NetworkView
from shelfwise.simulate.network.terms import NetworkCosts, NetworkTerms
from shelfwise.simulate.network.topology import SupplyNetwork

__all__ = [
    "NetworkCosts",
    "NetworkLedger",
    "NetworkPolicy",
    "NetworkState",
    "NetworkTerms",
    "NetworkView",
    "NodeBuckets",
    "PriceBreaks",
    "SupplyNetwork",
    "dual_index",
    "order_up_to",
    "simulate_network",
]
