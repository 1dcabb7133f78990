"""Which series share a covariate: rows that speak for `*` are resolved once a group, not once a series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demand.panel import Index, Known

EVERY = "*"
TARGET = ("sku", "location")


@dataclass(frozen=True, slots=True)
class Groups:
    """Series that the same rows speak for.

    Attributes:
        of_series: (N,) the group of each series.
        count: G.
        rows: the table's rows with a column `group`, one copy for each group they speak for.
    """

    of_series: Index
    count: int
    rows: pl.DataFrame


def with_targets(frame: pl.DataFrame) -> pl.DataFrame:
    """`sku` and `location` with ``*`` where a row names none."""
    for name in TARGET:
        named = pl.col(name).cast(pl.String).replace("", None) if name in frame.columns else pl.lit(None)
        frame = frame.with_columns(named.fill_null(EVERY).cast(pl.String).alias(name))
    return frame


def resolve(frame: pl.DataFrame, keys: pl.DataFrame) -> Groups:
    """Find the rows that speak for each series, itself or through ``*``, and the groups this makes.

    Args:
        frame: with `sku`, `location`, each a name or ``*``.
        keys: N rows `sku`, `location`.

    Example:
        >>> keys = pl.DataFrame({"sku": ["a", "b", "c"], "location": ["x", "x", "x"]})
        >>> promotions = pl.DataFrame({"sku": ["*", "b"], "location": ["*", "*"]})
        >>> groups = resolve(promotions, keys)
        >>> groups.of_series.tolist(), groups.rows.height
        ([0, 1, 0], 3)
    """
    targets = frame.select(TARGET).unique().sort(TARGET)
    targets = targets.with_columns(target=pl.int_range(pl.len(), dtype=pl.Int32))
    found = keys.select(TARGET)
    patterns = []
    for sku_named, location_named in ((True, True), (True, False), (False, True), (False, False)):
        name = f"target_{sku_named}_{location_named}"
        patterns.append(name)
        asked = keys.select(
            pl.col(name) if named else pl.repeat(EVERY, pl.len(), dtype=pl.String).alias(name)
            for name, named in (("sku", sku_named), ("location", location_named))
        )
        hit = asked.join(targets, on=TARGET, how="left", maintain_order="left")["target"]
        found = found.with_columns(hit.alias(name))
    signatures = found.select(patterns).unique(maintain_order=True)
    signatures = signatures.with_columns(group=pl.int_range(pl.len(), dtype=pl.Int32))
    numbered = found.join(signatures, on=patterns, how="left", nulls_equal=True, maintain_order="left")
    members = signatures.unpivot(on=patterns, index="group", value_name="target").drop_nulls("target")
    rows = frame.join(targets, on=TARGET).join(members.select("group", "target"), on="target").drop("target")
    return Groups(numbered["group"].to_numpy().astype(np.int32), signatures.height, rows)


def stored_once(values: npt.NDArray[np.float32], group: npt.NDArray[np.int32]) -> Known:
    """A `Known` in which equal rows of `values` are stored once and rows nobody belongs to not at all.

    Rows are compared by a 64-bit fingerprint, then checked value by value.

    Example:
        >>> known = stored_once(np.ones((3, 2), np.float32), np.array([2, 0], np.int32))
        >>> known.values.shape, known.group.tolist()
        ((1, 2), [0, 0])
    """
    used, belongs = np.unique(group, return_inverse=True)
    values = np.ascontiguousarray(values[used])
    bits = values.view(np.uint32)
    drawn = np.random.default_rng(0).integers(1, 2**63 - 1, size=values.shape[1])
    weights: npt.NDArray[np.uint64] = np.asarray(drawn, np.uint64)
    fingerprint = np.zeros(len(values), np.uint64)
    for column in range(values.shape[1]):
        fingerprint = fingerprint + bits[:, column].astype(np.uint64) * weights[column]
        # Mixing between columns keeps rows apart that differ in two places by opposite amounts.
        fingerprint = fingerprint ^ (fingerprint >> np.uint64(29))
    _, first, inverse = np.unique(fingerprint, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    row_of = rank[inverse]
    kept = values[first[order]]
    step = 65_536
    same = all(
        np.array_equal(bits[low : low + step], kept.view(np.uint32)[row_of[low : low + step]])
        for low in range(0, len(values), step)
    )
    if not same:
        return Known(values, belongs.astype(np.int32))
    return Known(kept, row_of[belongs].astype(np.int32))
