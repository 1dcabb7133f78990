"""New items are forecast from launches like them, better than from the shop's usual newcomer."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from shelfwise.buckets import Bucket
from shelfwise.demand.panel import Known, Panel
from shelfwise.forecast.gbm.forecaster import GradientBoosting
from shelfwise.forecast.likeness import Traits
from shelfwise.forecast.newcomers import NewItemForecaster

OLD, LAUNCHED, NEW, BUCKETS, HORIZON = 30, 120, 40, 104, 8
LEVELS = {"tea": 3.0, "toys": 12.0, "phones": 45.0}


def launch_shop(seed: int = 0, new: int = NEW) -> tuple[Panel, np.ndarray]:
    """Weekly launches: the category sets the level, a high price lowers it, curves rise and settle.

    A colour means nothing. The last `new` series start at as_of; returns what they will sell.
    """
    rng = np.random.default_rng(seed)
    n = OLD + LAUNCHED + new
    category = rng.choice(list(LEVELS), n)
    price = rng.choice([5.0, 10.0, 20.0, 40.0], n)
    level = np.array([LEVELS[name] for name in category]) * (price / 10) ** -0.7 * rng.lognormal(0, 0.4, n)
    first = np.concatenate(
        [np.zeros(OLD, int), rng.integers(10, BUCKETS - 4, LAUNCHED), np.full(new, BUCKETS)]
    )
    age = np.arange(BUCKETS + HORIZON)[None, :] - first[:, None]
    shape = 1.0 + 1.5 * np.exp(-np.maximum(age, 0) / 4.0)
    sold = rng.negative_binomial(4, 4 / (4 + level[:, None] * shape)).astype(np.float32)
    demand = np.where(age >= 0, sold, np.nan).astype(np.float32)
    every = np.arange(n, dtype=np.int32)
    paid = np.repeat(price[:, None].astype(np.float32), BUCKETS + HORIZON, axis=1)
    panel = Panel.from_arrays(
        demand[:, :BUCKETS], known={"price": Known(paid, every)}, horizon=HORIZON, bucket=Bucket("week")
    )
    static = pl.DataFrame({"category": category, "colour": rng.choice(["red", "blue", "green"], n)})
    return replace(panel, static=static, launched=first.astype(np.int32)), demand[-new:, BUCKETS:]


def newcomers(panel: Panel) -> np.ndarray:
    return np.flatnonzero(~np.isfinite(panel.demand).any(axis=1))


def median_level(panel: Panel) -> float:
    """The median over the shop's launches of what they sold a week in their first weeks."""
    rows = np.flatnonzero((panel.launched > 6) & (panel.launched <= BUCKETS - HORIZON))
    opening = [panel.demand[row, panel.launched[row] :][:HORIZON].mean() for row in rows]
    return float(np.median(opening))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_beats_the_shops_median_newcomer(seed):
    panel, truth = launch_shop(seed)
    model = NewItemForecaster().fit(panel)
    scenarios = model.sample(HORIZON, 400, np.random.default_rng(0), rows=newcomers(panel))
    usual = np.full(NEW, HORIZON * median_level(panel))
    total = truth.sum(axis=1)
    own = np.abs(np.median(scenarios.total(0, HORIZON), axis=1) - total).sum()
    assert own < 0.6 * np.abs(usual - total).sum()
    assert abs(scenarios.mean().sum() / total.sum() - 1) < 0.3


def test_the_intervals_are_wide_enough_and_not_useless():
    inside, widths = [], []
    for seed in range(4):
        panel, truth = launch_shop(seed)
        model = NewItemForecaster().fit(panel)
        total = model.sample(HORIZON, 600, np.random.default_rng(0), rows=newcomers(panel)).total(0, HORIZON)
        low, high = np.quantile(total, [0.1, 0.9], axis=1)
        inside.append((truth.sum(axis=1) >= low) & (truth.sum(axis=1) <= high))
        widths.append(np.log((high + 1) / (low + 1)))
    assert 0.72 <= np.mean(inside) <= 0.95
    # Narrower than the spread of all launches, wider than that of an item that is known.
    assert np.log(2) < np.mean(widths) < np.log(12)


