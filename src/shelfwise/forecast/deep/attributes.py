"""Attributes of items and locations as numbers that a network looks up an embedding by."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demand.panel import Panel

Codes = npt.NDArray[np.int64]
MOST_VALUES = 256
UNKNOWN = 0


def vocabulary(panel: Panel) -> dict[str, list[str]]:
    """The attributes with 2 to 256 values, each with its values in order; numbers with a fraction are left out."""
    kept: dict[str, list[str]] = {}
    for name, column in _columns(panel).items():
        if column.dtype.is_float():
            continue
        values = sorted(set(column.cast(pl.String).drop_nulls().to_list()))
        if 2 <= len(values) <= MOST_VALUES:
            kept[name] = values
    return kept


def codes(panel: Panel, known: Mapping[str, list[str]]) -> Codes:
    """(N, attributes) place of each value in its vocabulary, from 1 on; 0 for one not seen in fitting.

    Example:
        >>> panel = Panel.from_arrays([[1.0], [2.0]])
        >>> codes(panel, {"location": ["main", "outlet"], "brand": ["a", "b"]}).tolist()
        [[1, 0], [1, 0]]
    """
    columns = _columns(panel)
    out = np.full((panel.n_series, len(known)), UNKNOWN, np.int64)
    for at, (name, values) in enumerate(known.items()):
        if name in columns:
            place = {value: code for code, value in enumerate(values, start=1)}
            text = columns[name].cast(pl.String)
            out[:, at] = text.replace_strict(place, default=UNKNOWN, return_dtype=pl.Int64).to_numpy()
    return out


def _columns(panel: Panel) -> dict[str, pl.Series]:
    return {
        "location": panel.keys["location"],
        **{name: panel.static[name] for name in panel.static.columns},
    }
