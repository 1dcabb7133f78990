"""pandas to Polars without pyarrow: column by column, from NumPy arrays or plain Python objects."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl


def from_pandas(frame: Any) -> pl.DataFrame:
    """A pandas frame as a Polars frame.

    Missing values of every kind become null, a named index becomes columns, zoned times keep their
    instant, and a column that mixes kinds becomes text.

    Args:
        frame: a ``pandas.DataFrame``; pandas itself is not imported here.
    """
    frame = _with_index(frame)
    return pl.DataFrame(
        [_column(str(name), frame.iloc[:, place]) for place, name in enumerate(frame.columns)]
    )


def columns_holding_floats(frame: Any) -> set[str]:
    """Names of a pandas frame's columns with a float among their values, object columns included."""
    frame = _with_index(frame)
    found = set()
    for place, name in enumerate(frame.columns):
        column = frame.iloc[:, place]
        if getattr(column.dtype, "kind", "") == "f" or (
            column.dtype == object and any(isinstance(value, float) for value in column[column.notna()])
        ):
            found.add(str(name))
    return found


def _with_index(frame: Any) -> Any:
    return frame.reset_index() if any(name is not None for name in frame.index.names) else frame


def _column(name: str, column: Any) -> pl.Series:
    dtype = column.dtype
    if getattr(dtype, "tz", None) is not None:
        instants = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy().astype("datetime64[us]")
        return pl.Series(name, instants).dt.replace_time_zone("UTC")
    if isinstance(dtype, np.dtype) and dtype.kind == "M":
        return pl.Series(name, column.to_numpy().astype("datetime64[us]"))
    if isinstance(dtype, np.dtype) and dtype.kind == "f":
        return pl.Series(name, column.to_numpy()).fill_nan(None)
    if isinstance(dtype, np.dtype) and dtype.kind in "iub":
        return pl.Series(name, column.to_numpy())
    missing = column.isna().to_numpy()
    values = [None if gap else value for gap, value in zip(missing, column.astype(object), strict=True)]
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) == 1 and str not in kinds:
        return pl.Series(name, values)
    return pl.Series(name, [None if value is None else str(value) for value in values], dtype=pl.String)
