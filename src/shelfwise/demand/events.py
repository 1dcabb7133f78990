"""`event:any`, `event:NAME` and `event_kind:KIND`: holidays and other dates known ahead."""

from __future__ import annotations

import numpy as np
import polars as pl

from shelfwise.demand.coverage import Intervals, Numbers, covered_share
from shelfwise.demand.groups import resolve, stored_once, with_targets
from shelfwise.demand.panel import Known

MAX_NAMES = 40
MAX_KINDS = 12
LEAST_OCCURRENCES = 2


def event_covariates(events: pl.DataFrame, keys: pl.DataFrame, edges: Numbers) -> dict[str, Known]:
    """Shares of each bucket's days with an event.

    A name or kind gets a covariate of its own when it occurs in at least two buckets of history and
    horizon (of one that occurs once nothing can be learned); the 40 most frequent names and the 12 most
    frequent kinds stay, ties in alphabetical order. `event:any` holds them all.

    Args:
        events: `date`, `name`, `location` (``*`` = all) and, where known, `kind`.
        keys: N rows `sku`, `location`.
        edges: (C + 1,) bucket starts in days.
    """
    day = pl.col("date").cast(pl.Int32).cast(pl.Int64)
    # Events name no item: they speak for every sku of their location.
    inside = with_targets(events.drop("sku", strict=False)).filter((day >= edges[0]) & (day < edges[-1]))
    if inside.is_empty():
        return {}
    groups = resolve(inside, keys)
    rows = groups.rows
    days = rows["date"].cast(pl.Int32).to_numpy().astype(np.int64)
    intervals = Intervals(rows["group"].to_numpy().astype(np.int64), days, days)
    known = {"event:any": covered_share(intervals, groups.count, edges)}
    for column, prefix, most in (("name", "event", MAX_NAMES), ("kind", "event_kind", MAX_KINDS)):
        for value in _frequent(inside, column, edges, most):
            chosen = intervals.where((rows[column] == value).fill_null(False).to_numpy())
            known[f"{prefix}:{value}"] = covered_share(chosen, groups.count, edges)
    return {name: stored_once(values, groups.of_series) for name, values in known.items()}


def _frequent(inside: pl.DataFrame, column: str, edges: Numbers, most: int) -> list[str]:
    if column not in inside.columns:
        return []
    days = inside["date"].cast(pl.Int32).to_numpy()
    counted = (
        inside.with_columns(bucket=pl.Series(np.searchsorted(edges, days, "right")))
        .drop_nulls(column)
        .group_by(column)
        .agg(occurrences=pl.col("bucket").n_unique())
        .filter(pl.col("occurrences") >= LEAST_OCCURRENCES)
        .sort("occurrences", column, descending=[True, False])
    )
    return counted[column].head(most).to_list()
