"""What a unit costs to hold and to lack, for every series, from settings, terms, items and prices."""

from __future__ import annotations

import polars as pl

from shelfwise.errors import DataRejected, Problem
from shelfwise.tables.dataset import EVERY, Dataset
from shelfwise.tables.settings_problems import SETTINGS_FILE

HOLDING_ORIGINS = ("settings", "unit_cost", "median")
SHORTAGE_ORIGINS = ("settings", "margin", "median")
PRICE_ORIGINS = ("items", "prices", "sales")


def resolve_costs(dataset: Dataset, keys: pl.DataFrame, terms: pl.DataFrame) -> pl.DataFrame:
    """Holding and shortage cost per unit and bucket of every series, each with where it came from.

    With ``costs.holding_rate`` a unit costs rate x unit_cost / buckets a year to hold; with
    ``shortage = "margin"`` a unit short costs price - unit_cost, never below 0. A series that lacks what
    this needs gets the median of the shop's other series and the origin ``median``; `cost_notes` says
    how many there are.

    Args:
        dataset: the shop; prices dated on or after its `as_of` are not looked at.
        keys: the N series: `sku`, `location`.
        terms: what `resolve_terms` gave for the same keys.

    Returns:
        N rows in the order of `keys`: `sku`, `location`, `holding` (money per unit and bucket),
        `holding_origin`, `shortage` (money per unit, and bucket when unmet demand waits),
        `shortage_origin`, `order_cost` (money per order), `unit_cost`, `price` (money per unit, null =
        unknown), `price_origin` and `margin` (price - unit_cost, null = unknown).

    Raises:
        DataRejected: a cost is asked for as a share, and no series at all has what it is a share of; or profit is
            asked for, and no series has a margin.

    Example:
        >>> from shelfwise.tables.settings import Settings
        >>> from shelfwise.tables.terms import resolve_terms
        >>> settings = Settings.from_mapping({"costs": {"holding_rate": 0.25, "shortage": "margin"}})
        >>> items = pl.DataFrame({"sku": ["a"], "unit_cost": [6.0], "price": [10.0]})
        >>> keys = pl.DataFrame({"sku": ["a"], "location": ["main"]})
        >>> shop = Dataset(settings, {"items": items})
        >>> costs = resolve_costs(shop, keys, resolve_terms(shop, keys))
        >>> costs.select(pl.col("holding").round(4), "shortage", "shortage_origin").rows()
        [(0.0287, 4.0, 'margin')]
    """
    series = keys.select("sku", "location").join(
        terms.select("sku", "location", "unit_cost", "order_cost"),
        on=["sku", "location"],
        how="left",
        maintain_order="left",
    )
    priced = _priced(series, dataset).with_columns(margin=pl.col("price") - pl.col("unit_cost"))
    costs = dataset.settings.costs
    rate_per_bucket = None if costs.holding_rate is None else costs.holding_rate / dataset.bucket.per_year
    fixed_shortage = None if costs.shortage == "margin" else costs.shortage
    settled = priced.with_columns(
        *_cost("holding", costs.holding, pl.col("unit_cost") * rate_per_bucket, "unit_cost", HOLDING_ORIGINS),
        *_cost("shortage", fixed_shortage, pl.col("margin").clip(lower_bound=0), "margin", SHORTAGE_ORIGINS),
    )
    nothing = [name for name in ("holding", "shortage") if settled[name].null_count()]
    if nothing:
        raise DataRejected([_no_source(name) for name in nothing])
    if dataset.settings.objective.minimise == "profit" and len(settled) and not settled["margin"].count():
        raise DataRejected([_no_margin()])
    return settled.select(
        "sku", "location", "holding", "holding_origin", "shortage", "shortage_origin",
        "order_cost", "unit_cost", "price", "price_origin", "margin",
    )  # fmt: skip


def cost_notes(costs: pl.DataFrame) -> tuple[Problem, ...]:
    """Warnings about the series whose costs are stand-ins, or whose margin is not positive.

    Args:
        costs: what `resolve_costs` gave.
    """
    notes = []
    for name, source in (("holding", "unit_cost"), ("shortage", "price and unit_cost")):
        stand_in = costs.filter(pl.col(f"{name}_origin") == "median")
        if not stand_in.is_empty():
            notes.append(
                Problem(
                    code=f"costs.{name}_from_median",
                    rule=f"a series without {source} gets the median {name} cost of the shop",
                    fix=f"Fill {source} in items or terms",
                    severity="warning",
                    column=f"costs.{name}",
                    value=", ".join(stand_in["sku"].unique(maintain_order=True).head(5).to_list()),
                    count=stand_in.height,
                )
            )
    losing = costs.filter((pl.col("shortage_origin") == "margin") & (pl.col("margin") <= 0))
    if not losing.is_empty():
        notes.append(
            Problem(
                code="costs.no_margin",
                rule="a series sold at or below its unit cost has nothing to lose by being short",
                fix="Correct price or unit_cost, or write costs.shortage as money per unit",
                severity="warning",
                column="costs.shortage",
                value=", ".join(losing["sku"].unique(maintain_order=True).head(5).to_list()),
                count=losing.height,
            )
        )
    return tuple(notes)


