"""Spikes capped in `demand`, where one order made them; `sold` keeps what was sold."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.buckets import Bucket
from shelfwise.demand.aggregation import MICRO
from shelfwise.demand.cleaning import Spike
from shelfwise.demand.panel import Known
from shelfwise.demand.spikes import find_spikes

Floats = npt.NDArray[np.float32]
# A bucket counts as one order's doing if that order brought at least half of it.
DRIVEN_BY_ONE_ORDER = 0.5


def cap_spikes(
    demand: Floats,
    sold: Floats,
    lines: pl.DataFrame,
    keys: pl.DataFrame,
    known: Mapping[str, Known],
    bucket: Bucket,
    first: int,
) -> tuple[Floats, tuple[Spike, ...]]:
    """Demand with spikes capped at the series' next-largest bucket, and which ones these were."""
    series, column, cap = find_spikes(demand, known.get("promotion"), known.get("price"), bucket.per_year)
    if len(series) and "order_id" in lines.columns:
        share = _largest_order(lines, series, column + first) / sold[series, column]
        driven = share >= DRIVEN_BY_ONE_ORDER
        series, column, cap = series[driven], column[driven], cap[driven]
    spikes = tuple(
        Spike(
            sku=keys["sku"][int(row)],
            location=keys["location"][int(row)],
            date=bucket.from_index(first + int(step)),
            value=float(demand[row, step]),
            capped_to=float(limit),
        )
        for row, step, limit in zip(series, column, cap, strict=True)
    )
    demand[series, column] = cap
    return demand, spikes


def _largest_order(
    lines: pl.DataFrame, series: npt.NDArray[np.intp], bucket_index: npt.NDArray[np.intp]
) -> npt.NDArray[np.float64]:
    """(X,) units of the largest order in each series-bucket; rows without a number are one order a day."""
    asked = pl.DataFrame({"series": series, "bucket": bucket_index}).cast(pl.Int32)
    orders = (
        lines.join(asked, on=["series", "bucket"], how="semi")
        .group_by("series", "bucket", "date", "order_id")
        .agg(pl.col("micro").sum())
        .group_by("series", "bucket")
        .agg(pl.col("micro").max())
    )
    joined = asked.join(orders, on=["series", "bucket"], how="left", maintain_order="left")
    return joined["micro"].fill_null(0).to_numpy() / MICRO
