"""Features that matter stay, those that do not go, and each says why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from shelfwise.demand.panel import Known, Panel
from shelfwise.forecast.gbm.forecaster import GradientBoosting
from shelfwise.forecast.gbm.selection import Selection, select_features

SERIES, HISTORY, HORIZON = 60, 110, 6


@pytest.fixture(scope="module")
def panel() -> Panel:
    """Weekly counts that promotions triple; `noise` is known ahead and means nothing, `echo` is a copy."""
    rng = np.random.default_rng(1)
    width = HISTORY + HORIZON
    flag = (rng.random((SERIES, width)) < 0.15).astype(np.float32)
    noise = (rng.random((SERIES, width)) < 0.15).astype(np.float32)
    mean = rng.uniform(4, 30, (SERIES, 1)) * 3.0**flag
    every = np.arange(SERIES, dtype=np.int32)
    known = {
        "promotion": Known(flag, every),
        "promotion:echo": Known(flag.copy(), every),
        "event:noise": Known(noise, every),
    }
    demand = np.random.default_rng(2).poisson(mean[:, :HISTORY])
    return Panel.from_arrays(demand, known=known, horizon=HORIZON)


@pytest.fixture(scope="module")
def selection(panel) -> Selection:
    return select_features(panel, HORIZON)


def test_what_drives_demand_stays_and_its_copy_goes_with_a_reason(selection):
    pair = {"promotion", "promotion:echo"}
    assert len(pair & set(selection.kept)) == 1
    (stays,) = pair & set(selection.kept)
    (goes,) = pair - {stays}
    assert stays in selection.dropped[goes] or "no tree split" in selection.dropped[goes]
    loss = dict(selection.table.select("feature", "loss").iter_rows())
    assert loss[stays] == max(loss.values()) > 0.3


def test_noise_goes(selection):
    assert "event:noise" in selection.dropped


def test_every_feature_has_a_verdict_and_a_reason(selection):
    table = selection.table
    assert table.columns == ["feature", "kept", "gain", "loss", "reason"]
    assert table["reason"].str.len_chars().min() > 5
    assert table["gain"].sum() == pytest.approx(1)
    assert set(selection.kept) | set(selection.dropped) == set(table["feature"])
    assert 0 < len(selection.kept) < table.height
    assert selection.held_out_rows == SERIES * HORIZON


def test_dropped_features_are_never_split_on_and_the_forecast_is_as_good(panel, selection):
    rng = np.random.default_rng(7)
    whole = GradientBoosting(horizon=HORIZON).fit(panel)
    lean = GradientBoosting(horizon=HORIZON, trees=selection.trees()).fit(panel)
    used = lean.booster.model.feature_importance("split") > 0
    names = np.array(lean._table.names)
    assert not set(names[used]) & set(selection.dropped)
    truth = panel.demand[:, :].mean(axis=1) / (
        1 + 2 * panel.known["promotion"].values[:, :HISTORY].mean(axis=1)
    )
    truth = truth[:, None] * 3.0 ** panel.known["promotion"].values[:, HISTORY:]
    errors = [np.abs(model.sample(HORIZON, 2, rng).mean() - truth).sum() for model in (whole, lean)]
    assert errors[1] < 1.1 * errors[0]


def test_what_is_asked_for_is_kept_and_bytes_repeat(panel, selection):
    again = select_features(panel, HORIZON, keep=["event:noise"])
    row = again.table.filter(pl.col("feature") == "event:noise")
    assert row["kept"].item()
    assert row["reason"].item() == "asked for"
    others = pl.col("feature") != "event:noise"
    assert again.table.filter(others).equals(selection.table.filter(others))


def test_the_order_of_the_series_does_not_matter(panel, selection):
    order = np.random.default_rng(3).permutation(SERIES)
    assert select_features(panel.take(order), HORIZON).table.equals(selection.table)


def test_nothing_is_dropped_where_nothing_can_be_judged():
    for demand in (np.ones((2, 3)), np.zeros((40, 60)), np.full((3, 30), np.nan)):
        found = select_features(Panel.from_arrays(demand), 4)
        assert found.dropped == {}
        assert set(found.table["reason"]) == {"too little history to judge by"}


def test_the_judged_buckets_are_not_learnt_from(panel):
    """Trees of the trial end before the held-out buckets: a rule that holds only there is not found."""
    known = {
        **panel.known,
        "event:noise": Known(
            np.zeros_like(panel.known["event:noise"].values), np.arange(SERIES, dtype=np.int32)
        ),
    }
    known["event:noise"].values[:30, HISTORY - HORIZON :] = 1.0
    demand = panel.demand.copy()
    demand[:30, HISTORY - HORIZON :] *= 5
    found = select_features(replace(panel, known=known, demand=demand), HORIZON)
    assert found.dropped["event:noise"] == "no tree split on it"
