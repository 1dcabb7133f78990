"""The modules as commands, and the examples in their docstrings."""

from __future__ import annotations

import doctest
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(module: str, *arguments: str | Path, data: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "SHELFWISE_DATA"}
    environment["PYTHONPATH"] = str(ROOT / "src")
    if data is not None:
        environment["SHELFWISE_DATA"] = str(data)
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)


def test_a_folder_is_written_from_the_data_folder(vn2_source: Path, tmp_path: Path) -> None:
    done = run("vn2_folder", tmp_path / "out", "--weeks", "120", data=vn2_source.parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out" / "sales.parquet").exists()


def test_without_the_data_folder_a_command_says_what_to_do(tmp_path: Path) -> None:
    done = run("m5_folder", tmp_path / "out")
    assert done.returncode == 2
    assert "SHELFWISE_DATA" in done.stderr
    assert "--source" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_missing_raw_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "vn2").mkdir()
    done = run("vn2_folds", data=tmp_path)
    assert done.returncode == 2
    assert "Sales.csv" in done.stderr


def test_folds_print_a_line_each(vn2_source: Path) -> None:
    done = run("vn2_folds", "--source", vn2_source)
    lines = done.stdout.splitlines()
    assert [line.split(",")[0] for line in lines] == ["first_week", "109", "117", "125", "133", "141", "149"]


@pytest.mark.parametrize(
    "module", ["m5_levels", "m5_score", "online_retail_lines", "peers_residuals", "peers_statsforecast"]
)
def test_examples_in_docstrings_hold(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"benchmarks.{module}"))
    assert result.attempted > 0
    assert result.failed == 0
