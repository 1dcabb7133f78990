"""What each policy would have cost on a shop's own history, and where the difference lies.

Run: python examples/compare_policies.py
"""

from __future__ import annotations

from datetime import timedelta

import polars as pl

import shelfwise
from shelfwise.demo import make_shop

SETTINGS = {"series": {"bucket": "day"}, "costs": {"holding_rate": 0.25, "shortage": "margin"}}


def main(model: str = "auto", days: int = 28) -> None:
    """Replay the last `days` of the demo shop with the default policy and a rule of thumb."""
    shop = make_shop(n_skus=12, days=200)
    tables = dict(shop.tables)
    sales = tables.pop("sales")
    board = shelfwise.backtest(
        sales,
        start=shop.truth.end - timedelta(days=days),
        end=shop.truth.end,
        policies=["order_up_to", "days_of_cover"],
        model=model,
        settings=SETTINGS,
        **tables,
    )
    print(board.table.select("policy", "cost", "fill_rate", "mean_stock", "perfect_foresight_cost"))
    for note in board.notes:
        print(f"note: {note}")

    by_policy = board.series.pivot(on="policy", index=["sku", "location"], values="cost")
    saved = by_policy.with_columns(saved=pl.col("days_of_cover") - pl.col("order_up_to"))
    print(saved.sort("saved", descending=True).head(5))


if __name__ == "__main__":
    main()
