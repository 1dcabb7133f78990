"""Parts of a forecast add up to its mean, whatever the model, and name what made them."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import numpy as np
import polars as pl
import pytest

from checks.forecaster_checks import shop
from shelfwise.buckets import Bucket
from shelfwise.demand.panel import Known, Panel
from shelfwise.errors import UsageError
from shelfwise.forecast import explain, make_forecaster
from shelfwise.forecast.auto import AutoForecaster
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.calibration import Calibrated
from shelfwise.forecast.parts import PARTS
from shelfwise.messages import say

HISTORY_MODELS = (
    "seasonal_naive",
    "moving_average",
    "ets",
    "theta",
    "croston",
    "sba",
    "tsb",
    "adida",
    "imapa",
)


class Planned(Forecaster):
    """Ten units, doubled under promotion, less what the price is above 5, plus 3 on an event."""

    name: ClassVar[str] = "planned"

    def fit(self, panel):
        self.panel = panel
        return self

    def _sample_rows(self, rows, horizon, n_samples, root):
        ahead = slice(self.panel.n_buckets, self.panel.n_buckets + horizon)
        known = {name: values.rows(rows)[:, ahead] for name, values in self.panel.known.items()}

        def of(name):
            values = np.zeros((len(rows), horizon), np.float32)
            given = known[name]
            values[:, : given.shape[1]] = np.nan_to_num(given)
            return values

        mean = 10 * (1 + of("promotion")) - np.maximum(of("price") - 5, 0) + 3 * of("event:any")
        return np.repeat(mean[:, None, :], n_samples, axis=1).astype(np.float32), mean.astype(np.float32)


def planned_panel() -> Panel:
    def known(ahead, before):
        values = np.concatenate([np.full(40, before), ahead]).astype(np.float32)[None, :]
        return Known(values, np.zeros(2, np.int32))

    covariates = {
        "promotion": known([0, 1, 0, 1], 0),
        "price": known([5, 5, 7, 7], 5),
        "event:any": known([0, 0, 0, 1], 0),
    }
    return Panel.from_arrays(np.full((2, 40), 10.0), bucket=Bucket("month"), known=covariates, horizon=4)


@pytest.mark.parametrize("name", HISTORY_MODELS)
def test_parts_of_classical_models_sum_to_their_mean(name):
    panel = shop()
    model = make_forecaster(name).fit(panel)
    parts = explain(model, 9)
    mean = model.sample(9, 50, np.random.default_rng(0)).mean()
    assert parts.mean() == pytest.approx(mean, abs=1e-3)
    assert set(np.flatnonzero(np.abs(parts.units).max(axis=(0, 1)) > 1e-9)) <= {0, 1, 2}


def test_level_season_and_trend_are_told_apart():
    days = np.arange(140)
    season = np.tile([0.0, 0, 0, 0, 0, 8, 6], 20)
    demand = 50 + 0.5 * days + season - season.mean()
    model = make_forecaster("ets", season=7).fit(Panel.from_arrays(demand, bucket=Bucket("day")))
    units = explain(model, 14).units[0]
    level, trend, weekly = (units[:, PARTS.index(part)] for part in ("level", "trend", "season"))
    assert level == pytest.approx(np.full(14, 50 + 0.5 * 139), abs=3)
    assert np.diff(trend) == pytest.approx(np.full(13, 0.5), abs=0.1)
    assert weekly[:7] == pytest.approx(season[:7] - season.mean(), abs=1.5)


def test_what_is_planned_is_asked_away_from_a_model_that_looks_at_it():
    units = explain(Planned().fit(planned_panel()), 4, [1]).units[0]
    told = {part: units[:, PARTS.index(part)].round(4).tolist() for part in ("promotion", "price", "events")}
    assert told == {"promotion": [0, 10, 0, 10], "price": [0, 0, -2, -2], "events": [0, 0, 0, 3]}
    assert units[:, 0] == pytest.approx(np.full(4, 10.0))


def test_the_boosted_model_keeps_its_own_exact_parts():
    panel = shop()
    model = make_forecaster("gbm", horizon=4).fit(panel)
    parts = explain(model, 4, [0, 3])
    mean = model.sample(4, 1, np.random.default_rng(0), rows=np.array([0, 3])).mean()
    assert parts.mean() == pytest.approx(mean, rel=1e-4, abs=1e-4)
    assert parts.keys["sku"].to_list() == panel.keys["sku"].gather([0, 3]).to_list()


def test_a_blend_has_the_parts_of_its_members():
    auto = AutoForecaster(models=["seasonal_naive", "tsb", "ets"]).fit(shop())
    mean = auto.sample(6, 300, np.random.default_rng(0)).mean()
    assert explain(auto, 6).mean() == pytest.approx(mean, abs=1e-3)


def test_a_calibrated_forecast_says_what_was_corrected():
    rng = np.random.default_rng(3)
    panel = Panel.from_arrays(rng.negative_binomial(2, 0.2, (60, 90)))
    model = Calibrated(partial(make_forecaster, "moving_average"), horizon=4).fit(panel)
    corrected = explain(model, 4).units[:, :, PARTS.index("calibration")]
    plain = explain(model.model, 4).units
    assert explain(model, 4).units.sum(axis=2) == pytest.approx(plain.sum(axis=2) + corrected, abs=1e-4)


def test_nothing_is_left_of_an_item_that_has_ended():
    panel = shop()
    panel.ends[0] = panel.n_buckets + 2
    units = explain(make_forecaster("moving_average").fit(panel), 4).units[0]
    assert units[:2].sum() > 0
    assert not units[2:].any()


def test_the_sentence_adds_up_as_it_is_printed():
    parts = explain(make_forecaster("moving_average", seasonal=True).fit(shop()), 8)
    for row in range(len(parts.keys)):
        whole = round(float(parts.mean()[row].sum()), 1)
        assert sum(units for _, units in parts.told(row, 0, 8)) == pytest.approx(whole, abs=1e-6)
        assert "平时水平" in parts.tell(row, 0, 8, "zh")
    assert {say(f"forecast_parts.name.{part}") for part in PARTS}


def test_the_frame_is_a_row_a_bucket_and_part():
    parts = explain(make_forecaster("tsb").fit(shop()), 3, [2])
    frame = parts.to_frame()
    assert frame.height == 3 * len(PARTS)
    assert frame.group_by("date", maintain_order=True).agg(pl.col("units").sum())["units"].to_list() == (
        pytest.approx(parts.mean()[0].tolist())
    )


def test_wrong_questions_are_refused():
    model = make_forecaster("moving_average").fit(shop())
    with pytest.raises(UsageError, match="rows"):
        explain(model, 3, [10_000])
    with pytest.raises(UsageError, match="horizon"):
        explain(model, 0)
