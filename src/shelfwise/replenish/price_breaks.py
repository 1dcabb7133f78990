"""Quantity price breaks of the terms, and the orders that take them."""

from __future__ import annotations

import numpy as np
import polars as pl

from shelfwise.replenish.projection import Projection, lot_range
from shelfwise.replenish.situation import Doubles
from shelfwise.simulate.network.discounts import PriceBreaks
from shelfwise.tables.dataset import Dataset
from shelfwise.tables.price_breaks import parse_price_breaks


def price_breaks(dataset: Dataset, terms: pl.DataFrame, unit_cost: Doubles) -> PriceBreaks | None:
    """Prices by order quantity of the N series; None if the shop's terms have no breaks at all.

    Below the first break a unit costs `unit_cost` (N,), or where that is unknown as much as from the first break on.

    Example:
        >>> from shelfwise.tables import Settings
        >>> frame = pl.DataFrame({"price_breaks": ["10:2;20:1.5", None]})
        >>> breaks = price_breaks(Dataset(Settings(), {"terms": frame}), frame, np.array([3.0, 4.0]))
        >>> breaks.quantity.tolist(), breaks.price.tolist()
        ([[0.0, 10.0, 20.0], [0.0, inf, inf]], [[3.0, 2.0, 1.5], [4.0, 0.0, 0.0]])
    """
    table = dataset.table("terms")
    if "price_breaks" not in table.columns or "price_breaks" not in terms.columns:
        return None
    if (table["price_breaks"].fill_null("").str.strip_chars() == "").all():
        return None
    texts = terms["price_breaks"].fill_null("")
    written = texts.unique().sort()
    # Many series share a text, so each is read once and its steps are handed to all that have it.
    steps = PriceBreaks.of([[(0.0, 0.0), *parse_price_breaks(text)] for text in written.to_list()])
    rows = written.search_sorted(texts).to_numpy()
    quantity, price = steps.quantity[rows], steps.price[rows]
    from_first_on = price[:, 1] if price.shape[1] > 1 else np.zeros(len(rows))
    price[:, 0] = np.maximum(np.where(np.isfinite(unit_cost), unit_cost, from_first_on), 0.0)
    return PriceBreaks(quantity, price, dataset.settings.supply.price_breaks == "incremental")


def break_reached(breaks: PriceBreaks, quantity: Doubles) -> Doubles:
    """(N,) units from which on the price of an order of `quantity` (N,) holds; NaN below the first break.

    Example:
        >>> break_reached(PriceBreaks.of([[(0, 3), (10, 2)], [(0, 3), (10, 2)]]), np.array([9.0, 12.0]))
        array([nan, 10.])
    """
    reached = np.where(breaks.quantity <= quantity[:, None], breaks.quantity, 0.0).max(axis=1)
    return np.where(reached > 0, reached, np.nan)


def with_breaks(projection: Projection, quantity: Doubles) -> Doubles:
    """(N,) the orders of a projection with price breaks in place of `quantity` (N,), see `kernels.price_breaks`."""
    from shelfwise.replenish.kernels.price_breaks import orders_with_breaks

    breaks = projection.situation.price_breaks
    assert breaks is not None  # asked for only where there are some
    rows = np.flatnonzero(np.isfinite(breaks.quantity[:, 1:]).any(axis=1))
    if not len(rows):
        return quantity
    part, own = projection.take(rows), breaks.take(rows)
    terms = part.situation.terms
    multiple = np.asarray(terms.multiple)
    fewest_lots, most_lots = lot_range(terms.moq, multiple, terms.max_quantity)
    chosen = np.empty(len(rows))
    orders_with_breaks(
        part.paths, part.leads, part.receipts, part.stock, np.asarray(terms.review_period_buckets),
        part.holding, part.shortage * part.cycle_weight, terms.lost_share,
        np.asarray(part.situation.costs.order), fewest_lots * multiple, most_lots * multiple,
        part.longest_batch(), multiple, *part.cycle_waste(), own.quantity, own.price, own.incremental,
        quantity[rows], chosen,
    )  # fmt: skip
    after = quantity.copy()
    after[rows] = chosen
    return after
