"""Objects of other libraries, and such of ours as are derived from others, taken apart into what a file can hold.

Each is made again by our own code from numbers and texts; nothing of theirs is pickled.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import polars as pl

from shelfwise.errors import MissingExtra, ShelfwiseError

Parts = dict[str, Any]


@dataclass(frozen=True)
class Foreign:
    """How objects of one foreign class go into a file.

    Attributes:
        parts: takes an object apart; made: puts it together again.
        exact: whether its insides may differ between versions of the package, so that only the same one will do.
    """

    parts: Callable[[Any], Parts]
    made: Callable[[Parts], Any]
    exact: bool = False


def _booster_parts(booster: Any) -> Parts:
    # All trees, not only the best ones: how many are used is the owner's affair.
    return {"text": booster.model_to_string(num_iteration=-1)}


def _booster_made(parts: Parts) -> Any:
    return import_module("lightgbm").Booster(model_str=parts["text"])


def _sparse_parts(matrix: Any) -> Parts:
    return {
        "shape": tuple(map(int, matrix.shape)),
        "data": matrix.data,
        "indices": matrix.indices,
        "indptr": matrix.indptr,
    }


def _sparse_made(parts: Parts) -> Any:
    rows = (parts["data"], parts["indices"], parts["indptr"])
    made = import_module("scipy.sparse").csr_array(rows, shape=parts["shape"])
    made.check_format()
    return made


# What Polars calls its plain types; others are kept as text and cast back.
NUMBERS = (
    *(pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64),
    *(pl.Float32, pl.Float64, pl.Boolean, pl.Date),
)
KINDS: dict[str, Any] = {str(kind): kind for kind in (*NUMBERS, pl.String, pl.Null, pl.Categorical)}


def _frame_parts(frame: pl.DataFrame) -> Parts:
    return {"rows": frame.height, "columns": [_column_parts(column) for column in frame]}


def _frame_made(parts: Parts) -> pl.DataFrame:
    return pl.DataFrame([_column_made(column) for column in parts["columns"]])


def _column_parts(column: pl.Series) -> Parts:
    kind = next((name for name, known in KINDS.items() if column.dtype == known), None)
    if kind is None:
        raise ShelfwiseError(
            f"column {column.name!r} of the panel's attributes has type {column.dtype}, which a model file cannot "
            "hold; cast it to text or to a number first"
        )
    parts: Parts = {"name": column.name, "kind": kind}
    if KINDS[kind] in NUMBERS:
        numbers = column.to_physical()
        nothing = False if KINDS[kind] == pl.Boolean else 0
        parts["values"] = numbers.fill_null(nothing).to_numpy()
        parts["null"] = column.is_null().to_numpy() if column.null_count() else None
    else:
        parts["texts"] = json.dumps(column.cast(pl.String).to_list())
    return parts


def _column_made(parts: Parts) -> pl.Series:
    kind = KINDS[parts["kind"]]
    if "texts" in parts:
        return pl.Series(parts["name"], json.loads(parts["texts"]), dtype=pl.String).cast(kind)
    column = pl.Series(parts["name"], parts["values"]).cast(kind)
    return column if parts["null"] is None else column.set(pl.Series(parts["null"]), None)


def _pandas_parts(frame: Any) -> Parts:
    """Of the frames that statsforecast keeps: columns of numbers, rows numbered from 0."""
    return {"names": [str(name) for name in frame], "values": [frame[name].to_numpy() for name in frame]}


def _pandas_made(parts: Parts) -> Any:
    return import_module("pandas").DataFrame(dict(zip(parts["names"], parts["values"], strict=True)))


def _attributes(model: Any) -> Parts:
    return dict(vars(model))


def _with_attributes(module: str, name: str) -> Callable[[Parts], Any]:
    def made(parts: Parts) -> Any:
        kind = _imported(module, name)
        model = kind.__new__(kind)
        vars(model).update(parts)
        return model

    return made


def _fields(result: Any) -> Parts:
    return dict(result._asdict())


def _result_made(parts: Parts) -> Any:
    return _imported("statsforecast.utils", "results")(**parts)


def _imported(module: str, name: str) -> Any:
    try:
        return getattr(import_module(module), name)
    except ImportError as error:
        raise MissingExtra("statsforecast", "classical") from error


def _columns_parts(table: Any) -> Parts:
    """Which columns trees were fitted on; their contents are read from the panel again."""
    return {
        "groups": list(table.groups),
        "known": list(table.covariates.known),
        "flags": list(table.covariates.flags),
        "signals": list(table.signals.signals),
        "categories": table.categories,
        "week_tells": table.week_tells,
    }


def _columns_made(parts: Parts) -> Any:
    """A table without a panel: good for being likened to, and for nothing else."""
    features = import_module("shelfwise.forecast.gbm.features")
    table, covariates, signals = map(
        object.__new__, (features.FeatureTable, features.StepCovariates, features.OriginSignals)
    )
    covariates.known, covariates.flags = dict.fromkeys(parts["known"]), parts["flags"]
    signals.signals = parts["signals"]
    table.groups, table.categories = dict.fromkeys(parts["groups"]), parts["categories"]
    table.covariates, table.signals = covariates, signals
    # Trees of files that do not say so read the week of the year, however often it was seen.
    table.week_tells = parts.get("week_tells", True)
    return table


def _statsforecast(name: str) -> Foreign:
    return Foreign(_attributes, _with_attributes("statsforecast.models", name), exact=True)


# By package and class; which module of the package a class is said to live in differs between versions.
FOREIGN: dict[str, Foreign] = {
    "lightgbm.Booster": Foreign(_booster_parts, _booster_made),
    "scipy.csr_array": Foreign(_sparse_parts, _sparse_made),
    "polars.DataFrame": Foreign(_frame_parts, _frame_made),
    "pandas.DataFrame": Foreign(_pandas_parts, _pandas_made),
    "statsforecast.AutoARIMA": _statsforecast("AutoARIMA"),
    "statsforecast.AutoCES": _statsforecast("AutoCES"),
    "statsforecast.AutoETS": _statsforecast("AutoETS"),
    "statsforecast.MSTL": _statsforecast("MSTL"),
    "statsforecast.results": Foreign(_fields, _result_made, exact=True),
    "shelfwise.FeatureTable": Foreign(_columns_parts, _columns_made),
}


def foreign_tag_of(kind: type[Any]) -> str | None:
    """The name under which a foreign class goes into files, None for one that may not."""
    tag = f"{kind.__module__.partition('.')[0]}.{kind.__qualname__}"
    return tag if tag in FOREIGN else None
