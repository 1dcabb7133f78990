"""What every forecaster promises, as functions `check_*(make)`; `make()` returns a new, unfitted one.

A forecaster may set `local = True`: a series with a history of its own is forecast from nothing else,
and from no covariate. Some checks hold for those alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numba
import numpy as np
import pytest

from shelfwise.buckets import Bucket
from shelfwise.demand.panel import Known, Panel
from shelfwise.errors import UsageError
from shelfwise.forecast import Forecaster, Scenarios

Make = Callable[[], Forecaster]
HORIZON, SAMPLES = 4, 60


def draw(model: Forecaster, seed: int = 0, horizon: int = HORIZON, samples: int = SAMPLES) -> Scenarios:
    return model.sample(horizon, samples, np.random.default_rng(seed))


def same(left: Scenarios, right: Scenarios) -> bool:
    return left.paths.tobytes() == right.paths.tobytes() and left.mean().tobytes() == right.mean().tobytes()


def is_local(model: Forecaster) -> bool:
    return bool(getattr(model, "local", False))


def shop(seed: int = 0, n: int = 14, buckets: int = 84, horizon: int = 8) -> Panel:
    """Over-dispersed counts of many levels, with stock-outs, late launches and a price known ahead."""
    rng = np.random.default_rng(seed)
    level = rng.gamma(1.5, 6.0, (n, 1))
    demand = rng.negative_binomial(3, 3 / (3 + level), (n, buckets)).astype(np.float32)
    demand[rng.random(demand.shape) < 0.08] = np.nan
    launched = np.zeros(n, np.int32)
    launched[1], launched[2] = buckets - 5, buckets - 30
    for row in (1, 2):
        demand[row, : launched[row]] = np.nan
    price = rng.uniform(5, 9, (n, buckets + horizon)).astype(np.float32)
    known = {"price": Known(price, np.arange(n, dtype=np.int32))}
    return replace(Panel.from_arrays(demand, known=known, horizon=horizon), launched=launched)


def assert_sound(scenarios: Scenarios, n: int, horizon: int, samples: int) -> None:
    assert scenarios.paths.shape == (n, samples, horizon)
    assert scenarios.paths.dtype == np.float32
    assert np.isfinite(scenarios.paths).all()
    assert (scenarios.paths >= 0).all()
    mean = scenarios.mean()
    assert mean.shape == (n, horizon)
    assert mean.dtype == np.float32
    assert np.isfinite(mean).all()
    assert (mean >= 0).all()


def check_paths_are_sound(make: Make) -> None:
    panel = shop()
    scenarios = draw(make().fit(panel))
    assert_sound(scenarios, panel.n_series, HORIZON, SAMPLES)
    assert scenarios.keys.equals(panel.keys)
    assert scenarios.start == panel.as_of


def check_same_seed_same_bytes(make: Make) -> None:
    panel = shop()
    model = make().fit(panel)
    first = draw(model, seed=5)
    assert same(first, draw(model, seed=5))
    assert same(first, draw(make().fit(panel), seed=5))
    assert not np.array_equal(first.paths, draw(model, seed=6).paths)


def check_threads_do_not_matter(make: Make) -> None:
    model = make().fit(shop())
    with_all = draw(model)
    threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        assert same(with_all, draw(model))
    finally:
        numba.set_num_threads(threads)


def check_chunks_do_not_matter(make: Make) -> None:
    panel = shop()
    model = make().fit(panel)
    whole = draw(model, seed=2)
    for size in (1, 3, panel.n_series, 1000):
        chunks = list(model.sample_chunks(HORIZON, SAMPLES, np.random.default_rng(2), chunk_series=size))
        assert np.concatenate([chunk.paths for chunk in chunks]).tobytes() == whole.paths.tobytes()
        assert np.concatenate([chunk.mean() for chunk in chunks]).tobytes() == whole.mean().tobytes()


def check_some_rows_are_rows_of_all(make: Make) -> None:
    model = make().fit(shop())
    rows = np.array([7, 1, 4])
    some = model.sample(HORIZON, SAMPLES, np.random.default_rng(2), rows=rows)
    assert same(some, draw(model, seed=2).take(rows))


def check_shuffled_series_shuffle_results(make: Make) -> None:
    panel = shop()
    order = np.random.default_rng(9).permutation(panel.n_series)
    straight = draw(make().fit(panel))
    shuffled = draw(make().fit(panel.take(order)))
    assert same(shuffled, straight.take(order))


def check_stock_outs_are_not_zeros(make: Make) -> None:
    rng = np.random.default_rng(3)
    demand = rng.poisson(10, (24, 100)).astype(np.float32)
    masked = rng.random(demand.shape) < 0.3
    unknown, zero = demand.copy(), demand.copy()
    unknown[masked], zero[masked] = np.nan, 0.0
    honest = draw(make().fit(Panel.from_arrays(unknown)), samples=200)
    fooled = draw(make().fit(Panel.from_arrays(zero)), samples=200)
    assert abs(honest.mean().mean() - 10) < 1
    assert abs(honest.paths.mean() - 10) < 1
    assert fooled.mean().mean() < 9


def check_what_was_seen_while_masked_does_not_matter(make: Make) -> None:
    panel = shop()
    rng = np.random.default_rng(4)
    masked = np.isnan(panel.demand)
    other = replace(
        panel,
        sold=np.where(masked, rng.integers(0, 50, masked.shape), panel.sold).astype(np.float32),
        on_sale=np.where(masked, rng.uniform(0, 0.4, masked.shape), panel.on_sale).astype(np.float32),
    )
    assert same(draw(make().fit(panel)), draw(make().fit(other)))


def check_alive_on_odd_histories(make: Make) -> None:
    nan = np.nan
    spike = np.random.default_rng(0).poisson(2, 60).astype(float)
    spike[30] = 1e6
    last_bucket = np.full((3, 30), nan)
    last_bucket[:2] = np.random.default_rng(1).poisson(5, (2, 30))
    last_bucket[2, -1] = 4
    one_observation = np.full(40, nan)
    one_observation[20] = 3
    odd = {
        "one observation": one_observation,
        "all zeros": np.zeros((2, 60)),
        "a constant": np.full((2, 60), 7.0),
        "a fractional constant": np.full((2, 60), 0.1),
        "a huge spike": spike,
        "spike in the last bucket": np.append(np.zeros(59), 1e6),
        "launched in the last bucket": last_bucket,
        "nothing observed": np.full((2, 20), nan),
        "one series never observed": np.vstack([np.full(40, nan), np.arange(40.0), np.ones(40)]),
        "one bucket": np.array([[3.0], [0.0]]),
        "two buckets": np.array([[3.0, nan], [0.0, 2.0]]),
        "one bucket of one series": np.array([[3.0]]),
        "a long closure": np.where(np.arange(90) % 60 < 30, 5.0, nan),
    }
    for what, demand in odd.items():
        panel = Panel.from_arrays(demand)
        for horizon in (1, HORIZON):
            scenarios = draw(make().fit(panel), horizon=horizon, samples=20)
            try:
                assert_sound(scenarios, panel.n_series, horizon, 20)
            except AssertionError as error:
                raise AssertionError(f"on {what}, horizon {horizon}") from error


def check_a_constant_is_forecast_near_itself(make: Make) -> None:
    scenarios = draw(make().fit(Panel.from_arrays(np.full((3, 60), 7.0))))
    assert np.allclose(scenarios.mean(), 7, rtol=0.1)
    assert abs(scenarios.paths.mean() - 7) < 0.7


def check_only_zeros_are_forecast_near_zero(make: Make) -> None:
    assert draw(make().fit(Panel.from_arrays(np.zeros((3, 60))))).paths.mean() < 0.1


def check_horizon_beyond_history(make: Make) -> None:
    panel = Panel.from_arrays(np.random.default_rng(2).poisson(4, (5, 20)))
    assert_sound(draw(make().fit(panel), horizon=30), 5, 30, SAMPLES)


def check_one_sample(make: Make) -> None:
    assert_sound(draw(make().fit(shop()), samples=1), 14, HORIZON, 1)


def check_nonsense_is_refused(make: Make) -> None:
    model = make().fit(shop())
    for horizon, samples in ((0, 10), (4, 0), (-1, 10)):
        with pytest.raises(UsageError):
            draw(model, horizon=horizon, samples=samples)


def check_covariates_are_left_alone_by_local_methods(make: Make) -> None:
    panel = shop()
    model = make().fit(panel)
    if not is_local(model):
        return
    price = panel.known["price"]
    values = price.values.copy()
    values[:, panel.n_buckets :] = np.random.default_rng(8).uniform(0, 100, (panel.n_series, panel.horizon))
    other = replace(panel, known={"price": Known(values, price.group)})
    assert same(draw(model), draw(make().fit(other)))


def check_nothing_from_the_future(make: Make) -> None:
    panel = shop()
    cut = 70
    rng = np.random.default_rng(6)
    later = np.arange(panel.n_buckets) >= cut
    noise = rng.poisson(500, panel.demand.shape).astype(np.float32)
    other = replace(
        panel,
        demand=np.where(later, noise, panel.demand),
        sold=np.where(later, noise, panel.sold),
        on_sale=np.where(later, np.float32(0.5), panel.on_sale),
    )
    assert same(draw(make().fit(panel.until(cut))), draw(make().fit(other.until(cut))))


def check_nothing_after_the_end_or_before_the_launch(make: Make) -> None:
    panel = Panel.from_arrays(np.random.default_rng(1).poisson(9, (4, 60)))
    ends = np.array([60, 62, Panel.NEVER, Panel.NEVER], np.int32)
    launched = np.array([0, 0, 0, 61], np.int32)
    demand = panel.demand.copy()
    demand[3] = np.nan
    panel = replace(panel, demand=demand, ends=ends, launched=launched)
    scenarios = draw(make().fit(panel))
    for values in (scenarios.paths.sum(axis=1), scenarios.mean()):
        assert (values[0] == 0).all()
        assert (values[1, 2:] == 0).all()
        assert values[3, 0] == 0
        assert (values[1, :2] > 0).all()
        assert (values[2] > 0).all()
        assert (values[3, 1:] > 0).all()


def check_a_spike_stays_where_it_is(make: Make) -> None:
    demand = np.random.default_rng(5).poisson(6, (8, 90)).astype(np.float32)
    model = make().fit(Panel.from_arrays(demand))
    calm = draw(model)
    demand[3, 80] = 1e6
    spiked = draw(make().fit(Panel.from_arrays(demand)))
    others = np.array([0, 1, 2, 4, 5, 6, 7])
    if is_local(model):
        assert same(spiked.take(others), calm.take(others))
    else:
        assert np.median(spiked.mean()[others]) < 3 * np.median(calm.mean()[others])


def check_quantiles_do_not_cross(make: Make) -> None:
    levels = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95]
    quantiles = draw(make().fit(shop())).quantile(levels)
    assert (np.diff(quantiles, axis=2) >= 0).all()
    assert (quantiles[:, :, -1] > quantiles[:, :, 0]).any()


def check_intervals_cover_what_they_say(make: Make) -> None:
    rng = np.random.default_rng(12)
    level = rng.uniform(10, 60, (30, 1))
    demand = rng.negative_binomial(6, 6 / (6 + level), (30, 120)).astype(np.float32)
    future = rng.negative_binomial(6, 6 / (6 + level[:, :, None]), (30, 6, 40))
    scenarios = draw(make().fit(Panel.from_arrays(demand)), horizon=6, samples=300)
    bounds = scenarios.quantile([0.1, 0.9])
    inside = (future >= bounds[:, :, :1]) & (future <= bounds[:, :, 1:])
    assert 0.68 <= inside.mean() <= 0.92


def check_the_paths_agree_with_the_mean(make: Make) -> None:
    panel = Panel.from_arrays(np.random.default_rng(3).poisson(10, (20, 100)))
    scenarios = draw(make().fit(panel), samples=300)
    assert abs(scenarios.paths.mean() / scenarios.mean().mean() - 1) < 0.05


def check_counts_stay_counts(make: Make) -> None:
    paths = draw(make().fit(Panel.from_arrays(np.random.default_rng(3).poisson(4, (10, 80))))).paths
    assert np.array_equal(paths, np.rint(paths))


def check_update_moves_history_on(make: Make) -> None:
    rng = np.random.default_rng(7)
    before, after = rng.poisson(10, (12, 60)), rng.poisson(30, (12, 24))
    panel = Panel.from_arrays(np.hstack([before, after]), start=date(2024, 1, 1), bucket=Bucket("day"))
    model = make().fit(panel.until(60))
    early = draw(model)
    assert same(early, draw(model.update(panel.until(60))))
    late = draw(model.update(panel))
    assert late.start == panel.as_of
    assert late.mean().mean() > 1.3 * early.mean().mean()
    if is_local(model):
        assert same(late, draw(make().fit(panel)))


def check_tenfold_demand_tenfold_forecast(make: Make) -> None:
    demand = np.random.default_rng(11).poisson(8, (20, 90)).astype(np.float32)
    once = draw(make().fit(Panel.from_arrays(demand)), samples=200)
    tenfold = draw(make().fit(Panel.from_arrays(10 * demand)), samples=200)
    assert np.allclose(tenfold.mean().mean(axis=1), 10 * once.mean().mean(axis=1), rtol=0.2)
    assert abs(tenfold.paths.mean() / once.paths.mean() / 10 - 1) < 0.2


CHECKS: list[Callable[[Make], None]] = [
    function for name, function in list(globals().items()) if name.startswith("check_")
]
