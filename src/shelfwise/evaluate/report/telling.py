"""`telling_series`: which few series the report shows in full, by a stated rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demand.panel import Panel
from shelfwise.evaluate.report.stakes import with_stakes
from shelfwise.forecast.scenarios import Scenarios

Why = Literal["stake", "moved", "slow", "nothing"]
FEWEST_SALES = 3
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Telling:
    """A series to show: its row in the panel, its key, and what it stands for."""

    row: int
    sku: str
    location: str
    why: Why


def telling_series(
    plan: pl.DataFrame, panel: Panel, scenarios: Scenarios, prices: Mapping[str, float] | None = None
) -> list[Telling]:
    """At most four series, of different items where that is possible, each the first among equals.

    1. ``stake``: of those ordered, the one whose order saves most money (by value where nobody can tell).
    2. ``moved``: with a promotion in the horizon if any has, the one whose expected demand moves most
       from bucket to bucket, weighted by its size (standard deviation over the horizon).
    3. ``slow``: ordered if any is, the one that sold in the smallest share of its buckets, at least
       three times.
    4. ``nothing``: not ordered, the one with most expected demand: whose owner will ask.

    Args:
        plan: a row a series, `sku, location, quantity` and what `with_stakes` uses.
        panel, scenarios: of the same N series; series not in the plan are passed over.
        prices: selling price by sku.

    Example:
        >>> from shelfwise.replenish.example import small_situation
        >>> situation = small_situation()
        >>> plan = situation.panel.keys.with_columns(quantity=pl.Series([6.0, 0.0]))
        >>> [(pick.sku, pick.why) for pick in telling_series(plan, situation.panel, situation.scenarios)]
        [('s0000000', 'stake'), ('s0000001', 'moved')]
    """
    lines = panel.keys.with_row_index("row").join(
        with_stakes(plan, prices or {}).select("sku", "location", "quantity", "value", "stake"),
        on=["sku", "location"],
        how="left",
        maintain_order="left",
    )
    quantity = lines["quantity"].cast(pl.Float64).to_numpy()
    planned, ordered = np.isfinite(quantity), np.nan_to_num(quantity) > 0
    worth = lines.select(
        pl.coalesce("stake", "value", "quantity").cast(pl.Float64).fill_null(0.0)
    ).to_series()
    expected = scenarios.mean().astype(np.float64)
    seen, share = _sales_share(panel)
    promoted = _promoted(panel, scenarios.horizon)
    slow = planned & (seen >= FEWEST_SALES)
    rules: list[tuple[Why, npt.NDArray[np.bool_], Doubles]] = [
        ("stake", ordered, worth.to_numpy()),
        ("moved", _prefer(planned & (expected.std(axis=1) > 0), promoted), expected.std(axis=1)),
        ("slow", _prefer(slow, ordered), -share),
        ("nothing", planned & ~ordered, expected.sum(axis=1)),
    ]
    chosen: list[Telling] = []
    for why, candidates, score in rules:
        taken = np.isin(np.arange(panel.n_series), [pick.row for pick in chosen])
        other_item = ~lines["sku"].is_in([pick.sku for pick in chosen]).to_numpy()
        free = np.flatnonzero(_prefer(candidates & ~taken, other_item))
        if len(free):
            row = int(free[np.argmax(score[free])])
            chosen.append(Telling(row, lines["sku"][row], lines["location"][row], why))
    return chosen


def _prefer(candidates: npt.NDArray[np.bool_], better: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The candidates that are better too, or all of them if none is."""
    return candidates & better if (candidates & better).any() else candidates


def _sales_share(panel: Panel) -> tuple[Doubles, Doubles]:
    """(N,) buckets with a sale, and their share of the buckets on sale (1 without any)."""
    sold = np.nan_to_num(panel.sold) > 0
    open_ = np.isfinite(panel.sold) & (panel.on_sale > 0)
    seen = sold.sum(axis=1).astype(np.float64)
    return seen, np.where(open_.any(axis=1), seen / np.maximum(open_.sum(axis=1), 1), 1.0)


def _promoted(panel: Panel, horizon: int) -> npt.NDArray[np.bool_]:
    """(N,) whether a promotion is known within the horizon."""
    if "promotion" not in panel.known:
        return np.zeros(panel.n_series, dtype=np.bool_)
    ahead = panel.known["promotion"].rows()[:, panel.n_buckets : panel.n_buckets + horizon]
    return np.asarray((np.nan_to_num(ahead) > 0).any(axis=1))
