"""Section 3, what it is worth: policies in money on the same past demand, and how sure the difference is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl
from markupsafe import Markup

from shelfwise.evaluate.report.charts.bars import PolicyBar, policy_bars
from shelfwise.evaluate.report.charts.front import PolicyPoint, front_chart
from shelfwise.evaluate.report.data import ReportData
from shelfwise.evaluate.report.wording import Wording, capitalised
from shelfwise.evaluate.scoreboard import Scoreboard
from shelfwise.messages import retold


@dataclass(frozen=True)
class PolicyRow:
    """A policy's line of the table; shares of 1, money, units."""

    label: str
    cost: float
    difference: float | None
    fill_rate: float | None
    cycle_service: float | None
    lost_units: float | None
    mean_stock: float | None
    turns: float | None
    orders: float | None


@dataclass(frozen=True)
class WorthView:
    """The charts, the sentences that sum them up, the rows, and how the replay was set up."""

    chart: Markup
    front: Markup | None
    front_sentence: str
    sentence: str
    foresight_sentence: str
    rows: tuple[PolicyRow, ...]
    notes: tuple[str, ...]
    n_failures: int


def worth_view(data: ReportData, words: Wording) -> WorthView | None:
    """The section's contents; None without a backtest of at least one policy."""
    if data.scoreboard is None or data.scoreboard.table.is_empty():
        return None
    table = data.scoreboard.table
    reference = str(table["reference"][0])
    foresight = float(table["perfect_foresight_cost"][0])
    ours = table.filter(pl.col("policy") == data.meta.policy)
    best = (ours if ours.height else table.sort("cost", maintain_order=True)).row(0, named=True)
    sentence = comparison(best, reference, _days(data), words)
    bars = [
        PolicyBar(
            policy_label(row["policy"], reference, words),
            (row["holding_cost"], row["shortage_cost"], row["order_cost"]),
        )
        for row in table.iter_rows(named=True)
    ]
    front, front_sentence = _front(data.scoreboard, best, reference, words)
    return WorthView(
        front=front,
        front_sentence=front_sentence,
        chart=policy_bars(bars, foresight, words, "worth", words.say("worth.chart_title"), sentence),
        sentence=sentence,
        foresight_sentence=words.say(
            "worth.foresight",
            cost=words.money(foresight),
            gap=words.money(max(best["cost"] - foresight, 0.0)),
        ),
        rows=tuple(_row(row, reference, words) for row in table.iter_rows(named=True)),
        notes=tuple(retold(note, words.lang) for note in data.scoreboard.notes),
        n_failures=len(data.scoreboard.failures),
    )


def policy_name(policy: str, words: Wording) -> str:
    """The words a policy goes by, or its own name."""
    return words.say_or(f"policy.{policy}", policy)


def policy_label(policy: str, reference: str, words: Wording) -> str:
    """The policy's name, marked where it is the shop's present rule."""
    name = policy_name(policy, words)
    return capitalised(words.say("worth.present_rule", policy=name) if policy == reference else name)


def comparison(row: dict[str, Any], reference: str, days: int | None, words: Wording) -> str:
    """One plain sentence: cheaper, dearer, or no telling, and between which bounds.

    Args:
        row: a scoreboard line; its `cost_vs_reference…` are policy less reference, so below 0 is a saving.
        days: length of the replay; None = not told.
    """
    name, other = policy_name(row["policy"], words), policy_name(reference, words)
    period = (
        words.say("worth.over_window")
        if days is None
        else words.say("worth.over_days", days=words.count(days))
    )
    if row["policy"] == reference:
        return words.say("worth.same", period=period, policy=name, cost=words.money(row["cost"]))
    total, low, high = (float(row[f"cost_vs_reference{end}"]) for end in ("", "_low", "_high"))
    code = "worth.less" if high < 0 else "worth.more" if low > 0 else "worth.unsure"
    if code == "worth.unsure":
        direction = "worth.unsure_less" if total <= 0 else "worth.unsure_more"
        return words.say(
            direction,
            period=period,
            policy=name,
            reference=other,
            amount=words.money(abs(total)),
            less=words.money(max(-low, 0.0)),
            more=words.money(max(high, 0.0)),
        )
    near, far = sorted((abs(low), abs(high)))
    return words.say(
        code,
        period=period,
        policy=name,
        reference=other,
        amount=words.money(abs(total)),
        low=words.money(near),
        high=words.money(far),
    )


def _front(
    board: Scoreboard, ours: dict[str, Any], reference: str, words: Wording
) -> tuple[Markup | None, str]:
    """The chart of what service costs and its sentence; nothing where there is no line to draw."""
    front = board.front
    if front.height < 2:
        return None, ""
    points = [
        PolicyPoint(
            policy_label(row["policy"], reference, words),
            row["fill_rate"],
            row["holding_cost"] + row["order_cost"],
            row["policy"] == ours["policy"],
        )
        for row in board.table.iter_rows(named=True)
        if row["fill_rate"] is not None
    ]
    reached = front.filter(pl.col("fill_rate") >= (ours["fill_rate"] or 0.0))
    spent = ours["holding_cost"] + ours["order_cost"]
    facts = {
        "policy": policy_name(ours["policy"], words),
        "fill_rate": words.percent(ours["fill_rate"]),
        "cost": words.money(spent),
    }
    if reached.height:
        sentence = words.say(
            "worth.front_sentence", **facts, least=words.money(reached["cost"].to_numpy().min())
        )
    else:
        sentence = words.say("worth.front_beyond", **facts)
    chart = front_chart(
        front["fill_rate"].to_numpy(),
        front["cost"].to_numpy(),
        points,
        words,
        "front",
        words.say("worth.front_title"),
        sentence,
    )
    return chart, sentence


def _days(data: ReportData) -> int | None:
    if data.replay_start is None or data.replay_end is None:
        return None
    return (data.replay_end - data.replay_start).days


def _row(row: dict[str, Any], reference: str, words: Wording) -> PolicyRow:
    return PolicyRow(
        label=policy_label(row["policy"], reference, words),
        cost=row["cost"],
        difference=None if row["policy"] == reference else row["cost_vs_reference"],
        fill_rate=row["fill_rate"],
        cycle_service=row["cycle_service"],
        lost_units=row["lost_units"],
        mean_stock=row["mean_stock"],
        turns=row["turns"],
        orders=row["orders"],
    )
