"""Contributions of the boosted model sum to its mean, and say what the simulation did."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from shelfwise.buckets import Bucket
from shelfwise.demand.panel import Known, Panel
from shelfwise.errors import UsageError
from shelfwise.forecast.gbm.explain import PARTS, additive_units, explain_forecast, part_of
from shelfwise.forecast.gbm.forecaster import GradientBoosting

SERIES, HISTORY, HORIZON = 40, 150, 7
PROMOTED, CHEAP = 3, 5


def make_panel() -> tuple[Panel, np.ndarray]:
    """Daily counts with a weekend, promotions that triple and low prices that double them; and the means."""
    rng = np.random.default_rng(4)
    width = HISTORY + HORIZON
    flag = (rng.random((SERIES, width)) < 0.1).astype(np.float32)
    price = rng.choice([10.0, 10.0, 10.0, 7.0], (SERIES, width)).astype(np.float32)
    flag[:, HISTORY:], price[:, HISTORY:] = 0.0, 10.0
    flag[:20, HISTORY + PROMOTED] = 1.0
    price[:20, HISTORY + CHEAP] = 7.0
    weekend = np.where(np.arange(width) % 7 >= 5, 2.0, 1.0)
    base = rng.uniform(5, 25, (SERIES, 1)) * weekend
    mean = base * 3.0**flag * 2.0 ** (price < 10)
    every = np.arange(SERIES, dtype=np.int32)
    known = {"promotion": Known(flag, every), "price": Known(price, every)}
    panel = Panel.from_arrays(
        np.random.default_rng(5).poisson(mean[:, :HISTORY]),
        start=date(2024, 1, 1),
        bucket=Bucket("day"),
        known=known,
        horizon=HORIZON,
    )
    return panel, base[:, HISTORY:]


PANEL, BASE = make_panel()


@pytest.fixture(scope="module")
def model() -> GradientBoosting:
    return GradientBoosting(horizon=HORIZON).fit(PANEL)


def wide(table: pl.DataFrame) -> dict[str, np.ndarray]:
    n = table.height // (HORIZON * len(PARTS))
    return {
        part: table.filter(pl.col("part") == part)["units"].to_numpy().reshape(n, HORIZON) for part in PARTS
    }


def test_the_parts_sum_to_the_mean(model):
    table = explain_forecast(model, None, HORIZON)
    assert table.columns == ["sku", "location", "date", "part", "units"]
    assert table.height == SERIES * HORIZON * len(PARTS)
    summed = table.group_by("sku", "location", "date", maintain_order=True).agg(pl.col("units").sum())
    expected = model.sample(HORIZON, 1, np.random.default_rng(9)).to_frame()
    assert summed.select("sku", "location", "date").equals(expected.select("sku", "location", "date"))
    np.testing.assert_array_equal(summed["units"].cast(pl.Float32), expected["mean"])
    np.testing.assert_allclose(summed["units"], expected["mean"].cast(pl.Float64), rtol=1e-12)


def test_a_promotion_and_a_price_are_told_where_they_are(model):
    parts = wide(explain_forecast(model, None, HORIZON))
    promotion, price = parts["promotion"], parts["price"]
    assert promotion[:20, PROMOTED].sum() == pytest.approx(2 * BASE[:20, PROMOTED].sum(), rel=0.3)
    assert price[:20, CHEAP].sum() == pytest.approx(BASE[:20, CHEAP].sum(), rel=0.4)
    # Without a promotion or a low price there is nothing to tell, to the bit (step 0 stands beside history).
    assert (promotion[20:, 1:] == 0).all()
    assert (price[20:, 1:] == 0).all()
    # `promotion[+1]` and `[-1]` may say a little beside the promoted step, nothing says more.
    far = [step for step in range(1, HORIZON) if abs(step - PROMOTED) > 1 and step != CHEAP]
    assert (promotion[:20, far] == 0).all()
    assert (price[:20, far] == 0).all()


def test_a_weekend_is_told_as_season(model):
    season = wide(explain_forecast(model, None, HORIZON))["season"]
    weekend = np.array([(HISTORY + step) % 7 >= 5 for step in range(HORIZON)])
    assert season[:, weekend].mean() - season[:, ~weekend].mean() == pytest.approx(
        (BASE[:, weekend].mean() - BASE[:, ~weekend].mean()), rel=0.45
    )


def test_rows_are_those_of_all_and_bytes_repeat(model):
    some = explain_forecast(model, [7, 2], HORIZON)
    every = explain_forecast(model, None, HORIZON)
    for place, row in enumerate((7, 2)):
        for part in PARTS:
            np.testing.assert_array_equal(wide(some)[part][place], wide(every)[part][row])
    assert some.equals(explain_forecast(model, [7, 2], HORIZON))


def test_every_feature_belongs_to_a_part(model):
    parts = {name: part_of(name, model._table) for name in model._table.names}
    assert set(parts.values()) <= set(PARTS)
    assert parts["weekday"] == parts["phase_4"] == "season"
    assert parts["promotion"] == parts["promotion[+1]"] == "promotion"
    assert parts["price_to_usual"] == parts["log_price"] == "price"
    assert (parts["family_trend"], parts["family_phase"]) == ("neighbours", "season")
    assert {name for name, part in parts.items() if part == "other"} <= {"step", "location"}


def test_an_ended_item_has_nothing_to_explain_and_a_model_without_trees_is_all_level():
    ends = np.full(SERIES, Panel.NEVER, np.int32)
    ends[4] = HISTORY + 2
    model = GradientBoosting(horizon=HORIZON).fit(replace(PANEL, ends=ends))
    units = explain_forecast(model, [4], HORIZON)["units"].to_numpy().reshape(HORIZON, -1)
    assert (units[2:] == 0).all()
    assert (units[:2].sum(axis=1) > 0).all()
    short = GradientBoosting(horizon=2).fit(Panel.from_arrays(np.array([[3.0, 4.0, 5.0]])))
    table = explain_forecast(short, None, 2)
    assert (table.filter(pl.col("part") != "level")["units"] == 0).all()
    mean = short.sample(2, 1, np.random.default_rng(0)).mean()[0]
    np.testing.assert_array_equal(table.filter(pl.col("part") == "level")["units"], mean.astype(np.float64))


def test_growth_beyond_its_bound_is_cut_and_still_sums():
    demand = np.full((60, 80), 2.0)
    demand[:, ::4] = 400.0
    model = GradientBoosting(horizon=4).fit(Panel.from_arrays(demand))
    units = explain_forecast(model, None, 4)["units"].to_numpy().reshape(60, 4, -1)
    mean = model.sample(4, 1, np.random.default_rng(0)).mean()
    np.testing.assert_array_equal(units.sum(axis=2).astype(np.float32), mean)
    assert np.isfinite(units).all()


def test_units_follow_the_rule_whatever_the_terms():
    rng = np.random.default_rng(0)
    terms = rng.normal(0, 1.5, (50, 4, 6))
    terms[0], terms[1, :, :] = 0.0, [1, -1, 2, -2, 0.5, -0.5]
    terms[2] = 1e-15
    mean = rng.gamma(1, 20, (50, 4))
    units = additive_units(mean, terms)
    np.testing.assert_allclose(units.sum(axis=2), mean, rtol=1e-10)
    # The level is the mean without any of the terms, and every part has the sign of its term.
    np.testing.assert_allclose(units[:, :, 0], mean * np.exp(-terms.sum(axis=2)), rtol=1e-9, atol=1e-9)
    assert (np.sign(units[:, :, 1:]) == np.sign(terms)).all()


def test_a_row_that_is_not_there_is_refused(model):
    with pytest.raises(UsageError, match="0 to 39; got 40"):
        explain_forecast(model, [40], HORIZON)
