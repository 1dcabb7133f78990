"""What `LSTM` and `GRU` promise beyond the shared checks."""

from __future__ import annotations

import importlib
from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl
import pytest

from checks import forecaster_checks as checks
from checks.forecaster_checks import draw, same, shop
from shelfwise.buckets import Bucket
from shelfwise.demand.behaviour import Observed
from shelfwise.demand.panel import Panel
from shelfwise.errors import MissingExtra, UsageError
from shelfwise.forecast import make_forecaster
from shelfwise.forecast.deep import GRU, LSTM, Augmentation, TrainingSettings, runtime

torch = pytest.importorskip("torch")

QUICK = TrainingSettings(rounds=3, patience=2)
HEADS = {
    "tweedie": partial(LSTM, "tweedie", training=QUICK),
    "quantile": partial(GRU, "quantile", training=QUICK),
    "mse": partial(LSTM, "mse", training=QUICK),
    "two networks": partial(LSTM, networks=2, hidden=16, training=QUICK),
}
KEPT = [
    checks.check_paths_are_sound,
    checks.check_same_seed_same_bytes,
    checks.check_chunks_do_not_matter,
    checks.check_shuffled_series_shuffle_results,
    checks.check_stock_outs_are_not_zeros,
    checks.check_alive_on_odd_histories,
    checks.check_nothing_after_the_end_or_before_the_launch,
    checks.check_a_constant_is_forecast_near_itself,
    checks.check_only_zeros_are_forecast_near_zero,
    checks.check_counts_stay_counts,
    checks.check_one_sample,
    checks.check_update_moves_history_on,
]


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("check", KEPT, ids=lambda check: check.__name__)
def test_other_heads_keep_the_promises_too(kind, check):
    check(HEADS[kind])


def rich(n: int = 14) -> Panel:
    """A panel with attributes and signals beside prices."""
    panel = shop(n=n)
    views = np.random.default_rng(1).poisson(20, panel.demand.shape).astype(np.float32)
    static = pl.DataFrame({"category": (["tea", "mugs"] * n)[:n]})
    each = np.arange(n, dtype=np.int32)
    return replace(panel, static=static, observed={"views": Observed(views, each)})


@pytest.mark.parametrize("make", [LSTM, GRU])
def test_the_number_of_torch_threads_does_not_matter(make):
    panel = rich()
    before = torch.get_num_threads()
    made = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            made.append(draw(make(training=QUICK).fit(panel)))
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
    assert same(*made)


def test_global_settings_of_torch_are_left_as_they_were():
    state = torch.random.get_rng_state()
    strict = torch.are_deterministic_algorithms_enabled()
    fills = torch.utils.deterministic.fill_uninitialized_memory
    draw(LSTM(training=QUICK).fit(shop()))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.are_deterministic_algorithms_enabled() == strict
    assert torch.utils.deterministic.fill_uninitialized_memory == fills


def test_settings_are_put_back_after_an_error():
    before = torch.get_num_threads()
    with pytest.raises(UsageError), runtime.repeatable("cpu", 0):
        runtime.chosen_device("abacus")
    assert torch.get_num_threads() == before


def test_without_torch_the_pip_line_is_told(monkeypatch):
    def nothing(name: str):
        if name == "torch":
            raise ImportError(name)
        return importlib.import_module(name)

    monkeypatch.setattr(runtime, "import_module", nothing)
    with pytest.raises(MissingExtra, match=r"pip install 'shelfwise\[deep\]'"):
        make_forecaster("lstm")


def test_other_seeds_learn_other_networks():
    panel = shop()
    assert not same(draw(LSTM(training=QUICK).fit(panel)), draw(LSTM(training=QUICK, seed=1).fit(panel)))


def test_each_of_several_networks_draws_its_share():
    panel = shop()
    one, two = (LSTM(networks=k, hidden=8, training=QUICK).fit(panel) for k in (1, 2))
    assert len(two.trained) == 2
    alone, both = draw(one), draw(two)
    # The first network draws every other path; its seed is that of the lone one.
    assert (both.paths[:, ::2] == alone.paths[:, ::2]).all()
    assert not np.array_equal(both.paths[:, 1::2], alone.paths[:, 1::2])


def test_too_little_to_learn_from_is_smoothing():
    demand = np.random.default_rng(1).poisson(6, (4, 40))
    model = GRU().fit(Panel.from_arrays(demand))
    assert model.trained == []
    recent = demand[:, -8:].mean(axis=1)
    assert np.allclose(draw(model, samples=400).mean().mean(axis=1), recent, rtol=0.35)


def test_progress_is_told_from_nothing_to_all():
    heard = []
    LSTM(training=QUICK, progress=lambda *told: heard.append(told)).fit(alternating())
    for stage in ("lstm: trial 1", "lstm: learning 1"):
        steps = [(done, total) for name, done, total in heard if name == stage]
        assert steps[0][0] == 0
        assert steps[-1][0] == steps[-1][1]
        assert steps == sorted(steps)


def alternating(n: int = 24, buckets: int = 104) -> Panel:
    rng = np.random.default_rng(2)
    rate = rng.uniform(6, 20, (n, 1)) * np.where(np.arange(buckets) % 2, 0.3, 1.7)
    return Panel.from_arrays(rng.poisson(rate))


@pytest.mark.parametrize("head", ["negative_binomial", "mse"])
def test_a_pattern_that_smoothing_misses_is_learnt(head):
    panel = alternating()
    model = LSTM(head, training=TrainingSettings(rounds=15, learning_rate=1e-2)).fit(panel)
    mean = draw(model).mean().sum(axis=0)
    # Bucket 104 is an even one, and even ones are high.
    assert mean[0] > 2 * mean[1]
    assert mean[2] > 2 * mean[3]


