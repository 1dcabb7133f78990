"""`auto`: models compete on held-out buckets, and each kind of demand gets the best one or a blend."""

from shelfwise.forecast.auto.forecaster import AutoForecaster

__all__ = ["AutoForecaster"]
