"""Rolling origins and the contest: who is fitted when, on what, and what becomes of a model that fails."""

from __future__ import annotations

import numpy as np
import pytest

from shelfwise.demand.panel import Panel
from shelfwise.errors import UsageError
from shelfwise.evaluate.contest import SCORES, ForecastContest
from shelfwise.evaluate.rolling import RollingForecast
from shelfwise.forecast.base import Forecaster
from shelfwise.forecast.moving_average import MovingAverage

HISTORY, WINDOW = 20, 8
DEMAND = np.random.default_rng(2).poisson(6.0, (3, HISTORY + WINDOW)).astype(np.float32)
WHOLE = Panel.from_arrays(DEMAND)
OPTIONS = {"horizon": 3, "n_samples": 10}


def panel_at(t):
    return WHOLE.until(HISTORY + t)


class Clock(Forecaster):
    """Forecasts the number of each bucket, so that a misplaced origin shows."""

    name = "clock"

    def fit(self, panel):
        self.panel = panel
        return self

    def _sample_rows(self, rows, horizon, n_samples, root):
        step = (self.panel.n_buckets + np.arange(horizon)).astype(np.float32)
        return np.broadcast_to(step, (len(rows), n_samples, horizon)).copy(), None


class Spy(Clock):
    """Notes each call: what it was, and in which bucket of the window."""

    name = "moving_average"

    def __init__(self, calls):
        super().__init__()
        self.calls = calls

    def fit(self, panel):
        self.calls.append(("fit", panel.n_buckets - HISTORY))
        return super().fit(panel)

    def update(self, panel):
        self.calls.append(("update", panel.n_buckets - HISTORY))
        return super().update(panel)


class NoPaths(MovingAverage):
    """Gives no number for the first series."""

    name = "no_paths"

    def _sample_rows(self, *given):
        paths, expected = super()._sample_rows(*given)
        paths[0] = np.nan
        return paths, expected


class Raises(MovingAverage):
    """Fails in one of its three duties."""

    name = "raises"

    def __init__(self, duty):
        super().__init__()
        self.duty = duty

    def fit(self, panel):
        return self._do("fit", super().fit, panel)

    def update(self, panel):
        return self._do("update", super().update, panel)

    def _sample_rows(self, *given):
        return self._do("sample", super()._sample_rows, *given)

    def _do(self, duty, work, *given):
        if duty == self.duty:
            raise ValueError("boom")
        return work(*given)


def test_it_is_fitted_anew_only_when_it_is_time():
    calls = []
    rolling = RollingForecast(panel_at, lambda: Spy(calls), refit_every=3, **OPTIONS)
    for t in (0, 1, 1, 2, 3, 5, 7):
        rolling(t)
    assert calls == [("fit", 0), ("update", 1), ("update", 2), ("fit", 3), ("update", 5), ("fit", 7)]


def test_an_origin_sees_nothing_of_its_own_bucket_or_later():
    rolling = RollingForecast(panel_at, MovingAverage, **OPTIONS)
    changed = DEMAND.copy()
    changed[:, HISTORY + 2 :] += 1000.0
    other = RollingForecast(lambda t: Panel.from_arrays(changed).until(HISTORY + t), MovingAverage, **OPTIONS)
    for t in (0, 1, 2):
        panel, scenarios = rolling(t)
        assert panel.n_buckets == HISTORY + t
        assert scenarios.start == panel.as_of == WHOLE.until(HISTORY + t).as_of
        np.testing.assert_array_equal(scenarios.paths, other(t)[1].paths)
    assert not np.array_equal(rolling(3)[1].paths, other(3)[1].paths)


def test_errors_compare_each_bucket_with_its_own_forecast():
    rolling = RollingForecast(panel_at, Clock, **OPTIONS)
    for t in range(WINDOW):
        rolling(t)
    truth = np.broadcast_to(HISTORY + np.arange(WINDOW, dtype=float), (3, WINDOW))
    assert rolling.errors(truth) == {"wape": 0.0, "bias": 0.0, "pinball": 0.0}
    assert rolling.coverage(truth)["below"].to_list() == [0.0] * 7
    assert rolling.coverage(truth)["at_or_below"].to_list() == [1.0] * 7
    assert rolling.errors(truth + 1.0)["wape"] > 0


def test_without_a_model_there_is_a_panel_and_nothing_else():
    rolling = RollingForecast(panel_at, None, **OPTIONS)
    panel, scenarios = rolling(4)
    assert panel.n_buckets == HISTORY + 4
    assert scenarios is None
    assert rolling.errors(DEMAND[:, HISTORY:]) == {}
    assert rolling.coverage(DEMAND[:, HISTORY:]).is_empty()
    with pytest.raises(UsageError, match="refit_every"):
        RollingForecast(panel_at, None, refit_every=0, **OPTIONS)


def test_a_series_without_usable_paths_comes_from_the_last_resort_and_is_named():
    rolling = RollingForecast(panel_at, NoPaths, **OPTIONS)
    plain = RollingForecast(panel_at, MovingAverage, **OPTIONS)
    for t in (0, 1):
        np.testing.assert_array_equal(rolling(t)[1].paths, plain(t)[1].paths)
    assert rolling.failures == {0: "no_paths gave no usable paths; used moving_average"}


@pytest.mark.parametrize("duty", ["fit", "update", "sample"])
def test_a_model_that_raises_is_replaced_and_it_is_said(duty):
    rolling = RollingForecast(panel_at, lambda: Raises(duty), **OPTIONS)
    plain = RollingForecast(panel_at, MovingAverage, **OPTIONS)
    for t in (0, 1, 2):
        np.testing.assert_array_equal(rolling(t)[1].paths, plain(t)[1].paths)
    told = [*rolling.notes, *rolling.failures.values()]
    assert told
    assert all("boom" in words and "moving_average" in words for words in told)
    assert set(rolling.failures) == ({0, 1, 2} if duty == "sample" else set())


def test_the_model_in_use_comes_first_and_its_rivals_forecast_along():
    contest = ForecastContest(panel_at, Clock, **OPTIONS)
    for t in range(WINDOW):
        contest(t)
    scores = contest.scores(DEMAND[:, HISTORY:])
    assert scores["model"].to_list() == ["clock", "seasonal_naive", "moving_average"]
    assert scores["wape"][0] == max(scores["wape"])


def test_a_model_that_is_a_rival_itself_is_fitted_once():
    calls, built = [], []

    def counted(t):
        built.append(t)
        return panel_at(t)

    contest = ForecastContest(counted, lambda: Spy(calls), **OPTIONS)
    for t in range(WINDOW):
        contest(t)
    assert [what for what, _ in calls] == ["fit"] + ["update"] * (WINDOW - 1)
    assert list(contest.rivals) == ["seasonal_naive"]
    assert contest.scores(DEMAND[:, HISTORY:])["model"].to_list() == ["moving_average", "seasonal_naive"]
    assert built == list(range(WINDOW))  # one panel an origin for all models


def test_without_a_model_nobody_forecasts():
    contest = ForecastContest(panel_at, None, **OPTIONS)
    assert contest(0)[1] is None
    assert contest.rivals == {}
    assert contest.scores(DEMAND[:, HISTORY:]).schema == SCORES
    assert contest.scores(DEMAND[:, HISTORY:]).is_empty()
