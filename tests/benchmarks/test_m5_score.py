"""The M5 scores against plain loops over dictionaries of lists."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from benchmarks.m5_data import dates_of, read_calendar, read_sales
from benchmarks.m5_levels import LEVELS, compare_scales, naive_scale, scoring_basis
from benchmarks.m5_score import (
    coverage,
    forecast_arrays,
    scaled_pinball_level12,
    seasonal_naive,
    unscaled_weight,
    wrmsse,
)

from shelfwise.errors import ShelfwiseError, UsageError

QUANTILES = (0.1, 0.5, 0.9)


def changes_from_first_sale(history: list[float]) -> list[float]:
    first = next((t for t, units in enumerate(history) if units), len(history))
    return [history[t] - history[t - 1] for t in range(first + 1, len(history))]


def root_scale(history: list[float]) -> float:
    steps = changes_from_first_sale(history)
    return math.sqrt(sum(step**2 for step in steps) / len(steps)) if any(steps) else math.nan


class PlainM5:
    """The raw files as plain rows, and the competition's formulas written out."""

    def __init__(self, source: Path, last_day: int) -> None:
        frame = pl.read_parquet(source / "sales_d1495_d1941.parquet")
        self.rows = list(frame.iter_rows(named=True))
        self.last_day = last_day
        self.history = [[float(row[f"d_{d}"]) for d in range(1495, last_day + 1)] for row in self.rows]
        week = {int(d[2:]): w for d, w in read_calendar(source).select("d", "wm_yr_wk").iter_rows()}
        price: dict[Any, float] = {
            (store, item, w): money
            for store, item, w, money in pl.read_parquet(source / "sell_prices.parquet").iter_rows()
        }
        self.money = [
            sum(
                row[f"d_{d}"] * price.get((row["store_id"], row["item_id"], week[d]), 0.0)
                for d in range(last_day - 27, last_day + 1)
            )
            for row in self.rows
        ]

    def members(self, level: int) -> dict[tuple[str, ...], list[int]]:
        groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for index, row in enumerate(self.rows):
            groups[tuple(row[name] for name in LEVELS[level])].append(index)
        return groups

    def wrmsse(self, level: int, forecast: Any, actual: Any) -> float:
        score = 0.0
        for members in self.members(level).values():
            weight = sum(self.money[i] for i in members) / sum(self.money)
            if weight == 0:
                continue
            history = [sum(column) for column in zip(*(self.history[i] for i in members), strict=True)]
            errors = [
                sum(forecast[i][h] for i in members) - sum(actual[i][h] for i in members) for h in range(28)
            ]
            score += weight * math.sqrt(sum(e**2 for e in errors) / 28) / root_scale(history)
        return score

    def pinball(self, quantiles: Any, share_index: int, actual: Any) -> float:
        share, score = QUANTILES[share_index], 0.0
        for i in range(len(self.rows)):
            steps = changes_from_first_sale(self.history[i])
            if not any(steps):
                continue
            loss = 0.0
            for h in range(28):
                y, q = actual[i][h], quantiles[i][h][share_index]
                loss += share * (y - q) if y >= q else (1 - share) * (q - y)
            scale = sum(abs(step) for step in steps) / len(steps)
            score += self.money[i] / sum(self.money) * loss / 28 / scale
        return score


def write_official(source: Path, scale_of: Callable[[list[float]], float] = root_scale) -> None:
    """Official files as the competition made them: everything up to d_1941."""
    plain = PlainM5(source, 1941)
    weights, scales = [], []
    for level in LEVELS:
        for key, members in plain.members(level).items():
            names = (*(key or ("Total",)), "X")[:2]
            money = sum(plain.money[i] for i in members)
            weights.append((f"Level{level}", *names, money, money / sum(plain.money)))
            if level <= 9:
                history = [sum(column) for column in zip(*(plain.history[i] for i in members), strict=True)]
                scales.append((level, names[0], "" if names[1] == "X" else names[1], scale_of(history)))
    columns = ["Level_id", "Agg_Level_1", "Agg_Level_2", "Dollar_Sales", "weight"]
    pl.DataFrame(weights, schema=columns, orient="row").write_parquet(source / "weights_evaluation.parquet")
    columns = ["level", "key1", "key2", "scale"]
    pl.DataFrame(scales, schema=columns, orient="row").write_parquet(source / "rmsse_scale_L1_L9.parquet")


@pytest.fixture
def made_up(m5_source: Path) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(2)
    actual = read_sales(m5_source, first_day=1914, last_day=1941).values
    spread = np.sort(rng.gamma(2.0, 1.0, (*actual.shape, len(QUANTILES))), axis=2)
    return rng.gamma(2.0, 0.8, actual.shape), spread, actual


