"""Calibration: what past forecasts said and what then happened, turned into a correction of the next ones."""

from shelfwise.forecast.calibration.calibrated import Calibrated
from shelfwise.forecast.calibration.calibrator import ConformalCalibrator

__all__ = ["Calibrated", "ConformalCalibrator"]
