"""Tuning finds what is best, the same every time, and goes on where it was cut off."""

from __future__ import annotations

import json
from functools import partial

import numpy as np
import pytest

from shelfwise.demand.panel import Panel
from shelfwise.errors import MissingExtra, ShelfwiseError, UsageError
from shelfwise.forecast import make_forecaster, search_space
from shelfwise.forecast.moving_average import MovingAverage
from shelfwise.forecast.tuning import Between, tune

METHODS = ("grid", "random", "bayes")
WINDOWS = {"window": [1, 4, 13, 26]}


def wandering(seed=0):
    rng = np.random.default_rng(seed)
    return Panel.from_arrays(np.maximum(rng.normal(0, 3, (20, 70)).cumsum(axis=1) + 40, 0))


def steady(seed=0):
    return Panel.from_arrays(np.random.default_rng(seed).poisson(20, (20, 70)))


@pytest.mark.parametrize("method", METHODS)
def test_what_is_best_is_found(method):
    make = partial(make_forecaster, "moving_average")
    assert tune(make, WINDOWS, wandering(), method=method, trials=10, horizon=2).best == {"window": 1}
    assert tune(make, WINDOWS, steady(), method=method, trials=10, horizon=2).best["window"] >= 13


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("metric", ["pinball", "wape"])
def test_same_seed_same_trials(method, metric):
    space = {"window": [1, 3, 9]} if method == "grid" else {"window": Between(1, 30, log=True)}
    run = partial(tune, MovingAverage, space, wandering(), method=method, trials=6, metric=metric, horizon=4)
    first, second = run(seed=3), run(seed=3)
    assert first.table.equals(second.table)
    assert first.best == second.best
    assert first.score == first.table["score"].min()
    if method != "grid":
        assert not first.table["window"].equals(run(seed=4).table["window"])


@pytest.mark.parametrize("method", METHODS)
def test_a_search_cut_off_ends_where_it_would_have_ended(tmp_path, method):
    file = tmp_path / "trials.jsonl"
    space = {"window": [1, 2, 4, 8, 13, 20], "seasonal": [False, True]}
    run = partial(tune, MovingAverage, space, wandering(), method=method, horizon=4)
    whole = run(trials=12)
    run(trials=5, storage=file)
    # The machine went down in the middle of a line.
    file.write_text(file.read_text() + '{"trial": 5, "poi')
    ran = []

    def counting(**options):
        ran.append(options)
        return MovingAverage(**options)

    resumed = tune(counting, space, wandering(), method=method, horizon=4, trials=12, storage=file)
    assert resumed.resumed == 5
    assert resumed.table.equals(whole.table)
    assert resumed.best == whole.best
    assert 0 < len(ran) <= 7
    again = tune(counting, space, wandering(), method=method, horizon=4, trials=12, storage=file)
    assert again.resumed == 12
    assert len(ran) <= 7
    assert [json.loads(line)["trial"] for line in file.read_text().splitlines()[1:]] == list(range(12))


def test_bayes_looks_where_it_was_good():
    # Both options are best at 0; after its start the search should stay near there.
    space = {"first": Between(0.0, 1.0), "second": Between(0.0, 1.0)}
    panel = Panel.from_arrays(np.random.default_rng(1).poisson(4, (30, 80)))
    make = TooHigh
    found = tune(make, space, panel, method="bayes", trials=30, horizon=3, origins=1, n_samples=20)
    late = found.table["first"].tail(15).mean()
    assert late < found.table["first"].head(10).mean()
    random = tune(make, space, panel, method="random", trials=30, horizon=3, origins=1, n_samples=20)
    assert found.table["score"].tail(15).mean() < random.table["score"].tail(15).mean()


class TooHigh(MovingAverage):
    """Too high by what its two options are."""

    def __init__(self, first, second):
        super().__init__()
        self.excess = first + second

    def _sample_rows(self, rows, horizon, n_samples, root):
        paths, expected = super()._sample_rows(rows, horizon, n_samples, root)
        return paths * np.float32(1 + self.excess), expected * np.float32(1 + self.excess)