def test_the_curve_of_a_launch_is_followed():
    panel, truth = launch_shop(3)
    mean = (
        NewItemForecaster()
        .fit(panel)
        .sample(HORIZON, 10, np.random.default_rng(0), rows=newcomers(panel))
        .mean()
    )
    fall = mean[:, -2:].sum() / mean[:, :2].sum()
    assert fall == pytest.approx(truth[:, -2:].sum() / truth[:, :2].sum(), abs=0.2)
    assert fall < 0.8


def test_a_telling_attribute_counts_and_a_colour_does_not():
    model = NewItemForecaster().fit(launch_shop(0)[0])
    weights = model._weights
    assert weights["category"] > 0.3
    assert weights["price"] > 0.03
    assert weights["colour"] < 0.05
    assert weights["sku"] < 0.05


def test_the_reason_names_the_items_and_says_why_it_is_wide():
    panel, _ = launch_shop(0)
    model = NewItemForecaster().fit(panel)
    row = int(newcomers(panel)[0])
    reason = model.reasons(np.array([row]))[0]
    named = [key.split("@")[0] for key in reason.split("first ")[1].split(" (")[0].split(", ")]
    skus = panel.keys["sku"].to_list()
    assert len(named) == 3
    for sku in named:
        assert panel.static["category"][skus.index(sku)] == panel.static["category"][row]
    assert "the same category" in reason
    assert f"factor of {np.exp(model.spread):.1f}" in reason


def test_rows_chunks_and_order_do_not_matter_and_seeds_do():
    panel, _ = launch_shop(1)
    model, rows = NewItemForecaster().fit(panel), newcomers(panel)
    whole = model.sample(4, 30, np.random.default_rng(1), rows=rows)
    some = model.sample(4, 30, np.random.default_rng(1), rows=rows[[3, 1]])
    np.testing.assert_array_equal(some.paths, whole.paths[[3, 1]])
    order = np.random.default_rng(2).permutation(panel.n_series)
    place = np.argsort(order)
    shuffled = (
        NewItemForecaster().fit(panel.take(order)).sample(4, 30, np.random.default_rng(1), rows=place[rows])
    )
    np.testing.assert_array_equal(shuffled.paths, whole.paths)
    np.testing.assert_array_equal(shuffled.mean(), whole.mean())
    assert not np.array_equal(model.sample(4, 30, np.random.default_rng(2), rows=rows).paths, whole.paths)


def test_an_item_already_launched_is_guessed_without_looking_at_it():
    panel, _ = launch_shop(0)
    row = OLD + 5
    other = panel.demand.copy()
    other[row, panel.launched[row] :] = 5000
    first = NewItemForecaster().fit(panel)
    guess = first.sample(4, 20, np.random.default_rng(0), rows=[row]).mean()
    assert f"s{row:07d}" not in first.reasons(np.array([row]))[0]
    spiked = NewItemForecaster().fit(replace(panel, demand=other))
    again = spiked.sample(4, 20, np.random.default_rng(0), rows=[row]).mean()
    # Its spread and weights may learn from the spike; its own forecast does not follow it.
    assert again.max() < 5 * guess.max()


def test_one_wild_launch_does_not_carry_the_others_away():
    panel, _ = launch_shop(2)
    wild = panel.demand.copy()
    wild[OLD + 3] *= 10_000
    rows = newcomers(panel)
    calm = NewItemForecaster().fit(panel).sample(HORIZON, 50, np.random.default_rng(0), rows=rows).mean()
    spiked = NewItemForecaster().fit(replace(panel, demand=wild))
    after = spiked.sample(HORIZON, 50, np.random.default_rng(0), rows=rows).mean()
    assert np.median(after / calm) < 1.5
    assert after.sum() < 3 * calm.sum()


