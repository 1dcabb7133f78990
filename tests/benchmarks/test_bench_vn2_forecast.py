"""What the models are given, what they are judged by, and the means beside gbm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from benchmarks.bench_vn2_forecast import CLASSICAL, HORIZON, SUM_LEVEL, means, origin_at, scores
from benchmarks.vn2_folder import read_history, write_vn2_folder

from shelfwise.demand.panel import Panel
from shelfwise.forecast.naive import SeasonalNaive
from shelfwise.tables import read_folder

FOLD = 133


def test_all_ten_classical_models_take_part():
    assert sorted(CLASSICAL) == [
        "adida", "arima", "ces", "croston", "ets", "imapa", "mstl", "sba", "theta", "tsb",
    ]  # fmt: skip


def test_actuals_are_raw_sales_of_weeks_in_stock(vn2_source: Path, tmp_path: Path):
    history = read_history(vn2_source)
    origin = origin_at(read_folder(write_vn2_folder(vn2_source, tmp_path / "out")), history, FOLD)
    weeks = slice(FOLD, FOLD + HORIZON)
    assert origin.panel.as_of == history.weeks[FOLD]
    assert list(origin.panel.keys.iter_rows()) == list(history.keys.iter_rows())
    assert np.array_equal(np.isfinite(origin.actual), history.in_stock[:, weeks])
    seen = np.isfinite(origin.actual)
    assert np.array_equal(origin.actual[seen], history.sold[:, weeks][seen])
    plain = np.abs(np.diff(history.sold[0, :FOLD])).mean()
    assert origin.scale[0] == pytest.approx(plain)


def test_scores_of_a_forecast_that_is_sure_of_itself():
    panel = Panel.from_arrays(np.full((3, 40), 6.0))
    said = SeasonalNaive(1).fit(panel).sample(HORIZON, 50, np.random.default_rng(0))
    actual = np.full((3, HORIZON), 6.0)
    scale = np.array([2.0, 2.0, np.nan])
    assert list(scores(said, actual, scale).values()) == pytest.approx([0, 0, 0, 0], abs=1e-6)
    low = scores(said, actual + 1.0, scale)
    # Three weeks are short by three units; a week's loss is half a unit over all levels, a quarter of the scale.
    assert low["pinball_sum"] == pytest.approx(3.0 * SUM_LEVEL, rel=1e-5)
    assert low["scaled_pinball"] == pytest.approx(0.25, rel=1e-5)
    assert (low["wape"], low["bias"]) == pytest.approx((1 / 7, -1 / 7), rel=1e-5)
    # A series out of stock in the second week has no sum, and one week less.
    actual[0, 1], actual[0, 0] = np.nan, 100.0
    hidden = scores(said, actual, scale)
    assert hidden["pinball_sum"] == pytest.approx(0, abs=1e-6)
    assert hidden["scaled_pinball"] > 0


def test_a_model_of_fewer_folds_is_held_against_gbm_on_the_same():
    def one(loss: float) -> dict[str, float]:
        return {
            "pinball_sum": loss, "scaled_pinball": 0.3, "wape": 0.5, "bias": 0.0, "stand_ins": 1, "seconds": 2.0,
        }  # fmt: skip

    found = {
        "gbm": {109: one(1.0), 117: one(3.0)},
        "ets": {109: one(2.2), 117: one(2.2)},
        "arima": {109: one(1.2)},
    }
    rows = {row["model"]: row for row in means(found)}
    assert list(rows) == ["gbm", "ets", "arima"]
    assert (rows["arima"]["folds"], rows["arima"]["against_gbm"]) == (1, 1.2)
    assert (rows["ets"]["folds"], rows["ets"]["against_gbm"], rows["ets"]["stand_ins"]) == (2, 1.1, 2)
