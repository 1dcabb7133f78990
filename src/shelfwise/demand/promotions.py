"""`promotion`, `discount` and `promotion:KIND`: what is being promoted, as far as it is known ahead."""

from __future__ import annotations

import numpy as np
import polars as pl

from shelfwise.demand.coverage import Intervals, Numbers, covered_share, largest_inside
from shelfwise.demand.groups import resolve, stored_once, with_targets
from shelfwise.demand.panel import Known

MAX_KINDS = 12
LEAST_OF_A_KIND = 2


def promotion_covariates(promotions: pl.DataFrame, keys: pl.DataFrame, edges: Numbers) -> dict[str, Known]:
    """Shares of each bucket's days under promotion, and the largest discount in force.

    `promotion` counts a day once however many promotions run on it. `discount` (0…1) is there when any
    promotion names one; both 0.2 and 20 mean a fifth off. A kind gets a covariate of its own when at
    least two of its promotions touch the panel; of more than twelve such kinds the most frequent stay.

    Args:
        promotions: `sku` and `location` (``*`` = all), `start`, `end` and, where known, `kind`, `discount`.
        keys: N rows `sku`, `location`.
        edges: (C + 1,) bucket starts in days.
    """
    first, last = (pl.col(name).cast(pl.Int32).cast(pl.Int64) for name in ("start", "end"))
    inside = with_targets(promotions).filter((last >= edges[0]) & (first < edges[-1]))
    for name, kind in (("kind", pl.String()), ("discount", pl.Float64())):
        if name not in inside.columns:
            inside = inside.with_columns(pl.lit(None, dtype=kind).alias(name))
    # A promotion listed twice is one promotion.
    inside = inside.select("sku", "location", "start", "end", "kind", "discount").unique()
    if inside.is_empty():
        return {}
    groups = resolve(inside, keys)
    rows = groups.rows
    intervals = Intervals(
        rows["group"].to_numpy().astype(np.int64),
        rows["start"].cast(pl.Int32).to_numpy().astype(np.int64),
        rows["end"].cast(pl.Int32).to_numpy().astype(np.int64),
    )
    known = {"promotion": covered_share(intervals, groups.count, edges)}
    if inside["discount"].null_count() < len(inside):
        given = rows["discount"].cast(pl.Float32).fill_null(0.0).to_numpy()
        share = np.clip(np.where(given > 1, given / 100, given), 0, 1).astype(np.float32)
        known["discount"] = largest_inside(intervals, share, groups.count, edges)
    kinds = inside.drop_nulls("kind").group_by("kind").len().filter(pl.col("len") >= LEAST_OF_A_KIND)
    for kind in kinds.sort("len", "kind", descending=[True, False])["kind"].head(MAX_KINDS):
        of_kind = intervals.where((rows["kind"] == kind).fill_null(False).to_numpy())
        known[f"promotion:{kind}"] = covered_share(of_kind, groups.count, edges)
    return {name: stored_once(values, groups.of_series) for name, values in known.items()}
