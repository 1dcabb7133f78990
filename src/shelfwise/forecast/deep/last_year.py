"""What happened a year ago around the same bucket, against the level at that time: of the series and its groups.

A ratio of sums over the series known then, each against its own level, so that an item that comes or goes
does not look like a season. Nothing younger than a year is read, and so a path needs no other series' path.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demand.panel import Panel

Doubles = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]
BOUND = 3.0
# Drawn this share of the way to no change, so that a year of zeros is no log of zero.
SHRINK = 0.05


def around(demand: Doubles, half_width: int) -> Doubles:
    """(n, T) mean of the known buckets at most `half_width` away, NaN where there is none.

    Example:
        >>> around(np.array([[1.0, np.nan, 3.0, 5.0]]), 1).tolist()
        [[1.0, 2.0, 4.0, 4.0]]
    """
    known = np.isfinite(demand)
    sums = [
        np.pad(np.cumsum(values, axis=1, dtype=np.float64), ((0, 0), (1, 0)))
        for values in (np.where(known, demand, 0.0), known)
    ]
    at, buckets = np.arange(demand.shape[1]), demand.shape[1]
    first, last = np.maximum(at - half_width, 0), np.minimum(at + half_width + 1, buckets)
    total, count = (values[:, last] - values[:, first] for values in sums)
    mean: Doubles = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean


def log_ratio(numerator: Doubles, level: Doubles) -> Doubles:
    """Log of what was over the level, bounded; 0 where nobody knows."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.log((numerator + SHRINK * level) / ((1.0 + SHRINK) * level))
    return np.where(np.isfinite(ratio), np.clip(ratio, -BOUND, BOUND), 0.0)


def year_before(steps: npt.NDArray[np.int64], year: int, reach: int, buckets: int) -> npt.NDArray[np.int64]:
    """The latest buckets whole years before `steps` whose neighbours up to `reach` away lie in history.

    Example:
        >>> year_before(np.array([60, 110, 112]), 52, 1, 60).tolist()
        [8, 58, 8]
    """
    beyond = np.maximum(0, steps - year + reach - (buckets - 1))
    return np.asarray(steps - year * (1 + -(-beyond // year)), np.int64)


def group_labels(panel: Panel) -> dict[str, pl.Series]:
    """The groups whose year is read: the shop, its locations, first categories, both together, an item everywhere."""
    location, sku = panel.keys["location"], panel.keys["sku"]
    labels = {"shop": pl.Series([""] * panel.n_series, dtype=pl.String)}
    if location.n_unique() > 1:
        labels["location"] = location
    named = sorted(name for name in panel.static.columns if name.startswith("category"))
    if named:
        category = panel.static[named[0]].cast(pl.String).fill_null("")
        labels["category"] = category
        if location.n_unique() > 1:
            labels["family"] = location + "\x1f" + category
    if sku.n_unique() < panel.n_series:
        labels["item"] = sku
    return labels


class GroupYears:
    """The log ratios of groups, built up from their members chunk by chunk."""

    def __init__(self, panel: Panel, names: Sequence[str] | None = None) -> None:
        found = group_labels(panel)
        nothing = pl.Series([""] * panel.n_series, dtype=pl.String)
        labels = found if names is None else {name: found.get(name, nothing) for name in names}
        self.names = list(labels)
        self._codes: list[Codes] = [
            label.rank("dense").to_numpy().astype(np.intp) - 1 for label in labels.values()
        ]
        shapes = [(int(code.max(initial=-1)) + 1, panel.n_buckets) for code in self._codes]
        self._sums = [(np.zeros(shape), np.zeros(shape)) for shape in shapes]
        self._ratios: list[Doubles] = []

    def add(self, rows: npt.NDArray[np.intp], numerator: Doubles, level: Doubles) -> None:
        """Members with (n, T) what was around each bucket and the level before it."""
        known = np.isfinite(numerator)
        for code, (top, bottom) in zip(self._codes, self._sums, strict=True):
            np.add.at(top, code[rows], np.where(known, numerator, 0.0))
            np.add.at(bottom, code[rows], np.where(known, level, 0.0))

    def close(self) -> None:
        """All members are in."""
        self._ratios = [log_ratio(top, bottom) for top, bottom in self._sums]
        self._sums = []

    def read(self, rows: npt.NDArray[np.intp], buckets: npt.NDArray[np.int64]) -> list[Doubles]:
        """One (n, L) column a group, 0 before history began."""
        inside, at = buckets >= 0, np.maximum(buckets, 0)
        return [
            np.where(inside, ratio[code[rows][:, None], at], 0.0)
            for code, ratio in zip(self._codes, self._ratios, strict=True)
        ]