def test_options_that_break_the_model_are_told_and_passed_over():
    result = tune(MovingAverage, {"window": [0, 4]}, steady(), method="grid", horizon=2)
    assert result.best == {"window": 4}
    assert result.table["score"].null_count() == 1
    assert "at least 1 bucket" in result.table["error"][0]


def test_no_trial_through_is_an_error_that_says_why():
    with pytest.raises(ShelfwiseError, match=r"none of 2 trials.*at least 1 bucket"):
        tune(MovingAverage, {"window": [0, -1]}, steady(), method="grid", horizon=2)


def test_choices_need_not_be_numbers():
    space = {"window": [None, 4], "seasonal": [True]}
    result = tune(MovingAverage, space, steady(), method="grid", horizon=2)
    assert set(result.table["window"]) == {"None", "4"}
    assert result.best["window"] in (None, 4)


def test_points_tried_before_are_not_run_again():
    ran = []

    def make(window):
        ran.append(window)
        return MovingAverage(window)

    result = tune(make, {"window": [2, 3]}, steady(), method="random", trials=12, horizon=2)
    assert sorted(ran) == [2, 3]
    assert len(result.table) == 12


def test_storage_of_another_search_is_refused(tmp_path):
    file = tmp_path / "trials.jsonl"
    tune(MovingAverage, WINDOWS, steady(), method="grid", horizon=2, storage=file)
    before = file.read_text()
    for change in ({"horizon": 3}, {"metric": "wape"}, {"method": "random"}):
        options = {"method": "grid", "horizon": 2, **change}
        with pytest.raises(UsageError, match="another search"):
            tune(MovingAverage, WINDOWS, steady(), storage=file, **options)
    with pytest.raises(UsageError, match="panel differ"):
        tune(MovingAverage, WINDOWS, steady(1), method="grid", horizon=2, storage=file)
    assert file.read_text() == before


def test_progress_is_told():
    told = []
    tune(MovingAverage, WINDOWS, steady(), method="grid", horizon=2, progress=lambda *step: told.append(step))
    assert told == [("tuning", done, 4) for done in range(5)]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"space": {}}, "empty"),
        ({"space": {"window": []}}, "list of choices"),
        ({"space": {"window": "abc"}}, "list of choices"),
        ({"space": {"window": Between(1, 9)}, "method": "grid"}, "grid needs"),
        ({"method": "guess"}, "grid, random, bayes"),
        ({"trials": 0}, "trials"),
        ({"metric": "rmse"}, "metric"),
        ({"panel": Panel.from_arrays(np.ones((2, 2)))}, "3 buckets"),
    ],
)
def test_nonsense_is_refused(change, match):
    call = {"space": WINDOWS, "panel": steady(), "method": "random", **change}
    with pytest.raises(UsageError, match=match):
        tune(MovingAverage, call.pop("space"), call.pop("panel"), **call)


def test_bounds():
    with pytest.raises(UsageError, match="low < high"):
        Between(3, 1)
    with pytest.raises(UsageError, match="above 0"):
        Between(0, 1, log=True)
    shares = np.linspace(0, 0.999, 1000)
    assert {Between(1, 4).at(share) for share in shares} == {1, 2, 3, 4}
    drawn = [Between(0.001, 1.0, log=True).at(share) for share in shares]
    assert abs(np.median(drawn) - np.sqrt(0.001)) < 0.002


def test_without_optuna_bayes_names_the_extra(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(search_space, "import_module", missing)
    with pytest.raises(MissingExtra, match=r"shelfwise\[tune\]"):
        tune(MovingAverage, WINDOWS, steady(), method="bayes")
    tune(MovingAverage, WINDOWS, steady(), method="grid", horizon=2, trials=1)
