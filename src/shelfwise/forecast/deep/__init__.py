"""Recurrent networks, the extra `deep`: `LSTM` and `GRU`, one global model over all series."""

from __future__ import annotations

from shelfwise.forecast.deep.augmentation import Augmentation
from shelfwise.forecast.deep.estimator import GRU, LSTM
from shelfwise.forecast.deep.settings import TrainingSettings

__all__ = ["GRU", "LSTM", "Augmentation", "TrainingSettings"]