def test_window_scores_are_the_written_out_formulas(m5_source: Path, made_up: tuple[Any, Any, Any]) -> None:
    forecast, quantiles, actual = made_up
    plain, basis = PlainM5(m5_source, 1913), scoring_basis(m5_source)
    assert wrmsse(forecast, actual, basis) == pytest.approx(
        {level: plain.wrmsse(level, forecast, actual) for level in LEVELS}
    )
    score = scaled_pinball_level12(quantiles, QUANTILES, actual, basis)
    expected = [plain.pinball(quantiles, index, actual) for index in range(len(QUANTILES))]
    assert list(score.by_quantile.values()) == pytest.approx(expected)
    assert score.mean == pytest.approx(sum(expected) / len(expected))
    assert score.unscored_weight == 0


def test_official_scores_use_the_given_files(m5_source: Path, made_up: tuple[Any, Any, Any]) -> None:
    forecast, _, actual = made_up
    write_official(m5_source)
    basis = scoring_basis(m5_source, weights="official")
    plain = PlainM5(m5_source, 1941)
    expected = {level: plain.wrmsse(level, forecast, actual) for level in range(1, 10)}
    assert wrmsse(forecast, actual, basis) == pytest.approx(expected)
    halved = {level: score / 2 for level, score in expected.items()}
    write_official(m5_source, lambda history: 2 * root_scale(history))
    doubled_scale = scoring_basis(m5_source, weights="official")
    assert wrmsse(forecast, actual, doubled_scale) == pytest.approx(halved)


def test_official_weight_without_a_scale_of_ours_is_reported(
    m5_source: Path, made_up: tuple[Any, Any, Any]
) -> None:
    _, quantiles, actual = made_up
    write_official(m5_source)
    basis = scoring_basis(m5_source, weights="official", levels=[12])
    plain = PlainM5(m5_source, 1941)
    # Rows 2 and 3 sell nothing up to d_1913 but carry dollars of the window itself.
    expected = (plain.money[2] + plain.money[3]) / sum(plain.money)
    assert expected > 0
    score = scaled_pinball_level12(quantiles, QUANTILES, actual, basis)
    assert score.unscored_weight == pytest.approx(expected)
    with pytest.raises(UsageError, match="level 12 of the official basis lacks 12 of 12"):
        wrmsse(actual, actual, basis)


def test_a_series_that_sold_on_the_last_day_alone_may_be_left_out(m5_source: Path) -> None:
    path = m5_source / "sales_d1495_d1941.parquet"
    frame = pl.read_parquet(path)
    first = pl.int_range(pl.len()) == 0
    frame.with_columns(
        pl.when(first).then(5 if day == 1913 else 0).otherwise(f"d_{day}").cast(pl.Int16).alias(f"d_{day}")
        for day in range(1495, 1914)
    ).write_parquet(path)
    basis = scoring_basis(m5_source)
    plain = PlainM5(m5_source, 1913)
    share = plain.money[0] / sum(plain.money)
    assert share > 0
    lost = unscaled_weight(basis)
    assert lost[12] == pytest.approx(share)
    assert lost[1] == lost[2] == lost[3] == 0
    actual = read_sales(m5_source, first_day=1914, last_day=1941).values
    off = actual.astype(float)
    off[0] += 100
    with pytest.raises(UsageError, match="level 12 of the window basis lacks 1 of 12"):
        wrmsse(off, actual, basis, [12])
    assert wrmsse(off, actual, basis, [12], leave_out_unscaled=True) == {12: 0.0}
    assert wrmsse(off, actual, basis, [1], leave_out_unscaled=True) == wrmsse(off, actual, basis, [1])


def test_own_and_official_scales_agree_on_the_same_days(m5_source: Path) -> None:
    write_official(m5_source)
    assert compare_scales(m5_source)["ratio"].to_list() == pytest.approx(
        [1.0] * (1 + 3 + 4 + 2 + 3 + 6 + 9 + 8 + 12)
    )


def test_a_missing_official_weight_is_refused(m5_source: Path) -> None:
    write_official(m5_source)
    path = m5_source / "weights_evaluation.parquet"
    pl.read_parquet(path).filter(pl.col("Agg_Level_1") != "TX_1").write_parquet(path)
    with pytest.raises(ShelfwiseError, match=r"level 3; it has 3, and 1 groups have none"):
        scoring_basis(m5_source, weights="official")


def test_weights_do_not_see_the_window(m5_source: Path) -> None:
    basis = scoring_basis(m5_source)
    path = m5_source / "sales_d1495_d1941.parquet"
    frame = pl.read_parquet(path)
    later = [pl.lit(99, pl.Int16).alias(f"d_{number}") for number in range(1914, 1942)]
    frame.with_columns(later).write_parquet(path)
    again = scoring_basis(m5_source)
    for level in LEVELS:
        assert np.array_equal(basis.levels[level].weight, again.levels[level].weight)
        assert np.array_equal(basis.levels[level].scale, again.levels[level].scale, equal_nan=True)
        assert basis.levels[level].weight.sum() == pytest.approx(1.0)