def test_weekdays_fall_on_weekdays():
    rng = np.random.default_rng(0)
    buckets, n = 140, 30
    first = rng.integers(30, 100, n)
    weekend = np.arange(buckets + 14) % 7 >= 5
    demand = np.where(weekend, 30.0, 10.0)[None, :buckets].repeat(n + 1, axis=0)
    demand[np.arange(buckets)[None, :] < np.append(first, buckets)[:, None]] = np.nan
    panel = Panel.from_arrays(demand, bucket=Bucket("day"), start=date(2024, 1, 1))
    mean = NewItemForecaster().fit(panel).sample(14, 5, np.random.default_rng(0), rows=[n]).mean()[0]
    np.testing.assert_allclose(mean, np.where(weekend[buckets:], 30.0, 10.0), rtol=1e-6)


def test_a_launch_to_come_sells_nothing_before_it():
    panel, _ = launch_shop(0)
    row = int(newcomers(panel)[0])
    launched = panel.launched.copy()
    launched[row] = BUCKETS + 3
    later = NewItemForecaster().fit(replace(panel, launched=launched))
    scenarios = later.sample(HORIZON, 40, np.random.default_rng(0), rows=[row])
    assert (scenarios.paths[0, :, :3] == 0).all()
    assert (scenarios.mean()[0, 3:] > 0).all()
    soon = NewItemForecaster().fit(panel).sample(HORIZON, 40, np.random.default_rng(0), rows=[row])
    np.testing.assert_allclose(scenarios.mean()[0, 3:], soon.mean()[0, : HORIZON - 3], rtol=1e-6)


@pytest.mark.parametrize(
    "demand",
    [
        np.full((3, 20), np.nan),
        np.vstack([np.full(30, np.nan), np.ones((2, 30))]),
        np.array([[np.nan], [3.0]]),
        np.vstack([np.full(40, np.nan), np.zeros((9, 40))]),
    ],
    ids=["nothing at all", "no launch on record", "one bucket", "all zeros"],
)
def test_alive_on_almost_nothing(demand):
    panel = Panel.from_arrays(demand)
    model = NewItemForecaster().fit(panel)
    scenarios = model.sample(5, 40, np.random.default_rng(0))
    assert np.isfinite(scenarios.paths).all()
    assert (scenarios.paths >= 0).all()
    assert model.reasons(np.array([0]))[0].startswith("no history")


def test_missing_attributes_and_prices_are_no_obstacle():
    panel, _ = launch_shop(0)
    static = panel.static.with_columns(
        category=pl.when(pl.int_range(pl.len()) % 3 == 0).then(None).otherwise("category"),
        weight=pl.lit(None, pl.Float64),
        size=pl.Series(np.where(np.arange(panel.n_series) % 2, 1.5, np.nan)),
    )
    price = panel.known["price"].values.copy()
    price[::4] = np.nan
    bare = replace(panel, static=static, known={"price": Known(price, panel.known["price"].group)})
    model = NewItemForecaster().fit(bare)
    assert np.isfinite(model.sample(4, 20, np.random.default_rng(0)).paths).all()
    assert np.isfinite(list(model._weights.values())).all()
    traits = Traits.of(bare, model._starts)
    rows = np.arange(6)
    apart = traits.distance(rows, rows, model._weights)
    np.testing.assert_allclose(apart, apart.T)


def test_the_boosted_model_asks_for_rows_without_history_alone():
    panel, truth = launch_shop(4)
    rows, total = newcomers(panel), truth.sum(axis=1)
    boosted = GradientBoosting(horizon=HORIZON).fit(panel)
    scenarios = boosted.sample(HORIZON, 100, np.random.default_rng(0))
    usual = np.abs(HORIZON * median_level(panel) - total).sum()
    assert np.abs(scenarios.mean()[rows].sum(axis=1) - total).sum() < 0.7 * usual
    assert set(boosted.failures) == set(rows.tolist())
    assert all("guessed from the launches of" in reason for reason in boosted.failures.values())
    seen = np.setdiff1d(np.arange(panel.n_series), rows)
    # What is forecast from its own history does not change with the newcomers beside it.
    np.testing.assert_array_equal(
        boosted.sample(HORIZON, 100, np.random.default_rng(0), rows=seen).paths, scenarios.paths[seen]
    )
