"""VN2 judged inside the 157 weeks that are known: folds, their truth, their starting stock, their cost.

What is set, and is the same for every policy:

- Folds: eight weeks each, the last six such stretches. Orders of weeks 1 and 2 arrive in weeks 3 and 4,
  so weeks 1 and 2 cost the same whatever is ordered, and weeks 3 to 8 are what is compared.
- Truth: an in-stock week wanted what it sold. An out-of-stock week wanted the mean of that series'
  in-stock weeks among the 13 around it, rounded to whole units (a half up); where none of the 13 was in
  stock, nothing, since the item was off the shelf for a quarter. The fill looks both ways in time: it is
  the world the policies are put into, and no policy is shown it.
- Starting stock: nobody knows it. The organiser's benchmark rule runs for the 26 weeks before the fold on
  that truth, from a stock of four weeks' mean and nothing under way; what it then has on hand and under
  way is the fold's start.
- The benchmark rule: the mean of the in-stock weeks among the last 13 (of all earlier weeks where none of
  the 13 was in stock, 0 where none ever was), order up to four weeks of it, lead time two.

    python -m benchmarks.vn2_folds [--source DIR]
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks.folder_files import write_table
from benchmarks.raw_data import raw_folder, run_command
from benchmarks.vn2_folder import Vn2History, read_history, write_vn2_folder
from shelfwise.errors import UsageError
from shelfwise.simulate import Costs, Ledger, Levels, StockState, SupplyTerms, simulate
from shelfwise.simulate.run import Policy

FOLD_WEEKS = 8
FIRST_WEEKS = (109, 117, 125, 133, 141, 149)
COMPARED = slice(2, FOLD_WEEKS)
WARM_UP_WEEKS = 26
WINDOW_WEEKS = 13
COVER_WEEKS = 4
LEAD_TIME_WEEKS = 2
HOLDING, SHORTAGE = 0.2, 1.0

Units = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Fold:
    """One stretch of weeks to judge policies on.

    Attributes:
        first_week: 0-based week of the history; the fold's own history is the weeks before it.
        demand: (N, 8) the truth, whole units.
        start: stock on hand and under way as the fold begins.
    """

    first_week: int
    demand: Units
    start: StockState


@dataclass(frozen=True)
class FoldCost:
    """Cost of the compared weeks 3 to 8, and of weeks 1 and 2, which nobody can change."""

    holding: float
    shortage: float
    decided_weeks: float

    @property
    def total(self) -> float:
        """Holding and shortage of weeks 3 to 8."""
        return self.holding + self.shortage


def whole(units: npt.ArrayLike) -> Units:
    """Rounded to whole units, a half up."""
    rounded: Units = np.floor(np.asarray(units, dtype=np.float64) + 0.5)
    return rounded


def window_mean(history: Vn2History, ahead: int, back: int) -> tuple[Units, Units]:
    """Mean of the in-stock weeks from `back` weeks before each week to `ahead` weeks after it, both included.

    A negative `ahead` ends the window before the week itself.

    Returns:
        Two (N, T) arrays: the means, 0 where the window holds no in-stock week, and how many it holds.
    """
    n_weeks = history.sold.shape[1]

    def sums(values: npt.NDArray[Any]) -> Units:
        total = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
        first = np.clip(np.arange(n_weeks) - back, 0, n_weeks)
        past = np.clip(np.arange(n_weeks) + ahead + 1, 0, n_weeks)
        within: Units = total[:, past] - total[:, first]
        return within

    count = sums(history.in_stock)
    units = sums(np.where(history.in_stock, history.sold, 0))
    return np.divide(units, count, out=np.zeros_like(units), where=count > 0), count


def filled_demand(history: Vn2History) -> Units:
    """(N, T) the truth of every week: sales in stock, the rounded mean around it out of stock."""
    side = WINDOW_WEEKS // 2
    around, _ = window_mean(history, ahead=side, back=side)
    return np.where(history.in_stock, history.sold, whole(around)).astype(np.float64)


def benchmark_levels(history: Vn2History, first_week: int, n_weeks: int) -> Units:
    """(N, n_weeks) the benchmark's order-up-to levels; each sees only the weeks before its own."""
    recent, count = window_mean(history, ahead=-1, back=WINDOW_WEEKS)
    earlier, _ = window_mean(history, ahead=-1, back=history.sold.shape[1])
    chosen = slice(first_week, first_week + n_weeks)
    return whole(COVER_WEEKS * np.where(count > 0, recent, earlier)[:, chosen])


