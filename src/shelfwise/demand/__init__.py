"""Demand as it should have been: from a shop's tables to a `Panel`."""

from __future__ import annotations

from shelfwise.demand.build import build_panel, build_panel_with_report
from shelfwise.demand.cleaning import CleaningReport, Spike
from shelfwise.demand.panel import Known, Panel
from shelfwise.demand.report import DemandReport

__all__ = [
    "CleaningReport",
    "DemandReport",
    "Known",
    "Panel",
    "Spike",
    "build_panel",
    "build_panel_with_report",
]
