"""A plan from data frames: no folder, no files, everything in memory.

Run: python examples/from_frames.py
"""

from __future__ import annotations

import polars as pl

import shelfwise
from shelfwise.demo import make_shop


def main(model: str = "auto") -> None:
    """Hand the demo shop's tables over as frames; yours may come from a database or a notebook."""
    shop = make_shop(n_skus=12, days=200)
    tables = dict(shop.tables)
    sales = tables.pop("sales")
    settings = {"series": {"bucket": "day"}, "costs": {"holding_rate": 0.25, "shortage": "margin"}}
    print(shelfwise.check(sales, settings=settings, **tables))

    plan = shelfwise.plan(sales, as_of=shop.truth.end, model=model, settings=settings, **tables)
    print(f"{plan.orders.height} orders worth {plan.value:,.0f}")
    print(plan.orders.select("sku", "location", "quantity", "arrival_date", pl.col("reason").str.head(60)))


if __name__ == "__main__":
    main()
