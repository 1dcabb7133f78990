"""Every committed results file passes the referee."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.results_log import referee_problems

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"
FILES = sorted(RESULTS.rglob("*.csv"))


@pytest.mark.parametrize("path", FILES, ids=[path.name for path in FILES])
def test_committed_results_pass_the_referee(path: Path) -> None:
    assert referee_problems(path) == []
