"""Behaviour as a leading indicator: counted by series and bucket, and known up to the origin alone."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from shelfwise.buckets import Bucket
from shelfwise.demand.behaviour import Observed, behaviour_signals
from shelfwise.demand.build import build_panel
from shelfwise.demand.panel import Panel
from shelfwise.forecast import make_forecaster

START = date(2024, 1, 1)
# Two days into a wave of interest, one before it reaches the sales.
PAST = 122
KEYS = pl.DataFrame({"sku": ["a", "a", "b"], "location": ["east", "west", "east"]})


def log(*rows: tuple[str, str | None, int, str, float | None]) -> pl.DataFrame:
    names = ["sku", "location", "day", "action", "value"]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    moments = [datetime(2024, 1, 1, 9) + timedelta(days=day) for day in frame["day"]]
    return frame.drop("day").with_columns(
        timestamp=pl.Series(moments), customer=pl.lit("c"), value=pl.col("value").cast(pl.Float64)
    )


def signals(frame: pl.DataFrame, bucket: str = "day", buckets: int = 4) -> dict[str, Observed]:
    return behaviour_signals(frame, KEYS, Bucket(bucket), START, buckets)


def test_actions_are_counted_for_their_series_and_bucket():
    found = signals(
        log(
            ("a", "east", 0, "view", None),
            ("a", "east", 0, "View", None),
            ("a", "west", 1, "pv", None),
            ("b", "east", 1, "add_to_cart", None),
            ("b", "east", 2, "收藏", None),
            ("b", "east", 3, "sneeze", None),
            ("a", "east", 3, "view", None),
        )
    )
    assert set(found) == {"views", "carts", "wishes"}
    assert found["views"].rows().tolist() == [[2, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert found["carts"].rows().tolist()[2] == [0, 1, 0, 0]
    assert found["wishes"].rows().tolist()[2] == [0, 0, 1, 0]


def test_conversion_and_rating_are_unknown_without_views_and_ratings():
    rows = [("a", "east", 0, "view", None)] * 4 + [("a", "east", 0, "purchase", 2.0)]
    rows += [("a", "east", 1, "rating", 4.0), ("a", "east", 1, "rating", 5.0)]
    found = signals(log(*rows), buckets=2)
    assert found["conversion"].rows()[0, 0] == 0.25
    assert np.isnan(found["conversion"].rows()[0, 1])
    assert found["rating"].rows()[0, 1] == 4.5
    assert np.isnan(found["rating"].rows()[0, 0])


def test_what_was_not_recorded_is_not_zero():
    rows = [("a", "east", day, "view", None) for day in (9, 10, 15, 30)]
    weeks = signals(log(*rows), "week", 5)["views"].rows()[0]
    # The log begins on a Wednesday of week 1 and is silent in week 3.
    np.testing.assert_array_equal(weeks, [np.nan, np.nan, 1, np.nan, 1])


def test_rows_of_a_place_nobody_sells_at_count_for_the_item_everywhere():
    found = signals(log(("a", "main", 0, "view", None), ("a", None, 0, "view", None)), buckets=1)
    assert found["views"].rows()[:, 0].tolist() == [2, 2, 0]
    assert found["views"].values.shape[0] == 2


def test_nothing_useful_gives_nothing():
    assert signals(log(("a", "east", 90, "view", None))) == {}
    assert signals(log(("a", "east", 0, "sneeze", None))) == {}


def test_a_panel_cuts_and_picks_its_signals():
    rows = [("a", "east", day, "view", None) for day in range(4)] + [("b", "east", 2, "view", None)]
    found = signals(log(*rows))
    panel = Panel.from_arrays(np.ones((3, 4)), bucket=Bucket("day"))
    panel = Panel(KEYS, panel.bucket, panel.start, panel.sold, panel.on_sale, panel.demand, observed=found)
    assert panel.until(2).observed["views"].values.shape[1] == 2
    assert panel.take(np.array([2, 0])).observed["views"].rows().tolist() == [[0, 0, 1, 0], [1, 1, 1, 1]]


def shop_with_a_log(make_dataset, scrambled: bool = False, early: bool = False):
    """Interest of the last three days says what the next ones sell."""
    rng = np.random.default_rng(3)
    days, skus = 130, [f"s{number:02d}" for number in range(30)]
    # Interest comes in waves of ten days, differently for each item; sales follow three days later.
    waves = rng.gamma(0.7, 8.0, (len(skus), 1 + days // 10)).repeat(10, axis=1)[:, :days]
    sold = rng.poisson(np.hstack([waves[:, :3], waves[:, :-3]]))
    views = rng.poisson(4 * waves)
    as_of = date(2024, 1, 1) + timedelta(days=PAST)
    sales = [
        {"sku": sku, "date": START + timedelta(days=day), "quantity": float(sold[row, day])}
        for row, sku in enumerate(skus)
        for day in range(days)
    ]
    when = [
        (sku, START + timedelta(days=day), int(views[row, day]))
        for row, sku in enumerate(skus)
        for day in range(days)
    ]
    frame = pl.DataFrame(when, schema=["sku", "date", "n"], orient="row")
    edge = as_of - timedelta(days=30) if early else as_of
    if scrambled:
        noise = pl.Series(rng.integers(0, 200, len(frame)))
        frame = frame.with_columns(n=pl.when(pl.col("date") >= edge).then(noise).otherwise("n"))
    frame = frame.select(
        pl.col("sku").repeat_by("n").list.explode(),
        pl.col("date").repeat_by("n").list.explode().cast(pl.Datetime("us")).alias("timestamp"),
    ).drop_nulls()
    frame = frame.with_columns(customer=pl.lit("c"), action=pl.lit("view"), location=pl.lit("main"))
    return make_dataset(bucket="day", sales=sales, behaviour=frame), as_of, sold[:, PAST : PAST + 3]


def forecast(dataset, as_of) -> bytes:
    panel = build_panel(dataset, as_of, 3)
    model = make_forecaster("gbm").fit(panel)
    return model.sample(3, 20, np.random.default_rng(0)).paths.tobytes()


def test_scrambling_behaviour_after_as_of_changes_no_byte(make_dataset):
    dataset, as_of, _ = shop_with_a_log(make_dataset)
    scrambled, _, _ = shop_with_a_log(make_dataset, scrambled=True)
    assert not dataset.table("behaviour").equals(scrambled.table("behaviour"))
    assert forecast(dataset, as_of) == forecast(scrambled, as_of)


def test_scrambling_behaviour_before_as_of_does_change_the_forecast(make_dataset):
    dataset, as_of, _ = shop_with_a_log(make_dataset)
    scrambled, _, _ = shop_with_a_log(make_dataset, scrambled=True, early=True)
    assert forecast(dataset, as_of) != forecast(scrambled, as_of)


def test_a_signal_that_leads_makes_the_forecast_better(make_dataset):
    dataset, as_of, truth = shop_with_a_log(make_dataset)
    panel = build_panel(dataset, as_of, 3)
    blind = Panel(**{**vars(panel), "observed": {}})
    errors = [
        np.abs(make_forecaster("gbm").fit(given).sample(3, 50, np.random.default_rng(0)).mean() - truth).sum()
        for given in (panel, blind)
    ]
    assert errors[0] < 0.85 * errors[1]


@pytest.mark.parametrize("origin", [20, 40])
def test_features_of_an_origin_read_nothing_later(origin):
    from shelfwise.forecast.gbm.signals import OriginSignals

    rng = np.random.default_rng(0)
    values = rng.poisson(5, (3, 60)).astype(np.float32)
    later = values.copy()
    later[:, origin:] = np.nan
    group, rows = np.arange(3, dtype=np.int32), np.arange(3)
    origins, level = np.full(3, origin), np.ones(3, np.float32)
    columns = []
    for signal in (values, later):
        panel = Panel.from_arrays(np.ones((3, 60)), bucket=Bucket("day"))
        panel = Panel(**{**vars(panel), "observed": {"views": Observed(signal, group)}})
        columns.append(np.array(OriginSignals(panel).build(rows, origins, level)))
    np.testing.assert_array_equal(*columns)
    assert np.isfinite(columns[0]).all()
    assert len(columns[0]) == len(OriginSignals(panel).names)
