"""Every registered forecaster passes every check, found automatically; broken ones are caught."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from checks import forecaster_checks as checks
from checks.forecaster_checks import CHECKS, Make
from shelfwise.demand.panel import Panel
from shelfwise.forecast import FORECASTERS, make_forecaster
from shelfwise.forecast.moving_average import MovingAverage

Rows = npt.NDArray[np.intp]
Paths = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
COUNTER = count(1)


@pytest.mark.parametrize("name", FORECASTERS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_forecaster(name: str, check: Callable[[Make], None]) -> None:
    check(partial(make_forecaster, name))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_moving_average_with_seasonal_index(check: Callable[[Make], None]) -> None:
    check(partial(make_forecaster, "moving_average", seasonal=True))


def test_checks_are_found() -> None:
    assert len(CHECKS) > 20
    assert set(FORECASTERS) >= {"seasonal_naive", "moving_average", "gbm"}


class ReadsMaskedAsZero(MovingAverage):
    def fit(self, panel: Panel) -> Self:
        return super().fit(replace(panel, demand=np.nan_to_num(panel.demand)))


class LooksAtWhatWasSold(MovingAverage):
    def fit(self, panel: Panel) -> Self:
        return super().fit(replace(panel, demand=panel.sold))


class NumbersSeriesByRow(MovingAverage):
    def fit(self, panel: Panel) -> Self:
        by_row = pl.DataFrame({"sku": [str(row) for row in range(panel.n_series)], "location": "main"})
        return super().fit(replace(panel, keys=by_row))


class DrawsAnew(MovingAverage):
    def _sample_rows(self, rows: Rows, horizon: int, n_samples: int, root: int) -> Paths:
        return super()._sample_rows(rows, horizon, n_samples, root ^ next(COUNTER))


class IgnoresTheSeed(MovingAverage):
    def _sample_rows(self, rows: Rows, horizon: int, n_samples: int, root: int) -> Paths:
        return super()._sample_rows(rows, horizon, n_samples, 1)


class KnowsNoSpread(MovingAverage):
    def _sample_rows(self, rows: Rows, horizon: int, n_samples: int, root: int) -> Paths:
        paths, expected = super()._sample_rows(rows, horizon, n_samples, root)
        paths[:] = expected[:, None, :]
        return paths, expected


class IsFarTooHigh(MovingAverage):
    def _sample_rows(self, rows: Rows, horizon: int, n_samples: int, root: int) -> Paths:
        paths, expected = super()._sample_rows(rows, horizon, n_samples, root)
        return 2 * paths, expected


class GoesNegative(MovingAverage):
    def _sample_rows(self, rows: Rows, horizon: int, n_samples: int, root: int) -> Paths:
        paths, expected = super()._sample_rows(rows, horizon, n_samples, root)
        return paths - 1, expected


class SellsAfterTheEnd(MovingAverage):
    def _silence_ended(self, rows: Rows, paths: Any, expected: Any) -> None:
        return


class ReadsPrices(MovingAverage):
    def fit(self, panel: Panel) -> Self:
        price = panel.known["price"].rows()[:, -1:] if panel.known else np.float32(1)
        return super().fit(replace(panel, demand=panel.demand * price))


class BorrowsFromNeighbours(MovingAverage):
    def fit(self, panel: Panel) -> Self:
        return super().fit(replace(panel, demand=panel.demand + np.nanmean(panel.demand)))


class NeverUpdates(MovingAverage):
    def update(self, panel: Panel) -> Self:
        self.panel = panel
        return self


class AddsAConstant(MovingAverage):
    def fit(self, panel: Panel) -> Self:
        return super().fit(replace(panel, demand=panel.demand + 5))


class CountsSeries(MovingAverage):
    def _sample_rows(self, rows: Rows, horizon: int, n_samples: int, root: int) -> Paths:
        paths, expected = super()._sample_rows(rows, horizon, n_samples, root)
        return paths * np.float32(len(rows)), expected


class Cracks(MovingAverage):
    def fit(self, panel: Panel) -> Self:
        if panel.n_buckets < 3:
            raise ValueError("too short")
        return super().fit(panel)


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (ReadsMaskedAsZero, checks.check_stock_outs_are_not_zeros),
        (LooksAtWhatWasSold, checks.check_what_was_seen_while_masked_does_not_matter),
        (NumbersSeriesByRow, checks.check_shuffled_series_shuffle_results),
        (DrawsAnew, checks.check_same_seed_same_bytes),
        (DrawsAnew, checks.check_chunks_do_not_matter),
        (IgnoresTheSeed, checks.check_same_seed_same_bytes),
        (KnowsNoSpread, checks.check_quantiles_do_not_cross),
        (KnowsNoSpread, checks.check_intervals_cover_what_they_say),
        (KnowsNoSpread, checks.check_counts_stay_counts),
        (IsFarTooHigh, checks.check_the_paths_agree_with_the_mean),
        (IsFarTooHigh, checks.check_a_constant_is_forecast_near_itself),
        (GoesNegative, checks.check_paths_are_sound),
        (SellsAfterTheEnd, checks.check_nothing_after_the_end_or_before_the_launch),
        (ReadsPrices, checks.check_covariates_are_left_alone_by_local_methods),
        (BorrowsFromNeighbours, checks.check_a_spike_stays_where_it_is),
        (NeverUpdates, checks.check_update_moves_history_on),
        (AddsAConstant, checks.check_tenfold_demand_tenfold_forecast),
        (AddsAConstant, checks.check_only_zeros_are_forecast_near_zero),
        (CountsSeries, checks.check_chunks_do_not_matter),
        (CountsSeries, checks.check_some_rows_are_rows_of_all),
        (Cracks, checks.check_alive_on_odd_histories),
    ],
)
def test_a_broken_forecaster_is_caught(broken: Make, check: Callable[[Make], None]) -> None:
    with pytest.raises((AssertionError, ValueError, IndexError)):
        check(broken)
