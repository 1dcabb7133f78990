"""The weekly benchmark: same series for all, errors by hand, peers that use what they are told."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from benchmarks.bench_retail_peers import (
    FILE,
    LEVELS,
    MODELS,
    Effort,
    mean_of_origins,
    measure,
    run_task,
    views,
)
from benchmarks.results_log import referee_problems
from benchmarks.retail_scores import errors, faults, naive_change
from benchmarks.retail_tasks import Task, chosen, regular_skus, truth

from benchmarks import bench_retail_peers
from shelfwise.buckets import Bucket
from shelfwise.demand.panel import Known, Panel
from shelfwise.errors import ShelfwiseError, UsageError

ORIGIN = date(2024, 1, 1) + timedelta(weeks=40)
N, T, H = 40, 40, 4


@pytest.fixture(scope="module")
def task() -> Task:
    """Forty series that sell twice as much, and more, in their promoted weeks; one begins late."""
    rng = np.random.default_rng(5)
    promoted = (rng.random((N, T + H)) < 0.25).astype(np.float32)
    sold = rng.poisson(rng.gamma(4.0, 3.0, (N, 1)) * (1.0 + 1.5 * promoted)).astype(np.float32)
    sold[3, :20] = np.nan
    known = {"promotion": Known(promoted, np.arange(N, dtype=np.int32))}
    panel = Panel.from_arrays(sold[:, :T], bucket=Bucket("week"), known=known, horizon=H)
    return Task("shop", ORIGIN, "all", panel, replace(panel, known={}), sold[:, T:].astype(float))


def test_errors_are_those_found_by_hand() -> None:
    actual = np.array([[4.0, 0.0], [2.0, 2.0]])
    mean = np.array([[2.0, 1.0], [2.0, 3.0]])
    quantiles = np.stack([mean, mean + 2.0], axis=2)
    found = errors(actual, mean, quantiles, (0.5, 0.9), np.array([2.0, np.nan]))
    assert (found["buckets"], found["units"], found["wape"], found["bias"]) == (4, 8.0, 0.5, 0.0)
    # Losses at 0.5: 1, .5, 0, .5; at 0.9: 0, .3, .2, .3.
    assert found["pinball"] == pytest.approx((1.0 + 0.8 + 0.2 + 0.8) / 2 / 8, abs=1e-4)
    assert found["scaled_pinball"] == pytest.approx((1.0 + 0.8) / 2 / 2 / 2, abs=1e-4)
    part = errors(actual, mean, quantiles, (0.5, 0.9), np.ones(2), actual == 4.0)
    assert (part["buckets"], part["wape"]) == (1, 0.5)


def test_the_scale_begins_with_the_first_sale() -> None:
    assert naive_change([[0, 0, 5, 5, 3], [1, 1, 1, 1, 1]]).tolist() == pytest.approx(
        [1.0, np.nan], nan_ok=True
    )


def test_faults_are_counted() -> None:
    quantiles = np.array([[[1.0, 0.5, np.nan], [-1.0, 0.0, 0.0]]])
    assert faults(np.array([[1.0, np.inf]]), quantiles) == {"crossings": 1, "negatives": 1, "nonfinite": 2}


def test_truth_is_by_series_and_never_below_zero() -> None:
    keys = pl.DataFrame({"sku": ["b", "a"], "location": ["main", "main"]})
    weekly = pl.DataFrame(
        {
            "sku": ["a", "a", "b", "b", "c"],
            "week": [ORIGIN + timedelta(weeks=w) for w in (-1, 1, 0, 2, 0)],
            "net": [9.0, 3.0, -2.0, 7.0, 5.0],
        }
    )
    assert truth(keys, weekly, ORIGIN, 2).tolist() == [[0.0, 0.0], [0.0, 3.0]]


def test_series_are_chosen_on_weeks_before_the_origin() -> None:
    weeks = {"often": range(-20, 0), "rare": range(-19, 0), "later": range(28), "before": range(-60, -28)}
    sales = pl.DataFrame(
        [(sku, ORIGIN + timedelta(weeks=week, days=2)) for sku, them in weeks.items() for week in them],
        schema=["sku", "date"],
        orient="row",
    )
    assert regular_skus(sales, ORIGIN)["sku"].to_list() == ["often"]


def test_a_series_the_panel_lacks_is_an_error(task: Task) -> None:
    assert chosen(task.panel, task.panel.keys.select("sku")[2:4]).keys["sku"].to_list() == [
        "s0000002",
        "s0000003",
    ]
    with pytest.raises(UsageError, match="1 are not"):
        chosen(task.panel, pl.DataFrame({"sku": ["s0000001", "gone"]}))


def test_only_models_that_can_are_told_of_promotions(task: Task) -> None:
    assert [told for told, _ in views(task, "gbm")] == ["not told", "told"]
    assert [told for told, _ in views(task, "ets")] == ["not told"]
    assert all("promotion" not in panel.known for told, panel in views(task, "gbm") if told == "not told")
    silent = replace(task, without=None)
    assert [told for told, _ in views(silent, "gbm")] == ["none exist"]


@pytest.mark.parametrize("model", ["seasonal_naive", "statsforecast_ets", "statsforecast_sba"])
def test_every_model_gives_all_parts_without_faults(task: Task, model: str, tmp_path: Path) -> None:
    if model not in bench_retail_peers.OURS:
        pytest.importorskip("statsforecast")
        pytest.importorskip("mlforecast")
    assert run_task(task, [model], Effort(), tmp_path) == []
    rows = pl.read_csv(tmp_path / FILE)
    assert rows["part"].to_list() == ["all", "promoted", "not promoted"]
    assert rows["buckets"][0] == rows["buckets"][1] + rows["buckets"][2] == N * H
    assert rows["buckets"][1] == int(task.promoted.sum())
    assert referee_problems(tmp_path / FILE) == []


@pytest.mark.parametrize("model", ["gbm", "mlforecast"])
def test_a_promotion_that_is_told_pays(task: Task, model: str) -> None:
    if model == "mlforecast":
        pytest.importorskip("mlforecast")
    pinball = {
        told: {str(row["part"]): row["pinball"] for row in measure(task, model, told, panel, Effort())}
        for told, panel in views(task, model)
    }
    assert float(pinball["told"]["promoted"]) < 0.9 * float(pinball["not told"]["promoted"])


def test_the_late_series_is_seen_from_its_beginning(task: Task) -> None:
    pytest.importorskip("mlforecast")
    from benchmarks.peers_weekly import WeeklyData

    data = WeeklyData.of(task.panel, H)
    assert data.begin[3] == 20
    frame = data.frame(0, T, ahead=True)
    assert frame.groupby("unique_id").size()[3] == T - 20
    own = frame[frame["unique_id"] == 7]
    assert own["y"].tolist() == task.panel.sold[7].tolist()
    assert own["promotion"].tolist() == task.panel.known["promotion"].rows()[7, :T].tolist()
    assert own["ds"].iloc[-1].date() == ORIGIN - timedelta(weeks=1)


def test_networks_say_what_was_shortened() -> None:
    assert Effort().told("lstm") == Effort(8, 200).told("gbm") == "default"
    assert Effort(8, 200).told("gru") == "8 rounds at most, 200 paths at most"
    assert "60 s" in Effort().told("auto")


def test_the_table_takes_the_newest_row_of_each_origin() -> None:
    about = {"data": "d", "part": "all", "model": "gbm", "promotions": "told"}
    zeros = dict.fromkeys(("crossings", "negatives", "nonfinite"), 0)
    numbers = ("wape", "wape_of_median", "bias", "pinball", "scaled_pinball", "cpu_seconds")
    rows = pl.DataFrame(
        [
            {**about, "origin": origin, **dict.fromkeys(numbers, value), **zeros}
            for origin, value in (("1", 9.0), ("2", 3.0), ("1", 1.0))
        ]
    )
    means = mean_of_origins(rows).row(0, named=True)
    assert (means["origins"], means["wape"], means["pinball"]) == (2, 2.0, 2.0)


def test_the_command_writes_and_shows(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def tasks(source: Path | None, work: Path, origins: int) -> Iterator[Task]:
        yield from [task] * origins

    monkeypatch.setitem(bench_retail_peers.TASKS, "online_retail", tasks)
    asked = ["bench", "--data", "online_retail", "--models", "seasonal_naive", "--origins", "1"]
    monkeypatch.setattr(sys, "argv", [*asked, "--results", str(tmp_path)])
    bench_retail_peers.main()
    assert "seasonal_naive" in capsys.readouterr().out
    broken = (np.full((N, H), -1.0), np.zeros((N, H, len(LEVELS))))
    monkeypatch.setattr(bench_retail_peers, "our_forecast", lambda *_: broken)
    with pytest.raises(ShelfwiseError, match="seasonal_naive at 2024-10-07"):
        bench_retail_peers.main()


def test_the_table_alone_needs_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", "--table", "--results", str(tmp_path)])
    with pytest.raises(UsageError, match="without --table"):
        bench_retail_peers.main()
    assert set(bench_retail_peers.NETWORKS) < set(MODELS)
