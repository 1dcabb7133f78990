"""How long goods keep: `items.shelf_life` lined up with the series, and how far ahead it makes orders look."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.replenish.projection import buckets_needed
from shelfwise.tables.dataset import Dataset

# Shelf lives up to these are looked through by the forecast itself; beyond, a scenario goes on as it ended.
LOOK_AHEAD = {"day": 28, "week": 13, "month": 6}
LONGEST_LIFE = 3000


def shelf_lives(dataset: Dataset, keys: pl.DataFrame) -> npt.NDArray[np.int32] | None:
    """(N,) whole buckets in which a unit can be sold from its receipt on, 0 = keeps for ever; None if all goods do.

    Part of a bucket at the end does not count, and every unit can be sold in the bucket it comes in.

    Example:
        >>> from shelfwise.tables import Settings
        >>> items = pl.DataFrame({"sku": ["a", "b"], "shelf_life": [2.5, None]})
        >>> keys = pl.DataFrame({"sku": ["b", "a"], "location": ["main", "main"]})
        >>> shelf_lives(Dataset(Settings(), {"items": items}), keys)
        array([0, 2], dtype=int32)
    """
    items = dataset.table("items")
    if "shelf_life" not in items.columns or items["shelf_life"].is_null().all():
        return None
    by_sku = items.select("sku", pl.col("shelf_life").cast(pl.Float64)).unique("sku", keep="last")
    joined = keys.select("sku").join(by_sku, on="sku", how="left", maintain_order="left")["shelf_life"]
    life = joined.fill_null(0.0).to_numpy()
    whole = np.where(life > 0, np.clip(np.floor(life + 1e-9), 1, LONGEST_LIFE), 0)
    return np.asarray(whole, dtype=np.int32)


def shelf_life_horizon(dataset: Dataset, terms: pl.DataFrame) -> int:
    """Buckets a forecast should reach so that an order of today is followed until it expires; 0 = no further than
    without shelf lives.

    Args:
        terms: as `resolve_terms` gives them.
    """
    lives = shelf_lives(dataset, terms)
    if lives is None:
        return 0
    lead, spread = (
        terms[name].cast(pl.Float64).fill_null(0.0).to_numpy() for name in ("lead_time", "lead_time_sd")
    )
    followed = (lives > 0) & (lives <= LOOK_AHEAD[dataset.bucket.name])
    needed = buckets_needed(np.ceil(lead), lives.astype(np.float64), spread, most=LONGEST_LIFE)
    return int(np.where(followed, needed, 0.0).max(initial=0.0))
