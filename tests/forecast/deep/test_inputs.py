"""What a network reads: nothing from the future, nothing of masked sales, and each column what it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from shelfwise.buckets import Bucket
from shelfwise.demand.behaviour import Observed
from shelfwise.demand.panel import Known, Panel
from shelfwise.forecast.deep.attributes import codes, vocabulary
from shelfwise.forecast.deep.covariates import CovariateNames, Covariates
from shelfwise.forecast.deep.inputs import InputNames, InputTable
from shelfwise.forecast.deep.last_year import log_ratio, year_before
from shelfwise.forecast.scaling import fit_scaler

BUCKETS, HORIZON, SERIES = 120, 6, 6


def shop(demand: np.ndarray | None = None) -> Panel:
    rng = np.random.default_rng(3)
    width, each = BUCKETS + HORIZON, np.arange(SERIES, dtype=np.int32)
    if demand is None:
        demand = rng.poisson(8.0, (SERIES, BUCKETS)).astype(np.float32)
    known = {
        "promotion": Known((rng.random((SERIES, width)) < 0.2).astype(np.float32), each),
        "price": Known(rng.choice([8.0, 6.0], (SERIES, width)).astype(np.float32), each),
        "days_to_fair": Known(np.arange(width, 0, -1, dtype=np.float32)[None], 0 * each),
    }
    panel = Panel.from_arrays(
        demand, known=known, horizon=HORIZON, start=date(2023, 1, 2), bucket=Bucket("week")
    )
    views = rng.poisson(30.0, (SERIES, BUCKETS)).astype(np.float32)
    static = pl.DataFrame({"category": ["tea", "tea", "mugs", "mugs", None, "tea"], "size": [0.5] * SERIES})
    return replace(panel, observed={"views": Observed(views, each)}, static=static)


def columns(table: InputTable, step: int, origin: int) -> np.ndarray:
    """(N, F) everything read before bucket `step` by a forecast made at `origin`."""
    rows = np.arange(SERIES)
    readings, _ = table.remember(table.demand)
    steps, origins = np.full((SERIES, 1), step), np.full(SERIES, origin)
    known = table.known_columns(rows, steps, origins, table.demand, readings)
    return np.hstack([table.memory_columns(readings[:, step], None, rows), known[:, 0]])


def test_the_number_of_columns_is_the_number_of_columns():
    table = InputTable(shop())
    assert columns(table, 100, 100).shape == (SERIES, table.n_columns)
    assert np.isfinite(columns(table, 0, 0)).all()
    assert np.abs(columns(table, 100, 100)).max() < 10


@pytest.mark.parametrize("step", [1, 40, 90, BUCKETS - 1])
def test_nothing_is_read_of_the_bucket_that_is_forecast_or_of_later_ones(step):
    calm = shop()
    demand, views = calm.demand.copy(), calm.observed["views"].values.copy()
    demand[:, step:], views[:, step:] = 1e5, 1e5
    wild = replace(calm, demand=demand, observed={"views": Observed(views, calm.observed["views"].group)})
    names = InputTable(calm).names
    # The level of newcomers is the shop's own and is compared as such.
    tables = [InputTable(panel, names) for panel in (calm, wild)]
    tables[1].prior = tables[0].prior
    np.testing.assert_array_equal(columns(tables[0], step, step), columns(tables[1], step, step))


def test_what_was_seen_while_masked_is_not_read():
    demand = np.random.default_rng(4).poisson(8.0, (SERIES, BUCKETS)).astype(np.float32)
    demand[:, 50:60] = np.nan
    one = shop(demand)
    other = replace(one, sold=np.where(np.isnan(demand), 99.0, one.sold).astype(np.float32))
    np.testing.assert_array_equal(
        columns(InputTable(one), 61, 61), columns(InputTable(other, InputTable(one).names), 61, 61)
    )


def test_an_unknown_bucket_is_read_as_one_at_the_level():
    demand = np.full((SERIES, BUCKETS), 8.0, np.float32)
    demand[0, 99] = np.nan
    table = InputTable(shop(demand))
    read = columns(table, 100, 100)
    assert read[0, :2] == pytest.approx([0.0, 0.0], abs=1e-6)
    assert read[1, :2] == pytest.approx([0.0, 1.0], abs=1e-6)
    np.testing.assert_allclose(read[0, 2:7], read[1, 2:7], atol=1e-3)


def test_signals_of_behaviour_end_at_the_origin():
    panel = shop()
    names = CovariateNames.of(panel)
    rows, steps = np.arange(SERIES), np.tile(np.arange(80, 100), (SERIES, 1))
    read = Covariates(panel, names).read(rows, steps, np.full(SERIES, 90))
    views, age = names.columns.index("views"), names.columns.index("signal_age")
    assert (read[:, 10:, views] == read[:, 10:11, views]).all()
    assert (np.diff(read[:, 10:, age], axis=1) > 0).all()
    assert (read[:, :11, age] == 0).all()
    assert (read[:, :10, views] != read[:, 10:11, views]).any()


def test_what_is_known_ahead_is_read_at_its_own_bucket():
    panel = shop()
    names = CovariateNames.of(panel)
    rows, steps = np.arange(SERIES), np.tile(np.arange(BUCKETS + HORIZON + 3), (SERIES, 1))
    read = Covariates(panel, names).read(rows, steps, np.full(SERIES, BUCKETS))
    flag, ahead = names.columns.index("promotion"), names.columns.index("promotion[+1]")
    planned = panel.known["promotion"].values
    np.testing.assert_array_equal(read[:, : BUCKETS + HORIZON, flag], planned)
    np.testing.assert_array_equal(read[:, : BUCKETS + HORIZON - 1, ahead], planned[:, 1:])
    # Beyond what was prepared nothing is planned, and everything stays a number.
    assert (read[:, BUCKETS + HORIZON :, flag] == 0).all()
    assert np.isfinite(read).all()
    assert np.abs(read[:, :, names.columns.index("days_to_fair")]).max() <= 1.1
    price = read[:, 30, names.columns.index("price_to_usual")]
    values = panel.known["price"].values
    np.testing.assert_allclose(
        price, np.log(values[:, 30]) - np.log(values[:, 17:30]).mean(axis=1), rtol=1e-4
    )


def test_a_panel_that_lacks_columns_still_gives_them():
    full = InputTable(shop())
    bare = InputTable(replace(shop(), known={}, observed={}, static=pl.DataFrame()), full.names)
    assert columns(bare, 100, 100).shape == columns(full, 100, 100).shape
    assert (bare.codes[:, 1:] == 0).all()


def test_names_survive_plain_text():
    names = InputTable(shop()).names
    assert InputNames.from_json(names.as_json()) == names


def test_codes_begin_at_one_and_strangers_are_zero():
    panel = shop()
    words = vocabulary(panel)
    assert words == {"category": ["mugs", "tea"]}
    assert codes(panel, words)[:, 0].tolist() == [2, 2, 1, 1, 0, 2]
    stranger = replace(panel, static=panel.static.with_columns(category=pl.lit("lamps")))
    assert (codes(stranger, words) == 0).all()


def test_last_year_is_looked_up_where_it_lies_in_history():
    steps = np.arange(0, 400)
    found = year_before(steps, 52, 1, 120)
    assert ((steps - found) % 52 == 0).all()
    assert (found < steps).all()
    assert (found + 1 < 120).all()
    assert (found[steps < 170] == steps[steps < 170] - 52).sum() == 170


def test_a_season_shows_in_the_ratio_of_the_year_before():
    season = 1.0 + (np.arange(BUCKETS) % 52 == 30)
    demand = np.repeat((10.0 * season)[None], SERIES, axis=0).astype(np.float32)
    table = InputTable(shop(demand))
    at = table.n_memory_columns
    calm, peak = columns(table, 52 + 25, 77)[0], columns(table, 52 + 30, 82)[0]
    assert calm[at] == pytest.approx(0.0, abs=0.01)
    # The mean of a peak of two and its calm neighbours.
    assert peak[at] == pytest.approx(np.log((4 / 3 + 0.05) / 1.05), abs=0.02)
    assert peak[at + 1] == 1.0
    assert columns(table, 20, 20)[0, at : at + 2].tolist() == [0.0, 0.0]


def test_a_group_is_read_against_the_levels_of_those_who_were_there():
    demand = np.full((SERIES, BUCKETS), 4.0, np.float32)
    demand[3, :35] = np.nan
    demand[3, 35:] = 400.0
    table = InputTable(shop(demand))
    shop_column = table.n_memory_columns + 2 + table.names.groups.index("shop")
    # The newcomer sells a hundred times as much, from one bucket to the next, at a level of its own.
    assert columns(table, 52 + 60, 112)[0, shop_column] == pytest.approx(0.0, abs=0.05)


def test_log_ratios_are_bounded_and_unknown_ones_are_nothing():
    ratio = log_ratio(np.array([[0.0, np.nan, 1e9, 5.0]]), np.array([[5.0, 5.0, 0.01, 5.0]]))
    np.testing.assert_allclose(ratio, [[-3.0, 0.0, 3.0, 0.0]], atol=1e-12)


def test_scaled_columns_are_on_the_scalers_scale():
    demand = np.random.default_rng(5).uniform(0, 30, (SERIES, BUCKETS)).astype(np.float32)
    table = InputTable(shop(demand))
    scaler = fit_scaler("min_max", table.demand)
    readings, _ = table.remember(table.demand)
    made = table.memory_columns(readings[:, 80], scaler, np.arange(SERIES))
    last = table.demand[:, 79]
    np.testing.assert_allclose(scaler.inverse(made[:, 0].astype(float)), last, rtol=1e-5, atol=1e-5)
    assert (made[:, 1] == 1.0).all()


def test_what_is_sold_in_fractions_reads_the_same_in_any_unit():
    rng = np.random.default_rng(4)
    counts, kilos = rng.poisson(5, (4, 60)), rng.gamma(9.0, 0.05, (2, 60))
    tables = [InputTable(Panel.from_arrays(np.vstack([counts, kilos * unit]))) for unit in (1.0, 1e-3, 10.0)]
    assert tables[0].parts[:4].tolist() == [1.0] * 4
    assert tables[0].demand[:4].tolist() == counts.tolist()
    assert {table.prior for table in tables} == {InputTable(Panel.from_arrays(counts)).prior}
    for table in tables[1:]:
        assert columns(table, 50, 50) == pytest.approx(columns(tables[0], 50, 50), abs=1e-5)


def test_a_network_saved_before_fractions_were_told_apart_counts_them():
    plain = InputTable(shop()).names.as_json()
    assert InputNames.from_json(plain).in_parts
    plain.pop("in_parts")
    kilos = Panel.from_arrays(np.random.default_rng(4).gamma(9.0, 0.05, (3, 60)))
    assert InputTable(kilos, InputNames.from_json(plain)).parts.tolist() == [1.0] * 3