def test_a_perfect_forecast_scores_zero(m5_source: Path) -> None:
    actual = read_sales(m5_source, first_day=1914, last_day=1941).values
    basis = scoring_basis(m5_source)
    assert set(wrmsse(actual, actual, basis).values()) == {0.0}
    repeated = np.repeat(actual[:, :, None], 3, axis=2)
    assert scaled_pinball_level12(repeated, QUANTILES, actual, basis).mean == 0
    assert coverage(repeated, QUANTILES, actual) == dict.fromkeys(QUANTILES, (0.0, 1.0))


def test_a_history_that_cannot_be_scaled_has_no_scale() -> None:
    rows = [[0, 0, 0, 0], [0, 0, 0, 3], [0, 2, 2, 2], [0, 0, 2, 5]]
    assert np.array_equal(naive_scale(rows, power=2), [np.nan, np.nan, np.nan, 3.0], equal_nan=True)


def test_wrong_arrays_are_refused(m5_source: Path, made_up: tuple[Any, Any, Any]) -> None:
    forecast, quantiles, actual = made_up
    basis = scoring_basis(m5_source, levels=[1])
    with pytest.raises(UsageError, match=r"must both be \(12, H\)"):
        wrmsse(forecast[:5], actual[:5], basis)
    with pytest.raises(UsageError, match="NaN"):
        wrmsse(np.where(forecast > 3, np.nan, forecast), actual, basis)
    with pytest.raises(UsageError, match=r"levels \[1\]; got 2"):
        wrmsse(forecast, actual, basis, levels=[2])
    with pytest.raises(UsageError, match="must have level 12"):
        scaled_pinball_level12(quantiles, QUANTILES, actual, basis)
    with pytest.raises(UsageError, match="3 levels"):
        coverage(quantiles[:, :, :2], QUANTILES, actual)
    with pytest.raises(UsageError, match="between 0 and 1"):
        coverage(quantiles, (0.1, 0.5, 90), actual)
    with pytest.raises(UsageError, match="levels must be among 1 to 12"):
        scoring_basis(m5_source, levels=[0])


def test_a_forecast_table_is_put_in_the_scorers_order(m5_source: Path) -> None:
    basis = scoring_basis(m5_source, levels=[12])
    dates = dates_of(read_calendar(m5_source), 1914, 1941)
    keys = basis.keys.select(sku="item_id", location="store_id")
    value = pl.int_range(pl.len()).cast(pl.Float64)
    table = keys.join(pl.DataFrame({"date": dates}), how="cross").with_columns(mean=value)
    late = pl.DataFrame(
        {"sku": ["FOODS_1_001"], "location": ["CA_1"], "date": [dates[-1] + timedelta(1)], "mean": [9.0]}
    )
    shuffled = pl.concat([table, late]).sample(fraction=1.0, shuffle=True, seed=1)
    arrays = forecast_arrays(shuffled, basis, m5_source)
    assert np.array_equal(arrays.values[:, :, 0], np.arange(12 * 28).reshape(12, 28))
    assert arrays.missing_series == 0
    fewer = forecast_arrays(shuffled.filter(pl.col("location") != "WI_1"), basis, m5_source)
    assert fewer.missing_series == 3
    assert not fewer.values[9:].any()
    with pytest.raises(UsageError, match="1 have not, the first is FOODS_1_001@CA_1"):
        forecast_arrays(table[1:], basis, m5_source)
    with pytest.raises(UsageError, match="28 days"):
        forecast_arrays(pl.concat([table[1:], table[5:6]]), basis, m5_source)
    with pytest.raises(UsageError, match="columns"):
        forecast_arrays(table.drop("mean"), basis, m5_source)


def test_the_seasonal_naive_repeats_the_last_week() -> None:
    forecast = seasonal_naive([[9, 1, 2, 3, 4, 5, 6, 7]])
    assert forecast.tolist() == [[1, 2, 3, 4, 5, 6, 7] * 4]


@pytest.mark.real_data
def test_real_official_scales_are_roots_and_close_to_ours(real_folder: Callable[[str], Path]) -> None:
    compared = compare_scales(real_folder("m5"))
    assert compared.height == 154
    assert compared["ratio"].is_between(0.85, 1.95).all()
    assert compared["ratio"].median() == pytest.approx(1.13, abs=0.05)


@pytest.mark.real_data
def test_real_weights_are_the_dollars_of_the_last_28_days(real_folder: Callable[[str], Path]) -> None:
    own = scoring_basis(real_folder("m5"), last_day=1941)
    given = scoring_basis(real_folder("m5"), last_day=1941, weights="official", levels=list(LEVELS))
    for level in LEVELS:
        np.testing.assert_allclose(own.levels[level].weight, given.levels[level].weight, atol=1e-9)


@pytest.mark.real_data
def test_the_real_seasonal_naive_scores_as_known(real_folder: Callable[[str], Path]) -> None:
    source = real_folder("m5")
    actual = read_sales(source, first_day=1914, last_day=1941).values
    scores = wrmsse(seasonal_naive(read_sales(source, last_day=1913).values), actual, scoring_basis(source))
    assert scores[1] == pytest.approx(0.6730, abs=5e-4)
    assert scores[12] == pytest.approx(1.0565, abs=5e-4)
