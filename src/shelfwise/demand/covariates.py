"""Everything a panel knows ahead, and what it knows of its items and locations once and for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from shelfwise.demand.coverage import Numbers
from shelfwise.demand.events import event_covariates
from shelfwise.demand.panel import Known
from shelfwise.demand.prices import price_covariate
from shelfwise.demand.promotions import promotion_covariates

if TYPE_CHECKING:
    from shelfwise.tables.dataset import Dataset

# Dates are in `launched` and `ends`; long texts and links say nothing a forecast can use.
NO_ATTRIBUTES = ("sku", "launched", "ends", "description", "image", "substitutes")


def known_ahead(dataset: Dataset, keys: pl.DataFrame, edges: Numbers) -> dict[str, Known]:
    """Prices, promotions and events over history and horizon, by covariate name.

    Args:
        dataset: the shop's tables.
        keys: N rows `sku`, `location`.
        edges: (T + H + 1,) bucket starts in days since 1970-01-01.
    """
    known: dict[str, Known] = {}
    price = price_covariate(dataset.table("prices"), dataset.table("items"), keys, edges)
    if price is not None:
        known["price"] = price
    known |= promotion_covariates(dataset.table("promotions"), keys, edges)
    known |= event_covariates(dataset.table("events"), keys, edges)
    return known


def countries(dataset: Dataset, locations: list[str]) -> dict[str, str]:
    """The country of each of `locations`: its `country` in the table, else the settings' `demand.country`.

    It is what the shop asks for a calendar with; a location without one gets none.
    """
    general = dataset.settings.demand.country
    named = {} if general is None else dict.fromkeys(locations, general)
    places = dataset.table("locations")
    if "country" in places.columns:
        own = places.select("location", pl.col("country").cast(pl.String).str.strip_chars()).drop_nulls()
        named |= dict(own.unique("location", keep="first", maintain_order=True).iter_rows())
    return named


def attributes(dataset: Dataset, keys: pl.DataFrame) -> pl.DataFrame:
    """N rows: the items' attributes by sku, then the locations' ones prefixed ``location_``.

    Numbers stay numbers; everything else is text.
    """
    items = dataset.table("items")
    kept = [name for name in items.columns if name not in NO_ATTRIBUTES]
    # The one attribute of an item that could be taken for a part of the key.
    own = _as_plain(items.select("sku", *kept), "sku").rename({"location": "location_item"}, strict=False)
    static = keys.select("sku", "location").join(own, on="sku", how="left", maintain_order="left")
    places = dataset.table("locations")
    prefixed = {name: f"location_{name}" for name in places.columns if name != "location"}
    # An item's own column wins over a location's attribute that would take its name.
    prefixed = {name: new for name, new in prefixed.items() if new not in static.columns}
    static = static.join(
        _as_plain(places.select("location", *prefixed).rename(prefixed), "location"),
        on="location",
        how="left",
        maintain_order="left",
    )
    return static.drop("sku", "location")


def _as_plain(frame: pl.DataFrame, key: str) -> pl.DataFrame:
    plain = [
        pl.col(name) if dtype.is_numeric() or dtype == pl.String else pl.col(name).cast(pl.String)
        for name, dtype in frame.schema.items()
    ]
    return frame.select(plain).unique(key, keep="first", maintain_order=True)
