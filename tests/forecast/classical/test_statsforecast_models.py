"""The adapters: per-series isolation, the missing extra, and the promises that cost the library most."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from functools import partial

import numpy as np
import pytest

from checks import forecaster_checks as checks
from shelfwise.buckets import Bucket
from shelfwise.demand.panel import Panel
from shelfwise.errors import MissingExtra
from shelfwise.forecast.classical.ets import ETS
from shelfwise.forecast.classical.statsforecast_models import ARIMA, CES, MSTL, StatsForecaster
from shelfwise.messages import retold

pytest.importorskip("statsforecast")

MODELS = [ARIMA, CES, partial(MSTL, season=7)]
PROMISES = [
    checks.check_paths_are_sound,
    checks.check_chunks_do_not_matter,
    checks.check_shuffled_series_shuffle_results,
    checks.check_stock_outs_are_not_zeros,
    checks.check_alive_on_odd_histories,
    checks.check_the_paths_agree_with_the_mean,
    checks.check_counts_stay_counts,
]


def weekly(n: int = 3, days: int = 84) -> Panel:
    rng = np.random.default_rng(0)
    demand = rng.poisson(20 * (1 + 0.6 * (np.arange(days) % 7 == 5)), (n, days))
    return Panel.from_arrays(demand, bucket=Bucket("day"), start=date(2024, 1, 1))


@pytest.mark.parametrize("make", MODELS, ids=["arima", "ces", "mstl"])
@pytest.mark.parametrize("check", PROMISES, ids=lambda check: check.__name__)
def test_promise(make: Callable[[], StatsForecaster], check: Callable[[checks.Make], None]) -> None:
    check(make)


@pytest.mark.parametrize("make", MODELS, ids=["arima", "ces", "mstl"])
def test_the_library_forecasts_and_nobody_fails(make: Callable[[], StatsForecaster]) -> None:
    model = make().fit(weekly())
    mean = model.sample(14, 5, np.random.default_rng(0)).mean()
    assert not model.failures
    assert mean[:, 5].mean() > 1.1 * mean[:, 1:5].mean()


@pytest.mark.parametrize("kind", [ARIMA, CES, MSTL])
def test_a_failing_series_is_forecast_by_ets_and_listed(
    kind: type[StatsForecaster], monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = weekly()
    working = kind._fit_one

    def fit_one(self: StatsForecaster, y: np.ndarray, season: int) -> object:
        if np.array_equal(y, panel.demand[1]):
            raise RuntimeError("no convergence")
        return working(self, y, season)

    monkeypatch.setattr(kind, "_fit_one", fit_one)
    model = kind().fit(panel)
    drawn = model.sample(7, 30, np.random.default_rng(1))
    ours = ETS().fit(panel).sample(7, 30, np.random.default_rng(1))
    assert list(model.failures) == [1]
    assert model.failures[1] == f"{kind.name} failed (RuntimeError: no convergence); used ets"
    assert retold(model.failures[1], "zh") == f"{kind.name} 出错（RuntimeError: no convergence）；改用 ets"
    assert np.array_equal(drawn.paths[1], ours.paths[1])
    assert not np.array_equal(drawn.paths[0], ours.paths[0])


@pytest.mark.parametrize("kind", [ARIMA, CES, MSTL])
def test_without_the_package_the_error_names_the_extra(
    kind: type[StatsForecaster], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "statsforecast.models", None)
    with pytest.raises(MissingExtra, match=r"shelfwise\[classical\]"):
        kind()


@pytest.mark.parametrize("make", [*MODELS, MSTL], ids=["arima", "ces", "mstl", "mstl, two years of weeks"])
def test_intervals_cover(make: Callable[[], StatsForecaster]) -> None:
    checks.check_intervals_cover_what_they_say(make)


def test_too_short_for_a_season_goes_to_ets() -> None:
    model = MSTL().fit(Panel.from_arrays(np.random.default_rng(0).poisson(9, (2, 60))))
    assert set(model.failures) == {0, 1}
    assert "two seasons" in model.failures[0]
    assert "现有 60 个时间段" in retold(model.failures[0], "zh")
