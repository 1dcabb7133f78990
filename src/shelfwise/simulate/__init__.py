"""The floor under replenishment and backtest: one inventory step, its loop, and the ledger it writes."""

from shelfwise.simulate.costs import Costs
from shelfwise.simulate.lead_times import draw_lead_times
from shelfwise.simulate.ledger import BucketLedger, Ledger
from shelfwise.simulate.levels import Levels
from shelfwise.simulate.lots import round_lots
from shelfwise.simulate.run import OrderRule, Policy, simulate
from shelfwise.simulate.state import StockState
from shelfwise.simulate.terms import SupplyTerms

__all__ = [
    "BucketLedger",
    "Costs",
    "Ledger",
    "Levels",
    "OrderRule",
    "Policy",
    "StockState",
    "SupplyTerms",
    "draw_lead_times",
    "round_lots",
    "simulate",
]
