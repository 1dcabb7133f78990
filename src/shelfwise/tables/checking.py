"""Checks that need more than one cell: rows against rows, tables against tables and against settings.

Every check is a generator of problems over the tables that came in whole; one that lacks a table it
needs finds nothing, so one bad file does not bury its real fault under a hundred that follow from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from shelfwise.buckets import Bucket
from shelfwise.errors import Problem
from shelfwise.tables.closures import closures
from shelfwise.tables.dataset import EVERY
from shelfwise.tables.price_breaks import parse_price_breaks
from shelfwise.tables.settings import Settings
from shelfwise.tables.settings_problems import SETTINGS_FILE

EXAMPLES = 5
# Tables whose rows must be told apart by these columns, or a join would multiply them.
UNIQUE_BY = {
    "stock": ("sku", "location"),
    "availability": ("sku", "location", "date"),
    "items": ("sku",),
    "locations": ("location",),
    "prices": ("sku", "location", "date"),
    "terms": ("sku", "location", "supplier"),
}
NAMING_SKUS = ("stock", "inbound", "terms", "availability", "prices", "promotions")


@dataclass(frozen=True, slots=True)
class Shop:
    """What the checks look at: the tables that were read without an error, their files, the settings.

    `broken` names the tables that were given but had errors, so that their absence proves nothing.
    """

    tables: Mapping[str, pl.DataFrame]
    files: Mapping[str, str]
    settings: Settings
    broken: frozenset[str] = field(default_factory=frozenset)

    def has(self, table: str, *columns: str) -> bool:
        """Whether the table came in whole and has these columns."""
        return table in self.tables and set(columns) <= set(self.tables[table].columns)


def check_tables(shop: Shop) -> list[Problem]:
    """Every problem that the checks of this file find, in a fixed order."""
    return [problem for check in CHECKS for problem in check(shop)]


def repeated_keys(shop: Shop) -> Iterator[Problem]:
    """Two rows for one key, of which nobody can say which holds."""
    for table, key in UNIQUE_BY.items():
        if not shop.has(table):
            continue
        frame = shop.tables[table]
        columns = [name for name in key if name in frame.columns]
        repeats = frame.select(columns).filter(pl.struct(columns).is_duplicated())
        if repeats.is_empty():
            continue
        keys = repeats.unique(maintain_order=True)
        yield Problem(
            code=f"{table}.repeated",
            rule=f"there must be one row for each {', '.join(columns)}",
            fix="Keep the row that is right, or add them up if each holds a part",
            file=shop.files[table],
            column=columns[0],
            value=_examples("/".join(str(cell) for cell in row) for row in keys.head(EXAMPLES).iter_rows()),
            count=repeats.height - keys.height,
        )


def unknown_skus(shop: Shop) -> Iterator[Problem]:
    """Names of items that are neither sold nor listed: usually a misspelling or a lost leading zero."""
    if not shop.has("sales") or "items" in shop.broken:
        return
    known = [shop.tables[name].select("sku") for name in ("sales", "items") if shop.has(name)]
    for table in NAMING_SKUS:
        if not shop.has(table):
            continue
        named = shop.tables[table].select("sku").filter(pl.col("sku") != EVERY)
        strange = named.join(pl.concat(known).unique(), on="sku", how="anti")
        if strange.is_empty():
            continue
        yield Problem(
            code=f"{table}.unknown_sku",
            rule="a sku must appear in sales or items",
            fix="Add it to items if it is right, else correct or remove the row (mind leading zeros)",
            severity="error" if table in ("stock", "inbound") else "warning",
            file=shop.files[table],
            column="sku",
            value=_examples(strange["sku"].unique(maintain_order=True).head(EXAMPLES).to_list()),
            count=strange.height,
        )


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
                yield _rows(
                    shop, "terms", bad, code, rule, "Lower moq or multiple, or raise max_quantity",
                    "max_quantity", ("moq", "multiple", "max_quantity"),
                )  # fmt: skip
    for column in ("lead_time", "review_period"):
        if column in terms.columns:
            bad = terms.filter((pl.col(column) != pl.col(column).floor()).fill_null(False))
            if not bad.is_empty():
                yield _rows(
                    shop, "terms", bad, "terms.not_whole_buckets", "times are whole numbers of buckets",
                    "Round it up to whole buckets; put the spread into lead_time_sd", column, (column,),
                )  # fmt: skip
    if "price_breaks" in terms.columns:
        yield from _price_breaks(shop, terms)
        used = terms.filter(pl.col("price_breaks").fill_null("").str.strip_chars() != "")
        if not used.is_empty():
            yield _rows(
                shop, "terms", used, "terms.price_breaks_unused",
                "price_breaks are kept, but no order is made larger to reach one",
                "Nothing to do; if a larger order should be taken for its price, raise moq and lower unit_cost",
                "price_breaks", ("price_breaks",), warning=True,
            )  # fmt: skip


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
            yield _rows(
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
        yield _rows(
            shop, "items", bad, "items.shelf_life_below_lead_time",
            "shelf_life should not be shorter than the lead time (both in buckets)",
            "Correct shelf_life, or be sure that it counts from arrival", "shelf_life", ("shelf_life",),
            warning=True,
        )  # fmt: skip


def look_alike_locations(shop: Shop) -> Iterator[Problem]:
    """Location names that differ only by case or blanks."""
    named = [
        frame.select(pl.col("location").cast(pl.String))
        for frame in shop.tables.values()
        if "location" in frame.columns
    ]
    if not named:
        return
    spellings = (
        pl.concat(named)
        .drop_nulls()
        .unique()
        .with_columns(folded=pl.col("location").str.to_lowercase().str.replace_all(r"\s", ""))
        .group_by("folded")
        .agg(pl.col("location").sort())
        .filter(pl.col("location").list.len() > 1)
        .sort("folded")
    )
    if not spellings.is_empty():
        groups = spellings["location"].to_list()
        yield Problem(
            code="location.look_alike",
            rule="location names that differ only by case or blanks are different locations",
            fix="Write one place the same way in every table",
            severity="warning",
            column="location",
            value=_examples("/".join(group) for group in groups[:EXAMPLES]),
            count=len(groups),
        )


def unlisted_locations(shop: Shop) -> Iterator[Problem]:
    """Places that sell but are missing in the list of locations."""
    if not (shop.has("locations") and shop.has("sales", "location")):
        return
    sold_at = shop.tables["sales"].select("location").unique(maintain_order=True)
    strange = sold_at.join(shop.tables["locations"], on="location", how="anti", maintain_order="left")
    if not strange.is_empty():
        yield Problem(
            code="locations.missing",
            rule="a location that sells should be listed in locations",
            fix="Add a row for it, or correct its name in sales",
            severity="warning",
            file=shop.files["locations"],
            column="location",
            value=_examples(strange["location"].head(EXAMPLES).to_list()),
            count=strange.height,
        )


def shop_closures(shop: Shop) -> Iterator[Problem]:
    """Stretches in which nobody sold anything anywhere."""
    if not shop.has("sales", "date"):
        return
    closed = closures(shop.tables["sales"], Bucket(shop.settings.series.bucket))
    if not closed.is_empty():
        longest = closed.sort("buckets", "start", descending=[True, False]).head(EXAMPLES).sort("start")
        yield Problem(
            code="sales.closure",
            rule="buckets without any sale in the whole shop are taken as closed, not as no demand",
            fix="If rows are missing there, add them; else nothing to do",
            severity="warning",
            file=shop.files["sales"],
            column="date",
            value=_examples(f"{start}..{end}" for start, end, _ in longest.iter_rows()),
            count=closed.height,
        )


def money_without_source(shop: Shop) -> Iterator[Problem]:
    """Costs asked for as a share of something that no table holds."""
    costs = shop.settings.costs
    if {"items", "terms", "prices", "sales"} & shop.broken:
        return
    has_cost = any(_any_value(shop, table, "unit_cost") for table in ("items", "terms"))
    sources = (("items", "price"), ("prices", "price"), ("sales", "price"), ("sales", "net_amount"))
    has_price = any(_any_value(shop, table, column) for table, column in sources)
    if costs.holding_rate is not None and not has_cost:
        yield Problem(
            code="costs.rate_without_unit_cost",
            rule="costs.holding_rate is a share of unit_cost, which neither items nor terms has",
            fix="Add unit_cost to items or terms, or write costs.holding as money per unit and bucket",
            file=SETTINGS_FILE,
            column="costs.holding_rate",
            value=str(costs.holding_rate),
        )
    if costs.shortage == "margin" and not (has_cost and has_price):
        yield Problem(
            code="costs.margin_without_prices",
            rule='costs.shortage = "margin" is price minus unit_cost, of which one is nowhere given',
            fix="Add price and unit_cost to items, or write costs.shortage as money per unit",
            file=SETTINGS_FILE,
            column="costs.shortage",
            value="margin",
        )
    if shop.settings.objective.minimise == "profit" and not (has_cost and has_price):
        yield Problem(
            code="objective.profit_without_prices",
            rule="profit is made of price minus unit_cost, of which one is nowhere given",
            fix='Add price and unit_cost to items, or write objective.minimise = "cost"',
            file=SETTINGS_FILE,
            column="objective.minimise",
            value="profit",
        )


def limits_without_source(shop: Shop) -> Iterator[Problem]:
    """A shared volume, but no item that says how much of it a unit takes."""
    volume = shop.settings.limits.volume
    if volume is not None and "items" not in shop.broken and not _any_value(shop, "items", "volume"):
        yield Problem(
            code="limits.volume_without_volumes",
            rule="limits.volume is shared by items.volume, which no item has",
            fix="Add a column volume to items (of one unit), or take limits.volume out",
            file=SETTINGS_FILE,
            column="limits.volume",
            value=str(volume),
        )


def _any_value(shop: Shop, table: str, column: str) -> bool:
    return shop.has(table, column) and shop.tables[table][column].count() > 0


def _rows(
    shop: Shop, table: str, bad: pl.DataFrame, code: str, rule: str, fix: str, column: str,
    shown: tuple[str, ...], *, warning: bool = False,
) -> Problem:  # fmt: skip
    """One problem for the rows of `bad`, the first ones named by sku with the values at fault."""
    present = [name for name in shown if name in bad.columns]
    examples = (
        f"{row['sku']}: " + ", ".join(f"{name}={row[name]}" for name in present)
        for row in bad.head(EXAMPLES).iter_rows(named=True)
    )
    return Problem(
        code=code,
        rule=rule,
        fix=fix,
        severity="warning" if warning else "error",
        file=shop.files[table],
        column=column,
        value=_examples(examples),
        count=bad.height,
    )


def _examples(values: Iterator[str] | list[str]) -> str:
    return "; ".join(values)


CHECKS = (
    repeated_keys,
    unknown_skus,
    impossible_terms,
    dates_in_order,
    short_shelf_lives,
    look_alike_locations,
    unlisted_locations,
    shop_closures,
    money_without_source,
    limits_without_source,
)
