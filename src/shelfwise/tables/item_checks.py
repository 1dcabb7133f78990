"""Checks of what is said of items: terms that contradict each other, dates out of order, goods that expire on the way."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from shelfwise.errors import Problem
from shelfwise.tables.dataset import EVERY
from shelfwise.tables.price_breaks import parse_price_breaks
from shelfwise.tables.whole_shop import Shop, row_problem


def impossible_terms(shop: Shop) -> Iterator[Problem]:
    """Order terms that no quantity can meet, and price breaks that cannot be read."""
    if not shop.has("terms"):
        return
    terms, supply = shop.tables["terms"], shop.settings.supply
    if "max_quantity" in terms.columns:
        limit = pl.col("max_quantity")
        moq = pl.col("moq") if "moq" in terms.columns else pl.lit(None, dtype=pl.Float64)
        multiple = pl.col("multiple") if "multiple" in terms.columns else pl.lit(None, dtype=pl.Float64)
        pack = multiple.fill_null(supply.multiple)
        smallest = (moq.fill_null(0) / pack).ceil().clip(lower_bound=1) * pack
        for code, rule, broken in (
            ("terms.moq_above_max", "moq must not exceed max_quantity", moq > limit),
            ("terms.multiple_above_max", "multiple must not exceed max_quantity", multiple > limit),
            (
                "terms.no_quantity_fits",
                "some multiple must lie between moq and max_quantity",
                (smallest > limit) & (moq <= limit) & (multiple.fill_null(0) <= limit),
            ),
        ):
            bad = terms.filter(broken.fill_null(False) & (limit > 0))
            if not bad.is_empty():
                yield row_problem(
                    shop, "terms", bad, code, rule, "Lower moq or multiple, or raise max_quantity",
                    "max_quantity", ("moq", "multiple", "max_quantity"),
                )  # fmt: skip
    for column in ("lead_time", "review_period"):
        if column in terms.columns:
            bad = terms.filter((pl.col(column) != pl.col(column).floor()).fill_null(False))
            if not bad.is_empty():
                yield row_problem(
                    shop, "terms", bad, "terms.not_whole_buckets", "times are whole numbers of buckets",
                    "Round it up to whole buckets; put the spread into lead_time_sd", column, (column,),
                )  # fmt: skip
    if "price_breaks" in terms.columns:
        yield from _price_breaks(shop, terms)


def _price_breaks(shop: Shop, terms: pl.DataFrame) -> Iterator[Problem]:
    for text in terms["price_breaks"].drop_nulls().unique().sort().to_list():
        try:
            parse_price_breaks(text)
        except ValueError as error:
            yield Problem(
                code="terms.price_breaks",
                rule="price_breaks must read quantity:unit_cost;quantity:unit_cost with rising quantities",
                fix="Write for instance 400:0.72;800:0.68",
                file=shop.files["terms"],
                column="price_breaks",
                value=f"{text}: {error}",
                count=terms.filter(pl.col("price_breaks") == text).height,
            )


def dates_in_order(shop: Shop) -> Iterator[Problem]:
    """Promotions that end before they start; items that end before they are launched."""
    for table, first, last in (("promotions", "start", "end"), ("items", "launched", "ends")):
        if not shop.has(table, first, last):
            continue
        bad = shop.tables[table].filter((pl.col(last) < pl.col(first)).fill_null(False))
        if not bad.is_empty():
            yield row_problem(
                shop, table, bad, f"{table}.ends_before_start", f"{last} must not be before {first}",
                "Swap or correct the two dates", last, (first, last),
            )  # fmt: skip


def short_shelf_lives(shop: Shop) -> Iterator[Problem]:
    """Goods that would have expired on arrival if shelf life counts from the supplier's door."""
    if not shop.has("items", "shelf_life"):
        return
    lead_time = pl.lit(float(shop.settings.supply.lead_time))
    items = shop.tables["items"]
    if shop.has("terms", "lead_time"):
        terms = shop.tables["terms"].drop_nulls("lead_time")
        for_all = terms.filter(pl.col("sku") == EVERY)["lead_time"].max()
        if for_all is not None:
            lead_time = pl.lit(for_all, dtype=pl.Float64)
        by_sku = terms.group_by("sku").agg(pl.col("lead_time").max().alias("__lead_time"))
        items = items.join(by_sku, on="sku", how="left", maintain_order="left")
        lead_time = pl.col("__lead_time").fill_null(lead_time)
    bad = items.filter((pl.col("shelf_life") < lead_time).fill_null(False))
    if not bad.is_empty():
        yield row_problem(
            shop, "items", bad, "items.shelf_life_below_lead_time",
            "shelf_life should not be shorter than the lead time (both in buckets)",
            "Correct shelf_life, or be sure that it counts from arrival", "shelf_life", ("shelf_life",),
            warning=True,
        )  # fmt: skip
