"""What the default policy learns from the shop's own past: a few factors for all series, and the evidence."""

from shelfwise.replenish.adaptation.choice import Adaptation, choose_factors
from shelfwise.replenish.adaptation.factors import CANDIDATES, DEFAULT, Factors

__all__ = ["CANDIDATES", "DEFAULT", "Adaptation", "Factors", "choose_factors"]
