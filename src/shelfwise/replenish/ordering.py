"""`plan_orders`: from panel and scenarios to a plan, a chunk of series at a time unless a limit is shared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from shelfwise.demand.panel import Panel
from shelfwise.forecast.scenarios import Scenarios
from shelfwise.messages import Said
from shelfwise.progress import Progress, silent
from shelfwise.replenish.base import Policy
from shelfwise.replenish.internal_orders import decide_inside
from shelfwise.replenish.internal_supply import InternalSupply
from shelfwise.replenish.limits import SharedLimits
from shelfwise.replenish.order_up_to import ScenarioOrderUpTo
from shelfwise.replenish.plan import Plan, make_plan
from shelfwise.replenish.projection import MOST_BUCKETS, buckets_needed
from shelfwise.replenish.shelf_life import shelf_lives
from shelfwise.replenish.situation_build import build_situation
from shelfwise.tables.dataset import Dataset

Sampler = Callable[[npt.NDArray[Any]], Scenarios]
CHUNK_FLOATS = 50_000_000
STAGE = "orders"


def planning_horizon(terms: pl.DataFrame) -> int:
    """Buckets a forecast must reach so that every series' lead time, its spread and its review fit in.

    A series that needs more than `MOST_BUCKETS` does not count: it is blocked.

    Example:
        >>> planning_horizon(pl.DataFrame({"lead_time": [2, 3], "review_period": [1, 2], "lead_time_sd": [0.0, 0.0]}))
        5
    """
    if terms.is_empty():
        return 1
    lead = np.ceil(terms["lead_time"].cast(pl.Float64).fill_null(0.0).to_numpy())
    review = np.ceil(terms["review_period"].cast(pl.Float64).fill_null(1.0).to_numpy())
    spread = terms["lead_time_sd"].cast(pl.Float64).fill_null(0.0).to_numpy()
    return max(1, int(buckets_needed(lead, review, spread, most=MOST_BUCKETS).max()))


def plan_orders(
    dataset: Dataset,
    panel: Panel,
    sampler: Sampler | None,
    policy: Policy,
    terms: pl.DataFrame,
    costs: pl.DataFrame,
    *,
    floats_per_series: int,
    lang: str = "en",
    progress: Progress = silent,
) -> Plan:
    """Decide on every series of the panel and write the plan.

    Args:
        sampler: rows -> scenarios of these series; None for a policy that needs none.
        terms, costs: as `resolve_terms` and `resolve_costs` give them for `panel.keys`.
        floats_per_series: S x H of the scenarios, to keep a chunk within memory.

    With a budget or a volume in the settings all series are decided together, since they share it; without,
    chunks of series are, and the result does not depend on where they are cut.
    """
    limits = SharedLimits.of(dataset, panel.keys)
    supply = InternalSupply.of(terms)
    parts: list[Plan] = []
    problems: dict[str, str] = {}
    # Places that supply each other are decided together, so an item is not cut.
    whole = None if supply is None else panel.keys["sku"].rle_id().to_numpy()
    for rows in _chunks(panel.n_series, floats_per_series, bool(limits), whole):
        some = panel.take(rows)
        scenarios = None if sampler is None else sampler(rows)
        situation, notes = build_situation(dataset, some, scenarios, terms[rows], costs[rows])
        if supply is None:
            decision = limits.take(rows).apply(policy, situation, policy.decide(situation))
        else:
            situation, decision = decide_inside(policy, situation, supply.take(rows), limits.take(rows))
        parts.append(make_plan(situation, decision, notes, policy=policy.name, lang=lang))
        problems |= {problem.code: str(problem) for problem in notes.problems}
        progress(STAGE, int(rows[-1]) + 1 if len(rows) else 0, panel.n_series)
    return _joined(parts, (*problems.values(), *_unseen(dataset, policy, terms, supply)))


def _unseen(
    dataset: Dataset, policy: Policy, terms: pl.DataFrame, supply: InternalSupply | None
) -> tuple[str, ...]:
    """What the shop's tables say and this policy does not know of."""
    knows = isinstance(policy, ScenarioOrderUpTo)
    larger = isinstance(policy, ScenarioOrderUpTo) and policy.objective != "service"
    lives = shelf_lives(dataset, terms)
    broken = terms["price_breaks"].fill_null("").str.strip_chars() != "" if "price_breaks" in terms else None
    counts = {
        "shelf_life": 0 if knows or lives is None else int((lives > 0).sum()),
        "price_breaks": 0 if larger or broken is None else int(broken.sum()),
        "dependents": 0 if policy.needs_scenarios or supply is None else int((supply.level > 0).sum()),
    }
    return tuple(
        Said(f"plan.unseen.{name}", policy=policy.name, count=count)
        for name, count in counts.items()
        if count
    )


def _chunks(
    n_series: int, floats_per_series: int, whole: bool, groups: npt.NDArray[Any] | None = None
) -> Iterator[npt.NDArray[np.intp]]:
    """Rows a chunk at a time; `groups` (N,), rising, numbers rows that stay together."""
    size = max(1, n_series if whole else CHUNK_FLOATS // max(floats_per_series, 1))
    first = 0
    while first < max(n_series, 1):
        last = min(first + size, n_series)
        if groups is not None and last > first:
            last = int(np.searchsorted(groups, groups[last - 1], side="right"))
        yield np.arange(first, last)
        first = max(last, first + 1)


def _joined(parts: Sequence[Plan], notes: tuple[str, ...]) -> Plan:
    """One plan of all chunks, receipts pointing at the rows of the whole; blocked series are its failures."""
    first, at, receipts = parts[0], 0, []
    for part in parts:
        if part.receipts is not None:
            receipts.append(part.receipts.with_columns(series=pl.col("series").cast(pl.Int64) + at))
        at += part.table.height
    table = pl.concat([part.table for part in parts], how="vertical_relaxed")
    blocked = table.filter(pl.col("status") == "blocked").select("sku", "location", "reason")
    return replace(
        first,
        table=table,
        receipts=pl.concat(receipts) if receipts else None,
        notes=notes,
        failures=tuple(blocked.rows()),
    )
