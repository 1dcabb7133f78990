"""The figures behind a quantity: what every policy can tell, and what scenarios add."""

from __future__ import annotations

import numpy as np

from shelfwise.replenish.aged_projection import AgedProjection
from shelfwise.replenish.projection import Projection
from shelfwise.replenish.situation import Doubles, Situation
from shelfwise.simulate.lots import round_lots


def usable_receipts(situation: Situation) -> tuple[Doubles, Doubles]:
    """(N,) units on order due in time for the buckets this order answers for, and (N,) units due later."""
    reach = situation.terms.lead_time_buckets + situation.terms.review_period_buckets
    due = np.arange(situation.receipts.shape[1])
    in_time = np.where(due[None, :] < np.asarray(reach)[:, None], situation.receipts, 0.0).sum(axis=1)
    return in_time, np.maximum(situation.on_order - in_time, 0.0)


def common_figures(
    situation: Situation, wanted: Doubles, quantity: Doubles, *, dated: bool = False
) -> dict[str, Doubles]:
    """What every policy can tell: stock, receipts, target position, and the lot rules one after another.

    Args:
        wanted: (N,) target less what counts towards it; negative = above target.
        quantity: (N,) the order.
        dated: what counts is on hand - backorders + receipts in time, for what comes later cannot
            serve the buckets in question; else it is the whole inventory position.
    """
    terms = situation.terms
    in_time, too_late = usable_receipts(situation)
    counted = situation.on_hand - situation.backorders + in_time if dated else situation.position
    raw = np.maximum(wanted, 0.0)
    multiple = np.asarray(terms.multiple)
    after_multiple = round_lots(raw, 0.0, multiple)
    after_moq = round_lots(raw, terms.moq, multiple)
    return {
        "on_hand": np.asarray(situation.on_hand, dtype=np.float64),
        "backorders": np.asarray(situation.backorders, dtype=np.float64),
        "usable_receipts": in_time,
        "late_receipts": too_late,
        "position": situation.position,
        "counted_position": counted,
        "target": counted + wanted,
        "raw": raw,
        "after_multiple": after_multiple,
        "after_moq": after_moq,
        "after_max": round_lots(raw, terms.moq, multiple, terms.max_quantity),
        "after_limits": np.asarray(quantity, dtype=np.float64),
    }


def scenario_figures(projection: Projection, quantity: Doubles, level: Doubles) -> dict[str, Doubles]:
    """What scenarios add: demand, stock at arrival, losses and costs without and with the order.

    Args:
        level: (N,) the quantile of demand shown beside its mean.
    """
    from shelfwise.replenish.kernels.projection import describe_demand

    situation = projection.situation
    terms = situation.terms
    demand = np.empty((situation.n_series, 3))
    review = np.asarray(terms.review_period_buckets)
    describe_demand(projection.paths, projection.leads, review, level, demand)
    without, with_order = projection.assess(np.zeros(situation.n_series)), projection.assess(quantity)
    placed = np.where(quantity > 0, np.asarray(situation.costs.order), 0.0)
    return {
        "demand_lead_time": demand[:, 0],
        "demand_protection": demand[:, 1],
        "demand_quantile": demand[:, 2],
        "service_target": np.asarray(level, dtype=np.float64),
        "stock_at_arrival": projection.stock.mean(axis=1),
        "stockout_probability": projection.dry,
        "expected_lost_without": without.lost,
        "expected_lost_with": with_order.lost,
        "expected_cost_without": without.cost,
        "expected_cost_with": with_order.cost + placed,
        "expected_end_stock": with_order.left,
        "stockout_bucket": first_stockout(projection),
    }


def waste_figures(projection: Projection, quantity: Doubles) -> dict[str, Doubles]:
    """What of the stock and of the order is expected to expire unsold; nothing where all goods keep."""
    if not isinstance(projection, AgedProjection):
        return {}
    older, own = projection.waste(quantity)
    return {"expected_waste_stock": older, "expected_waste_order": own}


def first_stockout(projection: Projection) -> Doubles:
    """(N,) first bucket whose mean demand exceeds what is left without a new order; NaN = none in sight."""
    situation = projection.situation
    assert situation.scenarios is not None  # a projection is only made of scenarios
    net = (situation.on_hand - situation.backorders)[:, None]
    supply = net + np.cumsum(projection.receipts, axis=1)
    used = np.cumsum(situation.scenarios.mean(), axis=1, dtype=np.float64)
    dry = (supply - used < -1e-6) & (used > 0)
    first = np.where(dry.any(axis=1), dry.argmax(axis=1).astype(np.float64), np.nan)
    if isinstance(projection, AgedProjection):
        first[projection.rows] = projection.first_stockout()
    return first
