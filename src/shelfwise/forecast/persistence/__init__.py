"""Fitted models in files, without pickle: `save`, `load`, `describe`, and a folder of versions."""

from shelfwise.forecast.persistence.classes import OwnState, allow
from shelfwise.forecast.persistence.file_format import ModelFileError
from shelfwise.forecast.persistence.saving import ModelInfo, describe, load, load_safe, resume, save
from shelfwise.forecast.persistence.store import KeptModel, ModelStore
from shelfwise.forecast.persistence.tree_writer import NotSavable

__all__ = [
    "KeptModel",
    "ModelFileError",
    "ModelInfo",
    "ModelStore",
    "NotSavable",
    "OwnState",
    "allow",
    "describe",
    "load",
    "load_safe",
    "resume",
    "save",
]
