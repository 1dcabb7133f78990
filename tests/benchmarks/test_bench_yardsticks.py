"""The yardstick table: what counts as the listed value, what is kept, and peers that do the same work."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from benchmarks.results_log import referee_problems
from benchmarks.simulate_peers import numpy_loop, ours, same_work, stockcast_loop
from benchmarks.yardsticks_table import Row

from benchmarks import bench_yardsticks


@pytest.mark.parametrize(
    ("ours", "listed", "within"),
    [
        (4.0407, "4.0407", True),
        (4.0447, "4.0407", True),
        (4.0449, "4.0407", False),
        (0.0089, "0.00", True),
        (0.0111, "0.00", False),
        (12.0, "12", True),
        (13.0, "12", False),
    ],
)
def test_a_thousandth_or_one_printed_digit(ours, listed, within):
    row = Row(1, "cell", "cost", ours, listed)
    assert row.within is within
    assert row.verdict == ("as listed" if within else "DIFFERS")


def test_a_policy_is_held_to_its_own_limit():
    assert Row(2, "cell", "cost", 100.14, "100", limit_percent=0.15).within
    assert not Row(2, "cell", "cost", 100.16, "100", limit_percent=0.15).within
    assert Row(2, "cell", "cost", 99.0, "100", limit_percent=0.15).within


def test_a_gap_in_percent_is_compared_in_points():
    row = Row(2, "cell", "gap %", 0.26, "0.25")
    assert row.gap_percent == pytest.approx(0.01)
    assert "+0.010" in row.line()


def test_what_is_not_claimed_is_printed_with_its_reason():
    line = Row(7, "some program", "speed", None, "400-1,000", note="not run here").line()
    assert line.endswith("not run here")
    assert "400-1,000" in line


def test_a_section_is_solved_printed_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "yardsticks.csv"
    arguments = ["--section", "3", "--section", "5", "--output", str(output)]
    assert bench_yardsticks.main(arguments) == 0
    printed = capsys.readouterr().out
    assert "Shang-Song 17" in printed
    assert "0 outside what is allowed" in printed
    with output.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["section"] for row in rows} == {"3", "5"}
    assert {row["verdict"] for row in rows} == {"as listed"}
    assert referee_problems(output) == []


def test_a_value_outside_ends_with_code_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {3: ("made up", lambda: [Row(3, "cell", "cost", 2.0, "1.0")])}
    monkeypatch.setattr(bench_yardsticks, "SECTIONS", wrong)
    assert bench_yardsticks.main(["--output", str(tmp_path / "out.csv")]) == 1


def test_peers_lose_the_same_units():
    demand, up_to = same_work(40, 60, np.random.default_rng(3))
    lost = ours(demand, up_to)
    assert lost > 0
    assert numpy_loop(demand, up_to) == lost
    pytest.importorskip("stockcast")
    assert stockcast_loop(demand, up_to)() == lost
