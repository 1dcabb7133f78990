"""`ModelStore`: a folder of saved models, numbered in the order they were kept."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from shelfwise.errors import OutputNotWritable, UsageError
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.fallback import SafeForecast
from shelfwise.forecast.persistence.saving import ModelInfo, describe, load, save

ENDING, CLAIM = ".model", ".claim"
NAME = re.compile(r"(\d{6,})\.(?:model|claim)")


@dataclass(frozen=True)
class KeptModel:
    """A model in a store.

    Attributes:
        number: 1, 2, …, never used twice; the larger, the later it was kept.
        path: its file.
        info: what the file says of itself.
    """

    number: int
    path: Path
    info: ModelInfo

    @property
    def as_of(self) -> date:
        """The first bucket the model does not know."""
        return self.info.as_of

    def load(self) -> Forecaster:
        """The model; see `load`."""
        return load(self.path)


class ModelStore:
    """Versions of fitted models in one folder, which is created when the first is kept.

    A version is there as a whole or not at all, and none is ever overwritten, also where several processes
    keep models at once. Number and file name are all there is to it, so files may be copied and removed by hand.

    Args:
        folder: where the models lie.

    Example:
        >>> import tempfile
        >>> from shelfwise.demand.panel import Panel
        >>> from shelfwise.forecast.moving_average import MovingAverage
        >>> model = MovingAverage().fit(Panel.from_arrays([[4.0, 6.0, 5.0, 7.0]]))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = ModelStore(folder)
        ...     _ = store.keep(model), store.keep(model)
        ...     [kept.number for kept in store.versions()], store.latest().load().name
        ([1, 2], 'moving_average')
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def keep(self, model: Forecaster | SafeForecast, as_of: date | None = None) -> KeptModel:
        """Save a fitted model as the next version.

        Args:
            model: what to keep.
            as_of: the day it was meant for, to be sure: it must be the model's own.

        Raises:
            UsageError: the model is not fitted, or stands as of another day.
            OutputNotWritable, NotSavable: as of `save`; no version is made.
        """
        panel = getattr(model, "panel", None)
        if panel is not None and as_of is not None and panel.as_of != panel.bucket.floor(as_of):
            raise UsageError(
                f"the model stands as of {panel.as_of}, not of {as_of}; update it before it is kept"
            )
        number, claim = self._claim()
        try:
            path = self.folder / f"{number:06d}{ENDING}"
            return KeptModel(number, path, save(model, path))
        finally:
            claim.unlink(missing_ok=True)

    def versions(self) -> list[KeptModel]:
        """All versions, the oldest first.

        Raises:
            ModelFileError: one of them is damaged; the message names its file.
        """
        files = sorted((number, path) for number, path in self._numbered() if path.suffix == ENDING)
        return [KeptModel(number, path, describe(path)) for number, path in files]

    def latest(self, as_of: date | None = None) -> KeptModel:
        """The version kept last; of those that have seen nothing on or after `as_of`, if given.

        Raises:
            UsageError: there is none.
        """
        for number, path in sorted(self._numbered(), reverse=True):
            if path.suffix != ENDING:
                continue
            kept = KeptModel(number, path, describe(path))
            if as_of is None or kept.as_of <= as_of:
                return kept
        which = "" if as_of is None else f" as of {as_of} or earlier"
        raise UsageError(f"there is no model{which} in {self.folder}; keep one first")

    def prune(self, keep: int) -> list[int]:
        """Remove all but the last `keep` versions; gives the numbers that went.

        Raises:
            UsageError: fewer than one is to be kept.
        """
        if keep < 1:
            raise UsageError(f"keep must be at least 1 version; got {keep}")
        files = sorted((number, path) for number, path in self._numbered() if path.suffix == ENDING)
        for _, path in files[:-keep]:
            path.unlink(missing_ok=True)
        return [number for number, _ in files[:-keep]]

    def _numbered(self) -> list[tuple[int, Path]]:
        entries = self.folder.iterdir() if self.folder.is_dir() else ()
        named = ((NAME.fullmatch(path.name), path) for path in entries)
        return [(int(match.group(1)), path) for match, path in named if match]

    def _claim(self) -> tuple[int, Path]:
        """The next number, and the file that says it is taken until the model is there."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            while True:
                number = max((number for number, _ in self._numbered()), default=0) + 1
                claim = self.folder / f"{number:06d}{CLAIM}"
                try:
                    os.close(os.open(claim, os.O_CREAT | os.O_EXCL))
                except FileExistsError:
                    continue
                if not (self.folder / f"{number:06d}{ENDING}").exists():
                    return number, claim
                claim.unlink()
        except OSError as error:
            raise OutputNotWritable(
                f"cannot keep a model in {self.folder}: {error.strerror or error}."
            ) from error