def run(demand: Units, start: StockState, policy: Policy) -> Ledger:
    """VN2's accounting: lost sales, whole units, holding 0.2 on what is left, 1.0 a unit short."""
    n_series = len(demand)
    terms = SupplyTerms.same(n_series, lead_time_buckets=LEAD_TIME_WEEKS)
    costs = Costs.same(n_series, holding=HOLDING, shortage=SHORTAGE)
    return simulate(demand, terms, costs, start, policy, record="ledger")


def starting_stock(history: Vn2History, first_week: int) -> StockState:
    """Stock on hand and under way as the week `first_week` begins (see the module's text)."""
    begin = first_week - WARM_UP_WEEKS
    if begin < 1 or first_week > history.sold.shape[1]:
        raise UsageError(
            f"a fold needs {WARM_UP_WEEKS} weeks to run in and one before them; first_week must be "
            f"{WARM_UP_WEEKS + 1} to {history.sold.shape[1]}; got {first_week}"
        )
    levels = benchmark_levels(history, begin, WARM_UP_WEEKS)
    ledger = run(
        filled_demand(history)[:, begin:first_week], StockState(levels[:, 0]), Levels.base_stock(levels)
    )
    assert ledger.buckets is not None  # asked for in `run`
    # What was ordered in the last two weeks is due in the fold's first two.
    under_way = ledger.buckets.ordered[:, 0, -LEAD_TIME_WEEKS:].astype(np.float64)
    return StockState(ledger.end_on_hand[:, 0], pipeline=under_way)


def make_fold(history: Vn2History, first_week: int) -> Fold:
    """Truth and starting stock of the eight weeks from `first_week` on.

    Raises:
        UsageError: the weeks before or after do not suffice.
    """
    if first_week + FOLD_WEEKS > history.sold.shape[1]:
        raise UsageError(
            f"a fold has {FOLD_WEEKS} weeks; first_week must be at most "
            f"{history.sold.shape[1] - FOLD_WEEKS}; got {first_week}"
        )
    demand = filled_demand(history)[:, first_week : first_week + FOLD_WEEKS]
    return Fold(first_week, demand, starting_stock(history, first_week))


def folds(history: Vn2History) -> list[Fold]:
    """The six folds."""
    return [make_fold(history, first_week) for first_week in FIRST_WEEKS]


def fold_cost(ledger: Ledger) -> FoldCost:
    """Judge a run of a fold's eight weeks, made by `run`."""
    if ledger.buckets is None:
        raise UsageError("the cost of single weeks needs a ledger recorded with record='ledger'")
    left = ledger.buckets.on_hand_end.sum(axis=(0, 1), dtype=np.float64) * HOLDING
    short = ledger.buckets.lost.sum(axis=(0, 1), dtype=np.float64) * SHORTAGE
    decided = slice(0, COMPARED.start)
    return FoldCost(
        holding=float(left[COMPARED].sum()),
        shortage=float(short[COMPARED].sum()),
        decided_weeks=float(left[decided].sum() + short[decided].sum()),
    )


def write_fold_folder(source: Path, out: Path, state: StockState, weeks: int) -> Path:
    """The data folder a policy sees as week `weeks` begins: that much history, and the stock of `state`.

    Within a fold, pass the fold's first week + the rounds played, and the state the policy has come to.
    """
    write_vn2_folder(source, out, weeks=weeks)
    history = read_history(source, weeks=weeks)
    write_table(history.keys.with_columns(on_hand=pl.Series(state.on_hand)), out, "stock")
    inbound = pl.concat(
        history.keys.with_columns(
            quantity=pl.Series(state.pipeline[:, week]), due=pl.lit(history.as_of + timedelta(weeks=week))
        )
        for week in range(LEAD_TIME_WEEKS)
    )
    write_table(inbound.filter(pl.col("quantity") > 0), out, "inbound")
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description="The folds of VN2 and what the benchmark rule costs on them")
    parser.add_argument("--source", type=Path)
    history = read_history(raw_folder("vn2", parser.parse_args().source))
    print("first_week,on_hand,under_way,demand,holding,shortage,weeks_3_8,weeks_1_2")
    for fold in folds(history):
        levels = benchmark_levels(history, fold.first_week, FOLD_WEEKS)
        cost = fold_cost(run(fold.demand, fold.start, Levels.base_stock(levels)))
        stock = f"{fold.start.on_hand.sum():.0f},{fold.start.pipeline.sum():.0f},{fold.demand.sum():.0f}"
        parts = f"{cost.holding:.1f},{cost.shortage:.1f},{cost.total:.1f},{cost.decided_weeks:.1f}"
        print(f"{fold.first_week},{stock},{parts}")


if __name__ == "__main__":
    run_command(main)
