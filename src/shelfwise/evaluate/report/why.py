"""Section 2, why: a few telling series: history, forecast, stock to come, and the steps in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from shelfwise.evaluate.report.charts.fan import Fan, fan_chart
from shelfwise.evaluate.report.charts.stock import StockAhead, stock_chart
from shelfwise.evaluate.report.data import ReportData
from shelfwise.evaluate.report.orders import item_name
from shelfwise.evaluate.report.telling import Telling, telling_series
from shelfwise.evaluate.report.wording import Wording, shorten
from shelfwise.messages import say
from shelfwise.replenish.explanation import Explanation
from shelfwise.replenish.situation import Situation
from shelfwise.simulate import StockState, simulate

SHOWN_BUCKETS = {"day": 150, "week": 104, "month": 48}
FAN_LEVELS = (0.1, 0.25, 0.75, 0.9)
MOST_RECEIPTS, MOST_STEP = 10, 400


@dataclass(frozen=True)
class Story:
    """One series: how it is called, why it is shown, its two charts and its explanation."""

    name: str
    sku: str
    location: str
    role: str
    quantity: float
    reason: str
    history: Markup
    stock: Markup
    steps: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]


def stories(data: ReportData, words: Wording) -> tuple[Story, ...]:
    """The telling series, in the order of the rules; empty without a plan, a situation or scenarios."""
    if data.plan is None or data.situation is None or data.situation.scenarios is None:
        return ()
    situation, scenarios = data.situation, data.situation.scenarios
    frame = data.plan.to_frame(words.lang)
    picks = telling_series(frame, situation.panel, scenarios, data.prices)
    if not picks:
        return ()
    chosen = situation.take(np.array([pick.row for pick in picks]))
    quantities = {
        (sku, place): units for sku, place, units in frame.select("sku", "location", "quantity").iter_rows()
    }
    quantity = np.array([float(quantities[pick.sku, pick.location]) for pick in picks])
    without, ordered = _stock_to_come(chosen, np.zeros(len(picks))), _stock_to_come(chosen, quantity)
    return tuple(
        _story(data, words, chosen, pick, row, float(quantity[row]), without[row], ordered[row])
        for row, pick in enumerate(picks)
    )


def _story(
    data: ReportData,
    words: Wording,
    situation: Situation,
    pick: Telling,
    row: int,
    quantity: float,
    without: npt.NDArray[np.float32],
    ordered: npt.NDArray[np.float32],
) -> Story:
    assert data.plan is not None  # stories() returned early without one
    name, ident = item_name(data, pick.sku), f"why-{row}"
    fan, ahead = _fan(situation, row), _ahead(situation, row, quantity, without, ordered)
    per_bucket = words.count(float(fan.mean.mean()))
    unit = words.say(f"bucket.{situation.panel.bucket.name}")
    told = data.plan.explain(pick.sku, pick.location, words.lang)
    receipts = [
        words.say("why.overdue" if overdue else "why.receipt", units=words.count(units), date=words.day(due))
        for due, units, overdue in told.receipts[:MOST_RECEIPTS]
    ]
    left = ahead.without if ahead.with_order is None else ahead.with_order
    return Story(
        name=name,
        sku=shorten(pick.sku),
        location=shorten(pick.location),
        role=words.say(f"why.role.{pick.why}"),
        quantity=quantity,
        reason=shorten(told.reason, MOST_STEP),
        history=fan_chart(
            fan,
            words,
            f"{ident}-fan",
            words.say("why.history_title", name=name),
            words.say("why.history_desc", mean=per_bucket, bucket=unit),
        ),
        stock=stock_chart(
            ahead,
            words,
            f"{ident}-stock",
            words.say("why.stock_title", name=name),
            words.say(
                "why.stock_desc",
                start=words.count(float(situation.on_hand[row])),
                without=words.count(float(ahead.without[-1])),
                ordered=words.count(float(left[-1])),
            ),
        ),
        steps=(*_parts(told), *((step.label, shorten(step.text, MOST_STEP)) for step in told.steps)),
        remarks=(*receipts, *(shorten(warning, MOST_STEP) for warning in told.warnings)),
    )


def _parts(told: Explanation) -> tuple[tuple[str, str], ...]:
    """What the forecast is made of, as the first step; nothing without a forecast."""
    if told.forecast is None:
        return ()
    return ((say("forecast_parts.label", told.lang), shorten(told.forecast_told, MOST_STEP)),)


def _fan(situation: Situation, row: int) -> Fan:
    """The last buckets of history and the whole forecast."""
    panel, scenarios = situation.panel, situation.scenarios
    assert scenarios is not None
    first = max(panel.n_buckets - SHOWN_BUCKETS[panel.bucket.name], int(panel.launched[row]), 0)
    first = min(first, panel.n_buckets - 1)
    one = scenarios.take(np.array([row]))
    return Fan(
        dates=panel.bucket.dates(
            panel.bucket.shift(panel.start, first), panel.n_buckets - first + scenarios.horizon
        ),
        sold=panel.sold[row, first:].astype(np.float64),
        demand=panel.demand[row, first:].astype(np.float64),
        on_sale=np.where(np.isfinite(panel.sold[row, first:]), panel.on_sale[row, first:], np.nan),
        mean=one.mean()[0].astype(np.float64),
        bands=one.quantile(FAN_LEVELS)[0].astype(np.float64),
    )


def _ahead(
    situation: Situation,
    row: int,
    quantity: float,
    without: npt.NDArray[np.float32],
    ordered: npt.NDArray[np.float32],
) -> StockAhead:
    assert situation.scenarios is not None
    lead = int(situation.terms.lead_time_buckets[row])
    # Beyond lead time and review period the next order has its say, which this picture knows nothing of.
    horizon = min(lead + int(situation.terms.review_period_buckets[row]), situation.scenarios.horizon)
    without, ordered = without[:, :horizon], ordered[:, :horizon]
    planned = ordered if quantity > 0 else without
    due = tuple(int(bucket) for bucket in np.flatnonzero(situation.receipts[row] > 0) if bucket < horizon)
    low, high = np.quantile(planned, [0.1, 0.9], axis=0)
    return StockAhead(
        dates=situation.scenarios.dates[:horizon],
        without=without.mean(axis=0, dtype=np.float64),
        with_order=ordered.mean(axis=0, dtype=np.float64) if quantity > 0 else None,
        low=low,
        high=high,
        arrival=lead if quantity > 0 else None,
        due=due,
    )


def _stock_to_come(situation: Situation, quantity: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """(N, S, H) stock at the end of each bucket, if `quantity` is ordered now and nothing later."""
    assert situation.scenarios is not None
    paths = situation.scenarios.paths
    orders = np.zeros((len(quantity), paths.shape[2]))
    orders[:, 0] = quantity
    # What was sold beyond the shelf is owed: the kernel's books keep stock and debt apart.
    state = StockState(
        np.maximum(situation.on_hand, 0.0),
        situation.backorders + np.maximum(-situation.on_hand, 0.0),
        situation.receipts,
    )
    run = simulate(paths, situation.terms, situation.costs, state, orders, record="ledger")
    assert run.buckets is not None
    return run.buckets.on_hand_end
