"""The parts of the benchmark that decide what is compared: settings, scores and means."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
from benchmarks.bench_censoring_effect import asked, means, scores

from shelfwise.demand.panel import Panel
from shelfwise.forecast.moving_average import MovingAverage
from shelfwise.tables import dataset_from_frames


def test_only_the_settings_asked_for_differ():
    sales = pl.DataFrame({"sku": ["a"], "date": [date(2024, 1, 1)], "quantity": [3]})
    dataset = dataset_from_frames(sales, settings={"series": {"bucket": "day"}, "demand": {"bots": False}})
    other = asked(dataset, "mask", "on").settings
    assert (other.demand.stockouts, other.demand.infer_stockouts, other.demand.bots) == ("mask", "on", False)
    assert other.series == dataset.settings.series
    assert other.costs == dataset.settings.costs


def test_a_forecast_that_is_right_has_no_error():
    panel = Panel.from_arrays(np.full((3, 40), 6.0))
    scenarios = MovingAverage().fit(panel).sample(4, 50, np.random.default_rng(0))
    right = scores(scenarios, np.full((3, 4), 6.0))
    assert right == pytest.approx({"wape": 0, "bias_percent": 0, "pinball": 0, "pinball_sum": 0}, abs=1e-4)
    low = scores(scenarios, np.full((3, 4), 12.0))
    assert low["wape"] == pytest.approx(0.5)
    assert low["bias_percent"] == pytest.approx(-50)


def test_means_keep_records_and_no_records_apart():
    rows = [
        {
            "shop": "demo",
            "window": window,
            "stockouts": "raw",
            "infer": "off",
            "measure": "cost",
            "value": value,
        }
        for window, value in (
            ("recorded seed 7 x", 1.0),
            ("recorded seed 8 x", 3.0),
            ("unrecorded seed 7 x", 9.0),
        )
    ]
    assert [(row["window"], row["value"]) for row in means(rows)] == [
        ("mean recorded", 2.0),
        ("mean unrecorded", 9.0),
    ]
    plain = [{**row, "window": "week 109"} for row in rows]
    assert [(row["window"], round(row["value"], 4)) for row in means(plain)] == [("mean", 4.3333)]
