"""Why a quantity is what it is, and how a series stands, as codes; texts come later, in any language."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from shelfwise.replenish.situation import Decision, Doubles, Situation

Codes = npt.NDArray[np.str_]
NEW_BUCKETS = {"day": 56, "week": 8, "month": 3}
STATUSES = ("stocked_out", "at_risk", "order_now", "ok", "surplus", "dead", "new", "blocked")


def figure(decision: Decision, name: str, n_series: int) -> Doubles:
    """(N,) a figure of the decision, NaN where the policy does not give it."""
    return decision.figures.get(name, np.full(n_series, np.nan))


def mean_demand(situation: Situation, decision: Decision) -> Doubles:
    """(N,) mean demand of a bucket; NaN where the policy speaks of none."""
    reach = situation.terms.lead_time_buckets + situation.terms.review_period_buckets
    rate = figure(decision, "demand_rate", situation.n_series)
    return np.where(np.isnan(rate), figure(decision, "demand_protection", situation.n_series) / reach, rate)


def stockout_bucket(situation: Situation, decision: Decision) -> Doubles:
    """(N,) first bucket after `as_of` in which mean demand finds no stock unless ordered; NaN = none seen."""
    if "stockout_bucket" in decision.figures:
        return decision.figures["stockout_bucket"]
    width = max(situation.receipts.shape[1], 1)
    rate = np.nan_to_num(mean_demand(situation, decision))
    receipts = np.zeros((situation.n_series, width))
    receipts[:, : situation.receipts.shape[1]] = situation.receipts
    net = (situation.on_hand - situation.backorders)[:, None] + np.cumsum(receipts, axis=1)
    dry = (net - rate[:, None] * np.arange(1, width + 1) < -1e-6) & (rate > 0)[:, None]
    return np.where(dry.any(axis=1), dry.argmax(axis=1).astype(np.float64), np.nan)


def statuses(
    situation: Situation, decision: Decision, quantity: Doubles, blocked: npt.NDArray[np.bool_]
) -> Codes:
    """(N,) one of STATUSES, the most pressing that applies.

    ``stocked_out``: nothing free on hand, demand expected · ``at_risk``: expected to run out before an
    order could arrive · ``order_now``: an order is proposed · ``surplus``: above target by more than a whole
    protection interval's demand · ``dead``: no demand expected and none seen for a season · ``new``: a few
    buckets old, or not launched yet · ``blocked``: cannot be decided.
    """
    n_series, terms = situation.n_series, situation.terms
    rate = mean_demand(situation, decision)
    reach = terms.lead_time_buckets + terms.review_period_buckets
    panel = situation.panel
    seen = np.nan_to_num(panel.demand[:, -panel.bucket.season :]).sum(axis=1) > 0
    wanted = np.where(np.isnan(rate), seen, rate > 1e-9)
    early = stockout_bucket(situation, decision) < terms.lead_time_buckets
    above = figure(decision, "counted_position", n_series) - figure(decision, "target", n_series)
    age = panel.n_buckets - panel.launched
    to_come = panel.launched >= panel.n_buckets
    status = np.full(n_series, "ok", dtype="U12")
    status[above > np.nan_to_num(rate) * reach + np.asarray(terms.multiple)] = "surplus"
    status[age < NEW_BUCKETS[panel.bucket.name]] = "new"
    status[quantity > 0] = "order_now"
    status[early & wanted] = "at_risk"
    status[(situation.on_hand - situation.backorders <= 0) & wanted] = "stocked_out"
    status[~wanted & ~seen] = "dead"
    status[~wanted & ~seen & to_come] = "new"
    status[blocked] = "blocked"
    return status


def reason_codes(situation: Situation, decision: Decision, quantity: Doubles, blocked: Codes) -> Codes:
    """(N,) the message code of the one thing that decided a series (``plan.reason.…``)."""
    n_series, terms = situation.n_series, situation.terms

    def step(name: str) -> Doubles:
        return figure(decision, name, n_series)

    moq, most = np.asarray(terms.moq), np.asarray(terms.max_quantity)
    raw, ordered = decision.raw, quantity > 0
    has_losses = np.isfinite(step("expected_lost_without"))
    code = np.where(has_losses, "plan.reason.order_saves", "plan.reason.order_to_target").astype("U40")
    fee = np.asarray(situation.costs.order) > 0
    code[ordered & fee & has_losses] = "plan.reason.order_cycle"
    # A minimum of one lot or less forces nothing that the lot does not.
    by_lot, forced = moq <= terms.multiple, step("after_moq") > step("after_multiple")
    code[ordered & forced] = "plan.reason.order_moq"
    code[ordered & forced & by_lot] = "plan.reason.order_multiple"
    code[ordered & (step("after_max") < step("after_moq"))] = "plan.reason.order_max"
    smaller = step("without_price_break")
    code[ordered & (quantity > smaller)] = "plan.reason.order_price_break"
    kept = step("without_shelf_life")
    code[ordered & (step("after_max") < kept)] = "plan.reason.order_shelf_life"
    code[ordered & (quantity < step("after_max"))] = "plan.reason.order_limited"
    requested = step("requested")
    code[ordered & (quantity < requested)] = "plan.reason.order_rationed"
    needless = ~ordered & (raw <= 0)
    rate = mean_demand(situation, decision)
    code[~ordered] = "plan.reason.not_worth_lot"
    code[~ordered & ~by_lot & (step("after_multiple") > 0)] = "plan.reason.not_worth_moq"
    code[~ordered & (raw > 0) & fee & has_losses] = "plan.reason.not_worth_order"
    code[~ordered & (most < np.maximum(moq, terms.multiple))] = "plan.reason.max_below_lot"
    code[~ordered & (most <= 0)] = "plan.reason.not_orderable"
    code[~ordered & (step("after_max") > 0)] = "plan.reason.limit_used_up"
    code[needless] = "plan.reason.covered"
    # Nothing is wanted, though what counts does not reach to the next order: a shortage costs less.
    counted = step("counted_position") + np.nan_to_num(step("expected_waste_stock"))
    short = counted < step("demand_protection") * (1.0 - 1e-9)
    code[needless & short & has_losses] = "plan.reason.not_worth_stocking"
    code[~ordered & (kept > 0) & ~(step("after_max") > 0)] = "plan.reason.not_worth_expiring"
    code[~ordered & (smaller > 0) & ~(step("after_max") > 0)] = "plan.reason.wait_for_price"
    code[needless & ~(rate > 1e-9)] = "plan.reason.no_demand"
    code[needless & np.isnan(rate)] = "plan.reason.policy_orders_nothing"
    code[~ordered & (requested > 0)] = "plan.reason.upstream_elsewhere"
    code[~ordered & (requested > 0) & (step("upstream_free") <= 0)] = "plan.reason.upstream_empty"
    return np.where(blocked != "", blocked, code)
