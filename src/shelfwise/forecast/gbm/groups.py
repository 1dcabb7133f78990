"""Totals of the series that share a category and location, or an item: steadier than any one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demand.panel import Panel
from shelfwise.forecast.gbm.history import History


@dataclass(frozen=True)
class GroupHistory:
    """History of G group totals and the group of each of the N series."""

    history: History
    group: npt.NDArray[np.intp]

    @classmethod
    def of(cls, panel: Panel, label: pl.Series, season: int) -> GroupHistory:
        """Sum the known demand of the series that bear the same label."""
        codes = label.cast(pl.String).fill_null("").rank("dense").to_numpy().astype(np.intp) - 1
        totals = np.zeros((int(codes.max(initial=0)) + 1, panel.n_buckets))
        np.add.at(totals, codes, np.nan_to_num(panel.demand, nan=0.0))
        return cls(History.of(totals.astype(np.float32), season), codes)

    def ratio(self, rows: Any, short: tuple[Any, Any], long: tuple[Any, Any]) -> npt.NDArray[np.float32]:
        """Mean of one window over the mean of another, for the groups of these series."""
        group = self.group[rows]
        top = self.history.window_mean(group, *short)
        bottom = self.history.window_mean(group, *long)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(bottom > 0, top / bottom, np.nan).astype(np.float32)


def group_labels(panel: Panel) -> dict[str, pl.Series]:
    """The groupings worth having: (location, first category) and the item over all locations."""
    location, sku = panel.keys["location"], panel.keys["sku"]
    category = next((panel.static[name] for name in _category_columns(panel)), None)
    first = location if category is None else location + "\x1f" + category.cast(pl.String).fill_null("")
    labels = {"family": first}
    if sku.n_unique() < panel.n_series:
        labels["item"] = sku
    return labels


def _category_columns(panel: Panel) -> list[str]:
    return sorted(name for name in panel.static.columns if name.startswith("category"))
