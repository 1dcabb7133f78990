from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from benchmarks.bench_demo import Measured, demo_rows, measure_demo, run_measured, run_shelfwise
from benchmarks.results_log import referee_problems

from benchmarks import bench_demo
from shelfwise.errors import ShelfwiseError

HUNGRY = """
import sys, time
held = bytearray(b"x") * (200 * 2**20)
time.sleep(0.3)
print("out")
print("err", file=sys.stderr)
sys.exit(3)
"""


def policies() -> pl.DataFrame:
    """What a backtest writes for two policies, of which only one forecasts."""
    numbers = {name: [123.456789, 200.0] for name in bench_demo.POLICY_COLUMNS}
    return pl.DataFrame({"policy": ["order_up_to", "days_of_cover"], **numbers, "wape": [0.5, None]})


def test_a_command_is_measured_from_outside() -> None:
    measured = run_measured([sys.executable, "-c", HUNGRY])
    assert measured.exit_code == 3
    assert 0.3 <= measured.seconds < 30
    assert 200 / 1024 <= measured.peak_gib < 300 / 1024
    assert sorted(measured.told) == ["err", "out"]


def test_memory_of_the_measuring_process_does_not_count() -> None:
    held = np.ones(300 * 2**17)
    measured = run_measured([sys.executable, "-c", "pass"])
    assert held.nbytes == 300 * 2**20
    assert measured.peak_gib < 100 / 1024


def test_what_cannot_be_started_is_no_measurement() -> None:
    with pytest.raises(ShelfwiseError, match="no-such-program could not be run"):
        run_measured(["no-such-program"])


def test_the_command_runs_with_the_code_imported_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert run_shelfwise("--version").told[0].startswith("shelfwise ")


def test_a_command_that_fails_is_no_result_and_its_words_are_kept(tmp_path: Path) -> None:
    with pytest.raises(ShelfwiseError, match=r"(?s)shelfwise check must end .*no-such-shop"):
        run_shelfwise("check", tmp_path / "no-such-shop")


def test_only_a_cold_start_gets_an_empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    caches: list[str | None] = []

    def run_instead(*arguments: str | Path, variables: Mapping[str, str] | None = None) -> Measured:
        assert arguments[:2] == ("demo", "-o")
        caches.append((variables or {}).get("NUMBA_CACHE_DIR"))
        Path(arguments[2]).mkdir()
        policies().write_csv(Path(arguments[2]) / "policies.csv")
        return Measured(0, 12.34, 0.5678, ())

    monkeypatch.setattr(bench_demo, "run_shelfwise", run_instead)
    for start in bench_demo.STARTS:
        (tmp_path / start).mkdir()
        rows = measure_demo(start, tmp_path / start)
        assert [row["policy"] for row in rows] == ["order_up_to", "days_of_cover"]
    cold, warm = caches
    assert warm is None
    assert cold is not None
    assert list(Path(cold).iterdir()) == []


def test_rows_hold_costs_beside_seconds_and_pass_the_referee(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(
        bench_demo,
        "measure_demo",
        lambda start, work: demo_rows(start, policies(), Measured(0, 12.34, 0.56789, ())),
    )
    monkeypatch.setattr(sys, "argv", ["bench_demo", "--results", str(tmp_path)])
    bench_demo.main()
    written = pl.read_csv(tmp_path / "demo.csv")
    assert written["start"].to_list() == ["cold", "cold", "warm", "warm"]
    assert (
        written.row(0, named=True).items() >= {"cost": 123.4568, "seconds": 12.3, "peak_gib": 0.568}.items()
    )
    assert referee_problems(tmp_path / "demo.csv") == []
