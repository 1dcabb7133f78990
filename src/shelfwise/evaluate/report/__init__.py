"""The report a merchant reads: one HTML file that needs no network, in English or Chinese."""

from shelfwise.evaluate.report.data import ReportData, ReportMeta
from shelfwise.evaluate.report.render import render_report
from shelfwise.evaluate.report.telling import Telling, telling_series

__all__ = ["ReportData", "ReportMeta", "Telling", "render_report", "telling_series"]
