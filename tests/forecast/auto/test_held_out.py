"""Held-out forecasts know nothing of what they are judged on."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelfwise.demand.panel import Known, Panel
from shelfwise.demand.shortages import Shortages
from shelfwise.errors import UsageError
from shelfwise.evaluate.metrics import mean_pinball, wape
from shelfwise.forecast.auto.budget import Budget
from shelfwise.forecast.auto.candidates import candidates_for
from shelfwise.forecast.auto.competition import compete
from shelfwise.forecast.auto.held_out import (
    LEVELS,
    held_out_forecasts,
    held_out_horizon,
    known_at,
    rolling_origins,
    series_losses,
)
from shelfwise.forecast.calibration import Calibrated
from shelfwise.forecast.challenge import champion_and_challenger
from shelfwise.forecast.moving_average import MovingAverage
from shelfwise.forecast.naive import SeasonalNaive


@given(st.integers(1, 200), st.integers(0, 60), st.integers(1, 6))
def test_origins_leave_half_of_history_before_and_a_horizon_after(buckets, horizon, count):
    horizon = min(horizon, buckets // 3)
    origins = rolling_origins(buckets, horizon, count)
    assert origins == sorted(set(origins))
    assert len(origins) <= count
    if horizon:
        assert origins[-1] == buckets - horizon
        assert origins[0] >= max(1, buckets // 2)
    else:
        assert not origins


def test_horizon_is_what_is_asked_for_as_far_as_history_allows():
    panel = Panel.from_arrays(np.ones((2, 30)))
    assert held_out_horizon(panel) == 10
    assert held_out_horizon(panel, 4) == 4
    assert held_out_horizon(Panel.from_arrays(np.ones((2, 2)))) == 0
    with pytest.raises(UsageError, match="at least 1"):
        held_out_horizon(panel, 0)


def test_known_ahead_reaches_a_horizon_and_no_further():
    price = np.arange(34, dtype=np.float32)[None, :]
    known = {"price": Known(price, np.zeros(2, np.int32))}
    panel = Panel.from_arrays(np.ones((2, 30)), known=known, horizon=4)
    cut = known_at(panel, 20, 6)
    assert (cut.n_buckets, cut.horizon) == (20, 6)
    assert cut.known["price"].values.tolist() == [list(range(26))]


def test_forecasts_do_not_see_what_happened_after_their_origin():
    rng = np.random.default_rng(0)
    demand = rng.poisson(6, (5, 60)).astype(np.float32)
    other = demand.copy()
    other[:, 52:] = 999
    said = [
        next(held_out_forecasts(MovingAverage(), Panel.from_arrays(d), [52], 8, 30, 0))
        for d in (demand, other)
    ]
    assert said[0].scenarios.paths.tobytes() == said[1].scenarios.paths.tobytes()
    assert (said[1].actual == 999).all()


def test_losses_are_those_of_the_metrics():
    rng = np.random.default_rng(0)
    demand = rng.poisson(6, (5, 60)).astype(np.float32)
    demand[2, 55] = np.nan
    panel = replace(Panel.from_arrays(demand))
    for held in held_out_forecasts(MovingAverage(), panel, [44, 52], 8, 50, 0):
        loss, total = series_losses(held, "wape")
        assert loss.sum() / total.sum() == pytest.approx(wape(held.actual, held.scenarios.mean()), rel=1e-5)
        loss, _ = series_losses(held, "pinball")
        known = np.isfinite(held.actual).sum()
        plain = mean_pinball(held.actual, held.scenarios.quantile(LEVELS), LEVELS)
        assert loss.sum() / known == pytest.approx(plain, rel=1e-5)


class TooHigh(MovingAverage):
    """Twice the moving average."""

    name: ClassVar[str] = "too_high"

    def _sample_rows(self, rows, horizon, n_samples, root):
        paths, expected = super()._sample_rows(rows, horizon, n_samples, root)
        return 2 * paths, 2 * expected


def imputed(draw: float) -> Panel:
    """Ten series of 60 weeks, the last two out of stock since week 40 and filled with `draw`."""
    demand = np.random.default_rng(3).poisson(6, (10, 60)).astype(np.float32)
    panel = Panel.from_arrays(demand)
    row, column = np.repeat([8, 9], 20), np.tile(np.arange(40, 60), 2)
    made_up = np.full(40, draw, np.float32)
    shortages = Shortages(row, column, made_up, np.full(40, np.nan, np.float32), np.zeros(40, bool))
    return replace(panel, demand=shortages.written(made_up, demand), shortages=shortages)


def test_nobody_is_judged_by_demand_that_was_made_up():
    panel = imputed(500.0)
    held = next(held_out_forecasts(MovingAverage(), panel, [52], 8, 30, 0))
    assert np.isnan(held.actual[8:]).all()
    assert np.isfinite(held.actual[:8]).all()
    decision = champion_and_challenger(lambda: SeasonalNaive(7), MovingAverage, panel, horizon=8, origins=2)
    assert decision.series == 8
    candidates, _ = candidates_for(panel, ["moving_average", "seasonal_naive"])
    evidence, _, _ = compete(panel, candidates, 8, 0, Budget(None, lambda: 0.0))
    assert evidence is not None
    assert all(round_.actual[np.isfinite(round_.actual)].max() < 100 for round_ in evidence.rounds)
    assert evidence.demand.sum() < 100 * evidence.cells.sum()


def test_calibration_is_learnt_from_records_alone():
    """Whatever was made up for them, series that nothing is recorded of leave the correction of others alone."""
    said = [Calibrated(TooHigh, horizon=8).fit(imputed(draw)).gain for draw in (6.0, 500.0)]
    assert said[0] is not None
    assert said[0] > 0
    assert said[0] == said[1]
