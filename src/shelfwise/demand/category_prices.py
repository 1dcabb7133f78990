"""`price_in_category`: what an item costs beside others of its kind, which its own price history cannot tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from shelfwise.demand.groups import stored_once
from shelfwise.demand.panel import Panel
from shelfwise.demand.rhythm import family_labels


def with_category_prices(panel: Panel, category: str | None = None) -> Panel:
    """The panel with `price_in_category` among what is known ahead, for history and horizon.

    It is the logarithm of a series' price over the middle price of its category at the location in that bucket,
    NaN where its price is unknown. A panel without prices, or in which no series has company, is left as it is.

    Args:
        panel: with `price` among what is known.
        category: column of `Panel.static`; the first one that begins with ``category`` if left out.

    Raises:
        UsageError: no such column.

    Example:
        >>> from shelfwise.demand.panel import Known
        >>> price = Known(np.array([[8.0, 8.0], [10.0, 10.0], [20.0, 10.0]], np.float32), np.arange(3, dtype=np.int32))
        >>> panel = Panel.from_arrays(np.ones((3, 2)), known={"price": price})
        >>> beside = np.exp(with_category_prices(panel).known["price_in_category"].rows())
        >>> beside.astype(float).round(2).tolist()
        [[0.8, 0.8], [1.0, 1.0], [2.0, 1.0]]
    """
    if "price" not in panel.known:
        return panel
    label = family_labels(panel, category) + "\x1f" + panel.keys["location"]
    code = label.rank("dense").to_numpy().astype(np.int64) - 1
    members = np.bincount(code)
    if members.max(initial=0) < 2:
        return panel
    price = panel.known["price"]
    beside = np.full((panel.n_series, price.values.shape[1]), np.nan, np.float32)
    for group in np.flatnonzero(members > 1):
        rows = np.flatnonzero(code == group)
        own = price.rows(rows).astype(np.float64)
        own[own <= 0] = np.nan
        middle = pl.DataFrame(own).fill_nan(None).median().row(0)
        beside[rows] = np.log(own / np.array(middle, dtype=np.float64))
    known = stored_once(beside, np.arange(panel.n_series, dtype=np.int32))
    return replace(panel, known={**panel.known, "price_in_category": known})