def _cost(
    name: str, fixed: float | None, derived: pl.Expr, source: str, origins: tuple[str, ...]
) -> tuple[pl.Expr, pl.Expr]:
    """The cost and its origin: the settings' number, else derived, else the median of the derived."""
    if fixed is not None:
        return pl.lit(fixed).alias(name), pl.lit("settings").cast(pl.Enum(origins)).alias(f"{name}_origin")
    origin = pl.when(derived.is_not_null()).then(pl.lit(source)).otherwise(pl.lit("median"))
    return (
        derived.fill_null(derived.median()).alias(name),
        origin.cast(pl.Enum(origins)).alias(f"{name}_origin"),
    )


def _priced(series: pl.DataFrame, dataset: Dataset) -> pl.DataFrame:
    """The series with `price` and `price_origin`: of the item, else last set, else paid on average."""
    sources: list[tuple[str, pl.DataFrame, list[str]]] = []
    items = dataset.table("items")
    if "price" in items.columns:
        sources.append(("items", items.select("sku", "price").unique("sku", keep="last"), ["sku"]))
    prices = dataset.table("prices")
    if dataset.as_of is not None:
        prices = prices.filter(pl.col("date") < dataset.as_of)
    last = prices.sort("date", maintain_order=True)
    here, everywhere = last.filter(pl.col("location") != EVERY), last.filter(pl.col("location") == EVERY)
    sources += [
        ("prices", here.group_by("sku", "location").agg(pl.col("price").last()), ["sku", "location"]),
        ("prices", everywhere.group_by("sku").agg(pl.col("price").last()), ["sku"]),
        *_paid(dataset.table("sales")),
    ]
    for number, (_, frame, on) in enumerate(sources):
        named = frame.select(*on, pl.col("price").alias(f"__price{number}"))
        series = series.join(named, on=on, how="left", maintain_order="left")
    known = [(origin, pl.col(f"__price{number}")) for number, (origin, _, _) in enumerate(sources)]
    origin = pl.coalesce(
        *(pl.when(price.is_not_null()).then(pl.lit(name)) for name, price in known),
        pl.lit(None, dtype=pl.String),
    )
    return series.with_columns(
        price=pl.coalesce(*(price for _, price in known), pl.lit(None, dtype=pl.Float64)),
        price_origin=origin.cast(pl.Enum(PRICE_ORIGINS)),
    )


def _paid(sales: pl.DataFrame) -> list[tuple[str, pl.DataFrame, list[str]]]:
    """Mean price paid a unit, by series and by item; nothing when the money is in several currencies."""
    has_currency = "currency" in sales.columns
    if has_currency and sales["currency"].drop_nulls().str.strip_chars().str.to_uppercase().n_unique() > 1:
        return []
    amounts = []
    if "net_amount" in sales.columns:
        amounts.append(pl.col("net_amount"))
    if "price" in sales.columns:
        amounts.append(pl.col("price") * pl.col("quantity"))
    if not amounts:
        return []
    paid = sales.with_columns(__amount=pl.coalesce(amounts)).filter(
        (pl.col("quantity") > 0) & pl.col("__amount").is_not_null()
    )
    # Sums of integers do not depend on the order in which threads add them up.
    money, units = ((pl.col(name) * 1e6).round().cast(pl.Int128).sum() for name in ("__amount", "quantity"))
    mean = (money.cast(pl.Float64) / units.cast(pl.Float64)).alias("price")
    return [("sales", paid.group_by(on).agg(mean), on) for on in (["sku", "location"], ["sku"])]


def _no_margin() -> Problem:
    return Problem(
        code="objective.profit_unknown",
        rule='objective.minimise = "profit" needs at least one series with both a price and a unit_cost',
        fix='Fill them in items or terms, or write objective.minimise = "cost"',
        file=SETTINGS_FILE,
        column="objective.minimise",
        value="profit",
    )


def _no_source(name: str) -> Problem:
    share = "costs.holding_rate" if name == "holding" else 'costs.shortage = "margin"'
    return Problem(
        code=f"costs.{name}_unknown",
        rule=f"{share} needs at least one series with "
        + ("a unit_cost" if name == "holding" else "both a price and a unit_cost"),
        fix=f"Fill them in items or terms, or write costs.{name} as money per unit",
        file=SETTINGS_FILE,
        column=f"costs.{name}",
    )
