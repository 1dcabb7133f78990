"""The folds, each piece against a plain loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from benchmarks.vn2_folder import Vn2History, read_history
from benchmarks.vn2_folds import (
    FIRST_WEEKS,
    benchmark_levels,
    filled_demand,
    fold_cost,
    folds,
    make_fold,
    run,
    starting_stock,
    whole,
    write_fold_folder,
)

from shelfwise.errors import UsageError
from shelfwise.simulate import Costs, Levels, StockState, SupplyTerms, simulate


@pytest.fixture
def history(vn2_source: Path) -> Vn2History:
    return read_history(vn2_source)


def plain_level(history: Vn2History, series: int, week: int) -> int:
    seen = [t for t in range(week - 13, week) if t >= 0 and history.in_stock[series, t]]
    seen = seen or [t for t in range(week) if history.in_stock[series, t]]
    mean = sum(int(history.sold[series, t]) for t in seen) / len(seen) if seen else 0.0
    return int(4 * mean + 0.5)


def plain_fill(history: Vn2History, series: int, week: int) -> int:
    if history.in_stock[series, week]:
        return int(history.sold[series, week])
    near = [t for t in range(week - 6, week + 7) if 0 <= t < 157 and history.in_stock[series, t]]
    return int(sum(int(history.sold[series, t]) for t in near) / len(near) + 0.5) if near else 0


def test_halves_are_rounded_up() -> None:
    assert whole([0.5, 1.5, 2.5, 2.49]).tolist() == [1, 2, 3, 2]


def test_truth_is_what_was_sold_or_the_mean_around_it(history: Vn2History) -> None:
    filled = filled_demand(history)
    expected = [[plain_fill(history, series, week) for week in range(157)] for series in range(4)]
    assert filled.tolist() == expected
    assert (filled[3, 66:84] == 0).all(), "no week in stock within six weeks"
    assert (filled[1] != history.sold[1]).any(), "some weeks must have been filled"


def test_levels_are_four_weeks_of_the_recent_mean(history: Vn2History) -> None:
    levels = benchmark_levels(history, 83, 74)
    assert levels.tolist() == [
        [plain_level(history, series, week) for week in range(83, 157)] for series in range(4)
    ]
    assert (levels[2, : 120 - 83] == 0).all(), "not yet listed"


def test_a_level_knows_nothing_of_its_own_week_or_later(history: Vn2History) -> None:
    sold, in_stock = history.sold.copy(), history.in_stock.copy()
    sold[:, 120:], in_stock[:, 120:] = 99, True
    changed = replace(history, sold=sold, in_stock=in_stock)
    before, after = benchmark_levels(history, 83, 40), benchmark_levels(changed, 83, 40)
    assert np.array_equal(before[:, : 121 - 83], after[:, : 121 - 83])
    assert (before[:, 121 - 83 :] != after[:, 121 - 83 :]).any()


def test_starting_stock_is_what_the_rule_has_after_26_weeks(history: Vn2History) -> None:
    for first_week in FIRST_WEEKS:
        start = starting_stock(history, first_week)
        for series in range(4):
            on_hand, due = plain_level(history, series, first_week - 26), [0, 0]
            for week in range(first_week - 26, first_week):
                order = max(0, plain_level(history, series, week) - on_hand - sum(due))
                on_hand += due.pop(0)
                due.append(order)
                on_hand = max(0, on_hand - plain_fill(history, series, week))
            assert start.on_hand[series] == on_hand
            assert start.pipeline[series].tolist() == due


def test_a_fold_without_room_is_refused(history: Vn2History) -> None:
    with pytest.raises(UsageError, match="first_week must be 27 to 157; got 20"):
        starting_stock(history, 20)
    with pytest.raises(UsageError, match="at most 149; got 150"):
        make_fold(history, 150)


def test_cost_counts_weeks_three_to_eight() -> None:
    start = StockState(np.array([10.0]), pipeline=np.array([[0.0, 4.0]]))
    demand = np.array([[6.0, 9.0, 5.0, 5.0, 0.0, 3.0, 3.0, 1.0]])
    orders = np.array([[7.0, 3.0, 2.0, 0.0, 0.0, 0.0, 50.0, 50.0]])
    cost = fold_cost(run(demand, start, orders))
    # left 4, 0 | 2, 0, 2, 0, 0, 0 and short 0, 1 | 0, 0, 0, 1, 3, 1: the last two orders come too late.
    assert cost.decided_weeks == pytest.approx(0.2 * 4 + 1)
    assert cost.holding == pytest.approx(0.2 * 4)
    assert cost.shortage == pytest.approx(5.0)
    assert cost.total == pytest.approx(5.8)


def test_cost_needs_a_record_of_the_weeks() -> None:
    demand = np.ones((1, 8))
    totals = simulate(
        demand,
        SupplyTerms.same(1, lead_time_buckets=2),
        Costs.same(1, holding=0.2, shortage=1.0),
        StockState.empty(1),
        Levels.base_stock([3.0]),
    )
    with pytest.raises(UsageError, match="record='ledger'"):
        fold_cost(totals)


def test_no_policy_can_change_the_first_two_weeks(history: Vn2History) -> None:
    fold = make_fold(history, 133)
    nothing = fold_cost(run(fold.demand, fold.start, np.zeros((4, 8))))
    plenty = fold_cost(run(fold.demand, fold.start, np.full((4, 8), 100.0)))
    assert nothing.decided_weeks == plenty.decided_weeks
    assert plenty.shortage < nothing.shortage
    assert plenty.holding > nothing.holding


def test_the_folder_of_a_fold_holds_its_history_and_its_stock(vn2_source: Path, tmp_path: Path) -> None:
    state = StockState(np.array([1.0, 2.0, 0.0, 4.0]), pipeline=np.array([[3, 0], [0, 5], [0, 0], [0, 0]]))
    out = write_fold_folder(vn2_source, tmp_path / "fold", state, 109)
    text = {"sku": pl.String, "location": pl.String}
    stock = pl.read_csv(out / "stock.csv", schema_overrides=text)
    assert stock.rows() == [("126", "0", 1.0), ("0", "0", 2.0), ("126", "7", 0.0), ("31", "7", 4.0)]
    inbound = pl.read_csv(out / "inbound.csv", schema_overrides=text, try_parse_dates=True)
    assert inbound.rows() == [("126", "0", 3.0, date(2023, 5, 15)), ("0", "0", 5.0, date(2023, 5, 22))]
    assert pl.read_parquet(out / "sales.parquet")["date"].max() == date(2023, 5, 8)


@pytest.mark.real_data
def test_real_folds_leave_no_week_without_a_neighbour_in_stock(real_folder: Callable[[str], Path]) -> None:
    history = read_history(real_folder("vn2"))
    made = folds(history)
    assert [fold.first_week for fold in made] == list(FIRST_WEEKS)
    for fold in made:
        weeks = slice(fold.first_week, fold.first_week + 8)
        seen = history.in_stock[:, weeks]
        assert np.array_equal(fold.demand[seen], history.sold[:, weeks][seen])
        assert 0 < (~seen).sum() < 200
        cost = fold_cost(
            run(fold.demand, fold.start, Levels.base_stock(benchmark_levels(history, fold.first_week, 8)))
        )
        assert 3000 < cost.total < 12000
