"""Who delivers what on which terms: the `terms` table, and the same as arrays for the stock process."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demo.assortment import LINES
from shelfwise.demo.calendar import LOCATIONS
from shelfwise.demo.catalogue import Catalogue

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Supplier:
    """Times in days; `cover_weeks` is the demand its minimum order holds; money in CNY an order."""

    name: str
    lead_time: int
    lead_time_sd: float
    review_period: int
    cover_weeks: float
    multiple: int
    order_cost: float
    max_quantity: int | None = None


# The first one supplies by a single row for all SKUs.
SUPPLIERS = (
    Supplier("General Trade", 12, 2.0, 7, 1.0, 2, 60.0),
    Supplier("Jiangnan Home", 10, 1.5, 7, 1.0, 6, 80.0),
    Supplier("Huaqiang Digital", 7, 1.0, 3, 0.5, 5, 40.0),
    Supplier("Yunnan Tea Estate", 14, 3.0, 7, 1.5, 12, 90.0, 480),
    Supplier("Pearl River Textiles", 21, 4.0, 14, 2.0, 10, 120.0),
    Supplier("Kyoto Beauty Import", 30, 5.0, 14, 2.0, 12, 260.0, 720),
)
BY_CATEGORY = {"家居": 1, "数码": 2, "食品": 3, "服饰": 4, "美妆": 5}
GENERAL_MOQ = 4
# Kyoto's goods land in Shanghai; Shenzhen waits for the train.
SOUTHERN_DELAY = {"Kyoto Beauty Import": 0, "Pearl River Textiles": -3, "Jiangnan Home": 4}
EXPRESS = Supplier("City Express", 3, 0.5, 1, 0.5, 1, 150.0, 60)
EXPRESS_PREMIUM = 1.15


@dataclass(frozen=True)
class Supply:
    """Terms of N series with their usual supplier, and the table they come from.

    Attributes:
        terms: the contract's table; some rows hold for all SKUs or locations (`*`), and a few SKUs have
            a second, dearer and faster supplier that the shop's own rule never uses.
        supplier: (N,) names.
        lead_time, review_period: (N,) days; lead_time_sd: (N,) days.
        moq, multiple, max_quantity: (N,) units; max_quantity is a large number where there is none.
    """

    terms: pl.DataFrame
    supplier: npt.NDArray[np.str_]
    lead_time: Ints
    lead_time_sd: npt.NDArray[np.float64]
    review_period: Ints
    moq: Ints
    multiple: Ints
    max_quantity: Ints


def make_supply(catalogue: Catalogue, rate: npt.NDArray[np.float64], rng: np.random.Generator) -> Supply:
    """Give each item a supplier of its category, every fourth the general one; `rate` is (N,) units a day."""
    places = len(LOCATIONS)
    own = np.array([BY_CATEGORY[LINES[row].category_1] for row in catalogue.line])
    who = np.where(rng.random(len(catalogue)) < 0.25, 0, own)
    weekly = 7 * rate.reshape(-1, places).mean(axis=1)
    multiple = np.array([SUPPLIERS[index].multiple for index in who])
    # A slow item comes in small packs, whoever delivers it.
    multiple = np.where((weekly < 3) & (who > 0), np.maximum(multiple // 5, 1), multiple)
    cover = np.array([SUPPLIERS[index].cover_weeks for index in who])
    moq = np.maximum(np.ceil(cover * weekly / multiple), 1).astype(np.int64) * multiple
    moq = np.where(who == 0, GENERAL_MOQ, moq)
    lead_time = np.array([[_lead_time(SUPPLIERS[index], place) for place in LOCATIONS] for index in who])

    def by_series(values: list[float]) -> npt.NDArray[np.float64]:
        return np.repeat(np.array(values, float), places)

    return Supply(
        terms=_terms_table(catalogue, who, moq, multiple, rng),
        supplier=np.repeat(np.array([SUPPLIERS[index].name for index in who]), places),
        lead_time=lead_time.ravel(),
        lead_time_sd=by_series([SUPPLIERS[index].lead_time_sd for index in who]),
        review_period=by_series([SUPPLIERS[index].review_period for index in who]).astype(np.int64),
        moq=np.repeat(moq, places),
        multiple=np.repeat(multiple, places),
        max_quantity=by_series([SUPPLIERS[index].max_quantity or 10**6 for index in who]).astype(np.int64),
    )


def _lead_time(supplier: Supplier, location: str) -> int:
    late = SOUTHERN_DELAY.get(supplier.name, 0) if location == "shenzhen" else 0
    return supplier.lead_time + late


def _terms_table(
    catalogue: Catalogue, who: Ints, moq: Ints, multiple: Ints, rng: np.random.Generator
) -> pl.DataFrame:
    rows = [_row("*", "*", SUPPLIERS[0], GENERAL_MOQ, SUPPLIERS[0].multiple, None)]
    express = rng.random(len(who)) < 0.05
    express[int(np.argmax(who > 0))] = True
    skus, costs = catalogue.items["sku"].to_list(), catalogue.items["unit_cost"].to_list()
    for item, (sku, cost) in enumerate(zip(skus, costs, strict=True)):
        supplier = SUPPLIERS[who[item]]
        if who[item] > 0:
            split = SOUTHERN_DELAY.get(supplier.name, 0) != 0
            for location in LOCATIONS if split else ("*",):
                rows.append(_row(sku, location, supplier, int(moq[item]), int(multiple[item]), cost))
            if express[item]:
                rows.append(_row(sku, "*", EXPRESS, 1, 1, round(cost * EXPRESS_PREMIUM, 2)))
    return pl.DataFrame(rows, schema=TERMS_SCHEMA, orient="row")


TERMS_SCHEMA = {
    "sku": pl.String,
    "location": pl.String,
    "supplier": pl.String,
    "lead_time": pl.Int64,
    "lead_time_sd": pl.Float64,
    "review_period": pl.Int64,
    "moq": pl.Int64,
    "multiple": pl.Int64,
    "max_quantity": pl.Int64,
    "unit_cost": pl.Float64,
    "order_cost": pl.Float64,
}


def _row(
    sku: str, location: str, supplier: Supplier, moq: int, multiple: int, unit_cost: float | None
) -> tuple[object, ...]:
    return (
        sku,
        location,
        supplier.name,
        _lead_time(supplier, location),
        supplier.lead_time_sd,
        supplier.review_period,
        moq,
        multiple,
        supplier.max_quantity,
        unit_cost,
        supplier.order_cost,
    )
