"""`save` and `load`: a fitted model as one file that holds no code.

What is kept is the model as it stands: what it learnt and the history it forecasts from. Loaded, it draws the same
paths from the same random numbers and takes new buckets (`update`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any

import shelfwise
from shelfwise.demand.panel import Panel
from shelfwise.errors import ShelfwiseError, UsageError
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.fallback import SafeForecast
from shelfwise.forecast.persistence.archive_reader import ArchiveReader, read_header
from shelfwise.forecast.persistence.archive_writer import ArchiveWriter
from shelfwise.forecast.persistence.file_format import FORMAT, FORMAT_NAME, ModelFileError
from shelfwise.forecast.persistence.foreign import FOREIGN
from shelfwise.forecast.persistence.tree_reader import TreeReader
from shelfwise.forecast.persistence.tree_writer import TreeWriter
from shelfwise.messages import Said
from shelfwise.tables.output import replace_file

# Packages whose objects are kept with their insides, which another version of them may not know.
_EXACT = {tag.partition(".")[0] for tag, foreign in FOREIGN.items() if foreign.exact}

# Share of the series below which a model of this shop would be a surprise.
MOSTLY = 0.5


@dataclass(frozen=True)
class ModelInfo:
    """What a model file says of itself.

    Attributes:
        model: the forecaster's name.
        as_of: the first bucket it does not know.
        bucket: its time step; series: how many.
        shelfwise: version that wrote the file, in format `version`.
        libraries: versions of the packages whose objects are in it.
        digest: of all its contents; equal models have equal ones.
    """

    model: str
    as_of: date
    bucket: str
    series: int
    shelfwise: str
    version: int
    libraries: dict[str, str]
    digest: str


def save(model: Forecaster | SafeForecast, path: str | Path) -> ModelInfo:
    """Write a fitted model to a file; an existing one is replaced once the new one is complete.

    The file holds the panel the model forecasts from, so keep it as you keep the sales themselves.

    Raises:
        UsageError: the model has not been fitted, or the folder is missing.
        NotSavable: it holds an object of a class that is neither ours nor allowed (`allow`).
        OutputNotWritable: the file cannot be written.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from shelfwise.forecast.moving_average import MovingAverage
        >>> panel = Panel.from_arrays([[4.0, 6.0, 5.0, 7.0]])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     told = save(MovingAverage().fit(panel), f"{folder}/shop.model")
        ...     again = load(f"{folder}/shop.model")
        >>> told.model, str(told.as_of), again.sample(1, 50, np.random.default_rng(0)).mean().tolist()
        ('moving_average', '2024-01-29', [[5.5]])
    """
    panel = getattr(model, "panel", None)
    if panel is None:
        raise UsageError("this model has not been fitted; fit it before it is saved")
    target = checked_target(path)
    told: list[ModelInfo] = []

    def write(out: IO[bytes]) -> None:
        with ArchiveWriter(out) as archive:
            writer = TreeWriter(archive)
            tree = writer.write(model)
            header = _header(model, panel, writer.libraries)
            told.append(_info({**header, "digest": archive.finish(tree, header)}))

    replace_file(target, write)
    return told[0]


def checked_target(path: str | Path) -> Path:
    """`path`, if a model file may be written there; to be asked before a long fit.

    Raises:
        UsageError: its folder is missing, or it is a folder itself.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise UsageError(f"there is no folder {target.parent}; create it before a model is saved there")
    if target.is_dir():
        raise UsageError(f"{target} is a folder; give a file name in it for the model")
    return target


def load(path: str | Path, *, max_bytes: int | None = None) -> Forecaster:
    """The model in a file.

    Only classes of ours, and those passed to `allow`, are made; nothing in the file is run.

    Args:
        path: of the file.
        max_bytes: the most it may unpack to; None = `SHELFWISE_MAX_FILE_BYTES`, else half the memory left.

    Raises:
        UsageError: no such file.
        ModelFileError: no model file, cut off, damaged, of a newer format, or too large.
        MissingExtra: the model needs a package that is not installed.
        ShelfwiseError: a class that is unknown here, or another version of a package it hangs on.
    """
    found = _load(Path(path), max_bytes)
    return found.model if isinstance(found, SafeForecast) else found