def test_residual_paths_of_a_point_are_as_wide_as_it_was_off():
    rng = np.random.default_rng(4)
    demand = rng.negative_binomial(2, 2 / 12, (30, 110)).astype(np.float32)
    scenarios = draw(LSTM("mse", training=QUICK).fit(Panel.from_arrays(demand)), samples=300)
    bounds = scenarios.quantile([0.1, 0.9])
    future = rng.negative_binomial(2, 2 / 12, (30, 4, 200))
    inside = ((future >= bounds[:, :, :1]) & (future <= bounds[:, :, 1:])).mean()
    assert 0.68 < inside < 0.95


def test_attributes_carry_what_history_cannot_tell():
    """The strong season of one category is learnt as that category's."""
    rng = np.random.default_rng(5)
    n, buckets = 40, 120
    strong = np.arange(n) % 2 == 0
    phase = np.where(np.arange(buckets + 8) % 4 == 0, 3.0, 0.4)
    rate = 10.0 * np.where(strong[:, None], phase[None], 1.0)
    panel = Panel.from_arrays(rng.poisson(rate[:, :buckets]))
    panel = replace(panel, static=pl.DataFrame({"category": np.where(strong, "ice", "salt").tolist()}))
    model = GRU(training=TrainingSettings(rounds=15, learning_rate=1e-2)).fit(panel)
    mean = draw(model).mean()
    assert mean[strong, 0].mean() > 2 * mean[strong, 1].mean()
    assert mean[~strong, 0].mean() < 1.3 * mean[~strong, 1].mean()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"head": "gauss"}, "head must be one of"),
        ({"horizon": 0}, "horizon must be at least 1 bucket; got 0"),
        ({"networks": 0}, "networks must be at least 1; got 0"),
        ({"hidden": 0}, "hidden and layers must be at least 1"),
        ({"device": "tpu"}, "device must be one of auto, cpu, cuda; got 'tpu'"),
    ],
)
def test_impossible_options_are_refused(wrong, told):
    with pytest.raises(UsageError, match=told):
        LSTM(**wrong)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match="finds no GPU"):
        LSTM(device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_repeats_itself_and_agrees_with_the_processor():
    panel = shop()
    first, second = (draw(LSTM(device="cuda", training=QUICK).fit(panel)) for _ in range(2))
    assert same(first, second)
    assert np.allclose(first.mean(), draw(LSTM(device="cpu", training=QUICK).fit(panel)).mean(), rtol=0.3)


def test_nothing_is_asked_of_a_model_that_has_learnt_nothing():
    for ask in (lambda model: model.update(shop()), lambda model: model.trained, LSTM.saved_state):
        with pytest.raises(UsageError, match="call fit first"):
            ask(LSTM())


def test_a_panel_of_other_buckets_is_refused():
    model = GRU().fit(Panel.from_arrays(np.ones((3, 30)), bucket=Bucket("week")))
    with pytest.raises(UsageError, match="fitted to weeks; got a panel of days"):
        model.update(Panel.from_arrays(np.ones((3, 30)), bucket=Bucket("day")))


@pytest.mark.parametrize("kind", ["mse", "two networks"])
def test_a_model_goes_into_plain_parts_and_comes_back(kind):
    model = HEADS[kind]().fit(rich())
    state = model.saved_state()
    again = object.__new__(type(model))
    again.restore_state(state)
    assert same(draw(again), draw(model))
    assert [one.rounds for one in again.trained] == [one.rounds for one in model.trained]
    longer = rich(20)
    assert same(draw(again.update(longer)), draw(model.update(longer)))


def test_augmentation_changes_what_is_learnt():
    panel = shop()
    plain = draw(LSTM(training=QUICK, hidden=8).fit(panel))
    for kind in ("jitter", "scaling", "mixing", "synthetic"):
        more = LSTM(training=QUICK, hidden=8, augmentation=Augmentation(**{kind: 0.5})).fit(panel)
        checks.assert_sound(draw(more), 14, checks.HORIZON, checks.SAMPLES)
        assert not same(draw(more), plain)


@pytest.mark.parametrize("bucket", ["day", "month"])
def test_days_and_months_are_forecast_too(bucket):
    rng = np.random.default_rng(6)
    buckets = 500 if bucket == "day" else 60
    rate = 8.0 * np.where(np.arange(buckets) % 7 == 3, 3.0, 0.7) if bucket == "day" else np.full(buckets, 8.0)
    panel = Panel.from_arrays(rng.poisson(np.tile(rate, (16, 1))), bucket=Bucket(bucket))
    mean = draw(LSTM(training=QUICK).fit(panel), horizon=7).mean().mean(axis=0)
    assert np.isfinite(mean).all()
    if bucket == "day":
        # 500 is day 3 of the pattern's seven, the high one.
        assert mean.argmax() == 0
        assert mean[0] > 1.5 * mean[3]


def test_a_steady_weight_is_not_as_lumpy_as_a_count():
    """Gamma demand of 0.3 kg a week with a spread of a fifth: counted, it would be spread six times as wide."""
    kilos = np.random.default_rng(0).gamma(25.0, 0.3 / 25.0, (6, 60))
    said = LSTM(horizon=4).fit(Panel.from_arrays(kilos)).sample(4, 400, np.random.default_rng(0))
    low, high = np.quantile(said.paths, [0.1, 0.9], axis=1)
    assert 0.1 < float((high - low).mean()) < 0.25
    assert said.mean().mean() == pytest.approx(0.3, rel=0.1)
    assert said.paths.mean() == pytest.approx(0.3, rel=0.1)
