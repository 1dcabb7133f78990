"""`Scoreboard`: what each policy cost on identical demand, and how sure the difference is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.evaluate.bootstrap import cost_difference
from shelfwise.simulate.ledger import Ledger

COLUMNS = (
    "policy", "cost", "holding_cost", "shortage_cost", "order_cost", "profit", "fill_rate", "cycle_service",
    "stockouts", "turns", "mean_stock", "units_ordered", "orders", "purchase_value", "lost_units",
    "wape", "bias", "pinball", "perfect_foresight_cost", "reference", "cost_vs_reference",
    "cost_vs_reference_low", "cost_vs_reference_high",
)  # fmt: skip


@dataclass(frozen=True)
class Scoreboard:
    """Results of a backtest.

    Attributes:
        table: a row a policy, cheapest first, columns `COLUMNS`.
        series: a row a policy and series: `policy, sku, location, cost, lost_units, mean_stock`.
        forecasts: a row a model, `model, wape, bias, pinball`, the one in use first: how far the forecasts
            at the reviews were off, against known demand.
        coverage: a row a quantile of the model in use, `level, below, at_or_below`.
        notes: how the replay was set up, in sentences (starting stock, guessed demand, series left out).
        failures: series that could not be replayed, with the reason.
        front: a row a policy of the cost-service front, `fill_rate, cost, …`; see `service_front`.
    """

    table: pl.DataFrame
    series: pl.DataFrame
    forecasts: pl.DataFrame
    coverage: pl.DataFrame
    notes: tuple[str, ...] = ()
    failures: tuple[tuple[str, str, str], ...] = ()
    front: pl.DataFrame = field(default_factory=pl.DataFrame)

    def to_frame(self) -> pl.DataFrame:
        """The table of policies."""
        return self.table

    def _repr_html_(self) -> str:
        return str(self.table._repr_html_())

    def __str__(self) -> str:
        return "\n".join([str(self.table), *self.notes])


def score(
    names: Sequence[str],
    ledger: Ledger,
    foresight: npt.NDArray[np.float64],
    forecast_error: Mapping[str, Mapping[str, float]],
    keys: pl.DataFrame,
    forecasts: pl.DataFrame,
    coverage: pl.DataFrame,
    *,
    unit_cost: npt.NDArray[np.float64],
    margin: npt.NDArray[np.float64],
    margin_is_shortage: bool,
    reference: str,
    buckets_per_year: float,
    seed: int = 0,
    notes: Sequence[str] = (),
    failures: Sequence[tuple[str, str, str]] = (),
) -> Scoreboard:
    """Add up a replay's ledger.

    Args:
        names: policy of each path of the ledger.
        foresight: (N,) cost with perfect foresight.
        unit_cost: (N,) money per unit, to value what was bought.
        margin: (N,) money earned with a unit sold; NaN = unknown, and left out of the profit.
        margin_is_shortage: a unit lost costs its margin and nothing else; what was not earned is then no cost as well.
        forecast_error: policy -> wape, bias, pinball of the forecasts it decided on.
        reference: the policy the others are compared with.
    """
    every = ledger.over_series()
    earned = _profits(ledger, margin, margin_is_shortage)
    base = ledger.cost[:, list(names).index(reference)]
    rows: list[dict[str, Any]] = []
    for p, name in enumerate(names):
        gap = cost_difference(ledger.cost[:, p], base, seed)
        error = forecast_error.get(name, {})
        rows.append(
            {
                "policy": name,
                "cost": float(every.cost[0, p]),
                "holding_cost": float(every.holding_cost[0, p]),
                "shortage_cost": float(every.shortage_cost[0, p]),
                "order_cost": float(every.order_cost[0, p]),
                "profit": None if earned is None else float(earned[p]),
                "fill_rate": float(every.fill_rate[0, p]),
                "cycle_service": float(every.cycle_service[0, p]),
                "stockouts": int(every.stockout_buckets[0, p]),
                "turns": float(every.turns(buckets_per_year)[0, p]),
                "mean_stock": float(every.mean_on_hand[0, p]),
                "units_ordered": float(every.ordered[0, p]),
                "orders": int(every.orders[0, p]),
                "purchase_value": float((ledger.ordered[:, p] * unit_cost).sum()),
                "lost_units": float(every.lost[0, p]),
                "wape": error.get("wape"),
                "bias": error.get("bias"),
                "pinball": error.get("pinball"),
                "perfect_foresight_cost": float(foresight.sum()),
                "reference": reference,
                "cost_vs_reference": gap.total,
                "cost_vs_reference_low": gap.low,
                "cost_vs_reference_high": gap.high,
            }
        )
    table = pl.DataFrame(rows, infer_schema_length=None).select(COLUMNS).sort("cost", maintain_order=True)
    return Scoreboard(
        table, _by_series(names, ledger, keys), forecasts, coverage, tuple(notes), tuple(failures)
    )


def _profits(
    ledger: Ledger, margin: npt.NDArray[np.float64], margin_is_shortage: bool
) -> npt.NDArray[np.float64] | None:
    """(P,) margin of what was sold less what stock, orders and shortages cost, over the series whose margin is known;
    None if none is."""
    known = np.isfinite(margin)
    if not known.any():
        return None
    costs = ledger.holding_cost + ledger.order_cost + (0.0 if margin_is_shortage else ledger.shortage_cost)
    profit = np.where(known, margin, 0.0)[:, None] * ledger.served - costs
    return np.asarray(profit[known].sum(axis=0))


def _by_series(names: Sequence[str], ledger: Ledger, keys: pl.DataFrame) -> pl.DataFrame:
    n = len(keys)
    return pl.DataFrame(
        {
            "policy": np.repeat(np.asarray(names), n),
            "sku": pl.concat([keys["sku"]] * len(names)),
            "location": pl.concat([keys["location"]] * len(names)),
            "cost": ledger.cost.T.ravel(),
            "lost_units": ledger.lost.T.ravel(),
            "mean_stock": ledger.mean_on_hand.T.ravel(),
        }
    )