def load_safe(path: str | Path, *, max_bytes: int | None = None) -> SafeForecast:
    """The model in a file, with a last resort behind it; see `load`."""
    found = _load(Path(path), max_bytes)
    return found if isinstance(found, SafeForecast) else SafeForecast.around(found)


def resume(path: str | Path, panel: Panel) -> SafeForecast:
    """The model in a file, with `panel` as the history to forecast from; nothing is learnt anew.

    Where it knows fewer than half of the series, a note says so: it may be the model of another shop.

    Raises:
        UsageError: the panel has other buckets, no series that the model knows, or ends before what the model has
            already seen: its forecast would know the future.
        ShelfwiseError: as of `load`.
    """
    info = describe(path)
    if info.bucket != panel.bucket.name:
        raise UsageError(
            f"the model in {path} forecasts {info.bucket}s and the data come in {panel.bucket.name}s; set "
            f'series.bucket = "{info.bucket}", or fit a model of their own'
        )
    if panel.as_of < info.as_of:
        raise UsageError(
            f"the model in {path} has seen everything before {info.as_of}, which a forecast as of {panel.as_of} must "
            f"not know; forecast from {info.as_of} on, or use a model saved earlier"
        )
    fitted = load_safe(path)
    known = panel.keys.join(fitted.panel.keys, on=panel.keys.columns, how="semi").height
    if panel.n_series and not known:
        first = "@".join(panel.keys.row(0))
        raise UsageError(
            f"the model in {path} knows none of these {panel.n_series} series, such as {first}; use the model of this "
            "shop, or fit one"
        )
    resumed = fitted.update(panel)
    if known < MOSTLY * panel.n_series:
        resumed.notes.append(Said("forecast.model_knows_few", file=path, known=known, all=panel.n_series))
    return resumed


def describe(path: str | Path) -> ModelInfo:
    """What a model file says of itself, without loading the model.

    Raises:
        UsageError: no such file.
        ModelFileError: no model file, cut off, damaged, or of a newer format.
    """
    try:
        return _info(read_header(Path(path)))
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(Path(path), error) from error


def _load(path: Path, max_bytes: int | None) -> Forecaster | SafeForecast:
    archive = ArchiveReader(path, max_bytes)
    for name in sorted(_EXACT):
        saved_with = archive.header["libraries"].get(name)
        if saved_with not in (None, _version(name)):
            raise ShelfwiseError(
                f"the model in {path} was saved with {name} {saved_with}, and {_version(name) or 'none'} is installed. "
                f"Install {name}=={saved_with}, or fit the model again."
            )
    try:
        found = TreeReader(archive).read()
    except UsageError as error:  # parts that do not fit together
        raise _damaged(path, error) from error
    except (ShelfwiseError, MemoryError):
        raise
    except (
        Exception
    ) as error:  # whatever a tree that fits its digest but was not written by us makes us throw
        raise _damaged(path, error) from error
    if not isinstance(found, Forecaster | SafeForecast):
        raise ModelFileError(f"{path} holds a {type(found).__name__} and no forecaster.")
    return found


def _header(model: Forecaster | SafeForecast, panel: Panel, libraries: set[str]) -> dict[str, Any]:
    named = model.model if isinstance(model, SafeForecast) else model
    return {
        "format": FORMAT_NAME,
        "version": FORMAT,
        "shelfwise": shelfwise.__version__,
        "model": named.name,
        "as_of": panel.as_of.isoformat(),
        "bucket": panel.bucket.name,
        "series": panel.n_series,
        "libraries": {name: _version(name) for name in sorted(libraries - {"shelfwise"})},
    }


def _info(header: dict[str, Any]) -> ModelInfo:
    told = {name: header[name] for name in ("model", "bucket", "series", "shelfwise", "version", "digest")}
    return ModelInfo(as_of=date.fromisoformat(header["as_of"]), libraries=dict(header["libraries"]), **told)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _damaged(path: Path, error: Exception) -> ModelFileError:
    why = f"{type(error).__name__}: {error}"
    return ModelFileError(f"{path} does not hold what its header says ({why}). Fit and save the model anew.")
